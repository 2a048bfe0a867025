"""Ticks: each takes the time and calls an action."""

from celery import shared_task
from django.utils import timezone

from callcenter.telephony import notices


@shared_task(ignore_result=True)
def read_due_notices() -> None:
    """Reads the webhooks of cloud PBXs that could not be read at once."""
    notices.read_due_notices(now=timezone.now())
