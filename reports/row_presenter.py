"""A row of the report as a person reads it: icons with words, who, what was said, what came of it
and why it counts.
"""

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from callcenter.clinics.models import Clinic
from callcenter.clinics.states import OCCUPYING, AppointmentStatus
from callcenter.contacts.models import ContactResult
from callcenter.contacts.queries import gave_of
from callcenter.contacts.rules import ResultBadge, sign_of
from callcenter.contacts.states import (
    BIT_OF,
    ORANGE,
    WHO_OF_ORIGIN,
    YELLOW,
    CallerType,
    ContactOutcome,
    ContactType,
    InteractionKind,
    InteractionState,
    Origin,
    Summary,
    mask,
)
from callcenter.lib.localtime import local
from callcenter.lib.templatetags.formatting import rub
from reports.lookups import Lookups
from reports.row_data import (
    ContactRow,
    InteractionRow,
    RecordingRef,
    RowData,
    RowName,
    address_of,
    row_data_of_contacts,
    row_data_of_interactions,
)

# Tabler icon and colour of each type; the words are the type's own label.
_BADGES: Final[dict[str, tuple[str, str]]] = {
    ContactType.CALL_IN: ("phone-incoming", ""),
    ContactType.CALL_IN_NOTED: ("phone-incoming", "noted"),
    ContactType.CALL_IN_MISSED: ("phone-x", "missed"),
    ContactType.CALL_IN_LIVE: ("phone-ringing", "live"),
    ContactType.CALL_OUT: ("phone-outgoing", ""),
    ContactType.CALL_OUT_NOTED: ("phone-outgoing", "noted"),
    ContactType.CALL_OUT_FAILED: ("phone-off", "pale"),
    ContactType.CALL_OUT_LIVE: ("phone-call", "live"),
    ContactType.CHAT_IN: ("brand-hipchat", ""),
    ContactType.CHAT_IN_NOTED: ("brand-hipchat", "noted"),
    ContactType.CHAT_IN_MISSED: ("message-circle-x", "missed"),
    ContactType.CHAT_IN_LIVE: ("message-circle-2", "live"),
    ContactType.CHAT_OUT: ("message-share", ""),
    ContactType.CHAT_OUT_NOTED: ("message-share", "noted"),
    ContactType.CHAT_OUT_LIVE: ("message-circle-2", "live"),
    ContactType.REQUEST_NEW: ("forms", "pale"),
    ContactType.REQUEST_DONE: ("forms", "pale"),
    ContactType.REQUEST_DIALOG_NEW: ("messages", "pale"),
    ContactType.REQUEST_DIALOG_DONE: ("messages", "pale"),
    ContactType.DIALOG: ("messages", "done"),
    ContactType.COMMENT_IN: ("message-2", "done"),
    ContactType.COMMENT_OUT: ("message-2", "done"),
}


@dataclass(frozen=True)
class TypeBadge:
    """The icon of one interaction's type; `noted` adds the blue sign of a comment."""

    icon: str
    tone: str
    word: str

    @property
    def noted(self) -> bool:
        return self.tone == "noted"

    @property
    def live(self) -> bool:
        return self.tone == "live"


@functools.cache
def badge_of(contact_type: str, *, overdue: bool = False) -> TypeBadge:
    icon, tone = _BADGES.get(contact_type, ("help", ""))
    word = ContactType(contact_type).label if contact_type else "Не определено"
    return (
        TypeBadge(icon, "overdue", f"{word}. Просроченная")
        if overdue
        else TypeBadge(icon, tone, word)
    )


@dataclass(frozen=True)
class ResultExplanation:
    """One record of a contact in two columns: what the employee did then, and how it stands now."""

    result_id: int
    then: str
    then_by: str
    sign: ResultBadge | None
    now: str
    is_main: bool
    is_counted: bool


def explanations_of(contact: ContactRow, row_data: RowData) -> list[ResultExplanation]:
    """«Всплывающая подсказка разделена на два столбца: „В момент обращения“ и „Текущий статус“»."""
    zone = row_data.clinics[contact.clinic_id].zone
    return [
        ResultExplanation(
            result_id=result.pk,
            then=f"{result.get_kind_display()} в {local(result.at, zone):%H:%M}{_subject(result)}",
            then_by=row_data.lookups.person(result.by_id) or "программа",
            sign=sign_of(gave_of(result)),
            now=_current_status(result),
            is_main=result.pk == contact.main_result_id,
            is_counted=result.patient_id == contact.patient_id,
        )
        for result in row_data.results.get(contact.pk, ())
    ]


