"""What came of a contact: attached by the card that did it, found by a ticker, or bound by hand on
«Связать».
"""

import datetime as dt
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q

from callcenter.assignments.models import Task
from callcenter.audit import actions as audit
from callcenter.audit.models import AuditEntry
from callcenter.clinics.models import (
    Appointment,
    AppointmentEvent,
    Clinic,
    Patient,
    WaitingListEntry,
)
from callcenter.contacts.actions.intake import assign_patient
from callcenter.contacts.actions.recompute import match_result, recompute_contacts, seen_of
from callcenter.contacts.models import Contact, ContactResult, Interaction
from callcenter.contacts.states import ResultKind
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.localtime import local_day
from callcenter.staff.models import User

ResultSubject = Appointment | WaitingListEntry | Task

_KIND_OF_EVENT: Final = {
    "booked": ResultKind.BOOKED,
    "moved": ResultKind.MOVED,
    "cancelled": ResultKind.CANCELLED,
}
_KIND_OF_DEED: Final = {
    "clinics.open_waiting": ResultKind.WAITING_LIST,
    "clinics.close_waiting": ResultKind.WAITING_CLOSED,
    "clinics.move_waiting": ResultKind.WAITING_MOVED,
    "assignments.create_task": ResultKind.TASK,
    "assignments.close_task": ResultKind.TASK_CLOSED,
}


def attach_result(
    contact: Contact,
    *,
    kind: str,
    at: dt.datetime,
    by: User | None,
    interaction: Interaction | None = None,
    subject: ResultSubject | None = None,
    origin: str = "",
    note: str = "",
) -> ContactResult:
    """Attach a result to a contact: a booking, a move, a cancellation, a waiting-list entry, a
    task, a mark.

    `subject` is the object the result is about; `origin` the list the call came from. One act is
    one result: attaching the same booking again moves it to this contact. The contact is
    recomputed at once.
    """
    result = ContactResult(
        contact=contact,
        clinic_id=contact.clinic_id,
        interaction=interaction,
        kind=kind,
        appointment=subject if isinstance(subject, Appointment) else None,
        waiting=subject if isinstance(subject, WaitingListEntry) else None,
        task=subject if isinstance(subject, Task) else None,
        patient_id=subject.patient_id if subject is not None else contact.patient_id,
        origin=origin,
        at=at,
        by=by,
        note=note[:250],
        source_key=result_key(kind, subject),
        is_by_hand=True,
    )
    result.subject_changed_at = seen_of(result)  # decided below in this very state
    with transaction.atomic():
        former = _put(result)
        recompute_contacts({contact.pk} | ({former} if former else set()))
    return result


def _put(result: ContactResult) -> int | None:
    """Writes the result, over the one of the same act if there is one; returns the contact which
    that one was of.
    """
    if not result.source_key:
        result.save()
        return None
    try:
        with transaction.atomic():
            result.save()
    except (
        IntegrityError
    ):  # of two writers of one act the second has waited, and finds the first one's row
        known = (
            ContactResult.objects.select_for_update()
            .only("contact")
            .get(source_key=result.source_key)
        )
        result.pk = known.pk
        result.save()
        return known.contact_id
    return None


def result_key(kind: str, subject: ResultSubject | None) -> str:
    """Return the key by which one act is known, whether a card attached it or a timer found it.

    A visit moved twice in a day is two results, told apart by the visit's version. Empty for what
    has no key: the same act written again is another result.
    """
    match subject:
        case Appointment() if kind == ResultKind.BOOKED:
            return f"booked:a{subject.pk}"
        case Appointment() if kind in _KIND_OF_EVENT.values():
            return f"{kind}:a{subject.pk}:{subject.version}"
        case WaitingListEntry() if kind != ResultKind.WAITING_MOVED:
            return f"{kind}:w{subject.pk}"
        case Task():
            return f"{kind}:t{subject.pk}"
    return ""


# --- Deeds found by a ticker
# ----------------------------------------------------------------------------------------


def collect_results(*, since: dt.datetime) -> int:
    """Finds bookings, moves, cancellations, waiting-list entries and tasks done since, and binds
    each to its contact.

    «A booking made by the same employee for the contact's patient on the same local day belongs to
    that contact»; what fits nowhere is kept loose for «Связать». Returns how many were new.
    """
    found = [*_visit_results(since), *_listed_results(since)]
    known = set(
        ContactResult.objects.filter(
            source_key__in=[result.source_key for result in found]
        ).values_list("source_key", flat=True)
    )
    fresh = [result for result in found if result.source_key not in known]
    for result in fresh:
        with transaction.atomic():
            _keep(result)
    return len(fresh)


def _visit_results(since: dt.datetime) -> list[ContactResult]:
    events = (
        AppointmentEvent.objects.filter(
            appointment__changed_at__gte=since,
            at__gte=since,
            kind__in=list(_KIND_OF_EVENT),
            by__isnull=False,
        )
        .exclude(
            ~Q(appointment__source="dozvon"), kind="booked"
        )  # what another system booked had no talk with us
        .select_related("appointment")
    )
    results = []
    for event in events:
        kind = _KIND_OF_EVENT[event.kind]
        suffix = "" if kind == ResultKind.BOOKED else f":{event.version}"
        results.append(
            ContactResult(
                kind=kind,
                appointment=event.appointment,
                clinic_id=event.appointment.clinic_id,
                patient_id=event.appointment.patient_id,
                at=event.at,
                by_id=event.by_id,
                source_key=f"{kind}:a{event.appointment_id}{suffix}",
            )
        )
    return results


