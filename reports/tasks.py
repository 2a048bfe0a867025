"""Celery's entry points of the report."""

from celery import shared_task
from django.utils import timezone

from reports import actions


@shared_task
def write_exports() -> None:
    """Writes the workbooks that were ordered, one after another; those of a killed worker again."""
    while actions.write_due_exports(now=timezone.now()):
        pass


@shared_task
def drop_old_exports() -> None:
    """Workbooks are kept for a week."""
    actions.drop_old_exports(now=timezone.now())
