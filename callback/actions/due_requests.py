"""The ticker: due requests are claimed in batches and looked at one by one; one's failure stays on
its row.
"""

import datetime as dt
import logging
from typing import Final

from django.db import DatabaseError, transaction

from callback.actions.transitions import Transition, apply_transition, lock_request
from callback.due_decision import WaitUntil, decide
from callback.models import CallbackRequest
from callback.queries import WITH, DueBatch
from callcenter.lib import live_updates
from callcenter.lib.errors import DomainError
from callcenter.lib.leases import claim

log = logging.getLogger(__name__)
LEASE: Final = dt.timedelta(seconds=60)
AGAIN: Final = dt.timedelta(seconds=60)  # after a failure
BATCH: Final = (
    100  # few enough that what was read for the batch is still fresh for its last request
)


def run_due_requests(*, now: dt.datetime, limit: int = BATCH) -> int:
    """Looks at up to `limit` due requests; returns how many. Any number of workers may do so at
    once.
    """
    due = CallbackRequest.objects.select_related(*WITH).due(now)
    claimed: list[CallbackRequest] = claim(due, now=now, limit=limit)
    if not claimed:
        return 0
    batch = DueBatch(claimed, now=now)
    for request in claimed:
        try:
            process_due_request(request, batch)
        except (DomainError, DatabaseError) as error:
            log.exception("request %s", request.pk)
            CallbackRequest.objects.filter(pk=request.pk).update(
                last_error=str(error)[:250], due_at=now + AGAIN, claimed_at=None
            )
    return len(claimed)


def process_due_request(known: CallbackRequest, batch: DueBatch) -> None:
    """Lets the event happen that the facts of one request call for, or says when to look again.

    The facts were read for the whole batch, moments ago; what must hold exactly (one attempt of a
    request, one leg of a patient, one ring of an administrator) the rows themselves see to, and the
    floor is asked again after the key.
    """
    now = batch.now
    with transaction.atomic():
        request = lock_request(known.pk, known)
        if request.due_at is None or request.due_at > now:
            CallbackRequest.objects.filter(pk=request.pk).update(claimed_at=None)
            return  # somebody has acted between the claim and now
        decided = decide(batch.facts(request), now)
        if isinstance(decided, WaitUntil):
            CallbackRequest.objects.filter(pk=request.pk).update(due_at=decided.at, claimed_at=None)
            live_updates.bump(f"callback:clinic:{request.clinic_id}")
        else:
            apply_transition(Transition(request, decided[0], now, reason=decided[1], batch=batch))


def free_stale_requests(*, now: dt.datetime) -> int:
    """Gives back what a killed worker had claimed."""
    return CallbackRequest.objects.filter(claimed_at__lt=now - LEASE).update(claimed_at=None)
