"""The waiting list: opened, put off, closed. «Далее по алгоритму добавляем Пациента в ЛО с
комментарием» (Журнал КОС).
"""

import datetime as dt

from django.db import transaction

from callcenter.audit import actions as audit
from callcenter.clinics.models import (
    Appointment,
    Clinic,
    Doctor,
    Patient,
    Specialty,
    WaitingListEntry,
)
from callcenter.clinics.schedule import refuse_too_far
from callcenter.clinics.states import WaitingKind, WaitingState
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.localtime import local_day
from callcenter.staff.models import User


def open_waiting(
    *,
    clinic: Clinic,
    patient: Patient,
    call_on: dt.date,
    comment: str,
    by: User | None,
    now: dt.datetime,
    kind: WaitingKind = WaitingKind.WAITING_LIST,
    doctor: Doctor | None = None,
    specialty: Specialty | None = None,
    owner: User | None = None,
) -> WaitingListEntry:
    """Puts the patient on the list, to be called on the clinic's local day `call_on`.

    Raises Refused without a comment, for a day that has passed or lies more than two years ahead.
    """
    if not comment.strip():
        raise Refused(
            "Напишите комментарий: без него никто не вспомнит, о чём просил пациент.",
            field="comment",
        )
    _check_day(call_on, local_day(now, clinic.zone))
    with transaction.atomic():
        entry = WaitingListEntry.objects.create(
            clinic=clinic,
            patient=patient,
            kind=kind,
            doctor=doctor,
            specialty=specialty,
            call_on=call_on,
            comment=comment.strip(),
            owner=owner,
            opened_at=now,
            opened_by=by,
        )
        audit.record(
            "clinics.open_waiting", entry, by=by, now=now, after={"call_on": call_on.isoformat()}
        )
        live_updates.bump(f"waiting:clinic:{clinic.pk}")
    return entry


def move_waiting(
    entry: WaitingListEntry, *, call_on: dt.date, by: User | None, now: dt.datetime
) -> WaitingListEntry:
    """Puts the call off to another local day. Raises Conflict when the entry is closed, Refused for
    a day past or more than two years ahead.
    """
    with transaction.atomic():
        entry = _open(entry)
        _check_day(call_on, local_day(now, entry.clinic.zone))
        before, entry.call_on = entry.call_on, call_on
        entry.save(update_fields=["call_on"])
        audit.record(
            "clinics.move_waiting",
            entry,
            by=by,
            now=now,
            before={"call_on": before.isoformat()},
            after={"call_on": call_on.isoformat()},
        )
        live_updates.bump(f"waiting:clinic:{entry.clinic_id}")
    return entry


def close_waiting(
    entry: WaitingListEntry,
    *,
    reason: str,
    by: User | None,
    now: dt.datetime,
    appointment: Appointment | None = None,
) -> WaitingListEntry:
    """Closes an entry with how it ended. Raises Conflict when it is closed already, Refused without
    a reason.
    """
    if not reason.strip() and appointment is None:
        raise Refused("Напишите, чем закончилось.", field="reason")
    with transaction.atomic():
        entry = _open(entry)
        entry.state, entry.closed_at, entry.closed_by = WaitingState.CLOSED, now, by
        entry.close_reason, entry.appointment = (
            reason.strip()[:250] or "записан на приём",
            appointment,
        )
        entry.save()
        audit.record(
            "clinics.close_waiting",
            entry,
            by=by,
            now=now,
            before={"state": WaitingState.OPEN},
            after={"state": entry.state} | ({"appointment": appointment.pk} if appointment else {}),
            note=entry.close_reason,
        )
        live_updates.bump(f"waiting:clinic:{entry.clinic_id}")
    return entry


def give_waiting(
    entry: WaitingListEntry,
    *,
    owner: User | None,
    by: User,
    now: dt.datetime,
    shown: str | None = None,
) -> WaitingListEntry:
    """Says who calls: a person, or (None) whoever is free; the second click of the same person
    changes nothing.

    `shown` is whose it was on the page (his key, '' for nobody's). Raises Conflict when the entry
    is closed, when it is somebody else's than `shown`, or, with nothing shown, when a colleague who
    works here has it.
    """
    with transaction.atomic():
        entry = _open(entry)
        holder = entry.owner
        if holder == owner:
            return entry
        held = holder is not None and holder.works_in(entry.clinic_id)
        if held if shown is None else shown != str(entry.owner_id or ""):
            raise Conflict(f"Запись уже у сотрудника: {holder or 'никого'}.")
        before = audit.values(entry, "owner")
        entry.owner = owner
        entry.save(update_fields=["owner"])
        audit.record(
            "clinics.give_waiting",
            entry,
            by=by,
            now=now,
            before=before,
            after=audit.values(entry, "owner"),
        )
        live_updates.bump(f"waiting:clinic:{entry.clinic_id}")
    return entry


def _check_day(call_on: dt.date, today: dt.date) -> None:
    if call_on < today:
        raise Refused("Дата звонка уже прошла. Выберите сегодня или позже.", field="call_on")
    refuse_too_far(call_on, today)


def _open(entry: WaitingListEntry) -> WaitingListEntry:
    fresh = (
        WaitingListEntry.objects.select_for_update(of=("self",))
        .select_related("clinic")
        .get(pk=entry.pk)
    )
    if fresh.state != WaitingState.OPEN:
        raise Conflict(f"Запись листа ожидания уже закрыта: {fresh.close_reason}.")
    return fresh
