"""A provider and its patients, played: delivers, fails, is read, answers, delays, repeats and mixes
up its reports, vanishes.

The demo's default, the trainer of new administrators, and the tests' stand-in (it passes the same
contract suite). What a patient is like is told by the last two digits of his number, so that a
story can be set up by choosing numbers, and the same number always behaves alike. Nothing here
waits: what happens later is handed over as `TryLater` and plays by the clock.
"""

import hashlib
import hmac
import json
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from callcenter.messaging.gateways.base import (
    BadWebhook,
    ButtonPress,
    DeliveryReport,
    FailureScope,
    GatewayAccepted,
    GatewayEvent,
    GatewayRefused,
    IgnoredEvent,
    Opened,
    Outgoing,
    Reply,
    Result,
    TryLater,
    Uncertain,
    Webhook,
)
from callcenter.messaging.states import MESSENGERS, DeliveryStatus, MessageChannel, VisitAnswer


@dataclass(frozen=True)
class PatientPersona:
    """How a patient and the networks around him behave. `says` is typed into the messenger."""

    name: str
    messengers: tuple[str, ...] = (MessageChannel.MAX,)
    sms: bool = True
    reads: bool = True
    opens: bool = True
    answer: VisitAnswer | None = None
    says: str = ""


CONFIRMS: Final = PatientPersona("подтверждает по ссылке", answer=VisitAnswer.CONFIRM)
CANCELS: Final = PatientPersona("отменяет по ссылке", answer=VisitAnswer.CANCEL)
MOVES: Final = PatientPersona("просит перенести", answer=VisitAnswer.MOVE)
SILENT: Final = PatientPersona("получает и молчит", opens=False)
LOOKS: Final = PatientPersona("открывает ссылку и молчит")
WRITES: Final = PatientPersona("отвечает словами", opens=False, says="Да, приду")
LATE: Final = PatientPersona("опаздывает", opens=False, says="Буду, но опоздаю минут на 10")
MOVES_IN_WORDS: Final = PatientPersona(
    "переносит словами", opens=False, says="А можно на среду перенести?"
)
ASKS: Final = PatientPersona("не понимает, кто пишет", opens=False, says="Кто это?")
NO_MESSENGER: Final = PatientPersona(
    "нет мессенджера, только СМС", messengers=(), answer=None, opens=False
)
NO_MESSENGER_CONFIRMS: Final = PatientPersona(
    "нет мессенджера, подтверждает из СМС", messengers=(), answer=VisitAnswer.CONFIRM
)
UNREACHABLE: Final = PatientPersona("номер молчит", messengers=(), sms=False, opens=False)

# By the last two digits. The share of each is near to what clinics tell of their evenings: half
# confirm, a fifth is silent.
PERSONAS: Final[tuple[tuple[int, PatientPersona], ...]] = (
    (46, CONFIRMS),
    (52, CANCELS),
    (58, MOVES),
    (68, SILENT),
    (74, LOOKS),
    (78, WRITES),
    (80, LATE),
    (82, MOVES_IN_WORDS),
    (83, ASKS),
    (90, NO_MESSENGER),
    (95, NO_MESSENGER_CONFIRMS),
    (100, UNREACHABLE),
)
_LINK: Final = re.compile(r"/v/([A-Za-z0-9_-]{16,})")


def persona_of(number: str) -> PatientPersona:
    last = number[-2:]
    index = int(last) if last.isdigit() else 0
    return next(persona for end, persona in PERSONAS if index < end)


