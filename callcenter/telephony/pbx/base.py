"""The contract of a telephone exchange: verbs out, events in, over frozen dataclasses. No ORM, no
settings.

Whoever calls chooses every id (channel, playback, bridge, recording) before the request, so a
repeated request is recognised by the exchange, and an event that arrives before the request's own
answer finds its owner.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from callcenter.telephony.states import HangupReason

Clock = Callable[[], dt.datetime]


class PbxError(Exception):
    """Something the exchange did not do, with the reason in words for the board."""


class PbxRefused(PbxError):
    """A definite no: nothing was dialled. `end` says how the leg is to be seen."""

    def __init__(self, message: str, *, end: HangupReason = HangupReason.FAILED) -> None:
        super().__init__(message)
        self.end = end


class ChannelGone(PbxError):
    """The channel of the verb is no longer there; its Ended has come or is on its way."""


class PbxUnavailable(PbxError):
    """The exchange cannot be reached, or is going down: nothing was done, it may be tried again."""


class PbxUncertain(PbxError):
    """The answer did not arrive: it may or may not have been done. Never repeated without
    looking.
    """


class PbxMisconfigured(PbxError):
    """Wrong password, a read-only user, no such application: no call can work until a person mends
    it.
    """


@dataclass(frozen=True)
class Sound:
    """Something to play: a WAV (8 kHz, mono, 16 bit), its words, and how long it lasts in
    seconds.
    """

    key: str
    path: Path
    seconds: float
    text: str = ""


@dataclass(frozen=True)
class DialRequest:
    """One leg to ring. `timeout` in seconds; `endpoint` in the exchange's own notation."""

    channel: str
    endpoint: str
    caller_id: str = ""
    timeout: int = 30
    label: str = ""
    listen: bool = False  # whether to tell a machine from a person, where the exchange can


# --- events


@dataclass(frozen=True)
class PbxEvent:
    at: dt.datetime  # when we learnt it, UTC


@dataclass(frozen=True)
class Ringing(PbxEvent):
    channel: str


@dataclass(frozen=True)
class Answered(PbxEvent):
    """The far side picked up and the channel obeys us; `machine`: the exchange has listened and
    heard no person.
    """

    channel: str
    machine: bool = False


@dataclass(frozen=True)
class Ended(PbxEvent):
    """The leg is over; arrives exactly once for each channel."""

    channel: str
    end: HangupReason
    cause: int = 0
    dial_status: str = ""


@dataclass(frozen=True)
class Digit(PbxEvent):
    channel: str
    digit: str


@dataclass(frozen=True)
class PlayEnded(PbxEvent):
    """The sound ran out, was cut by us (`ok`), or could not be played (not `ok`)."""

    playback: str
    ok: bool


@dataclass(frozen=True)
class AnsweringMachine(PbxEvent):
    """The exchange believes that a machine, not a person, has answered."""

    channel: str


@dataclass(frozen=True)
class Joined(PbxEvent):
    bridge: str
    channel: str


@dataclass(frozen=True)
class Left(PbxEvent):
    """Left a bridge; by itself no sign of being gone (a channel added twice leaves and enters
    again).
    """

    bridge: str
    channel: str


@dataclass(frozen=True)
class Incoming(PbxEvent):
    """Somebody calls us: `number` as the network gave it, `line` = which of our numbers was
    called.
    """

    channel: str
    number: str
    line: str


@dataclass(frozen=True)
class UnknownChannel(PbxEvent):
    """A channel with an id of ours that this process has not dialled: answered, and obeying us."""

    channel: str


@dataclass(frozen=True)
class Recorded(PbxEvent):
    name: str
    ok: bool
    seconds: float = 0.0


@dataclass(frozen=True)
class LinkUp(PbxEvent):
    """Events flow (again). What happened before is not told afterwards: compare rows with
    `snapshot()`.
    """


@dataclass(frozen=True)
class LinkDown(PbxEvent):
    why: str


@dataclass(frozen=True)
class Replaced(PbxEvent):
    """Another process has taken our place; nothing more will come."""


@dataclass(frozen=True)
class Snapshot:
    """What is alive at the exchange: channels (id → answered), bridges (id → channels in them),
    callers put to us.
    """

    channels: dict[str, bool]
    bridges: dict[str, frozenset[str]] = field(default_factory=dict)
    callers: tuple[Incoming, ...] = ()


class Pbx(Protocol):
    """Every verb returns when the exchange has accepted it, or raises a PbxError. Safe to call from
    several threads.
    """

    def open(self) -> None:
        """Begins to deliver events; a LinkUp comes when they flow."""

    def close(self) -> None:
        """Stops delivering; live calls stay where the exchange can keep them."""

    def events(self, wait: float) -> list[PbxEvent]:
        """What has come since; waits up to `wait` seconds for the first one."""

    def snapshot(self) -> Snapshot: ...

    def adopt(self, channels: Iterable[str], *, answered: Iterable[str] = ()) -> None:
        """Channels that an earlier process of ours has dialled: their events are ours from
        now on.
        """

    def ring(self, dial: DialRequest) -> None:
        """Starts to dial; Ringing, Answered, Ended follow. Asked twice with one channel id it dials
        once.
        """

    def answer(self, channel: str) -> None: ...

    def return_to_dialplan(self, channel: str) -> None:
        """Leaves a caller to the exchange's own way (a queue, a reception): his leg ends for us.

        One that is gone already is no error.
        """

    def play(self, channel: str, playback: str, sound: Sound) -> None: ...

    def stop_playing(self, playback: str) -> None:
        """Cuts a sound; one that has ended already is no error."""

    def connect(self, bridge: str, channels: tuple[str, ...]) -> None:
        """Lets the channels talk with each other; asked twice it stays one bridge."""

    def hang_up(self, channel: str) -> None:
        """Ends a leg; one that is gone already is no error."""

    def disconnect(self, bridge: str) -> None:
        """Removes a bridge; its channels stay. One that is gone already is no error."""

    def record(self, channel: str, name: str) -> None:
        """Records what this leg says, apart from the others."""

    def recording(self, name: str) -> bytes:
        """The WAV of a finished recording."""
