"""Celery entry points of the clinics: imports that wait for a worker."""

from celery import shared_task
from django.utils import timezone

from callcenter.imports import actions


@shared_task
def work_on_imports() -> None:
    """Checks or loads what waits, one import after another; first gives back what a dead worker has
    left.
    """
    actions.release_abandoned(now=timezone.now())
    while actions.work_on_due(clock=timezone.now):
        pass


@shared_task
def clean_up_imports() -> None:
    """Drops files that nobody confirmed in three days, and what was found in old ones."""
    actions.clean_up(now=timezone.now())