def _listed_results(since: dt.datetime) -> list[ContactResult]:
    """Waiting-list entries and tasks, from the audit log: it knows who did what with them, and
    when.
    """
    entries = AuditEntry.objects.filter(
        at__gte=since, action__in=list(_KIND_OF_DEED), by__isnull=False, patient_id__isnull=False
    )
    results = []
    for entry in entries:
        kind = _KIND_OF_DEED[entry.action]
        is_task = entry.object_kind == "assignments.task"
        if entry.clinic_id is None or entry.object_id is None:
            continue
        letter = "t" if is_task else "w"
        source_key = f"{kind}:{letter}{entry.object_id}"
        if kind == ResultKind.WAITING_MOVED:
            source_key = f"{kind}:e{entry.pk}"
        results.append(
            ContactResult(
                kind=kind,
                waiting_id=None if is_task else entry.object_id,
                task_id=entry.object_id if is_task else None,
                clinic_id=entry.clinic_id,
                patient_id=entry.patient_id,
                at=entry.at,
                by_id=entry.by_id,
                source_key=source_key,
            )
        )
    return results


def _keep(result: ContactResult) -> None:
    result, created = ContactResult.objects.get_or_create(
        source_key=result.source_key,
        defaults=dict(
            kind=result.kind,
            appointment_id=result.appointment_id,
            waiting_id=result.waiting_id,
            task_id=result.task_id,
            clinic_id=result.clinic_id,
            patient_id=result.patient_id,
            at=result.at,
            by_id=result.by_id,
        ),
    )
    if not created:
        return
    zones = dict(
        Clinic.objects.filter(contacts__patient=result.patient_id)
        .values_list("pk", "zone")
        .distinct()
    )
    candidates = Contact.objects.none()
    for clinic_id, zone in zones.items():
        candidates |= Contact.objects.filter(
            clinic=clinic_id, patient=result.patient_id, on=local_day(result.at, zone)
        )
    contacts = sorted(
        candidates.select_related("clinic", "clinic__contact_policy", "patient"),
        key=lambda contact: (contact.clinic_id != result.clinic_id, contact.pk),
    )
    for contact in contacts:
        if match_result(result, contact):
            recompute_contacts([contact.pk])
            return


# --- «Связать»
# ------------------------------------------------------------------------------------------------------


def link_result(
    result: ContactResult, *, interaction: Interaction, by: User, now: dt.datetime
) -> ContactResult:
    """Binds a loose action to a call at any time after; the figures follow. Audited.

    An interaction of a number nobody knew becomes the patient's. Raises Conflict when it has been
    bound meanwhile, Refused when the call is another patient's.
    """
    with transaction.atomic():
        held = ContactResult.objects.select_for_update().get(pk=result.pk)
        if held.contact_id is not None:
            raise Conflict("Это действие уже связано со звонком.")
        call = Interaction.objects.select_related("contact").get(pk=interaction.pk)
        if call.patient_id is not None and call.patient_id != held.patient_id:
            raise Refused("Звонок и действие — разных пациентов.")
        held.contact, held.interaction, held.is_by_hand = call.contact, call, True
        held.save(update_fields=["contact", "interaction", "is_by_hand"])
        _audit("contacts.link_result", held, by=by, now=now)
        if call.patient_id is None and held.patient_id is not None:
            assign_patient(
                call.contact, patient=Patient.objects.get(pk=held.patient_id), by=by, now=now
            )
        else:
            recompute_contacts([call.contact_id])
    return held


def unlink_result(result: ContactResult, *, by: User, now: dt.datetime) -> ContactResult:
    """Takes a result off its contact again, when it was bound by mistake. Audited; the figures
    follow.
    """
    with transaction.atomic():
        held = ContactResult.objects.select_for_update().get(pk=result.pk)
        if held.contact_id is None:
            raise Conflict("Это действие уже ни с чем не связано.")
        contact_id = held.contact_id
        # `is_by_hand` keeps the ticker from binding it back; the empty note keeps it on «Связать».
        held.contact, held.interaction, held.is_by_hand, held.note = None, None, True, ""
        held.save(update_fields=["contact", "interaction", "is_by_hand", "note"])
        _audit("contacts.unlink_result", held, by=by, now=now)
        recompute_contacts([contact_id])
    return held


def dismiss_result(
    result: ContactResult, *, note: str, by: User, now: dt.datetime
) -> ContactResult:
    """Says that an action had no call at all (a walk-in, an e-mail), so that it asks no more.
    Audited.
    """
    if not note.strip():
        raise Refused("Напишите, откуда это действие: например, «пришёл в клинику».", field="note")
    with transaction.atomic():
        held = ContactResult.objects.select_for_update().get(pk=result.pk)
        if held.contact_id is not None:
            raise Conflict("Это действие уже связано со звонком.")
        held.note, held.is_by_hand = note.strip()[:250], True
        held.save(update_fields=["note", "is_by_hand"])
        _audit("contacts.dismiss_result", held, by=by, now=now)
        live_updates.bump(f"contacts:clinic:{held.clinic_id}")
    return held


def _audit(action: str, result: ContactResult, *, by: User, now: dt.datetime) -> None:
    audit.record(
        action,
        result,
        by=by,
        now=now,
        clinic_id=result.clinic_id,
        patient_id=result.patient_id,
        after={
            "contact": result.contact_id,
            "interaction": result.interaction_id,
            "note": result.note,
        },
    )
