"""The whole scenario on a real Asterisk: `run_robot`, Local channels for people, the robot killed
at its worst moments.

Needs ARI_URL, ARI_USER, ARI_PASSWORD, ARI_PEERS_CONTEXT and a disk that both see (`make
test-peers`, docs/asterisk.md). What was dialled is counted by a listener of its own, not by what
our rows believe.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from django.utils import timezone
from websockets.sync.client import connect

from callback.models import CallbackAttempt, CallbackRequest
from callback.state_machine import RequestState
from callcenter.contacts.models import Recording
from callcenter.telephony.actions.staff_phones import bind_phone, transfer_call
from callcenter.telephony.models import Call, Leg, PbxCommand, RobotLease
from callcenter.telephony.queries import talk_of
from callcenter.telephony.states import CommandState, LegRole, PhoneKind
from tests.faults.conftest import Process, Stack
from tests.faults.floor import Floor

SET = all(
    os.environ.get(name) for name in ("ARI_URL", "ARI_USER", "ARI_PASSWORD", "ARI_PEERS_CONTEXT")
)
pytestmark = [
    pytest.mark.peers,
    pytest.mark.timeout(400),
    pytest.mark.skipif(
        not SET, reason="ARI_URL, ARI_USER, ARI_PASSWORD, ARI_PEERS_CONTEXT name no Asterisk"
    ),
]


class Exchange:
    """What the real one tells an onlooker."""

    def __init__(self) -> None:
        self.url, self.auth = (
            os.environ["ARI_URL"],
            (os.environ["ARI_USER"], os.environ["ARI_PASSWORD"]),
        )
        self.dialled: list[str] = []
        self._http = httpx.Client(base_url=f"{self.url}/ari", auth=self.auth)
        key = {"api_key": ":".join(self.auth), "app": "dozvon-onlooker", "subscribeAll": "true"}
        self._address = f"{self.url.replace('http', 'ws', 1)}/ari/events?{urlencode(key)}"
        self._over, self._hears = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self._hears.wait(10)

    def _listen(self) -> None:
        with connect(self._address) as socket:
            self._hears.set()
            while not self._over.is_set():
                with suppress(TimeoutError):
                    event = json.loads(socket.recv(timeout=0.5))
                    name = event.get("channel", {}).get("id", "")
                    if event["type"] == "ChannelCreated" and _is_a_dial(name):
                        self.dialled.append(name)

    @property
    def channels(self) -> list[str]:
        return [row["id"] for row in self._get("/channels") if row["id"].startswith("dz-")]

    @property
    def bridges(self) -> list[dict[str, Any]]:
        return [row for row in self._get("/bridges") if row["id"].startswith("dz-")]

    def hang_up(self, channel: str) -> None:
        self._http.delete(f"/channels/{channel}")

    def close(self) -> None:
        for channel in self.channels:
            self.hang_up(channel)
        self._over.set()
        self._thread.join(20)
        self._http.close()

    def _get(self, path: str) -> Any:
        return self._http.get(path).json()


def _is_a_dial(name: str) -> bool:
    """A channel of ours, neither a Local channel's far half nor a listener that records."""
    return name.startswith("dz-") and not name.endswith((";2", "-rec"))


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    exchange = Exchange()
    yield exchange
    exchange.close()


class Real(Floor):
    def __init__(
        self, stack: Stack, *, admin: str = "admin", patient: str = "patient", **ways: object
    ) -> None:
        context = os.environ["ARI_PEERS_CONTEXT"]
        super().__init__(
            stack, admin=f"Local/{admin}@{context}", trunk=f"Local/{patient}@{context}", **ways
        )
        # a folder that Asterisk, another user, may read
        self.files = Path("/var/tmp") / f"dozvon-{stack.database}-{os.getpid()}"  # noqa: S108
        self.files.mkdir(exist_ok=True)
        self.files.chmod(0o755)

    def robot(self) -> Process:
        return self.run_robot(
            ARI_URL=os.environ["ARI_URL"],
            ARI_USER=os.environ["ARI_USER"],
            ARI_PASSWORD=os.environ["ARI_PASSWORD"],
            ARI_APP=f"dozvon-{self.stack.database}",
            FILES_DIR=str(self.files),
        )


def quiet(exchange: Exchange, stack: Stack) -> None:
    stack.wait_until(lambda: not exchange.channels, seconds=20, what="every telephone is put down")
    stack.wait_until(lambda: not exchange.bridges, seconds=10, what="every bridge is gone")


def test_answer_key_reading_patient_talk_done_with_both_legs_recorded(
    stack: Stack, exchange: Exchange
) -> None:
    floor = Real(stack, is_recording_on=True)
    floor.robot()
    floor.linked()
    floor.until(RequestState.DONE, seconds=90)
    stack.wait_until(
        lambda: not Leg.objects.exclude(state="ended").exists(),
        seconds=20,
        what="both legs have ended",
    )
    assert len(exchange.dialled) == 2
    assert CallbackAttempt.objects.get().result == "talked"
    stack.wait_until(
        lambda: not PbxCommand.objects.exclude(state=CommandState.DONE).exists(),
        seconds=20,
        what="all is carried out",
    )
    stack.wait_until(
        lambda: Recording.objects.count() == 2, seconds=20, what="both sides are recorded"
    )
    assert all(row.seconds > 3 for row in Recording.objects.all())
    quiet(exchange, stack)


