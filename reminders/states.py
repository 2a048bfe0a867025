"""Rounds, results and colours of «Дозвон». Pure: no ORM."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from django.db.models import TextChoices

from callcenter.messaging.states import (
    ARRIVED,
    MESSENGERS,
    PENDING,
    MessageChannel,
    MessageState,
    VisitAnswer,
)


class Round(TextChoices):
    EVENING = "evening", "вечерний"
    DAY = "day", "дневной (ДД)"


class CallResult(TextChoices):
    """What a call (or a patient's words) gave. A pink row without one was called, and nobody has
    said yet what came of it.
    """

    COMING = "coming", "дозвонились, придёт"
    NOT_COMING = "not_coming", "дозвонились, не придёт"
    UNREACHED = "unreached", "не дозвонились"
    WROTE = "wrote", "ответил письменно, придёт"


# After these nobody calls the patient in the morning.
SETTLED: Final = (CallResult.COMING, CallResult.WROTE)
REACHED: Final = (CallResult.COMING, CallResult.NOT_COMING)


class AttendanceAnswer(TextChoices):
    """The second question of a day call."""

    YES = "yes", "придёт"
    NO = "no", "не придёт"
    UNKNOWN = "unknown", "неизвестно"


class Colour(TextChoices):
    """The telephone number's colour (instruction «Дозвон»)."""

    NONE = "none", "в пути"
    BLUE = "blue", "доставлено, молчит"
    GREY = "grey", "не ушло в мессенджер"
    RED = "red", "отменяет"
    ORANGE = "orange", "просит перенести"
    GREEN = "green", "подтвердил"


_OF_ANSWER: Final = {
    VisitAnswer.CONFIRM: Colour.GREEN,
    VisitAnswer.MOVE: Colour.ORANGE,
    VisitAnswer.CANCEL: Colour.RED,
}
# Stand on top of the list: «перезвонить и перенести».
URGENT: Final = (Colour.RED, Colour.ORANGE)


class MessageStep(NamedTuple):
    """What the colour needs of a message. `given_up`: the next channel has taken over from a silent
    one.
    """

    channel: str
    state: str
    given_up: bool = False


def colour(messages: Sequence[MessageStep], answer: str = "") -> Colour:
    """The colour of a number from the messages of the visit's present version and the patient's
    last answer.

    An answer beats delivery. Blue: a messenger delivered it. Grey: no messenger did, and none will
    any more; whether an SMS arrived is a word beside it, not a colour. None: something is still on
    its way, or nothing was sent yet.
    """
    if answer:
        return _OF_ANSWER[VisitAnswer(answer)]
    messengers = [step for step in messages if step.channel in MESSENGERS]
    if any(step.state in ARRIVED for step in messengers):
        return Colour.BLUE
    if any(_is_open(step) for step in messengers):
        return Colour.NONE
    if messengers:
        return Colour.GREY
    return Colour.GREY if any(step.state not in PENDING for step in messages) else Colour.NONE


def _is_open(step: MessageStep) -> bool:
    """Whether the messenger may still deliver in time: on its way, not yet taken over from, or
    nobody knows.
    """
    waiting = (*PENDING, MessageState.ACCEPTED, MessageState.UNKNOWN)
    return step.state in waiting and not step.given_up


def is_uncertain(messages: Sequence[MessageStep]) -> bool:
    """Whether a warning stands beside the number: nobody knows whether a message went."""
    return any(step.state == MessageState.UNKNOWN for step in messages)


def sms_arrived(messages: Sequence[MessageStep]) -> bool:
    return any(step.channel == MessageChannel.SMS and step.state in ARRIVED for step in messages)


def needs_evening_call(colour: Colour, *, called: bool) -> bool:
    """«Обзвонить всех неотмеченных пациентов»: neither green nor pink."""
    return colour != Colour.GREEN and not called


def needs_day_call(colour: Colour, results: Sequence[str]) -> bool:
    """ДД: not green, and nobody has heard or read «придёт» from him."""
    return colour != Colour.GREEN and not any(result in SETTLED for result in results)
