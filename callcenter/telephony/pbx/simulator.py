"""An exchange with people of our own making at the other end, on a clock that a test may turn by
hand.

It keeps the contract of `base.py`, so the scenario can be learnt, shown and tested without a line.
A persona says how an endpoint behaves; endpoints are `persona/<name>`, `number/<E.164>` (the last
digit chooses the persona) and `browser/<user id>`, where the telephone is a page in the
administrator's browser.
"""

import datetime as dt
import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from callcenter.telephony.pbx.base import (
    Answered,
    AnsweringMachine,
    ChannelGone,
    Clock,
    DialRequest,
    Digit,
    Ended,
    Incoming,
    Joined,
    Left,
    LinkUp,
    PbxEvent,
    PbxRefused,
    PlayEnded,
    Recorded,
    Ringing,
    Snapshot,
    Sound,
)
from callcenter.telephony.states import HangupReason


@dataclass(frozen=True)
class PhonePersona:
    """How somebody answers his telephone; times in seconds, from the ring or (digits, hanging up)
    from the answer.
    """

    name: str
    rings: float | None = 0.0  # None: the network is silent, nobody rings
    answers: float | None = 1.0  # None: never
    end: HangupReason = HangupReason.NO_ANSWER  # how it ends when nobody answers
    ends: float | None = (
        None  # the network ends it by itself after this long; None: at the dial timeout
    )
    digits: tuple[tuple[float, str], ...] = ()
    hangs_up: float | None = None
    machine: float | None = None  # reported as a machine after this long
    says: str = ""
    cause: int = 16
    dial_status: str = ""


PERSONAS: Final[dict[str, PhonePersona]] = {
    persona.name: persona
    for persona in (
        PhonePersona("admin", answers=0.5, digits=((1.7, "1"),), hangs_up=22.0),
        PhonePersona("admin_thorough", answers=2.0, digits=((2.0, "1"),)),
        PhonePersona(
            "admin_busy",
            rings=None,
            answers=None,
            end=HangupReason.BUSY,
            ends=0.05,
            cause=0,
            dial_status="BUSY",
        ),
        PhonePersona("admin_noanswer", answers=None, cause=19, dial_status="RINGING"),
        PhonePersona("admin_silent", rings=None, answers=None, cause=19),
        PhonePersona("admin_hangup", answers=0.1, hangs_up=1.0),
        PhonePersona("admin_mute", answers=1.0),
        PhonePersona(
            "admin_reject",
            rings=None,
            answers=None,
            end=HangupReason.REJECTED,
            ends=0.1,
            cause=21,
            dial_status="NOANSWER",
        ),
        PhonePersona(
            "admin_congestion",
            rings=None,
            answers=None,
            end=HangupReason.UNREACHABLE,
            ends=0.1,
            cause=0,
            dial_status="CONGESTION",
        ),
        PhonePersona(
            "admin_callee_gives_up",
            answers=None,
            end=HangupReason.NO_ANSWER,
            ends=2.0,
            dial_status="NOANSWER",
        ),
        PhonePersona(
            "patient",
            answers=0.5,
            hangs_up=15.0,
            says="Алло. Да, здравствуйте, я оставлял заявку на сайте.",
        ),
        PhonePersona(
            "patient_slow",
            answers=6.0,
            hangs_up=25.0,
            says="Слушаю вас. Да, заявку оставляла я, хочу записаться.",
        ),
        PhonePersona(
            "patient_short", answers=0.5, hangs_up=4.0, says="Ой, я сейчас не могу говорить."
        ),
        PhonePersona(
            "patient_busy",
            rings=None,
            answers=None,
            end=HangupReason.BUSY,
            ends=0.05,
            cause=0,
            dial_status="BUSY",
        ),
        PhonePersona("patient_noanswer", answers=None, cause=19, dial_status="RINGING"),
        PhonePersona(
            "patient_reject",
            answers=None,
            end=HangupReason.REJECTED,
            ends=3.0,
            cause=21,
            dial_status="NOANSWER",
        ),
        PhonePersona(
            "patient_machine",
            answers=2.0,
            machine=3.0,
            hangs_up=30.0,
            says="Абонент не отвечает. Оставьте сообщение.",
        ),
        PhonePersona("patient_hangup", answers=1.0, hangs_up=1.0),
        PhonePersona(
            "patient_absent",
            rings=None,
            answers=None,
            end=HangupReason.UNREACHABLE,
            ends=0.3,
            cause=20,
        ),
    )
}
# The demo's patients: the last digit of the number is the character.
BY_LAST_DIGIT: Final[dict[str, str]] = {
    "5": "patient_busy",
    "6": "patient_noanswer",
    "7": "patient_reject",
    "8": "patient_machine",
    "9": "patient_short",
}


