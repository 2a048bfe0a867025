"""What providers tell us: kept raw first, absorbed afterwards, in any order and any number of
times.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import DatabaseError, transaction

from callcenter.lib.bulk_sql import update_rows
from callcenter.lib.errors import DomainError
from callcenter.lib.leases import claim
from callcenter.messaging.actions.appointment_links import answer_visit, find_link, note_opening
from callcenter.messaging.actions.chats import receive_reply
from callcenter.messaging.actions.enqueue import bump_messages
from callcenter.messaging.gateways import build
from callcenter.messaging.gateways.base import (
    BadWebhook,
    ButtonPress,
    DeliveryReport,
    Gateway,
    GatewayEvent,
    IgnoredEvent,
    Opened,
    Reply,
    Webhook,
)
from callcenter.messaging.models import Message, Provider, ProviderWebhook
from callcenter.messaging.states import ARRIVED, DeliveryStatus, MessageState, after_report

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)
BATCH = 500
ATTEMPTS = 5
KEEP = timedelta(days=30)


def store_provider_webhook(
    provider: Provider, webhook: Webhook, *, now: dt.datetime
) -> ProviderWebhook:
    """Writes a provider's call down, exactly as it came; one insert, so that the answer is quick
    and nothing is lost.
    """
    return ProviderWebhook.objects.create(
        provider=provider,
        received_at=now,
        due_at=now,
        method=webhook.method,
        path=webhook.path[:300].replace("\0", ""),  # PostgreSQL keeps no NUL
        query=webhook.query,
        headers=dict(webhook.headers),
        body=webhook.body,
    )


@dataclass(frozen=True)
class _ParsedWebhook:
    """A call that could be read, and what it tells."""

    call: ProviderWebhook
    provider: Provider
    happenings: Sequence[GatewayEvent]

    @property
    def is_report(self) -> bool:
        return all(
            isinstance(happening, DeliveryReport | IgnoredEvent) for happening in self.happenings
        )


# What a call may do to us without being the code's death: it is written on the call, which is tried
# again later.
_TROUBLES = (DatabaseError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def process_due_webhooks(*, now: dt.datetime, limit: int = BATCH) -> int:
    """Understands what has come; how many calls. Reports are written together, replies and presses
    one by one; a batch that can't be written is taken apart, so that one call's trouble is written
    on that call and the others go on.
    """
    due = ProviderWebhook.objects.filter(
        due_at__lte=now, absorbed_at=None, claimed_at=None
    ).order_by("due_at", "pk")
    calls = claim(due, now=now, limit=limit)
    providers = {
        row.pk: row for row in Provider.objects.filter(pk__in={call.provider_id for call in calls})
    }
    gateways = {
        pk: build(row.kind, {**row.settings, "secret": row.secret}) for pk, row in providers.items()
    }
    heard = []
    for call in calls:
        happenings = _read(call, gateways[call.provider_id], now)
        if happenings is not None:
            heard.append(_ParsedWebhook(call, providers[call.provider_id], happenings))
    reports = [one for one in heard if one.is_report]
    together = len(reports) > 1 and _absorb_together(reports, now)
    for one in heard:
        if not (together and one.is_report):
            _absorb_alone(one, now)
    return len(calls)


def _read(call: ProviderWebhook, gateway: Gateway, now: dt.datetime) -> list[GatewayEvent] | None:
    try:
        return gateway.read(
            Webhook(call.method, call.path, call.query, call.headers, bytes(call.body))
        )
    except BadWebhook as error:  # nothing that a second try would change
        _close([call.pk], str(error), now)
    except _TROUBLES as error:
        _put_off(call, error, now)
    return None


def _absorb_together(heard: Sequence[_ParsedWebhook], now: dt.datetime) -> bool:
    """False when one of them can't be written: then none is, and each is to be tried by itself."""
    try:
        _write(heard, now)
    except _TROUBLES:
        log.warning(
            "%d reports were not absorbed together and are taken one by one",
            len(heard),
            exc_info=True,
        )
        return False
    return True


def _absorb_alone(heard: _ParsedWebhook, now: dt.datetime) -> None:
    try:
        _write([heard], now)
    except DomainError as error:  # nothing that a second try would change
        _close([heard.call.pk], str(error), now)
    except _TROUBLES as error:
        _put_off(heard.call, error, now)


def _write(heard: Sequence[_ParsedWebhook], now: dt.datetime) -> None:
    """Carries out what these calls tell and closes them, in one transaction."""
    with transaction.atomic():
        notes: dict[int, list[str]] = {one.call.pk: [] for one in heard}
        reports = [
            (one.call, status)
            for one in heard
            for status in one.happenings
            if isinstance(status, DeliveryReport)
        ]
        found = apply_reports(
            [(status, status.at or call.due_at) for call, status in reports], now=now
        )
        for (call, _), note in zip(reports, found, strict=True):
            notes[call.pk].append(note)
        for one in heard:
            for happening in one.happenings:
                if not isinstance(happening, DeliveryReport):
                    notes[one.call.pk].append(_apply(happening, one.provider, one.call, now))
        by_note: dict[str, list[int]] = {}
        for pk, said in notes.items():
            by_note.setdefault("; ".join(filter(None, said)), []).append(pk)
        for note, pks in by_note.items():
            _close(pks, note, now)


