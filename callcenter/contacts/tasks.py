"""Celery's entry points of contacts: take the time, call an action."""

import datetime as dt
import time
from typing import Final

from celery import shared_task
from django.utils import timezone

from callcenter.contacts.actions import (
    collect_results,
    link_known_numbers,
    mark_changed_contacts,
    recompute_due_contacts,
    recount_due_channels,
)

SECONDS: Final = 5  # that one tick may take of a worker


@shared_task
def refresh_contacts() -> None:
    """What changed in the last two minutes: outcomes follow within 5 s of the visit that changed."""
    _refresh(dt.timedelta(minutes=2), days=1)


@shared_task
def refresh_contacts_widely() -> None:
    """The same over the last hours and weeks: long imports commit later than the times they write."""
    _refresh(dt.timedelta(hours=3), days=31)


def _refresh(back: dt.timedelta, *, days: int) -> None:
    now = timezone.now()
    collect_results(since=now - back)
    link_known_numbers(since=now.date() - dt.timedelta(days=days))
    mark_changed_contacts(since=now - back, now=now)
    until = time.monotonic() + SECONDS
    while recompute_due_contacts(now=timezone.now()) and time.monotonic() < until:
        pass  # what is left is the next tick's: the other timers need this worker, too


@shared_task
def recount_channels() -> None:
    """Goes on with the recount of advertising channels that was asked for."""
    recount_due_channels(now=timezone.now())
