"""Runs: opened once a day at the clinic's own noon, kept true to the schedule while their days
last.
"""

import datetime as dt
import logging

from django.db import DatabaseError, transaction
from django.db.models import F, Q

from callcenter.audit import actions as audit
from callcenter.clinics.models import Appointment, Clinic
from callcenter.clinics.states import UPCOMING, AppointmentStatus
from callcenter.lib import live_updates
from callcenter.lib.errors import DomainError, Refused
from callcenter.lib.leases import claim
from callcenter.lib.localtime import instant, local, local_day
from callcenter.staff.models import Shift, User
from callcenter.staff.roles import ShiftColour
from reminders.actions.sending import BATCH, send_missing
from reminders.models import Reminder, ReminderRun, ReminderSettings
from reminders.queries.lists import topic
from reminders.schedule import AHEAD, covered_span, last_covered_day, latest_opening, next_opening

log = logging.getLogger(__name__)
REFRESH = dt.timedelta(seconds=5)  # how often a run looks at the schedule while its days last
LEASE = dt.timedelta(
    minutes=1
)  # of a run that a worker looks at; two at once would only do the same


def settings_of(clinic: Clinic) -> ReminderSettings:
    settings, _ = ReminderSettings.objects.get_or_create(clinic=clinic)
    return settings


def save_settings(settings: ReminderSettings, *, by: User, now: dt.datetime) -> ReminderSettings:
    """Saves the senior's choice; the next opening follows a changed hour at once."""
    with transaction.atomic():
        settings.due_at = next_opening(now, settings.opens_at, settings.clinic.zone)
        settings.save()
        audit.record(
            "reminders.save_settings", settings, by=by, now=now, clinic_id=settings.clinic_id
        )
    return settings


def yellow_days(clinic: Clinic, since: dt.date) -> set[dt.date]:
    """The days from `since` on (two weeks) on which somebody of the clinic is on the yellow shift."""
    shifts = Shift.objects.filter(
        colour=ShiftColour.YELLOW,
        on__gte=since,
        on__lte=since + dt.timedelta(days=AHEAD),
        user__clinics=clinic,
    )
    return set(shifts.values_list("on", flat=True))


def plan_openings(*, now: dt.datetime) -> int:
    """Gives every clinic its row of settings with the moment of its next run; a clinic new today
    opens at its next noon (or at once, when today's noon has passed).
    """
    new = Clinic.objects.filter(reminder_settings=None)
    rows = [ReminderSettings(clinic=clinic) for clinic in new]
    for row in rows:
        row.due_at = instant(local_day(now, row.clinic.zone), row.opens_at, row.clinic.zone)
    ReminderSettings.objects.bulk_create(rows, ignore_conflicts=True)
    for row in ReminderSettings.objects.filter(due_at=None).select_related("clinic"):
        ReminderSettings.objects.filter(pk=row.pk, due_at=None).update(
            due_at=next_opening(now, row.opens_at, row.clinic.zone)
        )
    return len(rows)


def open_due_runs(*, now: dt.datetime, limit: int = 20) -> int:
    """Opens the run of every clinic whose noon has come; a tick that comes hours late opens it
    then, once.

    The row is locked while its run opens and moved on in the same transaction: a second beat finds
    nothing due.
    """
    opened = 0
    for pk in (
        ReminderSettings.objects.filter(due_at__lte=now)
        .order_by("due_at")
        .values_list("pk", flat=True)[:limit]
    ):
        try:
            with transaction.atomic():
                row = (
                    ReminderSettings.objects.select_for_update(skip_locked=True, of=("self",))
                    .select_related("clinic")
                    .filter(pk=pk, due_at__lte=now)
                    .first()
                )
                if row is None:
                    continue
                on = latest_opening(now, row.opens_at, row.clinic.zone)
                if _is_wanted(row.clinic, on, now):
                    open_run(row.clinic, on=on, by=None, now=now)
                    opened += 1
                row.due_at, row.last_error = next_opening(now, row.opens_at, row.clinic.zone), ""
                row.save(update_fields=["due_at", "last_error"])
        except (DatabaseError, DomainError) as error:
            log.exception("the run of settings %s did not open", pk)
            ReminderSettings.objects.filter(pk=pk).update(
                due_at=now + dt.timedelta(minutes=1), last_error=str(error)[:250]
            )
    return opened


