"""The outbox at work: claim under a lease, look once more, call outside, write down what came of
it.

Four short steps, each safe to lose: claimed but not attempted → queued again; attempted without an
answer → `unknown`, which nobody repeats by himself (unless the provider is_idempotent by our key).
"""

import datetime as dt
import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q

from callcenter.assignments.actions import create_task
from callcenter.clinics.models import Appointment
from callcenter.clinics.states import UPCOMING
from callcenter.lib.bulk_sql import update_rows
from callcenter.lib.errors import DomainError
from callcenter.messaging.actions.enqueue import bump_messages
from callcenter.messaging.gateways import HARMLESS, KINDS, build
from callcenter.messaging.gateways.base import (
    Attachment,
    FailureScope,
    Gateway,
    GatewayAccepted,
    GatewayRefused,
    Outgoing,
    Result,
    Uncertain,
    Webhook,
)
from callcenter.messaging.models import CascadeStep, Message, Provider, ProviderWebhook, VisitLink
from callcenter.messaging.queries import facts_of
from callcenter.messaging.send_policy import (
    DoNotSend,
    SendLater,
    SendNow,
    decide,
    next_ask,
    next_attempt,
)
from callcenter.messaging.states import (
    ARRIVED,
    RANK,
    DeliveryStatus,
    MessagePurpose,
    MessageState,
    after_report,
)
from callcenter.staff.roles import Role

LEASE = dt.timedelta(
    minutes=2
)  # longer than a batch of calls that all time out would be shortened by the second look
BATCH = 64
THREADS = 8
PAUSE = dt.timedelta(minutes=5)  # of a gateway that does not know our password
GATHER = (
    0.01  # seconds: calls begun together end together, and one transaction writes all their answers
)
WAIT = 20  # minutes for a delivery on a channel that the clinic's cascade has no longer
AHEAD = 1.0  # seconds: how much of a gateway's limit one claim may use up

Clock = Callable[[], dt.datetime]


@dataclass(frozen=True)
class Claimed:
    """A message in our hands, and the instant before which the gateway's limit does not let it go."""

    message: Message
    slot_at: dt.datetime


def claim_messages(provider: Provider, *, now: dt.datetime, limit: int = BATCH) -> list[Claimed]:
    """Takes due messages of a gateway that may go out now. One transaction: the state of each
    visit, refusals, quiet hours are read again in it; what may not go is put off or closed with its
    reason in words. Empty when the gateway rests.
    """
    with transaction.atomic():
        slots = _slots(provider, now=now, limit=limit)
        if not slots:
            return []
        rows = list(
            Message.objects.due(now)
            .filter(provider=provider)
            .order_by("due_at", "pk")
            .select_for_update(skip_locked=True, of=("self",))[: len(slots)]
        )
        if not rows:
            return []
        claimed: list[Message] = []
        for row, facts in zip(rows, facts_of(rows, now=now), strict=True):
            match decide(facts):
                case SendNow():
                    row.state, row.claimed_at, row.attempted_at, row.reason = (
                        MessageState.SENDING,
                        now,
                        None,
                        "",
                    )
                    claimed.append(row)
                case SendLater(until, reason):
                    row.due_at, row.reason = until, reason
                case DoNotSend(reason, refused):
                    row.state = MessageState.REFUSED if refused else MessageState.CANCELLED
                    row.reason, row.failed_at = reason, now
                    row.fallback_at = now if refused and row.position is not None else None
            row.changed_at = now
        update_rows(
            rows,
            [
                "state",
                "claimed_at",
                "attempted_at",
                "reason",
                "due_at",
                "failed_at",
                "fallback_at",
                "changed_at",
            ],
        )
        if provider.per_second and claimed:
            Provider.objects.filter(pk=provider.pk).update(
                next_slot_at=slots[len(claimed) - 1] + dt.timedelta(seconds=1 / provider.per_second)
            )
        bump_messages(rows)
    return [Claimed(row, slot) for row, slot in zip(claimed, slots, strict=False)]


def _slots(provider: Provider, *, now: dt.datetime, limit: int) -> list[dt.datetime]:
    """The instants at which this claim may send. With a limit the gateway's row is locked: one
    claim at a time uses it up.
    """
    if not provider.per_second:
        return [now] * limit
    locked = Provider.objects.select_for_update(skip_locked=True).filter(pk=provider.pk).first()
    if locked is None:
        return []
    step = dt.timedelta(seconds=1 / provider.per_second)
    first = max(now, locked.next_slot_at or now)
    room = math.floor((now + dt.timedelta(seconds=AHEAD) - first) / step) + 1
    return [first + step * number for number in range(max(0, min(limit, room)))]


