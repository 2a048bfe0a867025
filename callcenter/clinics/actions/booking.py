"""Visits: booked, moved, cancelled, marked. Each under the lock of the doctor's day, each kept in
the visit's history.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import Q

from callcenter.audit import actions as audit
from callcenter.audit.actions import LogRow
from callcenter.clinics.actions.appointment_events import (
    AppointmentSlot,
    bump,
    write_down,
    write_move,
)
from callcenter.clinics.locks import days_of, lock_doctor_days
from callcenter.clinics.models import (
    Appointment,
    AppointmentEvent,
    Clinic,
    Doctor,
    Patient,
    ScheduleWindow,
    Service,
    WaitingListEntry,
)
from callcenter.clinics.states import (
    OCCUPYING,
    TRANSITIONS,
    UPCOMING,
    AppointmentStatus,
    WaitingKind,
    WaitingState,
    WindowState,
    is_too_early,
)
from callcenter.lib import live_updates
from callcenter.lib.bulk_sql import update_rows
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.localtime import local
from callcenter.staff.models import User

# Moves and cancellations lead there, with verbs of their own.
_NO_MARKS: Final = (AppointmentStatus.SCHEDULED, AppointmentStatus.CANCELLED)


def book_appointment(
    *,
    patient: Patient,
    window: ScheduleWindow,
    by: User | None,
    now: dt.datetime,
    service: Service | None = None,
    comment: str = "",
    source: str = "dozvon",
    held_for: str = "",
) -> Appointment:
    """Takes a free window for the patient and closes his waiting-list entries that asked for this
    doctor or specialty.

    `held_for` names the hold the caller has on the window, if any. The same booking again (a second
    click, a replay) returns the visit that stands in the window. Raises Conflict when somebody was
    quicker, when the doctor has another visit at that time (imported ones included), Refused when
    the time has passed.
    """
    with transaction.atomic():
        lock_doctor_days(
            (window.doctor_id, day) for day in days_of(window.starts_at, window.ends_at)
        )
        window = _read_again(window)
        standing = window.appointment if window.state == WindowState.TAKEN else None
        if (
            standing is not None
            and standing.patient_id == patient.pk
            and standing.status in UPCOMING
        ):
            return standing
        _refuse_taken(window, now=now, held_for=held_for)
        _refuse_overlap(window.doctor, window.starts_at, window.ends_at)
        _refuse_double(patient, window)
        visit = Appointment.objects.create(
            clinic=window.clinic,
            doctor=window.doctor,
            patient=patient,
            service=service,
            starts_at=window.starts_at,
            ends_at=window.ends_at,
            comment=comment,
            created_at=now,
            created_by=by,
            changed_at=now,
            source=source,
        )
        window.state, window.appointment, window.held_until, window.held_for = (
            WindowState.TAKEN,
            visit,
            None,
            "",
        )
        window.save(update_fields=["state", "appointment", "held_until", "held_for"])
        patient.clinics.add(window.clinic)
        write_down(visit, "booked", by=by, now=now, after=visit.starts_at)
        close_waiting_for(visit, by=by, now=now)
    return visit


def reschedule_appointment(
    appointment: Appointment,
    *,
    window: ScheduleWindow,
    by: User | None,
    now: dt.datetime,
    reason: str = "",
    held_for: str = "",
    version: int | None = None,
) -> Appointment:
    """Moves an upcoming visit to a free window, perhaps of another doctor; its old window is free
    again; version + 1.

    Raises Conflict when the window is gone, when the patient has another visit at that time, when
    the visit can't be moved any more or is no longer the one of `version`, which the page showed.
    """
    with transaction.atomic():
        keys = {(window.doctor_id, day) for day in days_of(window.starts_at, window.ends_at)}
        keys |= {
            (appointment.doctor_id, day)
            for day in days_of(appointment.starts_at, appointment.ends_at)
        }
        lock_doctor_days(keys)
        visit = _upcoming(appointment, version)
        window = _read_again(window)
        _refuse_taken(window, now=now, held_for=held_for)
        _refuse_overlap(window.doctor, window.starts_at, window.ends_at, but={visit.pk})
        _refuse_double(visit.patient, window, but=visit)
        before = AppointmentSlot.of(visit)
        _free_windows_of(visit)
        visit.clinic, visit.doctor = window.clinic, window.doctor
        visit.starts_at, visit.ends_at = window.starts_at, window.ends_at
        _new_version(visit, AppointmentStatus.SCHEDULED, now)
        window.state, window.appointment, window.held_until, window.held_for = (
            WindowState.TAKEN,
            visit,
            None,
            "",
        )
        window.save()
        write_move(visit, before, by=by, now=now, reason=reason)
        if visit.starts_at < before.starts_at:
            close_waiting_for(visit, by=by, now=now, kinds=(WaitingKind.EARLIER,))
    return visit


def move_appointment(
    appointment: Appointment,
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    by: User | None,
    now: dt.datetime,
    doctor: Doctor | None = None,
    clinic: Clinic | None = None,
    reason: str = "",
    leaving: Collection[int] = (),
) -> Appointment:
    """Moves an upcoming visit to a time that another system says (an import); version + 1. Raises
    Conflict on overlap.

    `leaving` are visits that the same import moves away from where they are: two that change places
    do not collide.
    """
    doctor = doctor or appointment.doctor
    with transaction.atomic():
        keys = {(doctor.pk, day) for day in days_of(starts_at, ends_at)}
        keys |= {
            (appointment.doctor_id, day)
            for day in days_of(appointment.starts_at, appointment.ends_at)
        }
        lock_doctor_days(keys)
        visit = _upcoming(appointment)
        _refuse_overlap(doctor, starts_at, ends_at, but={visit.pk, *leaving})
        before = AppointmentSlot.of(visit)
        _free_windows_of(visit)
        visit.doctor, visit.clinic = doctor, clinic or visit.clinic
        visit.starts_at, visit.ends_at = starts_at, ends_at
        _new_version(visit, AppointmentStatus.SCHEDULED, now)
        _take_windows_under(visit)
        write_move(visit, before, by=by, now=now, reason=reason)
        if visit.starts_at < before.starts_at:
            close_waiting_for(visit, by=by, now=now, kinds=(WaitingKind.EARLIER,))
    return visit


def cancel_appointment(
    appointment: Appointment,
    *,
    reason: str,
    by: User | None,
    now: dt.datetime,
    version: int | None = None,
) -> Appointment:
    """Cancels an upcoming visit: its window is free again, version + 1.

    Raises Conflict when it can't be cancelled or is no longer the one of `version`, which the page
    showed.
    """
    with transaction.atomic():
        lock_doctor_days(
            (appointment.doctor_id, day)
            for day in days_of(appointment.starts_at, appointment.ends_at)
        )
        visit = _upcoming(appointment, version)
        before = visit.status
        visit.cancel_reason = reason[:250]
        _free_windows_of(visit)
        _new_version(visit, AppointmentStatus.CANCELLED, now)
        write_down(visit, "cancelled", by=by, now=now, reason=reason, status_before=before)
    return visit


def set_status(
    appointment: Appointment,
    *,
    status: AppointmentStatus,
    by: User | None,
    now: dt.datetime,
    money: Decimal | None = None,
    version: int | None = None,
) -> Appointment:
    """Marks a visit confirmed, arrived, completed (with its money in roubles) or no_show;
    cancellation has its own verb.

    Saying the same again changes nothing. Raises Conflict for a transition that the table does not
    know, when the visit is no longer the one of `version` (which the page showed), and when who did
    come after all finds his time given away; Refused for what can't be known before the visit's
    day.
    """
    if status == AppointmentStatus.CANCELLED:
        return cancel_appointment(appointment, reason="", by=by, now=now, version=version)
    returns = appointment.status not in OCCUPYING and status in OCCUPYING
    with transaction.atomic():
        if returns:
            lock_doctor_days(
                (appointment.doctor_id, day)
                for day in days_of(appointment.starts_at, appointment.ends_at)
            )
        visit = (
            Appointment.objects.select_for_update(of=("self",))
            .select_related("clinic", "patient")
            .get(pk=appointment.pk)
        )
        if visit.status == status and (money is None or money == visit.money):
            return visit
        _refuse_other_version(visit, version)
        if returns != (visit.status not in OCCUPYING and status in OCCUPYING):
            raise Conflict("Приём тем временем изменили. Посмотрите, что в нём теперь.")
        before, money_before = AppointmentStatus(visit.status), visit.money
        if status != before and status not in TRANSITIONS[before]:
            raise Conflict(f"Приём уже «{before.label}» — отметить «{status.label}» нельзя.")
        if is_too_early(status, visit.starts_at, now, visit.clinic.zone):
            raise Refused(
                f"Приём только {visit.local_start:%d.%m.%Y %H:%M}: отметить «{status.label}» пока нельзя."
            )
        if returns:
            _refuse_overlap(visit.doctor, visit.starts_at, visit.ends_at, but={visit.pk})
        visit.status, visit.changed_at = status, now
        if money is not None:
            visit.money = money
        visit.save(update_fields=["status", "changed_at", "money"])
        if returns:
            _take_windows_under(visit)
        if status == AppointmentStatus.NO_SHOW:
            _free_windows_of(visit)
        write_down(visit, "marked", by=by, now=now, status_before=before, money_before=money_before)
    return visit


@dataclass(frozen=True)
class VisitMark:
    """What another system knows of a visit: its state, its money in roubles; None where it says
    nothing.
    """

    visit_id: int
    status: AppointmentStatus | None
    money: Decimal | None


def mark_visits(marks: Sequence[VisitMark], *, by: User | None, now: dt.datetime) -> set[int]:
    """`set_status` for many visits at once, in a fixed number of queries but for windows of
    no-shows.

    States go forward only: one that the table does not allow from where the visit is now is passed
    over, its money is not. Returns the ids of visits that have been cancelled: these are left as
    they are. Must run inside the import's transaction, which holds the visits' rows to its end.
    """
    wanted = {mark.visit_id: mark for mark in marks}
    found = Appointment.objects.select_for_update(of=("self",)).select_related("clinic", "patient")
    visits = list(found.filter(pk__in=wanted).order_by("pk"))
    cancelled = {visit.pk for visit in visits if visit.status == AppointmentStatus.CANCELLED}
    changed: list[tuple[Appointment, AppointmentStatus]] = []  # with the state before
    for visit in visits:
        mark, before = wanted[visit.pk], AppointmentStatus(visit.status)
        forward = mark.status in TRANSITIONS[before] and mark.status not in _NO_MARKS
        status = mark.status if mark.status is not None and forward else before
        money = visit.money if mark.money is None else mark.money
        if visit.pk in cancelled or (status, money) == (before, visit.money):
            continue
        visit.status, visit.money, visit.changed_at = status, money, now
        changed.append((visit, before))
    update_rows([visit for visit, _ in changed], ["status", "money", "changed_at"])
    missed = {
        visit.pk: visit
        for visit, before in changed
        if visit.status == AppointmentStatus.NO_SHOW != before
    }
    for pk in set(
        ScheduleWindow.objects.filter(appointment__in=missed).values_list(
            "appointment_id", flat=True
        )
    ):
        if pk is not None:
            _free_windows_of(missed[pk])
    AppointmentEvent.objects.bulk_create(
        AppointmentEvent(
            appointment=visit,
            at=now,
            by=by,
            kind="marked",
            version=visit.version,
            status_before=before,
            status_after=visit.status,
        )
        for visit, before in changed
    )
    audit.record_many(
        "clinics.marked",
        "clinics.appointment",
        (
            LogRow(
                visit.pk,
                str(visit),
                visit.clinic_id,
                visit.patient_id,
                before={"status": before},
                after={"starts_at": visit.starts_at.isoformat(), "status": visit.status},
            )
            for visit, before in changed
        ),
        by=by,
        now=now,
    )
    live_updates.bump(*{f"schedule:clinic:{visit.clinic_id}" for visit, _ in changed})
    return cancelled


def hold_window(
    window: ScheduleWindow, *, held_for: str, until: dt.datetime, now: dt.datetime
) -> ScheduleWindow:
    """Holds a free window for `held_for` until `until`; the same holder may prolong. Raises
    Conflict when it is gone.
    """
    with transaction.atomic():
        lock_doctor_days(
            (window.doctor_id, day) for day in days_of(window.starts_at, window.ends_at)
        )
        window = _read_again(window)
        _refuse_taken(window, now=now, held_for=held_for)
        _refuse_overlap(window.doctor, window.starts_at, window.ends_at)
        window.state, window.held_until, window.held_for = WindowState.HELD, until, held_for
        window.save()
        bump(window.clinic_id)
    return window


def release_hold(window: ScheduleWindow, *, held_for: str) -> bool:
    """Frees a window that `held_for` still holds; False when it holds it no longer."""
    freed = ScheduleWindow.objects.filter(
        pk=window.pk, state=WindowState.HELD, held_for=held_for
    ).update(state=WindowState.FREE, held_until=None, held_for="")
    if freed:
        bump(window.clinic_id)
    return bool(freed)


def _read_again(window: ScheduleWindow) -> ScheduleWindow:
    """The window as it is by now, under the lock."""
    fresh = (
        ScheduleWindow.objects.select_for_update(of=("self",))
        .select_related("clinic", "doctor")
        .filter(pk=window.pk)
        .first()
    )
    if fresh is None or fresh.state == WindowState.CLOSED:
        raise Conflict("Этого окна больше нет в расписании. Выберите другое время.")
    return fresh


def _refuse_taken(fresh: ScheduleWindow, *, now: dt.datetime, held_for: str) -> None:
    if fresh.starts_at <= now:
        raise Refused("Это время уже прошло. Выберите другое.", field="window")
    if fresh.state == WindowState.TAKEN:
        raise Conflict("Это время только что заняли. Выберите другое окно.")
    if (
        fresh.state == WindowState.HELD
        and fresh.held_for != held_for
        and fresh.held_until
        and fresh.held_until > now
    ):
        until = local(fresh.held_until, fresh.clinic.zone)
        raise Conflict(f"Это окно придержано до {until:%H:%M}. Выберите другое время.")


def visit_at(
    doctor: Doctor, starts_at: dt.datetime, ends_at: dt.datetime, but: Collection[int] = ()
) -> Appointment | None:
    """A visit that takes the doctor's time between the two. The lower bound keeps the index range
    short: none lasts over a day.
    """
    others = Appointment.objects.occupying().filter(
        doctor=doctor,
        starts_at__lt=ends_at,
        starts_at__gt=starts_at - dt.timedelta(days=1),
        ends_at__gt=starts_at,
    )
    return (others.exclude(pk__in=but) if but else others).first()


def _refuse_overlap(
    doctor: Doctor, starts_at: dt.datetime, ends_at: dt.datetime, but: Collection[int] = ()
) -> None:
    """No doctor sees two patients at once."""
    other = visit_at(doctor, starts_at, ends_at, but)
    if other is not None:
        begins = local(other.starts_at, other.clinic.zone)
        ends = local(other.ends_at, other.clinic.zone)
        raise Conflict(
            f"У врача уже есть приём {begins:%d.%m.%Y %H:%M}–{ends:%H:%M}. Выберите другое время."
        )


def _refuse_double(
    patient: Patient, window: ScheduleWindow, but: Appointment | None = None
) -> None:
    """A patient can't sit in two chairs at one time; two clicks of one person on two windows end
    here too.
    """
    # The second waits here, then finds the first visit. NO KEY: an import that refers to the
    # patient holds nobody up.
    Patient.objects.select_for_update(no_key=True).only("pk").get(pk=patient.pk)
    others = Appointment.objects.filter(
        patient=patient,
        status__in=UPCOMING,
        starts_at__lt=window.ends_at,
        starts_at__gt=window.starts_at - dt.timedelta(days=1),
        ends_at__gt=window.starts_at,
    )
    other = (
        (others.exclude(pk=but.pk) if but else others).only("starts_at", "clinic", "doctor").first()
    )
    if other is not None:
        raise Conflict(
            f"Пациент уже записан на {other.local_start:%d.%m.%Y %H:%M} к врачу {other.doctor.short_name}."
        )


def _upcoming(appointment: Appointment, version: int | None = None) -> Appointment:
    visit = (
        Appointment.objects.select_for_update(of=("self",))
        .select_related("clinic", "doctor", "patient")
        .get(pk=appointment.pk)
    )
    if visit.status not in UPCOMING:
        raise Conflict(f"Приём уже «{visit.get_status_display()}» — изменить его нельзя.")
    _refuse_other_version(visit, version)
    return visit


def _refuse_other_version(visit: Appointment, version: int | None) -> None:
    if version is not None and visit.version != version:
        raise Conflict(
            f"Приём тем временем перенесли: теперь он {visit.local_start:%d.%m.%Y %H:%M}, врач {visit.doctor.short_name}."
            " Откройте его заново."
        )


def _free_windows_of(visit: Appointment) -> None:
    """The visit's windows are open again, unless another visit covers them: then they are that
    one's.
    """
    for window in ScheduleWindow.objects.filter(appointment=visit):
        other = (
            Appointment.objects.occupying()
            .filter(
                doctor_id=window.doctor_id,
                starts_at__lt=window.ends_at,
                ends_at__gt=window.starts_at,
            )
            .filter(
                starts_at__gt=window.starts_at - dt.timedelta(days=1)
            )  # no visit lasts over a day
            .exclude(pk=visit.pk)
            .first()
        )
        window.state = WindowState.TAKEN if other else WindowState.FREE
        window.appointment = other
        window.save(update_fields=["state", "appointment"])


def _take_windows_under(visit: Appointment) -> None:
    ScheduleWindow.objects.filter(
        doctor_id=visit.doctor_id,
        starts_at__lt=visit.ends_at,
        starts_at__gt=visit.starts_at - dt.timedelta(days=1),
        ends_at__gt=visit.starts_at,
        state__in=[WindowState.FREE, WindowState.HELD],
    ).update(state=WindowState.TAKEN, appointment=visit, held_until=None, held_for="")


def _new_version(visit: Appointment, status: AppointmentStatus, now: dt.datetime) -> None:
    visit.status, visit.changed_at, visit.version = status, now, visit.version + 1
    visit.save()


def close_waiting_for(
    visit: Appointment,
    *,
    by: User | None,
    now: dt.datetime,
    kinds: Collection[str] = WaitingKind.values,
) -> None:
    """A booking answers the patient's open waiting-list entries for this doctor or, where none is
    named, this specialty.

    An entry that names neither stays open: only a person knows what it waits for (docs/adr/0107).
    «Хочет раньше» is answered by a visit before his others there, also by one that moves there.
    """
    if visit.status not in UPCOMING:
        return
    wished = Q(doctor=visit.doctor_id) | Q(doctor__isnull=True, specialty=visit.doctor.specialty_id)
    open_ones = WaitingListEntry.objects.filter(
        wished, patient=visit.patient, state=WaitingState.OPEN, kind__in=kinds
    )
    for entry in open_ones.order_by("pk").select_for_update(of=("self",)):
        there = (
            {"doctor": entry.doctor_id}
            if entry.doctor_id
            else {"doctor__specialty": entry.specialty_id}
        )
        others = Appointment.objects.upcoming(now).filter(
            patient=visit.patient, starts_at__lt=visit.starts_at, **there
        )
        if entry.kind == WaitingKind.EARLIER and others.exists():
            continue
        entry.state, entry.appointment, entry.closed_at, entry.closed_by = (
            WaitingState.CLOSED,
            visit,
            now,
            by,
        )
        entry.close_reason = "записан на приём"
        entry.save()
        audit.record(
            "clinics.close_waiting",
            entry,
            by=by,
            now=now,
            before={"state": WaitingState.OPEN},
            after={"state": entry.state, "appointment": visit.pk},
            note=entry.close_reason,
        )
        live_updates.bump(f"waiting:clinic:{entry.clinic_id}")
