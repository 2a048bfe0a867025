"""Celery's entry points of assignments; timers in callcenter/timers.py."""

from celery import shared_task
from django.utils import timezone

from callcenter.assignments import actions


@shared_task
def escalate_due_tasks() -> None:
    """Every minute: overdue tasks go one step up their ladder in working hours."""
    actions.escalate_due_tasks(now=timezone.now())