def _is_wanted(clinic: Clinic, on: dt.date, now: dt.datetime) -> bool:
    """Not on a day without a yellow shift whose tomorrow an earlier run covers already, and not
    when all is over.
    """
    if local_day(now, clinic.zone) > on + dt.timedelta(days=1):
        return False
    covered = ReminderRun.objects.filter(clinic=clinic, on__lt=on, until__gt=on).exists()
    return not covered or on in yellow_days(clinic, on)


def open_run(clinic: Clinic, *, on: dt.date, by: User | None, now: dt.datetime) -> ReminderRun:
    """The run of the clinic's local day `on`: opened now, or as it stands if it is open already (by
    hand before noon).

    Enters every coming visit of its days and, as the clinic has set, starts the messages at once.
    """
    settings = settings_of(clinic)
    with transaction.atomic():
        until = last_covered_day(
            on, yellow_days(clinic, on + dt.timedelta(days=1)), next_day_only=settings.next_day_only
        )
        run, created = ReminderRun.objects.get_or_create(
            clinic=clinic,
            on=on,
            defaults=dict(
                until=until,
                opened_at=now,
                opened_by=by,
                due_at=now,
                sent_at=now if settings.sends_itself else None,
                blue_sms_due_at=instant(on, settings.blue_sms_at, clinic.zone)
                if settings.blue_sms_at
                else None,
            ),
        )
        if created:
            audit.record("reminders.open_run", run, by=by, now=now)
            refresh_run(run, now=now)
    return run


def refresh_due_runs(*, now: dt.datetime, limit: int = 50) -> int:
    """Looks at the schedule again for every run whose days last; a visit made, moved or cancelled
    since then follows.
    """
    ReminderRun.objects.filter(claimed_at__lt=now - LEASE).update(claimed_at=None)
    due = (
        ReminderRun.objects.filter(due_at__lte=now, claimed_at=None)
        .order_by("due_at")
        .select_related("clinic")
    )
    runs = claim(due, now=now, limit=limit)
    for run in runs:
        problem, changed = "", 0
        try:
            with transaction.atomic():
                changed = refresh_run(run, now=now)
        except (DatabaseError, DomainError) as error:
            log.exception("run %s was not refreshed", run.pk)
            problem = str(error)[:250]
        _, end = covered_span(run.on, run.until, run.clinic.zone)
        pause = (
            dt.timedelta() if changed >= BATCH else REFRESH
        )  # a big run's messages go on at once
        ReminderRun.objects.filter(pk=run.pk).update(
            due_at=now + pause if now < end else None, claimed_at=None, last_error=problem
        )
    return len(runs)


def refresh_run(run: ReminderRun, *, now: dt.datetime) -> int:
    """Makes the run's rows equal to the schedule: enters, follows a new time, lets go with the
    reason. Rows without a message get theirs, a batch at a time. How many changed.

    Keys and versions are compared, and only rows that are not as they should be are read whole: a
    run of thousands has nothing new most of the time. Rows of another run that still holds the
    visit stay with that run.
    """
    start, end = covered_span(run.on, run.until, run.clinic.zone)
    with transaction.atomic():
        rows = {
            visit: (version, removed_at)
            for visit, version, removed_at in run.reminders.values_list(
                "appointment_id", "version", "removed_at"
            )
        }
        coming = dict(
            Appointment.objects.filter(
                clinic_id=run.clinic_id,
                starts_at__gte=start,
                starts_at__lt=end,
                status__in=UPCOMING,
            ).values_list("pk", "version")
        )
        fresh = _enter(run, [pk for pk in coming if pk not in rows], now)
        present = run.reminders.select_related("appointment")
        differing = [pk for pk, row in rows.items() if pk in coming and row != (coming[pk], None)]
        moved = [
            row
            for row in present.filter(appointment__in=differing)
            if _follow(row, row.appointment, now)
        ]
        missing = [
            pk for pk, (_, removed_at) in rows.items() if pk not in coming and removed_at is None
        ]
        changed = Q(appointment__status=AppointmentStatus.CANCELLED) | ~Q(
            version=F("appointment__version")
        )
        gone = [
            row
            for row in present.filter(changed, appointment__in=missing)
            if _let_go(row, run, now)
        ]
        Reminder.objects.bulk_update(
            [*moved, *gone],
            [
                *(
                    "version",
                    "starts_at",
                    "patient_id",
                    "removed_at",
                    "removed_reason",
                    "changed_at",
                ),
                *("called_at", "called_by", "result", "is_settled", "calling_by", "calling_at"),
            ],
            batch_size=500,
        )
        queued = send_missing(run, by=run.sent_by, now=now) if run.sent_at is not None else 0
        if fresh or moved or gone or queued:
            live_updates.bump(topic(run.clinic_id))
    return fresh + len(moved) + len(gone) + queued


