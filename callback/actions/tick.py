"""The ticker: due requests are claimed in batches and looked at one by one; one's failure stays on its row."""

import datetime as dt
import logging
from typing import Final

from django.db import DatabaseError, transaction

from callback.actions.apply import apply
from callback.decision import Wait, decide
from callback.models import CallbackRequest
from callback.queries import facts_of, settings_of
from callcenter.clinics.queries import hours_of
from callcenter.lib import live
from callcenter.lib.claims import claim
from callcenter.lib.errors import DomainError

log = logging.getLogger(__name__)
LEASE: Final = dt.timedelta(seconds=60)
AGAIN: Final = dt.timedelta(seconds=60)  # after a failure


def run_due_requests(*, now: dt.datetime, limit: int = 200) -> int:
    """Looks at up to `limit` due requests; returns how many. Any number of workers may do so at once."""
    due = CallbackRequest.objects.due(now)
    claimed: list[CallbackRequest] = claim(due, now=now, limit=limit)
    for request in claimed:
        try:
            look(request.pk, now=now)
        except (DomainError, DatabaseError) as error:
            log.exception("request %s", request.pk)
            CallbackRequest.objects.filter(pk=request.pk).update(
                last_error=str(error)[:250], due_at=now + AGAIN, claimed_at=None
            )
    return len(claimed)


def look(request_id: int, *, now: dt.datetime) -> None:
    """Reads the facts of one request and lets the event happen that they call for, or says when to look again."""
    with transaction.atomic():
        request = CallbackRequest.objects.select_for_update().get(pk=request_id)
        if request.due_at is None or request.due_at > now:
            CallbackRequest.objects.filter(pk=request_id).update(claimed_at=None)
            return  # somebody has acted between the claim and now
        facts = facts_of(request, ways=settings_of(request.clinic), hours=hours_of(request.clinic), now=now)
        decided = decide(facts, now)
        if isinstance(decided, Wait):
            CallbackRequest.objects.filter(pk=request_id).update(due_at=decided.at, claimed_at=None)
            live.bump(f"callback:clinic:{request.clinic_id}")
        else:
            apply(request_id, decided[0], now=now, reason=decided[1])


def free_stale_requests(*, now: dt.datetime) -> int:
    """Gives back what a killed worker had claimed."""
    return CallbackRequest.objects.filter(claimed_at__lt=now - LEASE).update(claimed_at=None)