def begin_attempts(claimed: Sequence[Claimed], *, now: dt.datetime) -> list[Claimed]:
    """The last look, immediately before the calls: takes the visits' rows so that a cancellation
    under way is waited for, then stamps `attempted_at` on those that are still ours and still
    wanted. The others are settled with their reason.
    """
    with transaction.atomic():
        visits = {item.message.appointment_id for item in claimed if item.message.appointment_id}
        present = {
            pk: (version, status)
            for pk, version, status in Appointment.objects.select_for_update(
                no_key=True, of=("self",)
            )
            .filter(pk__in=visits)
            .order_by("pk")
            .values_list("pk", "version", "status")
        }
        answered = set(
            VisitLink.objects.filter(appointment__in=visits)
            .exclude(answer="")
            .values_list("appointment", "version")
        )
        arrived = set(
            Message.objects.filter(
                appointment__in=visits,
                purpose=MessagePurpose.VISIT,
                state__in=ARRIVED,
                position__isnull=False,
            ).values_list("appointment", "version")
        )
        ours = {
            row.pk: row
            for row in Message.objects.select_for_update(of=("self",))
            .filter(pk__in=[item.message.pk for item in claimed], state=MessageState.SENDING)
            .order_by("pk")
        }
        going: list[Claimed] = []
        stale: list[Claimed] = []
        for item in claimed:
            row = ours.get(item.message.pk)
            if row is None or row.claimed_at != item.message.claimed_at:
                continue  # the reaper took it for a dead worker's: another may hold it now
            (going if _still_wanted(row, present, answered, arrived) else stale).append(item)
        Message.objects.filter(pk__in=[item.message.pk for item in going]).update(attempted_at=now)
        Message.objects.filter(pk__in=[item.message.pk for item in stale]).update(
            state=MessageState.QUEUED, claimed_at=None, due_at=now
        )  # the next claim reads the facts again and writes the reason
    for item in going:
        item.message.attempted_at = now
    return going


def _still_wanted(
    row: Message,
    present: dict[int, tuple[int, str]],
    answered: set[tuple[int, int]],
    arrived: set[tuple[int, int]],
) -> bool:
    if row.appointment_id is None or row.purpose != MessagePurpose.VISIT:
        return True
    if (row.appointment_id, row.version) in answered:
        return False
    if row.position is not None and (row.appointment_id, row.version) in arrived:
        return False  # a messenger that was taken for silent has delivered after all
    return (
        present[row.appointment_id][0] == row.version and present[row.appointment_id][1] in UPCOMING
    )


def call(gateway: Gateway, message: Message, provider: Provider) -> Result:
    """The outside call itself: no transaction, no database, any thread."""
    if settings.DEMO and provider.kind not in HARMLESS:
        return GatewayRefused("в демо наружу ничего не отправляется", FailureScope.GATEWAY)
    return gateway.send(
        Outgoing(
            key=message.key,
            channel=message.channel,
            to=message.to,
            text=message.text,
            subject=message.subject,
            report_url=f"{settings.PUBLIC_URL}/hooks/{provider.pk}/{provider.secret}/",
            attachments=tuple(
                Attachment(name, (Path(settings.MEDIA_ROOT) / path).read_bytes())
                for name, path in message.files
            ),
        )
    )


def record_results(
    results: Sequence[tuple[Message, Result]], *, provider: Provider, now: dt.datetime
) -> None:
    """Writes down what the calls gave. A report may have overtaken the answer: a state is never
    lowered.
    """
    if not results:
        return
    waits = _waits([message for message, _ in results])
    promised: list[ProviderWebhook] = []
    with transaction.atomic():
        rows = {
            row.pk: row
            for row in Message.objects.select_for_update(of=("self",))
            .filter(pk__in=[message.pk for message, _ in results])
            .order_by("pk")
        }
        for message, result in results:
            row = rows[message.pk]
            if row.attempted_at != message.attempted_at:
                continue  # reaped and taken by another: his result counts
            _apply(row, result, provider=provider, now=now, wait=_wait_of(row, waits))
            if not isinstance(result, GatewayRefused):
                promised += [
                    _promised(provider, later.seconds, later.webhook, now) for later in result.later
                ]
        update_rows(list(rows.values()), _RESULT_FIELDS)
        if provider.last_error and any(
            isinstance(result, GatewayAccepted) for _, result in results
        ):
            Provider.objects.filter(pk=provider.pk).update(
                paused_until=None, last_error=""
            )  # it takes messages again
            provider.last_error = ""
        ProviderWebhook.objects.bulk_create(promised)
        bump_messages(rows.values())


