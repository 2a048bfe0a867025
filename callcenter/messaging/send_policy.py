"""May this message go out now? One pure function over the facts that the claiming transaction has
read again.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from callcenter.clinics.states import UPCOMING
from callcenter.lib.localtime import local
from callcenter.messaging.states import VisitAnswer

ATTEMPTS: Final = 6  # how often a busy provider is asked again
_PAUSES: Final = (30, 60, 180, 600, 1200)  # seconds between these attempts


@dataclass(frozen=True)
class SendFacts:
    """What is true at the moment of claiming. `obstacle`: a refusal or a missing ground, in words;
    `quiet_until`: UTC.
    """

    now: dt.datetime
    zone: str
    version: int
    address_is_good: bool
    appointment_status: str | None = None
    appointment_version: int | None = None
    not_after: dt.datetime | None = None
    answer: str = ""
    arrived_elsewhere: str = ""  # the messenger that has delivered it meanwhile
    obstacle: str | None = None
    quiet_until: dt.datetime | None = None


@dataclass(frozen=True)
class SendNow:
    pass


@dataclass(frozen=True)
class SendLater:
    until: dt.datetime
    reason: str


@dataclass(frozen=True)
class DoNotSend:
    """Not sent, with the reason. `refused`: this channel is closed, the next one may try; else
    nobody shall be written to.
    """

    reason: str
    refused: bool = False


def decide(facts: SendFacts) -> SendNow | SendLater | DoNotSend:
    """The first rule that speaks, the ones about the visit before the ones about the moment."""
    if facts.appointment_status is not None:
        if facts.appointment_version != facts.version and facts.appointment_status in UPCOMING:
            return DoNotSend("приём перенесён")
        if facts.appointment_status == "cancelled":
            return DoNotSend("приём отменён")
        if facts.appointment_status not in UPCOMING:
            return DoNotSend("приём уже состоялся или отмечен")
    if facts.answer:
        return DoNotSend(f"пациент уже ответил: {VisitAnswer(facts.answer).label}")
    if facts.arrived_elsewhere:
        return DoNotSend(f"уже доставлено: {facts.arrived_elsewhere}")
    if facts.not_after is not None and facts.now > facts.not_after:
        return DoNotSend("поздно: до приёма слишком мало времени")
    if not facts.address_is_good:
        return DoNotSend("нет мобильного номера")
    if facts.obstacle:
        return DoNotSend(facts.obstacle, refused=True)
    if facts.quiet_until is not None:
        clock = local(facts.quiet_until, facts.zone)
        if facts.not_after is not None and facts.quiet_until > facts.not_after:
            return DoNotSend(f"не успеть: писать можно только с {clock:%H:%M}")
        return SendLater(facts.quiet_until, f"ждёт {clock:%H:%M}")
    return SendNow()


# Minutes after a message was handed over at which a provider that remembers is asked what became of
# it, when no report has told: reports come within minutes as a rule, edna repeats a lost one for 35
# minutes and gives a message up after a day.
ASKS: Final = (15, 60, 180, 720, 1500)


def next_ask(asks: int, attempted_at: dt.datetime, now: dt.datetime) -> dt.datetime:
    """When a message is asked about again after `asks` questions; past the last of them the moment
    means nothing.
    """
    minutes = ASKS[min(asks, len(ASKS) - 1)]
    return max(attempted_at + dt.timedelta(minutes=minutes), now + dt.timedelta(minutes=1))


def next_attempt(attempts: int, now: dt.datetime) -> dt.datetime | None:
    """When a message put off by a busy provider is tried again; None when it has been tried often
    enough.
    """
    if attempts >= ATTEMPTS:
        return None
    return now + dt.timedelta(seconds=_PAUSES[min(attempts, len(_PAUSES)) - 1])
