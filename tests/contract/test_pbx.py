"""One suite for every exchange: the simulator, Asterisk's client against the replayed measurements
(events after and before the answers), and a real Asterisk when ARI_URL, ARI_USER, ARI_PASSWORD and
ARI_PEERS_CONTEXT are set.

The real one needs the extensions of docs/asterisk.md «Проверка на своём Астериске» in its peers'
context.
"""

import contextlib
import datetime as dt
import os
import uuid
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from callcenter.telephony.pbx.ari import Ari
from callcenter.telephony.pbx.base import (
    Answered,
    ChannelGone,
    DialRequest,
    Digit,
    Ended,
    Joined,
    LinkUp,
    Pbx,
    PbxEvent,
    PbxRefused,
    PlayEnded,
    Recorded,
    Ringing,
    Sound,
)
from callcenter.telephony.pbx.simulator import SimulatorPbx
from callcenter.telephony.states import HangupReason
from tests.contract import ari_server

REAL = all(
    os.environ.get(name) for name in ("ARI_URL", "ARI_USER", "ARI_PASSWORD", "ARI_PEERS_CONTEXT")
)
REAL_ONE = [pytest.param("real asterisk", marks=pytest.mark.asterisk)]
KINDS = ["simulator", "ari, events later", "ari, events first", *(REAL_ONE if REAL else [])]


@dataclass
class Line:
    """An exchange with people behind extensions, and the events it has delivered so far."""

    pbx: Pbx
    endpoint: Callable[[str], str]
    sound: Sound
    scale: float  # real seconds per second of the script
    events: list[PbxEvent] = field(default_factory=list)

    def dial(self, extension: str, *, timeout: int = 4, channel: str = "") -> str:
        name = channel or f"dz-{uuid.uuid4().hex}"
        self.pbx.ring(DialRequest(name, self.endpoint(extension), timeout=timeout))
        return name

    def wait(self, kind: type[PbxEvent], *, seconds: float = 30, **values: object) -> PbxEvent:
        """The first event of the kind with these values; other events are kept."""
        waited = 0.0
        while True:
            for event in self.events:
                if isinstance(event, kind) and all(
                    getattr(event, name) == value for name, value in values.items()
                ):
                    return event
            if waited > seconds:
                pytest.fail(f"no {kind.__name__} {values} within {seconds} s: {self.events}")
            waited += self._hear()

    def pause(self, seconds: float) -> None:
        waited = 0.0
        while waited < seconds:
            waited += self._hear()

    def _hear(self) -> float:
        """Listens for a moment; how many seconds of the script went by in silence (events cut the
        moment short).
        """
        found = self.pbx.events(0.25 * self.scale)
        self.events += found
        return 0.0 if found else 0.25

    def of(self, kind: type[PbxEvent], channel: str) -> list[PbxEvent]:
        return [
            event
            for event in self.events
            if isinstance(event, kind) and getattr(event, "channel", None) == channel
        ]


def tone(folder: Path, seconds: float = 1.0) -> Sound:
    path = folder / "tone.wav"
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        wav.writeframes(b"\1\0" * int(8000 * seconds))
    return Sound("tone", path, seconds, "тон")


@contextlib.contextmanager
def _simulated(sound: Sound) -> Iterator[Line]:
    now = [dt.datetime(2026, 3, 18, 9, tzinfo=dt.UTC)]

    def advance(seconds: float) -> None:
        now[0] += dt.timedelta(seconds=seconds)

    simulator = SimulatorPbx(lambda: now[0], wait=advance)
    simulator.open()
    yield Line(simulator, lambda extension: f"persona/{extension}", sound, 1.0)


@contextlib.contextmanager
def _scripted(sound: Sound, *, late_answers: bool) -> Iterator[Line]:
    with ari_server.running(speed=20, late_answers=late_answers) as handle:
        ari = Ari(
            url=handle.server.url,
            user=ari_server.USER,
            password=ari_server.PASSWORD,
            clock=lambda: dt.datetime.now(dt.UTC),
            backoff=(0.05, 0.2),
        )
        ari.open()
        try:
            yield Line(ari, lambda extension: f"Local/{extension}@peers", sound, 1 / 20)
        finally:
            ari.close()


