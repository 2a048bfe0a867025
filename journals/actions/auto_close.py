"""What the clock does to the journal: closes entries booked by another way, and follows the waiting
list's dates.
"""

import datetime as dt
import logging

from django.db import DatabaseError, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from callcenter.audit import actions as audit
from callcenter.clinics.models import Appointment
from callcenter.clinics.states import UPCOMING, WaitingState
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, DomainError
from callcenter.lib.localtime import local_day
from callcenter.staff.models import User
from journals.actions.cards import close_reminder
from journals.actions.entries import topic
from journals.models import PlanItem, PlanState, RecallEntry, SyncCursor
from journals.outcome_rules import Stage
from journals.queries.card import got_since, matching_visits

log = logging.getLogger(__name__)

# `changed_at` is set before the booking commits: look back further than any transaction lasts.
OVERLAP = dt.timedelta(minutes=15)
_PULL = "appointments"


def close_found(*, now: dt.datetime, limit: int = 500) -> int:
    """Closes as «Записан» the entries whose patient has got a matching visit by another way;
    returns how many.

    Reads appointments changed since the last look. Several visits for an entry, or one visit for
    several entries of which none is that doctor's: a person is asked (`several_visits`). One
    entry's failure is stored on it.
    """
    with transaction.atomic():
        SyncCursor.objects.get_or_create(name=_PULL, defaults={"at": now - dt.timedelta(days=30)})
        mark = SyncCursor.objects.select_for_update(skip_locked=True).filter(name=_PULL).first()
        if mark is None:
            return 0  # another worker is looking
        fresh = list(_newly_booked(mark.at - OVERLAP, now)[: limit + 1])
        asked = list(_perhaps_settled(now))
        closed = sum(_close_if_booked(pk, now=now) for pk in (*fresh[:limit], *asked))
        if (
            len(fresh) <= limit
        ):  # else the next look begins where this one did; those of this one are settled by then
            mark.at = now
            mark.save(update_fields=["at"])
    return closed


def _fitting(now: dt.datetime) -> QuerySet[Appointment]:
    """`matching_visits` of each entry, in SQL."""
    return Appointment.objects.filter(
        Q(doctor=OuterRef("doctor")) | Q(doctor__specialty=OuterRef("doctor__specialty")),
        got_since(OuterRef("visits_from"), OuterRef("doctor__specialty")),
        patient=OuterRef("patient"),
        status__in=UPCOMING,
        starts_at__gt=now,
    )


def _newly_booked(since: dt.datetime, now: dt.datetime) -> QuerySet[RecallEntry, int]:
    """Entries with a fitting visit that has changed since. A look settles each of them: closed, or
    a person is asked.

    Fitting ones only: patients with other visits, thousands after an import, would stand before
    them in every look.
    """
    changed = Appointment.objects.filter(
        changed_at__gt=since, status__in=UPCOMING, starts_at__gt=now
    )
    entries = RecallEntry.objects.to_call().filter(
        several_visits=False, patient_id__in=changed.values("patient_id")
    )
    found = entries.filter(Exists(_fitting(now).filter(changed_at__gt=since)))
    return found.order_by("last_error", "pk").values_list("pk", flat=True)


def _perhaps_settled(now: dt.datetime) -> QuerySet[RecallEntry, int]:
    """Entries of which a person is asked though at most one visit is left: as few as people leave
    unanswered.
    """
    fitting = _fitting(now).order_by().values("patient").annotate(count=Count("*")).values("count")
    entries = (
        RecallEntry.objects.to_call()
        .filter(several_visits=True)
        .alias(fitting=Coalesce(Subquery(fitting), 0))
    )
    return entries.filter(fitting__lte=1).order_by("pk").values_list("pk", flat=True)


def _close_if_booked(pk: int, *, now: dt.datetime) -> bool:
    try:
        with transaction.atomic():
            entry = RecallEntry.locked(pk)
            if entry.stage != Stage.CALL:
                return False
            visits = matching_visits(entry, now)
            if len(visits) == 1 and _is_ours(entry, visits[0]):
                _close(entry, visits[0], by=None, now=now)
                return True
            if entry.several_visits != bool(visits):
                entry.several_visits, entry.touched_at = bool(visits), now
                entry.version += 1
                entry.save(update_fields=["several_visits", "touched_at", "version"])
                live_updates.bump(topic(entry.clinic_id))
    except (DomainError, DatabaseError) as error:
        log.exception("entry %s could not be closed", pk)
        RecallEntry.objects.filter(pk=pk).update(last_error=str(error)[:250])
    return False


