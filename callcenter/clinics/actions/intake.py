"""Visits that another system has booked, many at once: what an import brings in."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef, Subquery

from callcenter.clinics.actions.booking import close_waiting_for
from callcenter.clinics.locks import days_of, lock_doctor_days
from callcenter.clinics.models import Appointment, AppointmentEvent, Patient, ScheduleWindow, WaitingListEntry
from callcenter.clinics.states import OCCUPYING, UPCOMING, WaitingState, WindowState
from callcenter.lib import live
from callcenter.staff.models import AuditEntry, User

# Advisory locks live in a table of fixed size that the whole server shares: beyond this many days the import takes
# the one lock of the table of visits, and bookings wait for its end.
_MOST_DAY_LOCKS: Final = 1_000
_BATCH: Final = 2_000


def schedule_appointments(visits: Sequence[Appointment], *, by: User | None, now: dt.datetime, note: str) -> set[int]:
    """Writes visits that another system has booked; no window is asked for, those under them are taken.

    Returns the positions in `visits` of those that were not written, since the doctor has another one at that time; only visits still to come
    are refused for this, the past can't be double-booked. `visits` must not overlap among themselves. Must run inside
    the import's transaction: the locks on the doctors' days end with it. Changes the patients' waiting lists as a
    booking does; leaves a line of history and of the journal of deeds for each visit.
    """
    if not visits:
        return set()
    _lock([visit for visit in visits if visit.ends_at > now])
    places = {index: v for index, v in enumerate(visits) if v.ends_at > now and v.status in OCCUPYING}
    refused = _overlapping(places)
    written = [visit for index, visit in enumerate(visits) if index not in refused]
    for start in range(0, len(written), _BATCH):
        _write(written[start : start + _BATCH], by=by, now=now, note=note)
    _take_windows({visit.doctor_id for visit in written}, now)
    _close_waiting(written, by=by, now=now)
    live.bump(*{f"schedule:clinic:{visit.clinic_id}" for visit in written})
    return refused


def _lock(coming: list[Appointment]) -> None:
    keys = {(visit.doctor_id, day) for visit in coming for day in days_of(visit.starts_at, visit.ends_at)}
    if len(keys) <= _MOST_DAY_LOCKS:
        lock_doctor_days(keys)
        return
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE clinics_appointment IN SHARE ROW EXCLUSIVE MODE")


def _overlapping(places: Mapping[int, Appointment]) -> set[int]:
    """Positions of those at whose time the doctor is taken already."""
    coming = places.values()
    if not coming:
        return set()
    # The lower bound keeps the index range short: no visit lasts over a day.
    first, last = min(visit.starts_at for visit in coming), max(visit.ends_at for visit in coming)
    taken: dict[tuple[int, dt.date], list[tuple[dt.datetime, dt.datetime]]] = {}
    others = Appointment.objects.occupying().filter(
        doctor_id__in={visit.doctor_id for visit in coming},
        starts_at__gt=first - dt.timedelta(days=1),
        starts_at__lt=last,
    )
    for doctor_id, starts_at, ends_at in others.values_list("doctor_id", "starts_at", "ends_at"):
        for day in days_of(starts_at, ends_at):
            taken.setdefault((doctor_id, day), []).append((starts_at, ends_at))
    return {
        index
        for index, visit in places.items()
        if any(
            starts_at < visit.ends_at and ends_at > visit.starts_at
            for day in days_of(visit.starts_at, visit.ends_at)
            for starts_at, ends_at in taken.get((visit.doctor_id, day), ())
        )
    }


def _write(batch: list[Appointment], *, by: User | None, now: dt.datetime, note: str) -> None:
    Appointment.objects.bulk_create(batch)
    AppointmentEvent.objects.bulk_create(
        AppointmentEvent(
            appointment=visit,
            at=now,
            by=by,
            kind="booked",
            version=visit.version,
            starts_at_after=visit.starts_at,
            status_after=visit.status,
            reason=note[:250],
        )
        for visit in batch
    )
    AuditEntry.objects.bulk_create(
        AuditEntry(
            at=now,
            by=by,
            action="clinics.booked",
            object_kind="clinics.appointment",
            object_id=visit.pk,
            object_name=str(visit)[:200],
            clinic_id=visit.clinic_id,
            patient_id=visit.patient_id,
            after={"starts_at": visit.starts_at.isoformat(), "status": visit.status},
            note=note,
        )
        for visit in batch
    )
    through = Patient.clinics.through
    through.objects.bulk_create(
        (through(patient_id=visit.patient_id, clinic_id=visit.clinic_id) for visit in batch), ignore_conflicts=True
    )


def _take_windows(doctor_ids: set[int], now: dt.datetime) -> None:
    """Open windows under a visit of the same doctor belong to it."""
    covering = Appointment.objects.filter(
        doctor_id=OuterRef("doctor_id"),
        status__in=UPCOMING,
        starts_at__lt=OuterRef("ends_at"),
        starts_at__gt=OuterRef("starts_at") - dt.timedelta(days=1),
        ends_at__gt=OuterRef("starts_at"),
    )
    ScheduleWindow.objects.filter(
        Exists(covering), doctor_id__in=doctor_ids, state__in=[WindowState.FREE, WindowState.HELD], ends_at__gt=now
    ).update(state=WindowState.TAKEN, appointment=Subquery(covering.values("pk")[:1]), held_until=None, held_for="")


def _close_waiting(written: list[Appointment], *, by: User | None, now: dt.datetime) -> None:
    patients = {visit.patient_id for visit in written if visit.status in UPCOMING}
    waiting = set(
        WaitingListEntry.objects.filter(patient_id__in=patients, state=WaitingState.OPEN).values_list(
            "patient_id", flat=True
        )
    )
    for visit in written:
        if visit.patient_id in waiting and visit.starts_at > now:
            close_waiting_for(visit, by=by, now=now)
