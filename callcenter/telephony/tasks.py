"""Celery's entry points of telephony; their timers are in callcenter/timers.py."""

from celery import shared_task
from django.utils import timezone

from callcenter.telephony.actions import pbx_webhooks, recordings


@shared_task(ignore_result=True)
def process_due_pbx_webhooks() -> None:
    """Process the webhooks of cloud PBXs that could not be processed at once."""
    pbx_webhooks.process_due_pbx_webhooks(now=timezone.now())


@shared_task(ignore_result=True)
def fetch_due_recordings() -> None:
    """Fetch recordings of cloud PBXs into our own storage before their links expire."""
    recordings.fetch_due_recordings(now=timezone.now())