def _close(calls: Sequence[int], note: str, now: dt.datetime) -> None:
    """Of those still in our hands: what the reaper has given to another is his to close."""
    ours = ProviderWebhook.objects.filter(pk__in=calls, absorbed_at=None, claimed_at=now)
    ours.update(absorbed_at=now, claimed_at=None, last_error=note[:250])


def _put_off(call: ProviderWebhook, error: Exception, now: dt.datetime) -> None:
    log.error("provider call %s was not absorbed", call.pk, exc_info=error)
    attempts = call.attempts + 1
    ProviderWebhook.objects.filter(pk=call.pk).update(
        attempts=attempts,
        claimed_at=None,
        due_at=now + timedelta(seconds=30 * 2**attempts),
        absorbed_at=now if attempts >= ATTEMPTS else None,
        last_error=f"{type(error).__name__}: {error}"[:250],
    )


def _apply(
    happening: GatewayEvent, provider: Provider, call: ProviderWebhook, now: dt.datetime
) -> str:
    """Carries out what is not a report; returns a note when it was of nothing we know."""
    match happening:
        case Reply():
            line = receive_reply(happening, provider=provider, now=now)
            return "" if line is not None else "ответ с номера, которому никто не писал"
        case ButtonPress(token, answer):
            answer_visit(token=token, answer=answer, via="button", now=happening.at or call.due_at)
        case Opened(token):
            link = find_link(token)
            if link is not None:
                note_opening(link, now=call.due_at)
        case IgnoredEvent(reason):
            return reason
    return ""


_REPORTED = (
    "state",
    "reason",
    "fallback_at",
    "changed_at",
    "accepted_at",
    "delivered_at",
    "read_at",
    "failed_at",
)


def apply_reports(
    reports: Sequence[tuple[DeliveryReport, dt.datetime]], *, now: dt.datetime
) -> list[str]:
    """Writes what providers say of messages and when each said it, in the caller's transaction: two
    queries for any number of reports in any order. For each a note, '' or that we have no such
    message.
    """
    rows = (
        Message.objects.filter(key__in={status.key for status, _ in reports})
        .select_for_update(of=("self",))
        .only("key", "clinic", "position", "given_up", *_REPORTED)
        .order_by("pk")  # whoever locks many locks them in this order
    )
    messages = {row.key: row for row in rows} if reports else {}
    before = {key: _reported(row) for key, row in messages.items()}
    for status, at in reports:
        if status.key in messages:
            _hear(messages[status.key], status, at, now=now)
    changed = [row for key, row in messages.items() if _reported(row) != before[key]]
    update_rows(changed, _REPORTED)
    bump_messages(changed)
    return [
        "" if status.key in messages else "отчёт о сообщении, которого у нас нет"
        for status, _ in reports
    ]


def _reported(message: Message) -> list[object]:
    return [getattr(message, name) for name in _REPORTED]


def _hear(message: Message, status: DeliveryReport, at: dt.datetime, *, now: dt.datetime) -> None:
    """What one report makes of the message, unsaved."""
    before = message.state
    message.state = after_report(MessageState(message.state), status.report)
    _set_times(message, status, at)
    if message.state != before:
        message.changed_at = now
        message.reason = status.reason[:250] if status.report == DeliveryStatus.UNDELIVERED else ""
        if message.state in ARRIVED:
            message.fallback_at = None
        elif (
            message.state == MessageState.UNDELIVERED
            and message.position is not None
            and not message.given_up
        ):
            message.fallback_at = now  # the next channel takes over at the next tick


def _set_times(message: Message, status: DeliveryReport, at: dt.datetime) -> None:
    """The time of each report, the first of its kind; a 'read' that comes alone proves the
    delivery, too.
    """
    if status.report == DeliveryStatus.UNDELIVERED and message.state == MessageState.UNDELIVERED:
        message.failed_at = message.failed_at or at
    if status.report == DeliveryStatus.ACCEPTED:
        message.accepted_at = message.accepted_at or at
    if status.report in (DeliveryStatus.DELIVERED, DeliveryStatus.READ):
        message.delivered_at = min(message.delivered_at or at, at)
    if status.report == DeliveryStatus.READ:
        message.read_at = message.read_at or at


def requeue_lost_webhooks(*, now: dt.datetime) -> int:
    """Calls whose absorber died are absorbed anew; all of it is idempotent."""
    lost = ProviderWebhook.objects.filter(absorbed_at=None, claimed_at__lt=now - LEASE)
    return lost.update(claimed_at=None)


def purge_old_webhooks(*, now: dt.datetime) -> int:
    """Raw calls are kept a month: long enough for a quarrel with a provider."""
    old = ProviderWebhook.objects.filter(absorbed_at__lt=now - KEEP).order_by("absorbed_at")
    deleted, _ = ProviderWebhook.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[:5000])
    ).delete()
    return deleted