@contextlib.contextmanager
def _real(sound: Sound) -> Iterator[Line]:
    ari = Ari(
        url=os.environ["ARI_URL"],
        user=os.environ["ARI_USER"],
        password=os.environ["ARI_PASSWORD"],
        app=os.environ.get("ARI_APP", "dozvon-contract"),
        clock=lambda: dt.datetime.now(dt.UTC),
        media=lambda _sound: os.environ.get("ARI_SOUND", "tone:ring"),
    )
    ari.open()
    context = os.environ["ARI_PEERS_CONTEXT"]
    try:
        yield Line(ari, lambda extension: f"Local/{extension}@{context}", sound, 1.0)
    finally:
        for channel in ari.snapshot().channels:
            if channel.startswith("dz-"):
                ari.hang_up(channel)
        ari.close()


@pytest.fixture(params=KINDS)
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    sound = tone(tmp_path)
    made = {
        "simulator": lambda: _simulated(sound),
        "ari, events later": lambda: _scripted(sound, late_answers=False),
        "ari, events first": lambda: _scripted(sound, late_answers=True),
        "real asterisk": lambda: _real(sound),
    }
    with made[request.param]() as line:
        line.wait(LinkUp)
        yield line


def test_who_picks_up_and_presses_one_is_heard_once(line: Line) -> None:
    channel = line.dial("admin")
    line.wait(Answered, channel=channel)
    line.wait(Digit, channel=channel, digit="1")
    line.pbx.hang_up(channel)
    assert line.wait(Ended, channel=channel).end == HangupReason.ANSWERED  # type: ignore[attr-defined]
    line.pause(1)
    assert (
        len(line.of(Answered, channel))
        == len(line.of(Digit, channel))
        == len(line.of(Ended, channel))
        == 1
    )


@pytest.mark.parametrize(
    ("extension", "end"),
    [
        ("admin_busy", HangupReason.BUSY),
        ("patient_busy", HangupReason.BUSY),
        ("admin_noanswer", HangupReason.NO_ANSWER),
        ("admin_silent", HangupReason.NO_ANSWER),
        ("admin_reject", HangupReason.REJECTED),
        ("admin_congestion", HangupReason.UNREACHABLE),
        ("admin_callee_gives_up", HangupReason.NO_ANSWER),
    ],
)
def test_how_it_ended_without_an_answer(line: Line, extension: str, end: HangupReason) -> None:
    channel = line.dial(extension)
    assert line.wait(Ended, channel=channel).end == end  # type: ignore[attr-defined]
    line.pause(1)
    assert not line.of(Answered, channel)
    assert len(line.of(Ended, channel)) == 1


def test_ringing_is_told_once(line: Line) -> None:
    channel = line.dial("admin_noanswer")
    line.wait(Ended, channel=channel)
    assert len(line.of(Ringing, channel)) == 1


def test_we_cancel_while_it_rings(line: Line) -> None:
    channel = line.dial("admin_noanswer", timeout=30)
    line.wait(Ringing, channel=channel)
    line.pbx.hang_up(channel)
    assert line.wait(Ended, channel=channel).end == HangupReason.CANCELLED  # type: ignore[attr-defined]


def test_who_answers_and_hangs_up(line: Line) -> None:
    channel = line.dial("admin_hangup")
    assert line.wait(Ended, channel=channel).end == HangupReason.ANSWERED  # type: ignore[attr-defined]
    line.pbx.hang_up(channel)  # gone already: no error


def test_asked_twice_with_one_id_it_dials_once(line: Line) -> None:
    channel = line.dial("admin_noanswer", timeout=30)
    line.wait(Ringing, channel=channel)
    line.dial("admin_noanswer", timeout=30, channel=channel)
    line.pbx.hang_up(channel)
    line.wait(Ended, channel=channel)
    line.pause(1)
    assert len(line.of(Ended, channel)) == 1


def test_a_sound_runs_out_and_a_sound_is_cut(line: Line) -> None:
    channel = line.dial("admin")
    line.wait(Answered, channel=channel)
    if line.scale < 1 or isinstance(line.pbx, SimulatorPbx):
        line.pbx.play(channel, f"pb-{channel}-1", line.sound)
        assert line.wait(PlayEnded, playback=f"pb-{channel}-1").ok  # type: ignore[attr-defined]
    line.pbx.play(channel, f"pb-{channel}-2", line.sound)
    line.pbx.stop_playing(f"pb-{channel}-2")
    assert line.wait(PlayEnded, playback=f"pb-{channel}-2").ok  # type: ignore[attr-defined]
    line.pbx.stop_playing(f"pb-{channel}-2")  # ended already: no error
    line.pbx.hang_up(channel)


def test_a_sound_whose_listener_hangs_up_is_not_ok(line: Line) -> None:
    channel = line.dial("admin_hangup")
    line.wait(Answered, channel=channel)
    line.pause(0.75)
    with contextlib.suppress(ChannelGone):
        line.pbx.play(channel, f"pb-{channel}", line.sound)
        ended = line.wait(PlayEnded, playback=f"pb-{channel}")
        assert not ended.ok  # type: ignore[attr-defined]


