"""Ticks of «Дозвон»: take the time, call the action."""

from celery import shared_task
from django.utils import timezone

from reminders import actions


@shared_task
def open_runs() -> int:
    """Opens the runs of clinics where it is 12:00, or later."""
    now = timezone.now()
    actions.plan_openings(now=now)
    return actions.open_due_runs(now=now)


@shared_task
def refresh_runs() -> int:
    """Visits made, moved or cancelled enter, move or leave the open runs."""
    return actions.refresh_due_runs(now=timezone.now())


@shared_task
def send_blue_sms() -> int:
    """SMS to the blue at the hour the clinic has set."""
    return actions.send_due_blue_sms(now=timezone.now())
