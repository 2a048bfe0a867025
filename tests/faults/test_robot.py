"""The robot's process is killed, the exchange goes away, Valkey is emptied, two robots start: nothing is dialled twice,
nothing is forgotten, live calls go on where the exchange can keep them.

Real processes: `manage.py run_robot` against the stand-in Asterisk of the contract tests, whose calls outlive the robot.
"""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.utils import timezone

from callback.actions import accept_request, run_due_requests
from callback.machine import State
from callback.models import CallbackRequest, CallbackSettings
from callcenter.clinics.models import Clinic, OpeningHours
from callcenter.staff.models import User
from callcenter.staff.roles import Role as StaffRole
from callcenter.telephony.actions import bind_phone
from callcenter.telephony.models import Call, Leg, RobotLease
from callcenter.telephony.states import PhoneKind, Role
from tests.contract import ari_server
from tests.contract.ari_server import Threaded
from tests.faults.conftest import Process, Stack


@pytest.fixture
def pbx() -> Iterator[Threaded]:
    with ari_server.running(speed=1) as handle:
        yield handle


class Floor:
    """A clinic that is always open, one administrator at a telephone of the exchange, and a patient."""

    def __init__(self, stack: Stack, pbx: Threaded, *, admin: str, patient: str) -> None:
        self.stack, self.pbx = stack, pbx
        every = dt.time(0), dt.time(23, 59, 59)
        self.clinic = Clinic.objects.create(
            name="Клиника", calls_from=every[0], calls_to=every[1], calls_dayoff_from=every[0], calls_dayoff_to=every[1],
            observes_holidays=False,
        )  # fmt: skip
        OpeningHours.objects.bulk_create(
            OpeningHours(clinic=self.clinic, weekday=day, opens=every[0], closes=every[1]) for day in range(7)
        )
        CallbackSettings.objects.create(clinic=self.clinic, talk_seconds=3, choice_seconds=1, patient_seconds=10)
        self.user = User.objects.create_user("a", full_name="Орлова Ольга", roles=[str(StaffRole.ADMINISTRATOR)])
        self.user.clinics.add(self.clinic)
        bind_phone(user=self.user, kind=PhoneKind.PBX, endpoint=f"Local/{admin}@peers", now=timezone.now())
        self.trunk = f"Local/{patient}@peers"
        self.request = accept_request(
            clinic=self.clinic, name="Вера", phone="+79000007701", now=timezone.now(), by=None, comment=""
        )

    def robot(self, name: str = "") -> Process:
        return self.stack.manage(
            "run_robot",
            "--idle",
            "0.5",
            PBX="ari",
            ARI_URL=self.pbx.server.url,
            ARI_USER=ari_server.USER,
            ARI_PASSWORD=ari_server.PASSWORD,
            ARI_TRUNK=self.trunk,
            ARI_MEDIA="path",
        )

    def until(self, *states: str, seconds: float = 40) -> None:
        def there() -> bool:
            run_due_requests(now=timezone.now())
            return CallbackRequest.objects.get().state in states

        self.stack.wait_until(there, seconds=seconds, what=f"the request is {' or '.join(states)}")

    def linked(self) -> None:
        self.stack.wait_until(
            lambda: RobotLease.objects.filter(connected=True).exists(), seconds=40, what="the robot is linked"
        )

    @property
    def dialled(self) -> list[str]:
        return self.pbx.server.dials


def test_a_robot_killed_while_it_rings_is_followed_by_another_and_nobody_is_rung_twice(
    stack: Stack, pbx: Threaded
) -> None:
    floor = Floor(stack, pbx, admin="admin_noanswer", patient="patient_long")
    first = floor.robot()
    floor.linked()
    floor.until(State.RINGING)
    stack.wait_until(lambda: len(floor.dialled) == 1, seconds=10, what="the administrator is rung")
    stack.kill(first)
    floor.robot()
    stack.wait_until(
        lambda: CallbackRequest.objects.get().state == State.WAITING, seconds=60, what="the attempt has ended"
    )
    assert len(floor.dialled) == 1
    assert Leg.objects.get().end == "no_answer"
    assert CallbackRequest.objects.get().due_at is not None


def test_a_talk_goes_on_without_its_robot_and_is_counted(stack: Stack, pbx: Threaded) -> None:
    floor = Floor(stack, pbx, admin="admin_thorough", patient="patient_long")
    first = floor.robot()
    floor.linked()
    floor.until(State.TALKING)
    stack.wait_until(lambda: Call.objects.get().connected_at is not None, seconds=10, what="they talk")
    stack.kill(first)
    floor.robot()
    stack.wait_until(lambda: RobotLease.objects.get().token == 2, seconds=30, what="another has taken over")
    floor.linked()
    assert len(pbx.server.channels) == 2  # nobody was cut off
    admin = Leg.objects.get(role=Role.EMPLOYEE)
    pbx.do(lambda: pbx.server.end(admin.channel, 16))
    floor.until(State.DONE)
    assert len(floor.dialled) == 2
    stack.wait_until(lambda: not pbx.server.channels, seconds=10, what="both telephones are put down")


@pytest.mark.faults
def test_a_robot_killed_between_the_answer_and_the_bridge_leaves_nobody_in_silence(stack: Stack, pbx: Threaded) -> None:
    floor = Floor(stack, pbx, admin="admin_thorough", patient="patient_long")
    first = floor.robot()
    floor.linked()
    floor.until(State.DIALLING)
    stack.kill(first)  # the patient answers a second later, and nobody hears of it
    stack.wait_until(lambda: sum(one.in_stasis for one in pbx.server.channels.values()) <= 2, seconds=5, what="time")
    floor.robot()
    floor.until(State.TALKING, State.WAITING, seconds=60)
    assert len(floor.dialled) == len(set(floor.dialled)) <= 2


@pytest.mark.faults
def test_an_exchange_that_is_away_for_a_while_is_found_again(stack: Stack, pbx: Threaded) -> None:
    floor = Floor(stack, pbx, admin="admin_thorough", patient="patient_long")
    floor.robot()
    floor.linked()
    floor.until(State.TALKING)
    stack.wait_until(lambda: Call.objects.get().connected_at is not None, seconds=10, what="they talk")
    pbx.do(pbx.server.go_away)
    stack.wait_until(lambda: not RobotLease.objects.get().connected, seconds=20, what="the link is known to be down")
    pbx.do(pbx.server.come_back)
    floor.linked()
    assert len(pbx.server.channels) == 2
    pbx.do(lambda: pbx.server.end(Leg.objects.get(role=Role.PATIENT).channel, 16))
    floor.until(State.DONE)
    assert len(floor.dialled) == 2


@pytest.mark.faults
def test_two_robots_and_an_empty_valkey_make_one_call(stack: Stack, pbx: Threaded) -> None:
    floor = Floor(stack, pbx, admin="admin_thorough", patient="patient_long")
    floor.robot()
    floor.robot()
    floor.linked()
    stack.empty_valkey()
    floor.until(State.TALKING)
    stack.empty_valkey()
    stack.wait_until(lambda: Call.objects.get().connected_at is not None, seconds=10, what="they talk")
    assert len(floor.dialled) == 2
    assert RobotLease.objects.get().token == 1
