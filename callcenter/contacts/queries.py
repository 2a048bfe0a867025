"""Facts for the rules, and what the screens of contacts need."""

import datetime as dt
from collections.abc import Sequence

from callcenter.clinics.models import Appointment, WaitingListEntry
from callcenter.clinics.states import AppointmentStatus, WaitingState
from callcenter.contacts.attribution import AttributionMarks, AttributionRule
from callcenter.contacts.models import (
    ChannelRule,
    Contact,
    ContactPolicy,
    ContactResult,
    DirectoryNumber,
    Interaction,
)
from callcenter.contacts.rules import (
    ContactFacts,
    InteractionFacts,
    PatientAction,
    PolicyValues,
    ResultFacts,
    VisitFacts,
    WaitingFacts,
)
from callcenter.contacts.states import (
    Direction,
    InteractionKind,
    InteractionState,
    ResultKind,
    RuleKind,
    Summary,
)
from callcenter.lib.localtime import day_bounds


def facts_of(
    contact: Contact, rows: Sequence[Interaction], results: Sequence[ContactResult]
) -> ContactFacts:
    """What `machine.decide` is to know of a contact; `clinic` and `clinic.contact_policy` should be
    joined already.
    """
    return ContactFacts(
        zone=contact.clinic.zone,
        patient=contact.patient_id,
        said=[said_of(row) for row in rows],
        gave=[gave_of(result) for result in results],
        directory=_directory(contact),
        had_completed_visit=_had_completed_visit(contact),
        policy=policy_of(contact),
    )


def policy_of(contact: Contact) -> PolicyValues:
    try:
        row = contact.clinic.contact_policy
    except ContactPolicy.DoesNotExist:
        return PolicyValues()
    return PolicyValues(row.comment_minutes, row.result_minutes, row.overdue_days)


def said_of(row: Interaction) -> InteractionFacts:
    return InteractionFacts(
        id=row.pk,
        key=f"{row.source}:{row.source_id}:{row.kind}",
        kind=InteractionKind(row.kind),
        state=InteractionState(row.state),
        direction=Direction(row.direction),
        at=row.at,
        ended_at=row.ended_at,
        number=row.number,
        employee=row.employee_id,
        wait_seconds=row.wait_seconds,
        talk_seconds=row.talk_seconds,
        topic=row.topic_id,
        has_comment=bool(row.comment or row.summary),
        caller_type_given=row.caller_type_given,
        origin=row.origin,
        channel=row.channel_id,
        line=row.line,
        is_written=row.kind == InteractionKind.COMMENT or not row.source_id,
        says_booked=row.summary == Summary.BOOKED,
    )


def gave_of(row: ContactResult) -> ResultFacts:
    return ResultFacts(
        id=row.pk,
        kind=ResultKind(row.kind),
        at=row.at,
        by=row.by_id,
        patient=row.patient_id,
        interaction=row.interaction_id,
        visit_id=row.appointment_id,
        visit=_visit(row.appointment),
        waiting_id=row.waiting_id,
        waiting=_waiting(row.waiting),
    )


def _visit(appointment: Appointment | None) -> VisitFacts | None:
    return (
        VisitFacts(AppointmentStatus(appointment.status), appointment.money)
        if appointment is not None
        else None
    )


def _waiting(entry: WaitingListEntry | None) -> WaitingFacts | None:
    return (
        WaitingFacts(WaitingState(entry.state), _visit(entry.appointment))
        if entry is not None
        else None
    )


def deed_of(row: ContactResult) -> PatientAction | None:
    return PatientAction(ResultKind(row.kind), row.at, row.by_id) if row.by_id is not None else None


def _directory(contact: Contact) -> str:
    if contact.patient_id is not None or not contact.number:
        return ""
    return (
        DirectoryNumber.objects.filter(number=contact.number)
        .values_list("caller_type", flat=True)
        .first()
        or ""
    )


def _had_completed_visit(contact: Contact) -> bool:
    """«Первичные»: nobody who had a completed visit before the contact's day."""
    if contact.patient_id is None:
        return False
    morning, _ = day_bounds(contact.on, contact.clinic.zone)
    return Appointment.objects.filter(
        patient=contact.patient_id, status=AppointmentStatus.COMPLETED, starts_at__lt=morning
    ).exists()


def channel_rules() -> list[AttributionRule]:
    """The rules in force, for `attribution.matching_rule`."""
    rows = ChannelRule.objects.filter(is_active=True).values_list(
        "pk", "channel_id", "kind", "pattern", "position"
    )
    return [
        AttributionRule(pk, channel, RuleKind(kind), pattern, position)
        for pk, channel, kind, pattern, position in rows
    ]


def marks_of(row: Interaction) -> AttributionMarks:
    """What the rules of channels may look at; only those who turned to us came by a channel."""
    if row.direction != Direction.IN:
        return AttributionMarks(InteractionKind.COMMENT)
    return AttributionMarks(
        kind=InteractionKind(row.kind),
        utm=row.utm,
        number_from=row.number,
        number_to=row.line,
        chat_channel=row.chat_channel,
        account=row.account or row.source,
    )


def requests_for(call: Interaction) -> list[Interaction]:
    """Unhandled requests of the call's clinic that it may have answered: the same person's first,
    then the last month's.
    """
    found = (
        Interaction.objects.filter(
            clinic=call.clinic_id,
            kind__in=[InteractionKind.REQUEST, InteractionKind.REQUEST_DIALOG],
            state=InteractionState.NEW,
            at__lte=call.at + dt.timedelta(days=1),
            at__gte=call.at - dt.timedelta(days=31),
        )
        .select_related("patient", "clinic")
        .order_by("-at")
    )
    same = [
        one
        for one in found[:200]
        if one.number == call.number or (one.patient_id and one.patient_id == call.patient_id)
    ]
    others = [one for one in found[:200] if one not in same]
    return [*same, *others[:30]]
