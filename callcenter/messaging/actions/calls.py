"""What providers tell us: kept raw first, absorbed afterwards, in any order and any number of times."""

import datetime as dt
import logging
from datetime import timedelta

from django.db import DatabaseError, transaction

from callcenter.lib.claims import claim
from callcenter.lib.errors import DomainError
from callcenter.messaging.actions.chats import receive_reply
from callcenter.messaging.actions.queue import bump_messages
from callcenter.messaging.actions.visits import answer_visit, find_link, note_opening
from callcenter.messaging.gateways import build
from callcenter.messaging.gateways.base import (
    BadWebhook,
    Gateway,
    Happening,
    Ignored,
    Opened,
    Press,
    Reply,
    Status,
    Webhook,
)
from callcenter.messaging.models import Message, Provider, ProviderCall
from callcenter.messaging.states import ARRIVED, MessageState, Report, after_report

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)
ATTEMPTS = 5
KEEP = timedelta(days=30)


def keep_call(provider: Provider, webhook: Webhook, *, now: dt.datetime) -> ProviderCall:
    """Writes a provider's call down, exactly as it came; one insert, so that the answer is quick and nothing is lost."""
    return ProviderCall.objects.create(
        provider=provider,
        received_at=now,
        due_at=now,
        method=webhook.method,
        path=webhook.path[:300].replace("\0", ""),  # PostgreSQL keeps no NUL
        query=webhook.query,
        headers=dict(webhook.headers),
        body=webhook.body,
    )


def absorb_due_calls(*, now: dt.datetime, limit: int = 200) -> int:
    """Understands what has come; how many calls. One call's trouble is written on that call and the others go on."""
    due = ProviderCall.objects.filter(due_at__lte=now, absorbed_at=None, claimed_at=None).order_by("due_at", "pk")
    calls = claim(due, now=now, limit=limit)
    providers = {row.pk: row for row in Provider.objects.filter(pk__in={call.provider_id for call in calls})}
    gateways = {pk: build(row.kind, {**row.settings, "secret": row.secret}) for pk, row in providers.items()}
    for call in calls:
        _absorb(call, providers[call.provider_id], gateways[call.provider_id], now)
    return len(calls)


def _absorb(call: ProviderCall, provider: Provider, gateway: Gateway, now: dt.datetime) -> None:
    notes: list[str] = []
    try:
        webhook = Webhook(call.method, call.path, call.query, call.headers, bytes(call.body))
        with transaction.atomic():
            for happening in gateway.read(webhook):
                note = _apply(happening, provider, call, now)
                if note:
                    notes.append(note)
            done = ProviderCall.objects.filter(pk=call.pk, absorbed_at=None, claimed_at=call.claimed_at)
            done.update(absorbed_at=now, claimed_at=None, last_error="; ".join(notes)[:250])
    except (BadWebhook, DomainError) as error:  # nothing that a second try would change
        _close(call, now, str(error))
    except (DatabaseError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        log.exception("provider call %s was not absorbed", call.pk)
        _put_off(call, now, error)


def _close(call: ProviderCall, now: dt.datetime, note: str) -> None:
    ProviderCall.objects.filter(pk=call.pk).update(absorbed_at=now, claimed_at=None, last_error=note[:250])


def _put_off(call: ProviderCall, now: dt.datetime, error: Exception) -> None:
    attempts = call.attempts + 1
    ProviderCall.objects.filter(pk=call.pk).update(
        attempts=attempts,
        claimed_at=None,
        due_at=now + timedelta(seconds=30 * 2**attempts),
        absorbed_at=now if attempts >= ATTEMPTS else None,
        last_error=f"{type(error).__name__}: {error}"[:250],
    )


def _apply(happening: Happening, provider: Provider, call: ProviderCall, now: dt.datetime) -> str:
    """Carries out one happening; returns a note when it was of nothing we know."""
    match happening:
        case Status():
            return apply_report(happening, provider=provider, at=happening.at or call.due_at, now=now)
        case Reply():
            line = receive_reply(happening, provider=provider, now=now)
            return "" if line is not None else "ответ с номера, которому никто не писал"
        case Press(token, answer):
            answer_visit(token=token, answer=answer, via="button", now=happening.at or call.due_at)
        case Opened(token):
            link = find_link(token)
            if link is not None:
                note_opening(link, now=call.due_at)
        case Ignored(reason):
            return reason
    return ""


def apply_report(status: Status, *, provider: Provider, at: dt.datetime, now: dt.datetime) -> str:
    """Writes what a provider says of a message, in the caller's transaction; a note when we know of none."""
    messages = Message.objects.select_for_update(of=("self",))
    if status.key:
        message = messages.filter(key=status.key).first()
    else:
        message = messages.filter(provider=provider, provider_ref=status.provider_id).first()
    if message is None:
        return "отчёт о сообщении, которого у нас нет"
    before = message.state
    message.state = after_report(MessageState(message.state), status.report)
    _stamp(message, status, at)
    if message.state != before:
        message.changed_at = now
        message.reason = status.reason[:250] if status.report == Report.UNDELIVERED else ""
        if message.state in ARRIVED:
            message.fallback_at = None
        elif message.state == MessageState.UNDELIVERED and message.position is not None and not message.given_up:
            message.fallback_at = now  # the next channel takes over at the next tick
    message.save(
        update_fields=[
            *("state", "reason", "fallback_at", "changed_at", "accepted_at", "delivered_at", "read_at", "failed_at")
        ]
    )
    if message.state != before:
        bump_messages([message])
    return ""


def _stamp(message: Message, status: Status, at: dt.datetime) -> None:
    """The time of each report, the first of its kind; a 'read' that comes alone proves the delivery, too."""
    if status.report == Report.UNDELIVERED and message.state == MessageState.UNDELIVERED:
        message.failed_at = message.failed_at or at
    if status.report == Report.ACCEPTED:
        message.accepted_at = message.accepted_at or at
    if status.report in (Report.DELIVERED, Report.READ):
        message.delivered_at = min(message.delivered_at or at, at)
    if status.report == Report.READ:
        message.read_at = message.read_at or at


def reap_lost_calls(*, now: dt.datetime) -> int:
    """Calls whose absorber died are absorbed anew; all of it is idempotent."""
    lost = ProviderCall.objects.filter(absorbed_at=None, claimed_at__lt=now - LEASE)
    return lost.update(claimed_at=None)


def sweep_old_calls(*, now: dt.datetime) -> int:
    """Raw calls are kept a month: long enough for a quarrel with a provider."""
    old = ProviderCall.objects.filter(absorbed_at__lt=now - KEEP).order_by("absorbed_at")
    deleted, _ = ProviderCall.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:5000])).delete()
    return deleted