def _subject(result: ContactResult) -> str:
    if result.appointment is not None:
        start = local(result.appointment.starts_at, result.appointment.clinic.zone)
        return f": {start:%d.%m.%Y %H:%M}, {result.appointment.doctor.short_name}"
    if result.waiting is not None:
        return f": позвонить {result.waiting.call_on:%d.%m.%Y}"
    if result.task is not None:
        return f": {result.task.title}"
    return f": {result.note}" if result.note else ""


def _current_status(result: ContactResult) -> str:
    """What the sign's own word does not say: the money, the day and the way it ended."""
    visit, waiting = result.appointment, result.waiting
    if visit is not None:
        if visit.status == AppointmentStatus.COMPLETED:
            return rub(visit.money) if visit.money else ""
        return visit.cancel_reason if visit.status not in OCCUPYING else visit.get_status_display()
    if waiting is not None:
        if waiting.closed_at is None:
            return ""
        ended = "приёмом" if waiting.appointment_id else waiting.close_reason or "без приёма"
        return f"{waiting.closed_at:%d.%m.%Y}, {ended}"
    return result.task.get_state_display() if result.task is not None else ""


def auto_comment(one: InteractionRow, results: Sequence[ContactResult]) -> str:
    """What a call from a list says of itself: the list, and what was done in the fifteen minutes
    after it.
    """
    done_in_it = [result for result in results if result.interaction_id == one.pk]
    if not done_in_it or one.comment:
        return ""
    origin = next(
        (result.origin for result in done_in_it if result.origin), one.origin
    ) or _LIST_OF_WHO.get(one.caller_type, "")
    if not origin:
        return ""
    done = "; ".join(f"{result.get_kind_display()}{_subject(result)}" for result in done_in_it)
    return f"{Origin(origin).label.capitalize()}: {done}" if origin in Origin.values else done


_LIST_OF_WHO: Final = {str(who): str(origin) for origin, who in WHO_OF_ORIGIN.items()}
_WHO: Final[dict[str, str]] = {str(one): one.label for one in CallerType}
_OUTCOMES: Final[dict[str, str]] = {str(one): one.label for one in ContactOutcome}
_SUMMARIES: Final[dict[str, str]] = {str(one): one.label for one in Summary}


@dataclass(slots=True)
class ReportRow:
    """One row as it is shown: a contact, or one interaction of it. Words and names, nothing left to
    look up.
    """

    contact: ContactRow
    interaction: InteractionRow | None
    clinic: Clinic
    at: dt.datetime  # the clinic's wall clock
    badge: TypeBadge
    tone: str
    patient_id: int | None
    patient: RowName | None
    number: str
    who: str
    topic: str
    outcome: str
    sign: ResultBadge | None
    explanations: list[ResultExplanation]
    employee: str
    others: list[str]  # «участвовали»
    channel: str
    channel_path: str  # with the channels above it
    comment: str
    is_auto: bool
    reason: str
    recordings: list[RecordingRef]
    wait_seconds: int | None
    talk_seconds: int | None

    @property
    def is_open_request(self) -> bool:
        return self.interaction is not None and _is_open_request(self.interaction)

    @property
    def contact_url(self) -> str:
        return address_of("reports:contact", self.contact.pk)

    @property
    def patient_url(self) -> str:
        return address_of("clinics:patient", self.patient_id or 0)

    @property
    def whose_url(self) -> str:
        return address_of("contacts:whose", self.contact.pk)

    @property
    def rules_url(self) -> str:
        return address_of("contacts:channel_rules", self.interaction.pk if self.interaction else 0)

    @property
    def comment_url(self) -> str:
        return address_of("contacts:comment", self.interaction.pk if self.interaction else 0)


def contact_rows(
    keys: Sequence[int], clinics: Sequence[Clinic], lookups: Lookups, today: dt.date
) -> list[ReportRow]:
    """The rows «По обращениям» of these contacts, in this order."""
    row_data = row_data_of_contacts(keys, clinics, lookups)
    return [
        row_of_contact(row_data.contacts[key], row_data, today)
        for key in keys
        if key in row_data.contacts
    ]


def interaction_rows(
    rows: Sequence[InteractionRow], clinics: Sequence[Clinic], lookups: Lookups, today: dt.date
) -> list[ReportRow]:
    """The rows «Без группировки» of these interactions."""
    row_data = row_data_of_interactions(rows, clinics, lookups)
    return [
        row_of_interaction(row, row_data, today)
        for row in rows
        if row.contact_id in row_data.contacts
    ]


