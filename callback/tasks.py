"""Ticks: each takes the time and calls an action."""

from celery import shared_task
from django.utils import timezone

from callback import actions


@shared_task(ignore_result=True)
def run_due_requests() -> None:
    """Looks at due requests: rings, waits, escalates.

    Goes on while there are full batches, so that a morning's heap is through within one tick.
    """
    while actions.run_due_requests(now=timezone.now()) == actions.BATCH:
        pass


@shared_task(ignore_result=True)
def free_stale_requests() -> None:
    """Gives back the requests that a killed worker had claimed."""
    actions.free_stale_requests(now=timezone.now())