def _is_ours(entry: RecallEntry, visit: Appointment) -> bool:
    """Whether the visit answers this entry and no other of the patient's."""
    if visit.doctor_id == entry.doctor_id:
        return True
    rivals = Q(stage=Stage.CALL) & (
        Q(doctor_id=visit.doctor_id) | Q(doctor__specialty_id=entry.doctor.specialty_id)
    )
    return (
        not RecallEntry.objects.filter(patient_id=entry.patient_id)
        .filter(rivals | Q(appointment_id=visit.pk))
        .exclude(pk=entry.pk)
        .exists()
    )


def settle_visits(
    entry: RecallEntry, *, appointment: Appointment | None, version: int, by: User, now: dt.datetime
) -> RecallEntry:
    """A person's answer to «какая из записей?»: this visit closes the entry, or none does (then it
    stays in «Звать»).

    Raises Conflict when the entry changed meanwhile or the visit no longer fits.
    """
    with transaction.atomic():
        entry = RecallEntry.locked(entry.pk)
        if entry.stage != Stage.CALL or entry.version != version:
            raise Conflict(
                "Запись изменилась, пока карточка была открыта. Посмотрите, что в ней теперь."
            )
        if appointment is None:
            entry.several_visits, entry.visits_from, entry.touched_at = False, now, now
            entry.version += 1
            entry.save(update_fields=["several_visits", "visits_from", "touched_at", "version"])
            audit.record(
                "journals.settle_visits", entry, by=by, now=now, note="ни одна из записей не по КОС"
            )
            live_updates.bump(topic(entry.clinic_id))
        else:
            if appointment.pk not in {visit.pk for visit in matching_visits(entry, now)}:
                raise Conflict("Эту запись на приём уже отменили или перенесли. Выберите другую.")
            _close(entry, appointment, by=by, now=now)
    return entry


def follow_waiting(*, now: dt.datetime, limit: int = 500) -> int:
    """Takes over what happened to «напомнить позже» in «Активные задачи»: a new date, a booking, or
    its closing.

    The waiting-list row is the one clock; the entry's date follows it. Closed without a visit: the
    entry is ready today. Claims and writes in one transaction (SKIP LOCKED). Returns how many
    entries changed.
    """
    with transaction.atomic():
        moved = list(
            RecallEntry.objects.to_call()
            .filter(waiting__isnull=False)
            .filter(~Q(waiting__call_on=F("call_on")) | Q(waiting__state=WaitingState.CLOSED))
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("pk")
            .values_list("pk", flat=True)[:limit]
        )
        for pk in moved:
            _follow(RecallEntry.locked(pk), now=now)
    return len(moved)


def _follow(entry: RecallEntry, *, now: dt.datetime) -> None:
    waiting = entry.waiting
    if waiting is None:
        return
    if waiting.state == WaitingState.CLOSED and waiting.appointment is not None:
        _close(entry, waiting.appointment, by=waiting.closed_by, now=now)
        return
    if waiting.state == WaitingState.CLOSED:
        entry.waiting, entry.call_on = None, local_day(now, entry.clinic.zone)
    else:
        entry.call_on = waiting.call_on
    entry.touched_at = now
    entry.version += 1
    entry.save(update_fields=["waiting", "call_on", "touched_at", "version"])
    audit.record(
        "journals.follow_waiting",
        entry,
        by=None,
        now=now,
        after={"call_on": entry.call_on.isoformat()},
    )
    live_updates.bump(topic(entry.clinic_id))


def _close(entry: RecallEntry, visit: Appointment, *, by: User | None, now: dt.datetime) -> None:
    """«Записан», naming the visit; the entry leaves every plan and its reminder is closed."""
    close_reminder(entry, reason="КОС: записан другим путём", by=by, now=now, appointment=visit)
    PlanItem.objects.open().filter(entry=entry).update(
        state=PlanState.CLOSED, stage_after=Stage.BOOKED, done_at=now
    )
    entry.stage, entry.appointment, entry.waiting = Stage.BOOKED, visit, None
    entry.several_visits, entry.flagged, entry.last_error = False, False, ""
    entry.closed_at, entry.closed_by, entry.touched_at = now, by, now
    entry.reserved_by, entry.reserved_until, entry.reserved_key = None, None, ""
    entry.version += 1
    entry.save()
    audit.record(
        "journals.close_found",
        entry,
        by=by,
        now=now,
        before={"stage": Stage.CALL},
        after={"stage": entry.stage, "appointment": visit.pk},
        note=str(visit),
    )
    live_updates.bump(topic(entry.clinic_id))