def test_nobody_hears_what_is_played_to_a_telephone_that_only_rings(line: Line) -> None:
    channel = line.dial("admin_noanswer", timeout=30)
    line.wait(Ringing, channel=channel)
    with pytest.raises(PbxRefused):
        line.pbx.play(channel, f"pb-{channel}", line.sound)
    line.pbx.hang_up(channel)


def test_two_talk_and_the_one_who_is_left_stays_until_we_act(line: Line) -> None:
    admin = line.dial("admin")
    line.wait(Answered, channel=admin)
    patient = line.dial("patient_short")
    line.wait(Answered, channel=patient)
    bridge = f"br-{admin}"
    line.pbx.connect(bridge, (admin, patient))
    line.pbx.connect(bridge, (admin, patient))  # asked again: the same bridge
    line.wait(Joined, channel=admin)
    line.wait(Joined, channel=patient)
    alive = line.pbx.snapshot()
    assert alive.bridges[bridge] == {admin, patient}
    assert alive.channels[admin]
    line.wait(Ended, channel=patient)
    assert not line.of(Ended, admin)
    line.pbx.hang_up(admin)
    line.wait(Ended, channel=admin)
    line.pbx.disconnect(bridge)
    line.pbx.disconnect(bridge)
    assert not {admin, patient} & line.pbx.snapshot().channels.keys()


def test_a_third_one_joins_and_the_first_one_leaves(line: Line) -> None:
    """A transfer: the client stays where he is."""
    first, client, second = line.dial("admin"), line.dial("patient"), line.dial("admin")
    for channel in (first, client, second):
        line.wait(Answered, channel=channel)
    bridge = f"br-{first}"
    line.pbx.connect(bridge, (first, client))
    line.wait(Joined, channel=client)
    line.pbx.connect(bridge, (second,))
    line.wait(Joined, channel=second)
    line.pbx.hang_up(first)
    line.wait(Ended, channel=first)
    assert line.pbx.snapshot().bridges[bridge] == {client, second}
    for channel in (client, second):
        line.pbx.hang_up(channel)
        line.wait(Ended, channel=channel)
    line.pbx.disconnect(bridge)
    line.pause(2)  # a real one lists it for a moment yet
    assert bridge not in line.pbx.snapshot().bridges


def test_what_one_leg_says_is_recorded_while_they_talk(line: Line) -> None:
    admin, client = line.dial("admin"), line.dial("patient_short")
    for channel in (admin, client):
        line.wait(Answered, channel=channel)
    bridge = f"br-{admin}"
    line.pbx.connect(bridge, (admin, client))
    line.pbx.record(client, f"rec-{client}")
    line.wait(Ended, channel=client)
    assert line.wait(Recorded, name=f"rec-{client}").ok  # type: ignore[attr-defined]
    assert line.pbx.recording(f"rec-{client}")[:4] == b"RIFF"
    line.pbx.hang_up(admin)
    line.wait(Ended, channel=admin)
    line.pbx.disconnect(bridge)


def test_connecting_somebody_who_is_gone_says_so(line: Line) -> None:
    admin = line.dial("admin")
    line.wait(Answered, channel=admin)
    with pytest.raises(ChannelGone):
        line.pbx.connect(f"br-{admin}", (admin, "dz-nobody"))
    line.pbx.hang_up(admin)
    line.pbx.disconnect(f"br-{admin}")


def test_an_address_that_cannot_be_dialled_ends_or_is_refused(line: Line) -> None:
    name = f"dz-{uuid.uuid4().hex}"
    with pytest.raises(PbxRefused) as refused:
        line.pbx.ring(DialRequest(name, "Nothing/here"))
    assert refused.value.end == HangupReason.UNREACHABLE


def test_an_extension_that_does_not_exist_is_a_failed_call(line: Line) -> None:
    if isinstance(line.pbx, SimulatorPbx):
        with pytest.raises(PbxRefused):
            line.dial("nowhere")
    else:
        assert line.wait(Ended, channel=line.dial("nowhere")).end == HangupReason.FAILED  # type: ignore[attr-defined]


def test_many_calls_at_once_each_keep_their_own_facts(line: Line) -> None:
    channels = [line.dial("admin", timeout=10) for _ in range(10)]
    for channel in channels:
        line.wait(Digit, channel=channel)
        line.pbx.hang_up(channel)
    for channel in channels:
        line.wait(Ended, channel=channel)
        assert len(line.of(Digit, channel)) == 1
