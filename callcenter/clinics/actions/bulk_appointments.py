"""Visits that another system has booked, many at once: what an import brings in."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from django.db.models import Exists, OuterRef, Subquery

from callcenter.audit import actions as audit
from callcenter.audit.actions import LogRow
from callcenter.audit.models import AuditEntry
from callcenter.clinics.actions.booking import close_waiting_for
from callcenter.clinics.locks import DoctorDay, days_of, lock_doctor_days
from callcenter.clinics.models import (
    Appointment,
    AppointmentEvent,
    Patient,
    ScheduleWindow,
    WaitingListEntry,
)
from callcenter.clinics.states import OCCUPYING, UPCOMING, WaitingState, WindowState
from callcenter.lib import live_updates
from callcenter.lib.bulk_sql import copy_rows, new_ids
from callcenter.staff.models import User

_BATCH: Final = 2_000
_VISIT: Final = [field.name for field in Appointment._meta.concrete_fields]


def schedule_appointments(
    visits: Sequence[Appointment], *, by: User | None, now: dt.datetime, note: str
) -> set[int]:
    """Writes visits that another system has booked; no window is asked for, those under them are
    taken.

    Returns the positions in `visits` of those that were not kept, since the doctor has another one
    at that time; only visits still to come are refused for this, the past can't be double-booked.
    `visits` must not overlap among themselves. Must run inside the import's transaction: the locks
    on the doctors' days end with it. Changes the patients' waiting lists as a booking does; leaves
    a line of history and of the audit log for each visit.
    """
    write_visits(visits, by=by, now=now, note=note)
    lock_doctor_days(days_to_come(visits, now))
    return place_visits(visits, by=by, now=now)


def days_to_come(visits: Sequence[Appointment], now: dt.datetime) -> set[DoctorDay]:
    """The doctors' days that the visits still to come ask for."""
    return {
        (visit.doctor_id, day)
        for visit in visits
        if visit.ends_at > now
        for day in days_of(visit.starts_at, visit.ends_at)
    }


def write_visits(
    visits: Sequence[Appointment], *, by: User | None, now: dt.datetime, note: str
) -> None:
    """The long half of `schedule_appointments`: nobody sees the rows before the transaction ends,
    so no lock is held yet and screens book on. `place_visits` must follow, under the locks of the
    visits' days.
    """
    for start in range(0, len(visits), _BATCH):
        _write(visits[start : start + _BATCH], by=by, now=now, note=note)


def place_visits(visits: Sequence[Appointment], *, by: User | None, now: dt.datetime) -> set[int]:
    """The short half: takes back those at whose time somebody has booked meanwhile, and takes the
    windows under the rest.
    """
    refused = _overlapping(
        {index: v for index, v in enumerate(visits) if v.ends_at > now and v.status in OCCUPYING}
    )
    _take_back([visits[index] for index in refused])
    placed = [visit for index, visit in enumerate(visits) if index not in refused]
    for start in range(0, len(placed), _BATCH):
        _join(placed[start : start + _BATCH])
    _take_windows({visit.doctor_id for visit in placed}, now)
    _close_waiting(placed, by=by, now=now)
    live_updates.bump(*{f"schedule:clinic:{visit.clinic_id}" for visit in placed})
    return refused


def _overlapping(places: Mapping[int, Appointment]) -> set[int]:
    """Positions of those at whose time the doctor has another visit; the visits themselves never
    overlap each other.
    """
    positions = {visit.pk: index for index, visit in places.items()}
    other = Appointment.objects.occupying().filter(
        doctor_id=OuterRef("doctor_id"),
        starts_at__lt=OuterRef("ends_at"),
        # The lower bound keeps the index range short: no visit lasts over a day.
        starts_at__gt=OuterRef("starts_at") - dt.timedelta(days=1),
        ends_at__gt=OuterRef("starts_at"),
    )
    pks = list(positions)
    found: set[int] = set()
    for start in range(0, len(pks), _BATCH):
        batch = Appointment.objects.filter(
            Exists(other.exclude(pk=OuterRef("pk"))), pk__in=pks[start : start + _BATCH]
        )
        found |= {positions[pk] for pk in batch.order_by().values_list("pk", flat=True)}
    return found


def _take_back(visits: Sequence[Appointment]) -> None:
    """Rows that nobody has seen yet: they go without a trace."""
    pks = [visit.pk for visit in visits]
    if pks:
        AppointmentEvent.objects.filter(appointment__in=pks).delete()
        AuditEntry.objects.about_many("clinics.appointment", pks).delete()
        Appointment.objects.filter(pk__in=pks).delete()


def _write(batch: Sequence[Appointment], *, by: User | None, now: dt.datetime, note: str) -> None:
    for visit, pk in zip(batch, new_ids(Appointment, len(batch)), strict=True):
        visit.pk = pk
        visit._state.adding = False
    names = [field.attname for field in Appointment._meta.concrete_fields]
    copy_rows(Appointment, _VISIT, ([getattr(visit, name) for name in names] for visit in batch))
    copy_rows(
        AppointmentEvent,
        (
            "appointment",
            "at",
            "by",
            "kind",
            "version",
            "starts_at_after",
            "status_before",
            "status_after",
            "reason",
        ),
        (
            (
                visit.pk,
                now,
                by.pk if by else None,
                "booked",
                visit.version,
                visit.starts_at,
                "",
                visit.status,
                note[:250],
            )
            for visit in batch
        ),
    )
    audit.record_many(
        "clinics.booked",
        "clinics.appointment",
        (
            LogRow(
                visit.pk,
                str(visit),
                visit.clinic_id,
                visit.patient_id,
                after={"starts_at": visit.starts_at.isoformat(), "status": visit.status},
            )
            for visit in batch
        ),
        by=by,
        now=now,
        note=note,
    )


def _join(batch: Sequence[Appointment]) -> None:
    """The patients visit these clinics from now on."""
    through = Patient.clinics.through
    through.objects.bulk_create(
        (through(patient_id=visit.patient_id, clinic_id=visit.clinic_id) for visit in batch),
        ignore_conflicts=True,
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
        Exists(covering),
        doctor_id__in=doctor_ids,
        state__in=[WindowState.FREE, WindowState.HELD],
        ends_at__gt=now,
    ).update(
        state=WindowState.TAKEN,
        appointment=Subquery(covering.values("pk")[:1]),
        held_until=None,
        held_for="",
    )


def _close_waiting(written: list[Appointment], *, by: User | None, now: dt.datetime) -> None:
    patients = {visit.patient_id for visit in written if visit.status in UPCOMING}
    waiting = set(
        WaitingListEntry.objects.filter(
            patient_id__in=patients, state=WaitingState.OPEN
        ).values_list("patient_id", flat=True)
    )
    for visit in written:
        if visit.patient_id in waiting and visit.starts_at > now:
            close_waiting_for(visit, by=by, now=now)