def row_of_contact(contact: ContactRow, row_data: RowData, today: dt.date) -> ReportRow:
    interactions, lookups = row_data.interactions.get(contact.pk, []), row_data.lookups
    clinic = row_data.clinics[contact.clinic_id]
    comment, is_auto = _comment(interactions, row_data.results.get(contact.pk, ()))
    explanations = explanations_of(contact, row_data)
    people = dict.fromkeys(
        one.employee_id for one in interactions if one.employee_id not in (None, contact.owner_id)
    )
    return ReportRow(
        contact=contact,
        interaction=None,
        clinic=clinic,
        at=local(contact.started_at, clinic.zone),
        badge=badge_of(
            contact.contact_type,
            overdue=contact.overdue_on is not None and contact.overdue_on <= today,
        ),
        tone=tone_of(contact.contact_types),
        patient_id=contact.patient_id,
        patient=row_data.patients.get(contact.patient_id),
        number=contact.number,
        who=_WHO[contact.caller_type],
        topic=lookups.topic(contact.topic_id),
        outcome=_OUTCOMES[contact.outcome],
        sign=next((explanation.sign for explanation in explanations if explanation.is_main), None),
        explanations=explanations,
        employee=lookups.person(contact.owner_id),
        others=[lookups.person(pk) for pk in people],
        channel=lookups.channel(contact.channel_id),
        channel_path=lookups.channel_path(contact.channel_id),
        comment=comment,
        is_auto=is_auto,
        reason="",
        recordings=[
            recording
            for one in interactions
            if one.joined_call_id is None
            for recording in row_data.recordings.get(one.pk, ())
        ],
        wait_seconds=contact.wait_seconds or None,
        talk_seconds=contact.talk_seconds or None,
    )


def row_of_interaction(one: InteractionRow, row_data: RowData, today: dt.date) -> ReportRow:
    contact, lookups = row_data.contacts[one.contact_id], row_data.lookups
    clinic = row_data.clinics[contact.clinic_id]
    own = [
        each
        for each in row_data.interactions.get(contact.pk, ())
        if one.pk in (each.pk, each.joined_call_id)
    ]
    comment, is_auto = _comment(own, row_data.results.get(contact.pk, ()))
    explanations = explanations_of(contact, row_data)
    overdue = (
        _is_open_request(one) and contact.overdue_on is not None and contact.overdue_on <= today
    )
    return ReportRow(
        contact=contact,
        interaction=one,
        clinic=clinic,
        at=local(one.at, clinic.zone),
        badge=badge_of(one.contact_type, overdue=overdue),
        tone=tone_of(BIT_OF.get(one.contact_type, 0)),
        patient_id=one.patient_id,
        patient=row_data.patients.get(one.patient_id),
        number=one.number,
        who=_WHO[one.caller_type],
        topic=lookups.topic(one.shown_topic_id),
        outcome=_OUTCOMES[contact.outcome],
        sign=next((explanation.sign for explanation in explanations if explanation.is_main), None),
        explanations=explanations,
        employee=lookups.person(one.shown_employee_id),
        others=[],
        channel=lookups.channel(one.channel_id),
        channel_path=lookups.channel_path(one.channel_id),
        comment=comment,
        is_auto=is_auto,
        reason=next(
            (row_data.reasons[each.reason_id] for each in own if each.reason_id is not None), ""
        ),
        recordings=row_data.recordings.get(one.pk, []),
        wait_seconds=one.wait_seconds,
        talk_seconds=one.talk_seconds,
    )


def _is_open_request(one: InteractionRow) -> bool:
    return one.state == InteractionState.NEW and one.kind in (
        InteractionKind.REQUEST,
        InteractionKind.REQUEST_DIALOG,
    )


_ORANGE_BITS: Final = mask(ORANGE)
_YELLOW_BITS: Final = mask(YELLOW)


def tone_of(contact_types: int) -> str:
    """«Желтым выделены пропущенные звонки и чаты, а также необработанные заявки. Оранжевым —
    текущий звонок и активные чаты».
    """
    if contact_types & _ORANGE_BITS:
        return "live"
    return "missed" if contact_types & _YELLOW_BITS else ""


def _comment(
    interactions: Iterable[InteractionRow], results: Sequence[ContactResult]
) -> tuple[str, bool]:
    interactions = list(interactions)
    texts = [
        text for one in interactions if (text := one.comment or _SUMMARIES.get(one.summary, ""))
    ]
    if texts:
        return " · ".join(dict.fromkeys(texts)), False
    autos = [text for one in interactions if (text := auto_comment(one, results))]
    return " · ".join(autos), True