@pytest.mark.parametrize(
    ("admin", "end"),
    [
        ("admin_busy", "busy"),
        ("admin_noanswer", "no_answer"),
        ("admin_hangup", "answered"),
        ("admin_reject", "rejected"),
    ],
)
def test_an_administrator_who_is_not_ready(
    stack: Stack, exchange: Exchange, admin: str, end: str
) -> None:
    floor = Real(stack, admin=admin, ring_seconds=5)
    floor.robot()
    floor.linked()
    floor.until_tried(seconds=60)
    request = CallbackRequest.objects.get()
    assert (request.state, Leg.objects.get().end) == (RequestState.WAITING, end)
    assert len(exchange.dialled) == 1
    attempt = CallbackAttempt.objects.get()
    assert attempt.ended_at is not None
    assert request.due_at is not None
    assert 299 < (request.due_at - attempt.ended_at).total_seconds() < 301
    quiet(exchange, stack)


@pytest.mark.parametrize(
    ("patient", "end", "result"),
    [
        ("patient_busy", "busy", "told"),
        ("patient_noanswer", "no_answer", "told"),
        ("patient_short", "answered", "talked_short"),
    ],
)
def test_a_patient_who_cannot_be_reached(
    stack: Stack, exchange: Exchange, patient: str, end: str, result: str
) -> None:
    floor = Real(stack, patient=patient, patient_seconds=6, talk_seconds=10)
    floor.robot()
    floor.linked()
    floor.until_tried(seconds=90)
    assert Leg.objects.get(role=LegRole.PATIENT).end == end
    assert CallbackAttempt.objects.get().result == result
    assert len(exchange.dialled) == 2
    quiet(exchange, stack)


@pytest.mark.parametrize(
    "state",
    [RequestState.RINGING, RequestState.SPEAKING, RequestState.DIALLING, RequestState.TALKING],
)
def test_a_robot_killed_on_the_way_is_followed_by_another_and_nobody_is_dialled_twice(
    stack: Stack, exchange: Exchange, state: RequestState
) -> None:
    floor = Real(
        stack, admin="admin_noanswer" if state == RequestState.RINGING else "admin", ring_seconds=20
    )
    first = floor.robot()
    floor.linked()
    floor.until(state, seconds=60)
    if state == RequestState.TALKING:
        stack.wait_until(
            lambda: Call.objects.get().connected_at is not None, seconds=10, what="they talk"
        )
    elif state == RequestState.RINGING:
        stack.wait_until(
            lambda: len(exchange.dialled) == 1, seconds=10, what="the administrator is rung"
        )
    stack.kill(first)
    alive = set(exchange.channels)
    time.sleep(1)
    assert alive <= set(exchange.channels)  # nobody was cut off
    floor.robot()
    stack.wait_until(
        lambda: RobotLease.objects.get().token == 2, seconds=120, what="another has taken over"
    )
    floor.until_tried(seconds=90)
    # a ring that was never carried out is a leg, too; none is dialled again
    assert set(exchange.dialled) <= set(Leg.objects.values_list("channel", flat=True))
    assert len(exchange.dialled) == len(set(exchange.dialled)) <= 2
    request = CallbackRequest.objects.get()
    # the talk of fifteen seconds may end while nobody listens: then a person is asked
    expected = (
        (RequestState.DONE, RequestState.PAUSED)
        if state == RequestState.TALKING
        else (RequestState.DONE, RequestState.WAITING, RequestState.PAUSED)
    )
    assert request.state in expected
    quiet(exchange, stack)


def test_two_robots_make_one_call(stack: Stack, exchange: Exchange) -> None:
    floor = Real(stack)
    floor.robot()
    floor.robot()
    floor.linked()
    stack.empty_valkey()
    floor.until(RequestState.DONE, seconds=90)
    assert len(exchange.dialled) == 2
    assert RobotLease.objects.get().token == 1
    quiet(exchange, stack)


def test_a_conversation_is_transferred(stack: Stack, exchange: Exchange) -> None:
    floor = Real(stack)
    colleague = floor.colleague()
    bind_phone(user=colleague, kind=PhoneKind.OFF, now=timezone.now())
    floor.robot()
    floor.linked()
    floor.until(RequestState.TALKING, seconds=60)
    stack.wait_until(
        lambda: Call.objects.get().connected_at is not None, seconds=10, what="they talk"
    )
    bind_phone(user=colleague, kind=PhoneKind.PBX, endpoint=floor.endpoint, now=timezone.now())
    transfer_call(by=floor.user, to=colleague, now=timezone.now())
    stack.wait_until(lambda: talk_of(colleague) is not None, seconds=15, what="the colleague talks")
    stack.wait_until(lambda: talk_of(floor.user) is None, seconds=15, what="the first one is free")
    patient = Leg.objects.get(role=LegRole.PATIENT)
    assert patient.state == "up"
    second = Leg.objects.get(user=colleague)
    assert set(exchange.bridges[0]["channels"]) == {patient.channel, second.channel}
    floor.until(RequestState.DONE, seconds=60)
    quiet(exchange, stack)
