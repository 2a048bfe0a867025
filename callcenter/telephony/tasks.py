"""Ticks: each takes the time and calls an action."""

from celery import shared_task
from django.utils import timezone

from callcenter.telephony.actions import pbx_webhooks, recordings


@shared_task(ignore_result=True)
def read_due_notices() -> None:
    """Reads the webhooks of cloud PBXs that could not be read at once."""
    pbx_webhooks.read_due_notices(now=timezone.now())


@shared_task(ignore_result=True)
def fetch_due_recordings() -> None:
    """Brings recordings of cloud PBXs into our own storage before their links expire."""
    recordings.fetch_due_recordings(now=timezone.now())
