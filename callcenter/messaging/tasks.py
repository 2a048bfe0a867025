"""Ticks of the outbox: take the time, call the action."""

from celery import shared_task
from django.utils import timezone

from callcenter.messaging import actions


@shared_task
def send_messages() -> int:
    """Sends what is due for up to ten seconds; several workers share the outbox."""
    return actions.send_due(clock=timezone.now, seconds=10)


@shared_task
def process_webhooks() -> int:
    """Reads what providers have told: statuses and replies, written down when they came."""
    total = 0
    while (done := actions.process_due_webhooks(now=timezone.now())) and total < 2000:
        total += done
    return total


@shared_task
def advance_cascades() -> int:
    """The next channel, where a messenger said «undelivered» or has been silent too long."""
    return actions.advance_due_cascades(now=timezone.now())


@shared_task
def reap_messages() -> int:
    """A killed worker's messages: back into the queue, or «unknown» where the call may have gone
    out.
    """
    now = timezone.now()
    return actions.reap_lost_messages(now=now) + actions.requeue_lost_webhooks(now=now)


@shared_task
def ask_providers() -> int:
    """Asks providers that remember about messages whose reports are overdue."""
    return actions.ask_due_messages(now=timezone.now())


@shared_task
def purge_webhooks() -> int:
    """Drops providers' calls that were read long ago."""
    return actions.purge_old_webhooks(now=timezone.now())
