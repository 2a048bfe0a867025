"""Celery entry points: take the time, call an action."""

from celery import shared_task
from django.utils import timezone

from b2c_procedures.actions import chat_distribution, refunds, versions


@shared_task
def gather_due_chats() -> int:
    """Takes clients' messages into conversations and gives each to the manager with the fewest."""
    return chat_distribution.gather_due_chats(now=timezone.now())


@shared_task
def share_due_chats() -> int:
    """The conversations of a manager who has left go to the others on shift."""
    return chat_distribution.share_due_chats(now=timezone.now())


@shared_task
def remind_due_invoices() -> int:
    """A task to the lead manager for each refund that has stood still for a working day."""
    return refunds.remind_due_invoices(now=timezone.now())


@shared_task
def remind_due_reviews() -> int:
    """Twelve months after the last decision the head is asked to look at a procedure again."""
    return versions.remind_due_reviews(now=timezone.now())