class SimulatorGateway:
    """Settings (all optional, so that faults can be ordered): `secret`; `pace`, seconds the whole
    play takes (default 20); `latency`, milliseconds of one call; `duplicates`, `disorder`,
    `refuses`, `busy`, `vanishes` — shares from 0 to 1 of messages whose reports come twice, come
    mixed up, that are refused, put off, or whose answer is lost; `down` = 'yes'.
    """

    is_idempotent = True
    reports = True

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._secret = settings.get("secret", "")

    def _share(self, name: str) -> float:
        return float(self._settings.get(name) or 0)

    def send(self, message: Outgoing) -> Result:
        time.sleep(self._share("latency") / 1000)
        # A play, not a secret
        chance = random.Random(hashlib.sha256(message.key.encode()).digest())  # noqa: S311
        if self._settings.get("down") == "yes":
            return GatewayRefused("шлюз не принял пароль", FailureScope.GATEWAY)
        if not message.text or not message.to:
            return GatewayRefused("пустой текст или адрес")
        if chance.random() < self._share("refuses"):
            return GatewayRefused("шлюз не принял номер")
        if chance.random() < self._share("busy"):
            return GatewayRefused("шлюз перегружен", FailureScope.LATER)
        later = tuple(self._play(message, chance))
        if chance.random() < self._share("vanishes"):
            return Uncertain("шлюз принял и пропал, не ответив", later)
        return GatewayAccepted(f"sim-{message.key}", later)

    def _play(self, message: Outgoing, chance: random.Random) -> list[TryLater]:
        """The reports and events that follow, in seconds from now."""
        pace = float(self._settings.get("pace") or 20)
        persona = persona_of(message.to)
        if message.channel == MessageChannel.EMAIL:
            return []
        works = (
            message.channel in persona.messengers if message.channel in MESSENGERS else persona.sms
        )
        if not works:
            reason = (
                "абонент недоступен"
                if message.channel == MessageChannel.SMS
                else "у номера нет этого мессенджера"
            )
            return self._mix(
                [{"do": "undelivered", "key": message.key, "why": reason}], [pace * 0.3], chance
            )
        events: list[dict[str, str]] = [
            {"do": "accepted", "key": message.key},
            {"do": "delivered", "key": message.key},
        ]
        times = [pace * 0.1, pace * (0.15 + 0.2 * chance.random())]
        if message.channel in MESSENGERS and persona.reads:
            events.append({"do": "read", "key": message.key})
            times.append(times[-1] + pace * 0.1)
        link = _LINK.search(message.text)
        if link and persona.opens:
            events.append({"do": "open", "token": link.group(1)})
            times.append(times[-1] + pace * 0.1)
            if persona.answer:
                events.append(
                    {"do": "press", "token": link.group(1), "answer": persona.answer.value}
                )
                times.append(times[-1] + pace * (0.05 + 0.3 * chance.random()))
        if persona.says and message.channel in MESSENGERS:
            events.append(
                {
                    "do": "say",
                    "id": f"say-{message.key}",
                    "from": message.to,
                    "text": persona.says,
                    "key": message.key,
                }
                | {"channel": message.channel}
            )
            times.append(times[-1] + pace * 0.3)
        return self._mix(events, times, chance)

    def _mix(
        self, events: list[dict[str, str]], times: list[float], chance: random.Random
    ) -> list[TryLater]:
        if chance.random() < self._share("disorder"):
            chance.shuffle(times)
        plan = list(zip(times, events, strict=True))
        if chance.random() < self._share("duplicates"):
            plan += [(seconds + chance.random() * 3, event) for seconds, event in plan]
        return [
            TryLater(
                seconds,
                Webhook("POST", f"{self._secret}/report", "", {}, json.dumps(event).encode()),
            )
            for seconds, event in plan
        ]

    def is_genuine(self, webhook: Webhook) -> bool:
        return hmac.compare_digest(webhook.path.partition("/")[0].encode(), self._secret.encode())

    def read(self, webhook: Webhook) -> list[GatewayEvent]:
        try:
            event = json.loads(webhook.body)
            return [_happening(event)]
        except (ValueError, KeyError, TypeError):
            raise BadWebhook("вызов симулятора не читается") from None


def _happening(event: dict[str, str]) -> GatewayEvent:
    match event["do"]:
        case "open":
            return Opened(event["token"])
        case "press":
            return ButtonPress(event["token"], VisitAnswer(event["answer"]))
        case "say":
            channel = event.get("channel", MessageChannel.MAX.value)
            return Reply(
                event["id"], event["from"], event["text"], channel, key=event.get("key", "")
            )
        case word if word in DeliveryStatus.values:
            return DeliveryReport(
                DeliveryStatus(word), key=event["key"], reason=event.get("why", "")
            )
        case word:
            return IgnoredEvent(f"симулятор сказал «{word}»")
