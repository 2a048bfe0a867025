"""Ticks of the journal (callcenter/beat.py says how often)."""

from celery import shared_task
from django.utils import timezone

from journals.actions import plans, timers


@shared_task
def return_uncalled() -> None:
    """What was not called goes back to ready at the clinic's closing."""
    plans.return_uncalled(now=timezone.now())


@shared_task
def close_found() -> None:
    """Entries whose patient has been booked by another way become «Записан»."""
    timers.close_found(now=timezone.now())


@shared_task
def follow_waiting() -> None:
    """«Напомнить позже» moved or closed in «Активные задачи» moves the entry."""
    timers.follow_waiting(now=timezone.now())