@dataclass(frozen=True)
class SimulatedAction:
    """What somebody did at a telephone in a browser."""

    channel: str
    kind: str  # answer, digit, hang_up, incoming
    value: str = ""


class BrowserPhones(Protocol):
    """The telephones that live in browsers; kept by whoever has a database."""

    def ring(self, channel: str, owner: str, caller: str) -> None: ...
    def hear(self, channel: str, sound: Sound) -> None: ...
    def stop_playback(self, channel: str) -> None: ...
    def talk(self, channel: str, words: str) -> None:
        """The other side is on the line and says `words`."""

    def end(self, channel: str) -> None: ...
    def actions(self) -> list[SimulatedAction]: ...


@dataclass
class _Channel:
    id: str
    persona: PhonePersona
    timeout: float
    browser: bool = False
    answered: bool = False
    bridge: str = ""
    playback: str = ""
    recordings: list[str] = field(default_factory=list)


class SimulatorPbx:
    def __init__(
        self,
        clock: Clock,
        *,
        personas: dict[str, PhonePersona] | None = None,
        browser_phones: BrowserPhones | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._browser_phones, self._wait = clock, browser_phones, wait
        self.personas = {**PERSONAS, **(personas or {})}
        self._channels: dict[str, _Channel] = {}
        self._bridges: dict[str, set[str]] = {}
        self._due: list[tuple[dt.datetime, int, Callable[[], None]]] = []
        self._events: list[PbxEvent] = []
        self._recordings: dict[str, bytes] = {}
        self._seen: set[str] = set()
        self._count = itertools.count()
        self._lock = threading.RLock()

    # --- life

    def open(self) -> None:
        self._tell(LinkUp(self._clock()))

    def close(self) -> None:
        with self._lock:
            for name in list(self._channels):
                self._end(name, HangupReason.LOST, 0)
            self._events.clear()

    def events(self, wait: float) -> list[PbxEvent]:
        until = self._clock() + dt.timedelta(seconds=wait)
        while True:
            with self._lock:
                self._take_actions()
                self._run_due()
                if self._events:
                    found, self._events = self._events, []
                    return found
                pause = min((until - self._clock()).total_seconds(), self._next_in(), 0.1)
            if pause <= 0 and self._clock() >= until:
                return []
            self._wait(max(pause, 0.001))

    def snapshot(self) -> Snapshot:
        with self._lock:
            return Snapshot(
                channels={name: one.answered for name, one in self._channels.items()},
                bridges={name: frozenset(inside) for name, inside in self._bridges.items()},
            )

    def adopt(self, channels: Iterable[str], *, answered: Iterable[str] = ()) -> None:
        """Its channels live in this process only, so there is never one to adopt."""

    def next_moment(self) -> dt.datetime | None:
        """When something happens next by itself, for a test that turns the clock."""
        with self._lock:
            return self._due[0][0] if self._due else None

    # --- verbs

    def ring(self, dial: DialRequest) -> None:
        with self._lock:
            if dial.channel in self._seen:
                return
            channel = self._made(dial)
            self._seen.add(dial.channel)
            self._channels[dial.channel] = channel
            persona = channel.persona
            if channel.browser and self._browser_phones is not None:
                self._browser_phones.ring(
                    dial.channel, dial.endpoint.partition("/")[2], dial.caller_id
                )
            if persona.rings is not None:
                self._later(persona.rings, lambda: self._ring(dial.channel))
            if persona.answers is not None and persona.answers < dial.timeout:
                self._later(persona.answers, lambda: self._answered(dial.channel))
            else:
                after, end, cause = dial.timeout, HangupReason.NO_ANSWER, 19
                if persona.ends is not None and persona.ends < dial.timeout:
                    after, end, cause = persona.ends, persona.end, persona.cause  # type: ignore[assignment]
                self._later(after, lambda: self._end_unanswered(dial.channel, end, cause))

    def _made(self, dial: DialRequest) -> _Channel:
        kind, _, rest = dial.endpoint.partition("/")
        if kind == "browser" and self._browser_phones is not None:
            return _Channel(
                dial.channel,
                PhonePersona(f"browser {rest}", answers=None),
                dial.timeout,
                browser=True,
            )
        name = BY_LAST_DIGIT.get(rest[-1:], "patient_slow") if kind == "number" else rest
        if kind not in {"number", "persona"} or name not in self.personas:
            raise PbxRefused(
                f"Симулятор не знает адреса {dial.endpoint}.", end=HangupReason.UNREACHABLE
            )
        return _Channel(dial.channel, self.personas[name], dial.timeout)

    def answer(self, channel: str) -> None:
        self._live(channel)

    def return_to_dialplan(self, channel: str) -> None:
        """Nobody else answers here, so the caller goes."""
        with self._lock:
            self._end(channel, HangupReason.PASSED_ON, 16)

    def play(self, channel: str, playback: str, sound: Sound) -> None:
        with self._lock:
            one = self._live(channel)
            if not one.answered:
                raise PbxRefused("Трубку ещё не сняли.")
            one.playback = playback
            if one.browser and self._browser_phones is not None:
                self._browser_phones.hear(channel, sound)
            self._later(sound.seconds, lambda: self._play_ended(channel, playback, ok=True))

    def stop_playing(self, playback: str) -> None:
        with self._lock:
            for one in list(self._channels.values()):
                if one.playback == playback:
                    if one.browser and self._browser_phones is not None:
                        self._browser_phones.stop_playback(one.id)
                    self._play_ended(one.id, playback, ok=True)

    def connect(self, bridge: str, channels: tuple[str, ...]) -> None:
        with self._lock:
            legs = [self._live(channel) for channel in channels]
            inside = self._bridges.setdefault(bridge, set())
            for one in legs:
                if one.id not in inside:
                    inside.add(one.id)
                    one.bridge = bridge
                    self._tell(Joined(self._clock(), bridge, one.id))
            words = " ".join(one.persona.says for one in legs if one.persona.says)
            for one in legs:
                if one.browser and self._browser_phones is not None:
                    self._browser_phones.talk(one.id, words)

    def hang_up(self, channel: str) -> None:
        with self._lock:
            one = self._channels.get(channel)
            if one is not None:
                self._end(
                    channel, HangupReason.ANSWERED if one.answered else HangupReason.CANCELLED, 16
                )

    def disconnect(self, bridge: str) -> None:
        with self._lock:
            for channel in self._bridges.pop(bridge, set()):
                if channel in self._channels:
                    self._channels[channel].bridge = ""
                    self._tell(Left(self._clock(), bridge, channel))

    def record(self, channel: str, name: str) -> None:
        with self._lock:
            self._live(channel).recordings.append(name)

    def recording(self, name: str) -> bytes:
        try:
            return self._recordings[name]
        except KeyError:
            raise ChannelGone(f"Записи {name} нет.") from None

    def incoming(
        self, channel: str, number: str, line: str, *, persona: str = "patient_slow"
    ) -> None:
        """Somebody calls us: for the demo and the tests."""
        with self._lock:
            self._seen.add(channel)
            self._channels[channel] = _Channel(channel, self.personas[persona], 60, answered=True)
            self._tell(Incoming(self._clock(), channel, number, line))

    # --- what happens by itself
    # --------------------------------------------------------------------------------------

    def _take_actions(self) -> None:
        for action in self._browser_phones.actions() if self._browser_phones is not None else ():
            if action.kind == "incoming":
                number, _, line = action.value.partition(" ")
                self.incoming(action.channel, number, line)
            elif action.kind == "answer":
                self._answered(action.channel)
            elif action.kind == "digit" and action.channel in self._channels:
                self._tell(Digit(self._clock(), action.channel, action.value))
            elif action.kind == "hang_up" and action.channel in self._channels:
                answered = self._channels[action.channel].answered
                self._end(
                    action.channel,
                    HangupReason.ANSWERED if answered else HangupReason.REJECTED,
                    16 if answered else 21,
                )

    def _ring(self, channel: str) -> None:
        one = self._channels.get(channel)
        if one is not None and not one.answered:
            self._tell(Ringing(self._clock(), channel))

    def _answered(self, channel: str) -> None:
        one = self._channels.get(channel)
        if one is None or one.answered:
            return
        one.answered = True
        self._tell(Answered(self._clock(), channel))
        for after, digit in one.persona.digits:
            self._later(after, lambda digit=digit: self._press(channel, digit))  # type: ignore[misc]
        if one.persona.machine is not None:
            self._later(one.persona.machine, lambda: self._hear_machine(channel))
        if one.persona.hangs_up is not None:
            self._later(one.persona.hangs_up, lambda: self._end(channel, HangupReason.ANSWERED, 16))

    def _press(self, channel: str, digit: str) -> None:
        if channel in self._channels:
            self._tell(Digit(self._clock(), channel, digit))

    def _hear_machine(self, channel: str) -> None:
        if channel in self._channels:
            self._tell(AnsweringMachine(self._clock(), channel))

    def _play_ended(self, channel: str, playback: str, *, ok: bool) -> None:
        one = self._channels.get(channel)
        if one is not None and one.playback == playback:
            one.playback = ""
            self._tell(PlayEnded(self._clock(), playback, ok))

    def _end_unanswered(self, channel: str, end: HangupReason, cause: int) -> None:
        one = self._channels.get(channel)
        if one is not None and not one.answered:
            self._end(channel, end, cause)

    def _end(self, channel: str, end: HangupReason, cause: int) -> None:
        one = self._channels.pop(channel, None)
        if one is None:
            return
        now = self._clock()
        if one.playback:
            self._tell(PlayEnded(now, one.playback, ok=False))
        for name in one.recordings:
            self._recordings[name] = _silence(2.0)
            self._tell(Recorded(now, name, ok=True, seconds=2.0))
        if one.bridge and one.bridge in self._bridges:
            self._bridges[one.bridge].discard(channel)
            self._tell(Left(now, one.bridge, channel))
        if one.browser and self._browser_phones is not None:
            self._browser_phones.end(channel)
        self._tell(Ended(now, channel, end, cause, one.persona.dial_status))

    # --- the clock

    def _live(self, channel: str) -> _Channel:
        one = self._channels.get(channel)
        if one is None:
            raise ChannelGone("Уже не на линии.")
        return one

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(
            self._due, (self._clock() + dt.timedelta(seconds=seconds), next(self._count), action)
        )

    def _run_due(self) -> None:
        while self._due and self._due[0][0] <= self._clock():
            heapq.heappop(self._due)[2]()

    def _next_in(self) -> float:
        return (self._due[0][0] - self._clock()).total_seconds() if self._due else 3600.0

    def _tell(self, event: PbxEvent) -> None:
        self._events.append(event)


def _silence(seconds: float) -> bytes:
    """A WAV of nothing: the simulator's people have no voices to record."""
    import io
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        wav.writeframes(b"\0\0" * int(seconds * 8000))
    return buffer.getvalue()
