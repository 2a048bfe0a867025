"""The two verbs by which every desk writes the history of contacts."""

import datetime as dt

from django.db import transaction

from callcenter.assignments.models import Task
from callcenter.clinics.models import Appointment, Clinic, Patient, WaitingListEntry
from callcenter.contacts.models import Contact, ContactResult, Interaction, Reason, Topic
from callcenter.contacts.states import Direction, Kind, Outcome, State, WhoType
from callcenter.lib import live
from callcenter.lib.localtime import local_day
from callcenter.staff.models import User


def record_interaction(
    *,
    clinic: Clinic,
    kind: Kind,
    state: State,
    at: dt.datetime,
    now: dt.datetime,
    by: User | None,
    direction: Direction = Direction.IN,
    patient: Patient | None = None,
    number: str = "",
    employee: User | None = None,
    line: str = "",
    wait_seconds: int | None = None,
    talk_seconds: int | None = None,
    summary: str = "",
    topic: Topic | None = None,
    reason: Reason | None = None,
    comment: str = "",
    is_recall: bool = False,
    who_type: WhoType | None = None,
    source: str = "hand",
    source_id: str = "",
) -> Interaction:
    """Writes one call, chat, request, dialog or comment, and puts it into the contact of its person and local day.

    Idempotent by (`source`, `source_id`): the same id again returns the first row. `at` is the instant it began (UTC).
    Seed 002: «Если в течение дня человек и позвонил, и написал вам … это будет считаться одним обращением».
    """
    with transaction.atomic():
        if source_id:
            known = Interaction.objects.filter(source=source, source_id=source_id).select_related("contact").first()
            if known is not None:
                return known
        contact = _contact_of(clinic, patient, number, at, direction, who_type)
        interaction = Interaction.objects.create(
            contact=contact,
            clinic=clinic,
            kind=kind,
            state=state,
            at=at,
            direction=direction,
            patient=patient,
            number=number,
            employee=employee,
            line=line,
            wait_seconds=wait_seconds,
            talk_seconds=talk_seconds,
            summary=summary,
            topic=topic,
            reason=reason,
            comment=comment,
            is_recall=is_recall,
            source=source,
            source_id=source_id,
            created_at=now,
            created_by=by,
        )
        live.bump(f"contacts:clinic:{clinic.pk}")
    return interaction


def _contact_of(
    clinic: Clinic, patient: Patient | None, number: str, at: dt.datetime, direction: Direction, who: WhoType | None
) -> Contact:
    key = f"p{patient.pk}" if patient else f"n{number}"
    contact, created = Contact.objects.get_or_create(
        clinic=clinic,
        on=local_day(at, clinic.zone),
        person_key=key,
        defaults=dict(
            patient=patient,
            number=number,
            direction=direction,
            started_at=at,
            last_at=at,
            who_type=who or WhoType.UNKNOWN,
            outcome=Outcome.NOT_BOOKED,
        ),
    )
    if not created:
        Contact.objects.filter(pk=contact.pk, last_at__lt=at).update(last_at=at)
    return contact


def attach_result(
    contact: Contact,
    *,
    kind: str,
    at: dt.datetime,
    by: User | None,
    interaction: Interaction | None = None,
    appointment: Appointment | None = None,
    waiting: WaitingListEntry | None = None,
    task: Task | None = None,
    origin: str = "",
    note: str = "",
) -> ContactResult:
    """Binds what came of a contact to it: a booking, a move, a cancellation, a waiting-list entry, a task, a mark."""
    subject = appointment or waiting or task
    result = ContactResult.objects.create(
        contact=contact,
        interaction=interaction,
        kind=kind,
        appointment=appointment,
        waiting=waiting,
        task=task,
        patient=subject.patient if subject is not None else contact.patient,
        origin=origin,
        at=at,
        by=by,
        note=note,
    )
    live.bump(f"contacts:clinic:{contact.clinic_id}")
    return result