def _waits(messages: Iterable[Message]) -> dict[tuple[int, str], int]:
    """How many minutes each clinic waits for a delivery on each channel before the next takes over."""
    steps = CascadeStep.objects.filter(clinic__in={message.clinic_id for message in messages})
    return {
        (clinic, channel): wait
        for clinic, channel, wait in steps.values_list("clinic", "channel", "wait_minutes")
    }


def _wait_of(message: Message, waits: dict[tuple[int, str], int]) -> dt.timedelta:
    return dt.timedelta(minutes=waits.get((message.clinic_id or 0, message.channel), WAIT))


_RESULT_FIELDS = [
    *("state", "reason", "claimed_at", "attempted_at", "attempts", "due_at", "provider_ref"),
    *("accepted_at", "failed_at", "fallback_at", "changed_at"),
]


def _apply(
    row: Message, result: Result, *, provider: Provider, now: dt.datetime, wait: dt.timedelta
) -> None:
    row.changed_at, row.claimed_at = now, None
    row.attempts += 1
    in_cascade = row.position is not None
    match result:
        case GatewayAccepted(reference):
            row.state = after_report(MessageState(row.state), DeliveryStatus.ACCEPTED)
            row.provider_ref, row.accepted_at = reference[:120], row.accepted_at or now
            row.due_at = next_ask(row.asks, row.attempted_at or now, now)
            if row.state == MessageState.ACCEPTED and in_cascade and not row.given_up:
                row.fallback_at = now + wait
        case _ if RANK[MessageState(row.state)] >= RANK[MessageState.ACCEPTED]:
            return  # a report has overtaken the answer: it did go
        case Uncertain(reason):
            again = next_attempt(row.attempts, now) if KINDS[provider.kind].is_idempotent else None
            if again is not None:  # the same key sent again is not delivered again
                row.state, row.due_at, row.attempted_at = MessageState.QUEUED, again, None
                row.reason = f"спросим ещё раз: {reason}"[:250]
                return
            row.state, row.reason = MessageState.UNKNOWN, reason[:250]
            row.due_at = next_ask(row.asks, row.attempted_at or now, now)
            row.fallback_at = now + wait if in_cascade and not row.given_up else None
        case GatewayRefused(reason, fault):
            _apply_refusal(row, reason, fault, now=now, in_cascade=in_cascade)
            if fault is FailureScope.GATEWAY:
                _pause(provider, reason, now)


def _apply_refusal(
    row: Message, reason: str, fault: FailureScope, *, now: dt.datetime, in_cascade: bool
) -> None:
    again = now + PAUSE if fault is FailureScope.GATEWAY else next_attempt(row.attempts, now)
    if (
        fault is not FailureScope.MESSAGE
        and again is not None
        and not (row.not_after and again > row.not_after)
    ):
        row.state, row.due_at, row.attempted_at = MessageState.QUEUED, again, None
        row.reason = f"повтор позже: {reason}"[:250]
        if fault is FailureScope.GATEWAY:
            row.attempts -= 1  # the message is not to blame
        return
    row.state, row.reason, row.failed_at = MessageState.REFUSED, reason[:250], now
    row.fallback_at = now if in_cascade and not row.given_up else None


def _pause(provider: Provider, reason: str, now: dt.datetime) -> None:
    """Stops asking for a while, and tells the senior once a day; the messages wait."""
    Provider.objects.filter(pk=provider.pk).update(
        paused_until=now + PAUSE, last_error=reason[:250]
    )
    create_task(
        title=f"Шлюз «{provider.name}» не принимает сообщения",
        body=f"{reason}\nПроверьте настройки шлюза. Сообщения ждут и уйдут сами.",
        role=Role.SENIOR,
        deadline_at=now + dt.timedelta(hours=1),
        origin=f"messaging.provider:{provider.pk}:{now:%Y-%m-%d}",
        by=None,
        now=now,
    )


def _promised(
    provider: Provider, seconds: float, webhook: Webhook, now: dt.datetime
) -> ProviderWebhook:
    return ProviderWebhook(
        provider=provider,
        received_at=now,
        due_at=now + dt.timedelta(seconds=seconds),
        method=webhook.method,
        path=webhook.path,
        query=webhook.query,
        headers=dict(webhook.headers),
        body=webhook.body,
    )


def send_due(*, clock: Clock, seconds: float = 20, threads: int = THREADS) -> int:
    """Drains what is due through every active gateway, for at most `seconds`; how many calls were
    made.

    The calls run in threads, all the writing in this one: no more database connections than
    workers.
    """
    sent = 0
    until = time.monotonic() + seconds
    for provider in _providers_with_work(clock()):
        sent += _drain(provider, clock=clock, until=until, threads=threads)
    return sent


