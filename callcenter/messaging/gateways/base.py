"""What every gateway speaks: frozen dataclasses in and out, no ORM, one HTTP (or SMTP) call, three
possible answers.

`GatewayAccepted`: the provider took it. `GatewayRefused`: it did not, and `fault` says what to do
about it. `Uncertain`: the call may have been carried out; it is never repeated by itself unless the
gateway `is_idempotent` by our key.
"""

import datetime as dt
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol, runtime_checkable

import httpx

from callcenter.messaging.states import DeliveryStatus, VisitAnswer

TIMEOUT: Final = httpx.Timeout(
    15, connect=5
)  # seconds; shorter than the lease of a claimed message


class FailureScope(Enum):
    """Whose fault a refusal is."""

    MESSAGE = "message"  # this number, this text: the same would be refused again
    LATER = "later"  # the provider is busy: the same may pass in a while
    GATEWAY = "gateway"  # our password, our money: nothing will pass until a person has looked


@dataclass(frozen=True)
class Attachment:
    name: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True)
class Outgoing:
    """One message to one address. `key` is ours, unique for ever, ASCII, at most 60 characters."""

    key: str
    channel: str
    to: str  # E.164, or an e-mail address
    text: str
    subject: str = ""
    link: str = ""  # the patient's page, when the text leads there
    report_url: str = ""  # where the provider sends its reports; '' asks for none
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Webhook:
    """A call of the provider to us, exactly as it came. `path` is what follows the gateway's own
    address.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class TryLater:
    """A report that a provider without a wire (the simulator) will make so many seconds after the
    acceptance.
    """

    seconds: float
    webhook: Webhook


@dataclass(frozen=True)
class GatewayAccepted:
    provider_id: str = ""
    later: tuple[TryLater, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class GatewayRefused:
    reason: str  # in Russian, for the row
    fault: FailureScope = FailureScope.MESSAGE


@dataclass(frozen=True)
class Uncertain:
    reason: str
    later: tuple[TryLater, ...] = field(default=(), repr=False)


Result = GatewayAccepted | GatewayRefused | Uncertain


@dataclass(frozen=True)
class DeliveryReport:
    """A report of one message, known by our `key`."""

    report: DeliveryStatus
    key: str
    at: dt.datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Reply:
    """Words of a patient. `id` is the provider's, unique; `key` names our message he answers, if
    the provider knows.
    """

    id: str
    sender: str  # E.164 when the channel knows numbers, else the messenger's own id
    text: str
    channel: str
    key: str = ""
    name: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True)
class ButtonPress:
    """A patient pressed a button that carries the token of his page."""

    token: str
    answer: VisitAnswer
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Opened:
    """A patient (or his telephone's link preview) opened the page behind the token."""

    token: str


@dataclass(frozen=True)
class IgnoredEvent:
    """Understood enough to know that it says nothing of ours; kept with its reason."""

    reason: str


GatewayEvent = DeliveryReport | Reply | ButtonPress | Opened | IgnoredEvent


@dataclass(frozen=True)
class StatusQuery:
    """Which messages a provider is asked about: their keys, and between which instants they were
    handed over.
    """

    keys: frozenset[str]
    since: dt.datetime
    until: dt.datetime


class BadWebhook(ValueError):
    """The body is not what the provider's documents describe; kept raw, shown to a person."""


class Gateway(Protocol):
    """A configured gateway. Built from the settings of its row; raises ValueError when one is
    missing.
    """

    is_idempotent: bool  # the same key sent again is not delivered again: a Maybe may be repeated
    reports: bool  # delivery is reported; without that 'accepted' is the last that is known

    def send(self, message: Outgoing) -> Result: ...

    def is_genuine(self, webhook: Webhook) -> bool:
        """Whether the call carries the secret agreed with the provider."""
        ...

    def read(self, webhook: Webhook) -> list[GatewayEvent]:
        """What the provider says; raises BadWebhook."""
        ...


@runtime_checkable
class SupportsStatusQuery(Protocol):
    """A gateway whose provider can be asked what became of messages, when its reports were lost on
    the way.
    """

    def ask(self, question: StatusQuery) -> list[DeliveryReport] | GatewayRefused | Uncertain:
        """What the provider knows of these messages; those it does not name it does not know."""
        ...


@functools.cache
def shared_client() -> httpx.Client:
    """One client a process: connections to a provider are kept. No redirects: a message is sent to
    one address.
    """
    return httpx.Client(follow_redirects=False, limits=httpx.Limits(max_connections=32))


def digits(e164: str) -> str:
    return e164.lstrip("+")


def ask(call: Callable[[], httpx.Response]) -> httpx.Response | GatewayRefused | Uncertain:
    """Runs one HTTP call. What never left us is a refusal for later; what may have left is a Maybe."""
    try:
        return call()
    except (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.UnsupportedProtocol,
    ) as error:
        return GatewayRefused(f"шлюз не отвечает: {_word(error)}", FailureScope.LATER)
    except httpx.HTTPError as error:
        return Uncertain(f"связь прервалась до ответа шлюза: {_word(error)}")


def _word(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:150]
