"""The dry run of «Отправить уведомление всем пациентам»: what the outbox would do now, without
doing it.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from callcenter.clinics.models import Appointment
from callcenter.messaging.actions.enqueue import templates_of, text_for, visit_message
from callcenter.messaging.models import CascadeStep, Message
from callcenter.messaging.queries import facts_of
from callcenter.messaging.send_policy import DoNotSend, SendLater, SendNow, decide
from callcenter.messaging.states import MessageChannel, MessagePurpose
from reminders.models import ReminderRun

_NO_CASCADE: Final = "у клиники не настроен порядок каналов"
_DATE: Final = re.compile(
    r" \d\d\.\d\d\.\d{4}"
)  # «отказ от сообщений 12.10.2026»: counted by the reason without its day
_TOKEN: Final = "x" * 22  # as long as a real one, so that the parts of an SMS are


@dataclass
class DryRun:
    """Whom the button will reach, whom not and why, and what it costs at most when every messenger
    fails.
    """

    total: int = 0
    already: int = 0
    first: dict[str, int] = field(default_factory=dict)  # how many begin with each channel
    waiting: dict[str, int] = field(
        default_factory=dict
    )  # of them, by what they wait for: «ждёт 08:00»
    stopped: dict[str, int] = field(default_factory=dict)  # how many get nothing, by reason
    sms_parts: int = 0
    sms_price: Decimal = Decimal(0)
    examples: list[tuple[str, str]] = field(
        default_factory=list
    )  # (channel, text) of the first visit


def dry_run(run: ReminderRun, *, now: dt.datetime) -> DryRun:
    """Asks the outbox's own rules (messaging/rules.py) of every message that the cascade could
    make, and sends none.
    """
    rows = run.reminders.filter(removed_at=None, starts_at__gt=now)
    visits = list(
        Appointment.objects.filter(pk__in=rows.values("appointment"))
        .select_related("clinic", "doctor", "patient")
        .prefetch_related("patient__phones")
        .order_by("starts_at", "pk")
    )
    steps = list(
        CascadeStep.objects.filter(clinic=run.clinic, provider__is_active=True)
        .select_related("provider")
        .order_by("position")
    )
    known = set(
        Message.objects.filter(appointment__in=visits, purpose=MessagePurpose.VISIT).values_list(
            "appointment_id", "version"
        )
    )
    fresh = [visit for visit in visits if (visit.pk, visit.version) not in known]
    texts = templates_of([run.clinic_id])
    thought_of = [
        visit_message(visit, step, _TOKEN, texts, now=now, by=None)
        for visit in fresh
        for step in steps
    ]
    verdicts = [decide(facts) for facts in facts_of(thought_of, now=now)]
    plan = DryRun(total=len(visits), already=len(visits) - len(fresh))
    for number in range(len(fresh)):
        here = slice(number * len(steps), (number + 1) * len(steps))
        _count(plan, thought_of[here], verdicts[here])
    if visits:
        plan.examples = [
            (MessageChannel(step.channel).label, text_for(visits[0], step.channel, texts, "…"))
            for step in steps
        ]
    return plan


def _count(
    plan: DryRun, messages: Sequence[Message], verdicts: Sequence[SendNow | SendLater | DoNotSend]
) -> None:
    """One visit: the first channel that is open begins; a closed one gives way, what stops the
    visit stops all.
    """
    reason, first = _NO_CASCADE, True
    for message, verdict in zip(messages, verdicts, strict=True):
        if isinstance(verdict, DoNotSend):
            reason = _DATE.sub("", verdict.reason)
            if not verdict.refused:
                break
            continue
        if first:
            _add(plan.first, message.get_channel_display())
            if isinstance(verdict, SendLater):
                _add(plan.waiting, verdict.reason)
            first = False
        if message.channel == MessageChannel.SMS and message.provider is not None:
            plan.sms_parts += message.parts
            plan.sms_price += message.parts * message.provider.price
    if first:
        _add(plan.stopped, reason)


def _add(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