def _providers_with_work(now: dt.datetime) -> list[Provider]:
    due = (
        Message.objects.due(now).values("provider").annotate(first=Min("due_at")).order_by("first")
    )
    ids = [row["provider"] for row in due if row["provider"]]
    found = Provider.objects.filter(pk__in=ids, is_active=True).filter(
        Q(paused_until=None) | Q(paused_until__lte=now)
    )
    return sorted(found, key=lambda provider: ids.index(provider.pk))


def _drain(provider: Provider, *, clock: Clock, until: float, threads: int) -> int:
    try:
        gateway = build(provider.kind, {**provider.settings, "secret": provider.secret})
    except ValueError as error:
        _pause(provider, str(error), clock())
        return 0
    calls = 0
    queue: list[Claimed] = []
    flying: dict[Future[Result], Message] = {}
    answered: dict[Future[Result], Message] = {}
    with ThreadPoolExecutor(threads) as pool:
        while True:
            if _is_refused(answered):
                release_claims([item.message for item in queue], now=clock())
                queue, until = [], 0
            ready, queue = _ready(queue, threads - len(flying), clock())
            if ready:
                for item in begin_attempts(ready, now=clock()):
                    flying[pool.submit(_safely, gateway, item.message, provider)] = item.message
                    calls += 1
            # The next calls are under way while the last ones' answers are written and more is
            # claimed.
            record_results(
                [(message, future.result()) for future, message in answered.items()],
                provider=provider,
                now=clock(),
            )
            answered = {}
            if len(queue) < threads and time.monotonic() < until:
                queue += claim_messages(provider, now=clock())
            if not flying and not queue:
                return calls
            if not flying:
                time.sleep(max(0.0, (queue[0].slot_at - clock()).total_seconds()))
                continue
            if wait(flying, timeout=0.2, return_when=FIRST_COMPLETED).done:
                wait(flying, timeout=GATHER)
            answered = {future: flying.pop(future) for future in list(flying) if future.done()}


def _ready(
    queue: list[Claimed], room: int, now: dt.datetime
) -> tuple[list[Claimed], list[Claimed]]:
    ready = [item for item in queue[:room] if item.slot_at <= now]
    return ready, queue[len(ready) :]


def _safely(gateway: Gateway, message: Message, provider: Provider) -> Result:
    """A gateway's own mistake is that message's trouble, never the batch's; nobody knows then
    whether it went.
    """
    try:
        return call(gateway, message, provider)
    except FileNotFoundError as error:
        return GatewayRefused(f"нет вложения: {error.filename}"[:200])
    except (DomainError, ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
        return Uncertain(f"сбой шлюза: {type(error).__name__}: {error}"[:200])


def _is_refused(done: dict[Future[Result], Message]) -> bool:
    """Whether the gateway does not let us in at all: no further call before it has rested."""
    results = (future.result() for future in done)
    return any(
        isinstance(result, GatewayRefused) and result.fault is FailureScope.GATEWAY
        for result in results
    )


def release_claims(messages: Iterable[Message], *, now: dt.datetime) -> None:
    """Gives back what was claimed and not attempted."""
    Message.objects.filter(
        pk__in=[message.pk for message in messages], state=MessageState.SENDING, attempted_at=None
    ).update(state=MessageState.QUEUED, claimed_at=None, due_at=now)


def reap_lost_messages(*, now: dt.datetime, limit: int = 500) -> int:
    """Settles what dead workers held: not attempted → queued again; attempted → `unknown`, or
    queued again under the same key when the provider is_idempotent by it.
    """
    lost = Q(attempted_at=None) | Q(
        attempted_at__lt=now - LEASE
    )  # a call may begin late in its claim's lease
    with transaction.atomic():
        rows = list(
            Message.objects.filter(lost, state=MessageState.SENDING, claimed_at__lt=now - LEASE)
            .select_related("provider")
            .select_for_update(skip_locked=True, of=("self",))[:limit]
        )
        waits = _waits(rows)
        for row in rows:
            row.changed_at, row.claimed_at = now, None
            if row.attempted_at is None or (
                row.provider is not None and KINDS[row.provider.kind].is_idempotent
            ):
                row.state, row.due_at, row.attempted_at = MessageState.QUEUED, now, None
            else:
                row.due_at = next_ask(row.asks, row.attempted_at, now)
                row.state, row.reason = (
                    MessageState.UNKNOWN,
                    "связь с отправкой прервалась: неизвестно, ушло ли",
                )
                row.fallback_at = now + _wait_of(row, waits) if row.position is not None else None
        update_rows(
            rows,
            [
                "state",
                "claimed_at",
                "attempted_at",
                "due_at",
                "reason",
                "fallback_at",
                "changed_at",
            ],
        )
        bump_messages(rows)
    return len(rows)
