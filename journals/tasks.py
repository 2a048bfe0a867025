"""Ticks of the journal (callcenter/timers.py says how often)."""

from celery import shared_task
from django.utils import timezone

from journals.actions import auto_close, plans


@shared_task
def return_uncalled() -> None:
    """What was not called goes back to ready at the clinic's closing."""
    plans.return_uncalled(now=timezone.now())


@shared_task
def close_found() -> None:
    """Entries whose patient has been booked by another way become «Записан»."""
    auto_close.close_found(now=timezone.now())


@shared_task
def follow_waiting() -> None:
    """«Напомнить позже» moved or closed in «Активные задачи» moves the entry."""
    auto_close.follow_waiting(now=timezone.now())
