"""Reports get lost: after a while a provider that remembers is asked what became of its messages."""

import datetime as dt
import logging
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from callcenter.lib.bulk_sql import update_rows
from callcenter.messaging.actions.webhooks import apply_reports
from callcenter.messaging.gateways import HARMLESS, KINDS, build
from callcenter.messaging.gateways.base import StatusQuery, SupportsStatusQuery
from callcenter.messaging.models import Message, Provider
from callcenter.messaging.send_policy import ASKS, next_ask
from callcenter.messaging.states import MessageState

log = logging.getLogger(__name__)
BATCH = 500
SPREAD = dt.timedelta(hours=1)  # of one question: a provider's history is searched by time
MARGIN = dt.timedelta(minutes=2)  # their clock and ours


def ask_due_messages(*, now: dt.datetime) -> int:
    """Asks every gateway that can be asked about the messages whose reports are overdue; how many
    states changed.

    A question moves the messages' `due_at` on before it is put, so a worker that dies over it only
    costs one turn. What the provider does not know stays as it is: `unknown` waits for a person.
    """
    kinds = [
        kind
        for kind, made in KINDS.items()
        if issubclass(made, SupportsStatusQuery)
        and (kind in HARMLESS or not settings.DEMO)  # the demo calls nobody outside
    ]
    changed = 0
    for provider in Provider.objects.filter(kind__in=kinds, is_active=True):
        rows = _claim(provider, now=now)
        if rows:
            changed += _ask(provider, rows, now=now)
    return changed


def _claim(provider: Provider, *, now: dt.datetime) -> list[Message]:
    """Due messages that were handed over within an hour of each other, the oldest first."""
    with transaction.atomic():
        due = Message.objects.filter(
            provider=provider,
            state__in=[MessageState.ACCEPTED, MessageState.UNKNOWN],
            asks__lt=len(ASKS),
            due_at__lte=now,
            attempted_at__isnull=False,
        ).order_by("due_at", "pk")
        rows = list(due.select_for_update(skip_locked=True, of=("self",))[:BATCH])
        first = min((row.attempted_at for row in rows if row.attempted_at), default=now)
        rows = [row for row in rows if row.attempted_at and row.attempted_at <= first + SPREAD]
        for row in rows:
            row.asks += 1
            row.due_at = next_ask(row.asks, row.attempted_at or now, now)
        update_rows(rows, ["asks", "due_at"])
    return rows


def _ask(provider: Provider, rows: Sequence[Message], *, now: dt.datetime) -> int:
    moments = [row.attempted_at for row in rows if row.attempted_at]
    question = StatusQuery(
        frozenset(row.key for row in rows),
        since=min(moments) - MARGIN,
        until=max(moments) + SPREAD + MARGIN,
    )
    try:
        gateway = build(provider.kind, {**provider.settings, "secret": provider.secret})
    except ValueError as error:
        log.warning("%s can't be asked: %s", provider, error)
        return 0
    heard = gateway.ask(question) if isinstance(gateway, SupportsStatusQuery) else []
    if not isinstance(heard, list):
        log.warning("%s did not tell about %d messages: %s", provider, len(rows), heard.reason)
        return 0
    before = {row.key: row.state for row in rows}
    with transaction.atomic():
        apply_reports([(status, status.at or now) for status in heard], now=now)
    after = dict(Message.objects.filter(key__in=before).values_list("key", "state"))
    return sum(after[key] != state for key, state in before.items())
