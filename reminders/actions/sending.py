"""Messages of a run: to all, to one, an SMS to the blue ones. The outbox keeps each of them single."""

import datetime as dt
import logging
from collections.abc import Iterable

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef

from callcenter.audit import actions as audit
from callcenter.clinics.models import Appointment
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, DomainError
from callcenter.messaging.actions import queue_visit_messages
from callcenter.messaging.models import Message
from callcenter.messaging.states import MessageChannel, MessagePurpose
from callcenter.staff.models import User
from reminders.models import Reminder, ReminderRun
from reminders.queries.lists import blue_without_sms, topic

log = logging.getLogger(__name__)
BATCH = 2000  # visits put into the outbox at a time


def send_visits(
    ids: Iterable[int], *, by: User | None, now: dt.datetime, channel: str | None = None
) -> int:
    """Starts the cascade (or the one channel) for visits; how many messages are new."""
    ids = list(ids)
    queued = 0
    for begin in range(0, len(ids), BATCH):
        visits = (
            Appointment.objects.filter(pk__in=ids[begin : begin + BATCH])
            .select_related("clinic", "doctor", "patient")
            .prefetch_related("patient__phones")
        )
        queued += queue_visit_messages(list(visits), now=now, by=by, channel=channel)
    return queued


def send_missing(run: ReminderRun, *, by: User | None, now: dt.datetime) -> int:
    """Puts into the outbox up to BATCH of the run's rows whose present version has no message yet;
    how many were queued.

    What is missing is asked of the messages themselves, so a big run goes on at the next tick,
    whoever died in between.
    """
    known = Message.objects.filter(
        appointment=OuterRef("appointment"),
        version=OuterRef("version"),
        purpose=MessagePurpose.VISIT,
    )
    missing = run.reminders.filter(
        ~Exists(known), removed_at=None, is_settled=False, starts_at__gt=now
    ).order_by("starts_at", "pk")
    return send_visits(missing.values_list("appointment_id", flat=True)[:BATCH], by=by, now=now)


def send_all(run: ReminderRun, *, by: User | None, now: dt.datetime) -> int:
    """«Отправить уведомление всем пациентам»: the cascade of every row; from now on later rows
    follow by themselves.

    A second click finds every key taken and sends nothing.
    """
    with transaction.atomic():
        run = ReminderRun.objects.select_for_update().get(pk=run.pk)
        if run.sent_at is None:
            run.sent_at, run.sent_by = now, by
            run.save(update_fields=["sent_at", "sent_by"])
            audit.record("reminders.send_all", run, by=by, now=now)
        queued = send_missing(run, by=by, now=now)
        run.due_at = now  # a run of thousands goes on at the next tick
        run.save(update_fields=["due_at"])
        _bump(run.clinic_id)
    return queued


def send_one(reminder: Reminder, *, by: User, now: dt.datetime, channel: str | None = None) -> int:
    """The cascade, or one channel («СМС»), for one row. Raises Conflict when that has been done."""
    with transaction.atomic():
        reminder = Reminder.objects.select_for_update().get(
            pk=reminder.pk
        )  # the second of two clicks waits and is told
        if reminder.removed_at is not None:
            raise Conflict(f"Этого приёма больше нет в списке: {reminder.removed_reason}.")
        queued = send_visits([reminder.appointment_id], by=by, now=now, channel=channel)
        if not queued:
            what = "СМС" if channel == MessageChannel.SMS else "Уведомление"
            raise Conflict(f"{what} этому пациенту уже отправлено. Смотрите состояние в строке.")
        audit.record("reminders.send_one", reminder, by=by, now=now, note=channel or "cascade")
        _bump(reminder.clinic_id)
    return queued


def send_blue_sms(run: ReminderRun, *, by: User | None, now: dt.datetime) -> int:
    """«СМС голубым»: to whom a messenger has delivered and who keeps silent; they stay for the
    morning. Once a visit.
    """
    with transaction.atomic():
        run = ReminderRun.objects.select_for_update().get(pk=run.pk)
        queued = send_visits(
            blue_without_sms(run, now=now), by=by, now=now, channel=MessageChannel.SMS
        )
        run.blue_sms_at, run.blue_sms_due_at = now, None
        run.save(update_fields=["blue_sms_at", "blue_sms_due_at"])
        audit.record("reminders.send_blue_sms", run, by=by, now=now, after={"queued": queued})
        _bump(run.clinic_id)
    return queued


def send_due_blue_sms(*, now: dt.datetime) -> int:
    """The same by itself, at the hour the clinic has set; how many runs. One run's failure is
    stored on it and tried again in a minute; the others go on.
    """
    done = 0
    for run in ReminderRun.objects.filter(blue_sms_due_at__lte=now):
        try:
            with transaction.atomic():
                due = ReminderRun.objects.select_for_update(skip_locked=True).filter(
                    pk=run.pk, blue_sms_due_at__lte=now
                )
                if due.first() is not None:
                    send_blue_sms(run, by=None, now=now)
                    done += 1
        except (DatabaseError, DomainError) as error:
            log.exception("SMS to the blue of run %s", run.pk)
            ReminderRun.objects.filter(pk=run.pk).update(
                blue_sms_due_at=now + dt.timedelta(minutes=1), last_error=str(error)[:250]
            )
    return done


def _bump(clinic_id: int) -> None:
    live_updates.bump(topic(clinic_id))