def _enter(run: ReminderRun, visits: list[int], now: dt.datetime) -> int:
    """Rows for these visits, but for those that have begun or have a present row in another run;
    how many.
    """
    elsewhere = set(
        Reminder.objects.filter(appointment__in=visits, removed_at=None).values_list(
            "appointment_id", flat=True
        )
    )
    fresh = [
        Reminder(
            run=run,
            appointment_id=pk,
            clinic_id=run.clinic_id,
            patient_id=patient_id,
            starts_at=starts_at,
            version=version,
            changed_at=now,
        )
        for pk, patient_id, starts_at, version in Appointment.objects.filter(
            pk__in=visits, starts_at__gt=now
        ).values_list("pk", "patient_id", "starts_at", "version")
        if pk not in elsewhere
    ]
    Reminder.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=2000)
    return len(fresh)


def _follow(row: Reminder, visit: Appointment, now: dt.datetime) -> bool:
    """The row takes the visit's new time; marks of the former time are of another agreement and
    count no longer.
    """
    if row.version == visit.version and row.removed_at is None:
        return False
    if (
        row.removed_at is not None
        and Reminder.objects.filter(appointment_id=visit.pk, removed_at=None).exists()
    ):
        return False
    if row.version != visit.version:
        row.called_at, row.called_by, row.result, row.is_settled = None, None, "", False
        row.calling_by, row.calling_at = None, None
    row.version, row.starts_at, row.patient_id = visit.version, visit.starts_at, visit.patient_id
    row.removed_at, row.removed_reason, row.changed_at = None, "", now
    return True


def _let_go(row: Reminder, run: ReminderRun, now: dt.datetime) -> bool:
    """A cancelled visit and one moved out of the run's days leave with the reason; one that took
    place stays.
    """
    visit = row.appointment
    if visit.status == AppointmentStatus.CANCELLED:
        reason = "приём отменён"
    elif visit.version != row.version:
        reason = f"перенесён на {local(visit.starts_at, run.clinic.zone):%d.%m.%Y %H:%M}"
    else:
        return False
    row.removed_at, row.removed_reason, row.changed_at = now, reason, now
    return True


def hand_over(run: ReminderRun, *, note: str, by: User, now: dt.datetime) -> ReminderRun:
    """The evening is over: what it leaves for the morning, in the words of whoever goes home. May
    be said again.
    """
    if not note.strip():
        raise Refused("Напишите, что осталось на утро (или «всё обзвонили»).", field="note")
    with transaction.atomic():
        run = (
            ReminderRun.objects.select_for_update(of=("self",))
            .select_related("clinic")
            .get(pk=run.pk)
        )
        before = run.handover_note
        run.handed_over_at, run.handed_over_by, run.handover_note = now, by, note.strip()
        run.save(update_fields=["handed_over_at", "handed_over_by", "handover_note"])
        audit.record(
            "reminders.hand_over",
            run,
            by=by,
            now=now,
            before={"note": before},
            after={"note": note.strip()},
        )
        live_updates.bump(topic(run.clinic_id))
    return run
