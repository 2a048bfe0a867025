"""The robot's process is killed, the exchange goes away, Valkey is emptied, two robots start:
nothing is dialled twice, nothing is forgotten, live calls go on where the exchange can keep them.

Real processes: `manage.py run_robot` against the stand-in Asterisk of the contract tests, whose
calls outlive the robot.
"""

import time
from collections.abc import Iterator

import pytest
from django.utils import timezone

from callback.actions import accept_request, run_due_requests
from callback.models import CallbackRequest
from callback.state_machine import RequestState
from callcenter.telephony.models import Call, Leg, RobotLease
from callcenter.telephony.states import LegRole
from tests.contract import ari_server
from tests.contract.ari_server import Threaded
from tests.faults.conftest import Process, Stack
from tests.faults.floor import Floor


@pytest.fixture
def pbx() -> Iterator[Threaded]:
    with ari_server.running(speed=1) as handle:
        yield handle


class Scripted(Floor):
    def __init__(self, stack: Stack, pbx: Threaded, *, admin: str, patient: str) -> None:
        self.pbx = pbx
        super().__init__(stack, admin=f"Local/{admin}@peers", trunk=f"Local/{patient}@peers")

    def robot(self) -> Process:
        return self.run_robot(
            ARI_URL=self.pbx.server.url, ARI_USER=ari_server.USER, ARI_PASSWORD=ari_server.PASSWORD
        )

    @property
    def dialled(self) -> list[str]:
        return self.pbx.exchange.dials


def test_a_robot_killed_while_it_rings_is_followed_by_another_and_nobody_is_rung_twice(
    stack: Stack, pbx: Threaded
) -> None:
    floor = Scripted(stack, pbx, admin="admin_noanswer", patient="patient_long")
    first = floor.robot()
    floor.linked()
    floor.until(RequestState.RINGING)
    stack.wait_until(lambda: len(floor.dialled) == 1, seconds=10, what="the administrator is rung")
    stack.kill(first)
    floor.robot()
    stack.wait_until(
        lambda: CallbackRequest.objects.get().state == RequestState.WAITING,
        seconds=60,
        what="the attempt has ended",
    )
    assert len(floor.dialled) == 1
    # On a slow machine the ringing is over before the second robot asks for it.
    assert Leg.objects.get().end in ("no_answer", "lost")
    assert CallbackRequest.objects.get().due_at is not None


def test_a_talk_goes_on_without_its_robot_and_is_counted(stack: Stack, pbx: Threaded) -> None:
    floor = Scripted(stack, pbx, admin="admin_thorough", patient="patient_long")
    first = floor.robot()
    floor.linked()
    floor.until(RequestState.TALKING)
    stack.wait_until(
        lambda: Call.objects.get().connected_at is not None, seconds=10, what="they talk"
    )
    stack.kill(first)
    floor.robot()
    stack.wait_until(
        lambda: RobotLease.objects.get().token == 2, seconds=30, what="another has taken over"
    )
    floor.linked()
    assert len(pbx.exchange.channels) == 2  # nobody was cut off
    admin = Leg.objects.get(role=LegRole.EMPLOYEE)
    pbx.do(lambda: pbx.exchange.end(admin.channel, 16))
    floor.until(RequestState.DONE)
    assert len(floor.dialled) == 2
    stack.wait_until(
        lambda: not pbx.exchange.channels, seconds=10, what="both telephones are put down"
    )


@pytest.mark.faults
def test_a_robot_killed_between_the_answer_and_the_bridge_leaves_nobody_in_silence(
    stack: Stack, pbx: Threaded
) -> None:
    floor = Scripted(stack, pbx, admin="admin_thorough", patient="patient_long")
    first = floor.robot()
    floor.linked()
    floor.until(RequestState.DIALLING)
    stack.kill(first)  # the patient answers a second later, and nobody hears of it
    stack.wait_until(
        lambda: sum(one.in_stasis for one in pbx.exchange.channels.values()) <= 2,
        seconds=5,
        what="time",
    )
    floor.robot()
    floor.until(RequestState.TALKING, RequestState.WAITING, seconds=60)
    assert len(floor.dialled) == len(set(floor.dialled)) <= 2


@pytest.mark.faults
@pytest.mark.timeout(500)
def test_an_exchange_that_is_away_for_three_minutes_is_found_again(
    stack: Stack, pbx: Threaded
) -> None:
    floor = Scripted(stack, pbx, admin="admin_patient", patient="patient_longest")
    floor.robot()
    floor.linked()
    floor.until(RequestState.TALKING)
    stack.wait_until(
        lambda: Call.objects.get().connected_at is not None, seconds=10, what="they talk"
    )
    pbx.do(pbx.server.go_away)
    stack.wait_until(
        lambda: not RobotLease.objects.get().connected,
        seconds=20,
        what="the link is known to be down",
    )
    late = accept_request(
        clinic=floor.clinic,
        name="Олег",
        phone="+79000007702",
        now=timezone.now(),
        by=None,
        comment="",
    )
    over = time.monotonic() + 180
    while time.monotonic() < over:
        run_due_requests(now=timezone.now())
        time.sleep(1)
    late.refresh_from_db()
    assert (late.state, late.attempts.count()) == (
        RequestState.WAITING,
        0,
    )  # nobody's attempts are used up meanwhile
    assert late.details_at is not None  # and after a minute people know
    pbx.do(pbx.server.come_back)
    floor.linked()
    assert len(pbx.exchange.channels) == 2  # who talked, talks on
    patient = Leg.objects.get(role=LegRole.PATIENT)
    pbx.do(lambda: pbx.exchange.end(patient.channel, 16))
    stack.wait_until(
        lambda: CallbackRequest.objects.get(pk=floor.request.pk).state == RequestState.DONE,
        seconds=30,
        what="it is done",
    )
    # looked at while the only administrator still puts down the telephone, it would wait five
    # minutes more
    stack.wait_until(
        lambda: not Leg.objects.exclude(state="ended").exists(), seconds=30, what="the line is free"
    )

    def tried() -> bool:
        run_due_requests(now=timezone.now())
        return late.attempts.count() == 1

    stack.wait_until(tried, seconds=30, what="the other one's turn has come")


@pytest.mark.faults
def test_two_robots_and_an_empty_valkey_make_one_call(stack: Stack, pbx: Threaded) -> None:
    floor = Scripted(stack, pbx, admin="admin_thorough", patient="patient_long")
    floor.robot()
    floor.robot()
    floor.linked()
    stack.empty_valkey()
    floor.until(RequestState.TALKING)
    stack.empty_valkey()
    stack.wait_until(
        lambda: Call.objects.get().connected_at is not None, seconds=10, what="they talk"
    )
    assert len(floor.dialled) == 2
    assert RobotLease.objects.get().token == 1
