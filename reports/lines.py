"""A row of the report as a person reads it: icons with words, who, what was said, what came of it and why it counts."""

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.urls import reverse

from callcenter.clinics.models import Clinic
from callcenter.contacts.machine import Sign, sign_of
from callcenter.contacts.models import Contact, ContactResult, Interaction, Recording
from callcenter.contacts.queries import gave_of
from callcenter.contacts.states import ORANGE, WHO_OF_ORIGIN, YELLOW, Kind, Origin, Shape, State
from callcenter.lib.localtime import local
from callcenter.lib.templatetags.ru import rub
from reports.queries import Parts, parts_of

# Tabler icon and colour of each type; the words are the type's own label.
_MARKS: Final[dict[str, tuple[str, str]]] = {
    Shape.CALL_IN: ("phone-incoming", ""),
    Shape.CALL_IN_NOTED: ("phone-incoming", "noted"),
    Shape.CALL_IN_MISSED: ("phone-x", "missed"),
    Shape.CALL_IN_LIVE: ("phone-ringing", "live"),
    Shape.CALL_OUT: ("phone-outgoing", ""),
    Shape.CALL_OUT_NOTED: ("phone-outgoing", "noted"),
    Shape.CALL_OUT_FAILED: ("phone-off", "pale"),
    Shape.CALL_OUT_LIVE: ("phone-call", "live"),
    Shape.CHAT_IN: ("brand-hipchat", ""),
    Shape.CHAT_IN_NOTED: ("brand-hipchat", "noted"),
    Shape.CHAT_IN_MISSED: ("message-circle-x", "missed"),
    Shape.CHAT_IN_LIVE: ("message-circle-2", "live"),
    Shape.CHAT_OUT: ("message-share", ""),
    Shape.CHAT_OUT_NOTED: ("message-share", "noted"),
    Shape.CHAT_OUT_LIVE: ("message-circle-2", "live"),
    Shape.REQUEST_NEW: ("forms", "missed"),
    Shape.REQUEST_DONE: ("forms", "pale"),
    Shape.REQUEST_DIALOG_NEW: ("messages", "missed"),
    Shape.REQUEST_DIALOG_DONE: ("messages", "pale"),
    Shape.DIALOG: ("messages", "done"),
    Shape.COMMENT_IN: ("message-2", "done"),
    Shape.COMMENT_OUT: ("message-2", "done"),
}


@dataclass(frozen=True)
class Mark:
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


def mark_of(shape: str, *, overdue: bool = False) -> Mark:
    icon, tone = _MARKS.get(shape, ("help", ""))
    word = Shape(shape).label if shape else "Не определено"
    return Mark(icon, "overdue", f"{word}. Просроченная") if overdue else Mark(icon, tone, word)


@dataclass(frozen=True)
class Why:
    """One record of a contact in two columns: what the employee did then, and how it stands now."""

    then: str
    then_by: str
    sign: Sign | None
    now: str
    is_main: bool
    is_counted: bool


