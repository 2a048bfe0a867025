"""What only Asterisk's client can meet: a websocket that breaks, errors in JSON and in HTML,
answers that never come.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from callcenter.telephony.pbx.ari import Ari
from callcenter.telephony.pbx.base import (
    Answered,
    ChannelGone,
    DialRequest,
    Digit,
    Ended,
    Incoming,
    LinkDown,
    LinkUp,
    PbxEvent,
    PbxMisconfigured,
    PbxRefused,
    PbxUnavailable,
    PbxUncertain,
    PlayEnded,
    Recorded,
    Replaced,
    Sound,
    UnknownChannel,
)
from callcenter.telephony.pbx.hangup import how_it_ended
from callcenter.telephony.states import HangupReason
from tests.contract import ari_server
from tests.contract.ari_server import Threaded

SOUND = Sound("tone", Path("/nowhere/tone.wav"), 1.0)
Make = Callable[..., Ari]


@pytest.fixture
def handle() -> Iterator[Threaded]:
    with ari_server.running(speed=20) as handle:
        yield handle


@pytest.fixture
def make(handle: Threaded) -> Iterator[Make]:
    made: list[Ari] = []

    def one(
        user: str = ari_server.USER,
        password: str = ari_server.PASSWORD,
        timeout: float = 3.0,
        amd: str = "",
    ) -> Ari:
        ari = Ari(
            url=handle.server.url,
            user=user,
            password=password,
            clock=lambda: dt.datetime.now(dt.UTC),
            timeout=timeout,
            amd=amd,
            backoff=(0.05, 0.2),
        )
        made.append(ari)
        return ari

    yield one
    for ari in made:
        ari.close()


def until(ari: Ari, kind: type[PbxEvent], seconds: float = 30.0) -> list[PbxEvent]:
    """The events up to the first one of the kind."""
    events: list[PbxEvent] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        events += ari.events(0.1)
        if any(isinstance(event, kind) for event in events):
            return events
    pytest.fail(f"no {kind.__name__}: {events}")


def linked(make: Make, **options: str) -> Ari:
    ari = make(**options)
    ari.open()
    until(ari, LinkUp)
    return ari


def test_a_call_lives_through_a_broken_websocket_and_goes_on(make: Make, handle: Threaded) -> None:
    ari = linked(make)
    ari.ring(DialRequest("dz-a", "Local/patient_long@peers"))
    until(ari, Answered)
    handle.do(handle.server.drop_websockets)
    until(ari, LinkDown)
    until(ari, LinkUp)
    assert ari.snapshot().channels == {"dz-a": True}
    ari.hang_up("dz-a")
    until(ari, Ended)


def test_what_happened_while_nobody_listened_is_found_in_the_snapshot(
    make: Make, handle: Threaded
) -> None:
    ari = linked(make)
    ari.ring(DialRequest("dz-a", "Local/patient_short@peers"))
    until(ari, Answered)
    handle.do(handle.server.drop_websockets)
    handle.do(lambda: handle.exchange.end("dz-a", 16))
    events = until(ari, LinkUp)
    assert not any(isinstance(event, Ended) for event in events)
    assert ari.snapshot().channels == {}


def test_a_new_process_takes_over_the_channels_of_the_old_one(make: Make, handle: Threaded) -> None:
    old = linked(make)
    old.ring(DialRequest("dz-a", "Local/patient_long@peers"))
    until(old, Answered)
    new = linked(make)
    until(old, Replaced)
    new.adopt(["dz-a"], answered=["dz-a"])
    handle.do(lambda: handle.exchange.press(handle.exchange.channels["dz-a"], "5"))
    until(new, Digit)
    new.hang_up("dz-a")
    ended = next(event for event in until(new, Ended) if isinstance(event, Ended))
    assert ended.end == HangupReason.ANSWERED


def test_only_the_exact_channel_is_ours(make: Make, handle: Threaded) -> None:
    """Both halves of the call report everything, and in a bridge the other leg's far half hears our
    digit.
    """
    ari = linked(make)
    ari.ring(DialRequest("dz-a", "Local/admin@peers"))
    ari.ring(DialRequest("dz-p", "Local/patient_long@peers"))
    events: list[PbxEvent] = []
    while sum(isinstance(event, Answered) for event in events) < 2:
        events += ari.events(0.1)
    ari.connect("br", ("dz-a", "dz-p"))
    handle.do(lambda: handle.exchange.press(handle.exchange.channels["dz-a"], "7"))
    until = time.monotonic() + 10
    while not any(isinstance(event, Digit) for event in events) and time.monotonic() < until:
        events += ari.events(0.2)
    events += ari.events(0.3)  # the other half's echo of the digit, if it were taken for ours
    assert all(getattr(event, "channel", "dz-a") in ("dz-a", "dz-p") for event in events)
    assert {event.channel for event in events if isinstance(event, Digit)} == {"dz-a"}


def test_a_wrong_password_is_said_in_words(make: Make) -> None:
    ari = make(password="wrong")
    ari.open()
    down = until(ari, LinkDown)[0]
    assert isinstance(down, LinkDown)
    assert "ARI_PASSWORD" in down.why
    with pytest.raises(PbxMisconfigured, match="ARI_PASSWORD"):
        ari.ring(DialRequest("dz-a", "Local/admin@peers"))


def test_a_read_only_user_is_said_in_words(make: Make) -> None:
    with pytest.raises(PbxMisconfigured, match="read_only"):
        make(user=ari_server.READER).ring(DialRequest("dz-a", "Local/admin@peers"))


def test_a_server_that_stops_answers_in_html_and_nothing_was_dialled(
    make: Make, handle: Threaded
) -> None:
    ari = linked(make)
    handle.server.stopping = True
    with pytest.raises(PbxUnavailable):
        ari.ring(DialRequest("dz-a", "Local/admin@peers"))
    handle.server.stopping = False
    assert handle.exchange.dials == []
    ari.ring(DialRequest("dz-a", "Local/admin@peers"))
    until(ari, Answered)


def test_a_server_that_is_away_is_away(make: Make, handle: Threaded) -> None:
    ari = linked(make)
    handle.do(handle.server.go_away)
    with pytest.raises((PbxUnavailable, PbxUncertain)):
        ari.ring(DialRequest("dz-a", "Local/admin@peers"))
    handle.do(handle.server.come_back)
    until(ari, LinkUp, 10)


def test_an_answer_that_never_came_is_looked_up_and_dialled_once(
    make: Make, handle: Threaded
) -> None:
    ari = linked(make)
    handle.server.swallow_answers = 1
    ari.ring(DialRequest("dz-a", "Local/admin_noanswer@peers"))
    assert handle.exchange.dials == ["dz-a"]


def test_an_answer_that_never_came_and_a_channel_that_is_not_there_is_a_maybe(
    make: Make, handle: Threaded
) -> None:
    ari = linked(make)
    handle.server.swallow_answers = 1
    with pytest.raises(PbxUncertain):
        ari.ring(DialRequest("dz-a", "Nothing/here"))


def test_allocation_failed_is_an_unreachable_telephone(make: Make, handle: Threaded) -> None:
    ari = linked(make)
    handle.exchange.allocation_fails = True
    with pytest.raises(PbxRefused) as refused:
        ari.ring(DialRequest("dz-a", "Local/admin@peers"))
    assert refused.value.end == HangupReason.UNREACHABLE
    assert "такого телефона нет или он не подключён (Allocation failed)" in str(refused.value)


def test_a_known_id_that_is_refused_with_409_was_accepted_before(
    make: Make, handle: Threaded
) -> None:
    linked(make).ring(DialRequest("dz-a", "Local/admin_noanswer@peers"))
    linked(make).ring(DialRequest("dz-a", "Local/admin_noanswer@peers"))
    assert handle.exchange.dials == ["dz-a"]


def test_an_unknown_technology_with_an_id_is_refused_with_409_too_and_that_is_no_call(
    make: Make,
) -> None:
    with pytest.raises(PbxRefused) as refused:
        linked(make).ring(DialRequest("dz-a", "SIPP/x@peers"))
    assert refused.value.end == HangupReason.UNREACHABLE


def test_an_absent_sound_is_not_ok(make: Make) -> None:
    ari = linked(make)
    ari.ring(DialRequest("dz-a", "Local/patient_long@peers"))
    until(ari, Answered)
    ari.play("dz-a", "pb", Sound("absent", Path("/nowhere/absent.wav"), 1.0))
    ended = next(event for event in until(ari, PlayEnded) if isinstance(event, PlayEnded))
    assert not ended.ok


def test_a_channel_that_is_gone_says_so(make: Make) -> None:
    ari = linked(make)
    with pytest.raises(ChannelGone):
        ari.play("dz-none", "pb", SOUND)
    ari.hang_up("dz-none")


def test_an_incoming_call_brings_its_number_and_line(make: Make, handle: Threaded) -> None:
    ari = linked(make)
    handle.do(lambda: handle.exchange.incoming("1773824400.7", "79000000001", "79000009999"))
    call = next(event for event in until(ari, Incoming) if isinstance(event, Incoming))
    assert (call.channel, call.number, call.line) == ("1773824400.7", "79000000001", "79000009999")
    handle.do(lambda: handle.exchange.end("1773824400.7", 16))
    until(ari, Ended)


def test_a_caller_nobody_takes_goes_on_in_the_dialplan(make: Make, handle: Threaded) -> None:
    ari = linked(make)
    handle.do(lambda: handle.exchange.incoming("in-1", "79000000001", "79000009999"))
    until(ari, Incoming)
    ari.return_to_dialplan("in-1")
    ended = next(event for event in until(ari, Ended) if isinstance(event, Ended))
    assert (ended.channel, ended.end) == ("in-1", HangupReason.PASSED_ON)
    assert "in-1" in handle.exchange.channels  # the exchange goes on with him


def test_without_a_fallback_in_the_dialplan_he_is_let_go(make: Make, handle: Threaded) -> None:
    ari = linked(make)
    handle.exchange.label = "another"
    handle.do(lambda: handle.exchange.incoming("in-1", "79000000001", "79000009999"))
    until(ari, Incoming)
    ari.return_to_dialplan("in-1")
    until(ari, Ended)
    assert handle.exchange.channels == {}
    ari.return_to_dialplan("in-1")  # gone already: no error


def test_callers_put_to_us_while_nobody_listened_are_in_the_snapshot(
    make: Make, handle: Threaded
) -> None:
    handle.do(lambda: handle.exchange.incoming("in-1;2", "79000000001", "79000009999"))
    waiting = linked(make).snapshot().callers
    assert [(one.channel, one.number, one.line) for one in waiting] == [
        ("in-1;2", "79000000001", "79000009999")
    ]


@pytest.mark.parametrize(("patient", "machine"), [("patient_machine", True), ("patient", False)])
def test_a_machine_is_told_from_a_person_before_anybody_is_connected(
    make: Make, patient: str, machine: bool
) -> None:
    ari = linked(make, amd="listen")
    ari.ring(DialRequest("dz-p", f"Local/{patient}@peers", listen=True))
    answered = [event for event in until(ari, Answered) if isinstance(event, Answered)]
    assert [(event.channel, event.machine) for event in answered] == [("dz-p", machine)]
    ari.ring(DialRequest("dz-a", "Local/admin@peers"))  # an administrator is never listened to
    until(ari, Answered, 1)


def test_a_telephone_that_an_earlier_process_dialled_is_noticed_when_it_is_answered(
    make: Make, handle: Threaded
) -> None:
    """That process was asleep between its last look at the lease and the request."""
    new = linked(make)
    make().ring(DialRequest("dz-late", "Local/patient_long@peers"))
    stray = next(event for event in until(new, UnknownChannel) if isinstance(event, UnknownChannel))
    assert stray.channel == "dz-late"


def test_an_event_that_nobody_understands_does_not_make_us_deaf(
    make: Make, handle: Threaded
) -> None:
    ari = linked(make)
    handle.do(lambda: handle.exchange.tell("dozvon", "PlaybackFinished", playback={"no": "id"}))
    handle.do(lambda: handle.exchange.tell("dozvon", "StasisStart", channel={}))
    ari.ring(DialRequest("dz-a", "Local/admin@peers"))
    until(ari, Answered)


def test_a_dial_whose_answer_never_came_from_a_server_that_is_gone_is_a_maybe(
    make: Make, handle: Threaded
) -> None:
    """Not 'surely not done': it may ring by now, and a second request would ring again."""
    ari = make()
    handle.server.swallow_answers = 100
    with pytest.raises(PbxUncertain):
        ari.ring(DialRequest("dz-a", "Local/admin_noanswer@peers"))


def test_each_leg_is_recorded_apart_by_a_listener_that_is_no_call_of_ours(make: Make) -> None:
    ari = linked(make)
    ari.ring(DialRequest("dz-a", "Local/patient_short@peers"))
    until(ari, Answered)
    ari.record("dz-a", "rec-1")
    assert ari.snapshot().channels == {"dz-a": True}
    events = until(ari, Recorded)
    assert not any(isinstance(event, Answered) for event in events)
    assert ari.recording("rec-1") == b"RIFF-sound-of-rec-1"


def test_unknown_events_and_unknown_fields_are_ignored(make: Make, handle: Threaded) -> None:
    ari = linked(make)
    handle.do(
        lambda: handle.exchange.tell("dozvon", "CallBroadcast", channel={"id": "x"}, strange=[1])
    )
    handle.do(lambda: handle.exchange.tell("dozvon", "ChannelToneDetected"))
    ari.ring(DialRequest("dz-a", "Local/admin_busy@peers"))
    assert not [event for event in until(ari, Ended) if not isinstance(event, Ended)]


def test_no_call_takes_192_khz(make: Make, handle: Threaded) -> None:
    ari = linked(make)
    ari.ring(DialRequest("dz-a", "Local/admin_busy@peers"))
    until(ari, Ended)
    assert handle.exchange.formats == ["slin"]


# The Dial status and the cause together, as measured.
MEASURED = [
    ("BUSY", 0, HangupReason.BUSY),
    ("BUSY", 17, HangupReason.BUSY),
    ("RINGING", 19, HangupReason.NO_ANSWER),
    ("", 19, HangupReason.NO_ANSWER),
    ("NOANSWER", 21, HangupReason.REJECTED),
    ("CONGESTION", 0, HangupReason.UNREACHABLE),
    ("CONGESTION", 34, HangupReason.UNREACHABLE),
    ("NOANSWER", 16, HangupReason.NO_ANSWER),
    ("RINGING", 16, HangupReason.NO_ANSWER),
    ("CHANUNAVAIL", 20, HangupReason.UNREACHABLE),
    ("", 0, HangupReason.FAILED),
    ("", 1, HangupReason.WRONG_NUMBER),
    ("NOANSWER", 28, HangupReason.WRONG_NUMBER),
    ("NOANSWER", 18, HangupReason.NO_ANSWER),
    ("NOANSWER", 127, HangupReason.NO_ANSWER),
]


@pytest.mark.parametrize(("dial_status", "cause", "end"), MEASURED)
def test_how_it_ended_is_told_by_the_dial_status_and_the_cause_together(
    dial_status: str, cause: int, end: HangupReason
) -> None:
    assert how_it_ended(answered=False, dial_status=dial_status, cause=cause) == end
    assert (
        how_it_ended(answered=True, dial_status=dial_status, cause=cause) == HangupReason.ANSWERED
    )
    assert (
        how_it_ended(answered=False, dial_status=dial_status, cause=cause, cancelled=True)
        == HangupReason.CANCELLED
    )