def whys_of(contact: Contact, gave: Sequence[ContactResult]) -> list[Why]:
    """«Всплывающая подсказка разделена на два столбца: „В момент обращения“ и „Текущий статус“»."""
    return [
        Why(
            then=f"{result.get_kind_display()} в {local(result.at, contact.clinic.zone):%H:%M}{_subject(result)}",
            then_by=result.by.short_name if result.by else "программа",
            sign=sign_of(gave_of(result)),
            now=_standing(result),
            is_main=result.pk == contact.main_result_id,
            is_counted=result.patient_id == contact.patient_id,
        )
        for result in gave
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


def _standing(result: ContactResult) -> str:
    if result.appointment is not None:
        money = f", {rub(result.appointment.money)}" if result.appointment.money else ""
        return f"{result.appointment.get_status_display()}{money}"
    if result.waiting is not None:
        if result.waiting.closed_at is None:
            return "открыта"
        ended = "приёмом" if result.waiting.appointment_id else result.waiting.close_reason or "без приёма"
        return f"закрыта {result.waiting.closed_at:%d.%m.%Y}: {ended}"
    if result.task is not None:
        return result.task.get_state_display()
    return ""


def auto_comment(interaction: Interaction, gave: Sequence[ContactResult]) -> str:
    """What a call from a list says of itself: the list, and what was done in the fifteen minutes after it."""
    deeds = [result for result in gave if result.interaction_id == interaction.pk]
    if not deeds or interaction.comment:
        return ""
    origin = next((result.origin for result in deeds if result.origin), interaction.origin)
    if not origin:
        origin = next((str(one) for one, who in WHO_OF_ORIGIN.items() if who == interaction.who_type), "")
    if not origin:
        return ""
    done = "; ".join(f"{result.get_kind_display()}{_subject(result)}" for result in deeds)
    return f"{Origin(origin).label.capitalize()}: {done}" if origin in Origin.values else done


@functools.cache
def _pattern(name: str) -> str:
    return reverse(name, args=[0])


def address_of(name: str, pk: int) -> str:
    """The address of one object; its pattern is looked up once."""
    return _pattern(name).replace("/0/", f"/{pk}/", 1)


@dataclass
class Line:
    """One row: a contact, or one interaction of it."""

    contact: Contact
    interaction: Interaction | None
    mark: Mark
    said: list[Interaction]
    gave: list[ContactResult]
    whys: list[Why]
    sign: Sign | None
    comment: str
    is_auto: bool
    sounds: list[Recording]
    others: list[str] = field(default_factory=list)  # «участвовали»
    tone: str = ""

    @property
    def results(self) -> int:
        return self.contact.results_count

    # Fifty rows have two hundred addresses: `reverse` for each would cost more than the queries.
    @property
    def contact_url(self) -> str:
        return address_of("reports:contact", self.contact.pk)

    @property
    def patient_url(self) -> str:
        return address_of("clinics:patient", self.contact.patient_id or 0)

    @property
    def rules_url(self) -> str:
        return address_of("contacts:channel_rules", self.interaction.pk if self.interaction else 0)


def contact_lines(keys: Sequence[int], clinics: Sequence[Clinic], today: dt.date) -> list[Line]:
    """The rows «По обращениям» of these contacts, in this order."""
    parts = parts_of(keys, clinics)
    return [line_of_contact(parts.contacts[key], parts, today) for key in keys if key in parts.contacts]


def interaction_lines(rows: Sequence[Interaction], clinics: Sequence[Clinic], today: dt.date) -> list[Line]:
    """The rows «Без группировки» of these interactions."""
    parts = parts_of([row.contact_id for row in rows], clinics)
    known = {one.pk: one for said in parts.said.values() for one in said}
    return [line_of_interaction(known[row.pk], parts, today) for row in rows if row.pk in known]


def line_of_contact(contact: Contact, parts: Parts, today: dt.date) -> Line:
    said, gave = parts.said.get(contact.pk, []), parts.gave.get(contact.pk, [])
    overdue = contact.overdue_on is not None and contact.overdue_on <= today
    shown = [one for one in said if one.bound_to_id is None]
    comment, is_auto = _comment(said, gave)
    people = {one.employee_id: one.employee.short_name for one in said if one.employee is not None}
    main = next((result for result in gave if result.pk == contact.main_result_id), None)
    return Line(
        contact=contact,
        interaction=None,
        mark=mark_of(contact.shape, overdue=overdue),
        said=said,
        gave=gave,
        whys=whys_of(contact, gave),
        sign=sign_of(gave_of(main)) if main else None,
        comment=comment,
        is_auto=is_auto,
        sounds=[sound for one in shown for sound in one.sounds],  # type: ignore[attr-defined]
        others=[name for pk, name in people.items() if pk != contact.owner_id],
        tone=tone_of(shown),
    )


def line_of_interaction(interaction: Interaction, parts: Parts, today: dt.date) -> Line:
    contact = interaction.contact
    said, gave = parts.said.get(contact.pk, []), parts.gave.get(contact.pk, [])
    is_open = interaction.kind in (Kind.REQUEST, Kind.REQUEST_DIALOG) and interaction.state == State.NEW
    overdue = is_open and contact.overdue_on is not None and contact.overdue_on <= today
    own = [one for one in said if interaction.pk in (one.pk, one.bound_to_id)]
    comment, is_auto = _comment(own, gave)
    main = next((result for result in gave if result.pk == contact.main_result_id), None)
    return Line(
        contact=contact,
        interaction=interaction,
        mark=mark_of(interaction.shape, overdue=overdue),
        said=own,
        gave=gave,
        whys=whys_of(contact, gave),
        sign=sign_of(gave_of(main)) if main else None,
        comment=comment,
        is_auto=is_auto,
        sounds=interaction.sounds,  # type: ignore[attr-defined]
        tone=tone_of([interaction]),
    )


def tone_of(shown: Sequence[Interaction]) -> str:
    """«Желтым выделены пропущенные звонки и чаты, а также необработанные заявки. Оранжевым — текущий звонок и активные чаты»."""
    if any(one.shape in ORANGE for one in shown):
        return "live"
    return "missed" if any(one.shape in YELLOW for one in shown) else ""


def _comment(said: Sequence[Interaction], gave: Sequence[ContactResult]) -> tuple[str, bool]:
    texts = [one.comment or one.get_summary_display() for one in said if one.comment or one.summary]
    if texts:
        return " · ".join(dict.fromkeys(texts)), False
    autos = [text for one in said if (text := auto_comment(one, gave))]
    return " · ".join(autos), True
