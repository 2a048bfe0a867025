"""Who has lost the lease can write nothing and dial nothing, at whatever point he was asleep."""

import datetime as dt
import time

import pytest

from callback.actions import run_due_requests
from callback.models import CallbackRequest
from callback.state_machine import RequestState
from callcenter.telephony.models import Leg, PbxCommand, RobotLease
from callcenter.telephony.pbx.base import Answered, PbxUnavailable
from callcenter.telephony.pbx.simulator import SimulatorPbx
from callcenter.telephony.robot import FRESH, LeaseLost, Robot
from callcenter.telephony.states import CommandState
from tests.callback.rig import Rig
from tests.concurrency.race import overlapping

pytestmark = pytest.mark.django_db


def taken_over(rig: Rig) -> Robot:
    """The rig's robot sleeps until its lease is another's; returns the sleeper."""
    sleeper = rig.robot
    rig.now += dt.timedelta(seconds=15)
    rig.robot = Robot(
        lambda: SimulatorPbx(lambda: rig.now), holder="second", clock=lambda: rig.now, workers=0
    )
    for _ in range(3):
        rig.robot.run_once(0)
    return sleeper


def everything() -> list[object]:
    """The rows that a robot writes."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (CallbackRequest, Leg, PbxCommand, RobotLease)
    ]


def test_who_wakes_up_with_news_cannot_write_it(rig: Rig) -> None:
    rig.bind(rig.world.administrator, "admin_noanswer")
    request = rig.ask()
    rig.run_until(RequestState.RINGING, request=request, seconds=5)
    rig.run(1)
    sleeper, leg = taken_over(rig), Leg.objects.latest("pk")
    before = everything()
    with pytest.raises(LeaseLost):
        sleeper._handle(Answered(rig.now, leg.channel))
    with pytest.raises(LeaseLost):
        sleeper._finish(PbxCommand.objects.earliest("pk").pk, CommandState.REFUSED)
    with pytest.raises(LeaseLost):
        sleeper.run_once(0)
    assert everything() == before


def test_who_wakes_up_takes_no_command(rig: Rig) -> None:
    rig.bind(rig.world.administrator, "admin_noanswer")
    sleeper = taken_over(rig)
    rig.ask()
    run_due_requests(now=rig.now)
    assert PbxCommand.objects.get().state == CommandState.PENDING
    sleeper._beat_at = rig.now  # asleep between the heartbeat and the claim
    with pytest.raises(LeaseLost):
        sleeper._carry_out()
    assert PbxCommand.objects.get().state == CommandState.PENDING
    assert sleeper.pbx is not None
    assert sleeper.pbx.snapshot().channels == {}


def test_who_fell_asleep_with_a_command_in_his_hand_does_not_dial(
    rig: Rig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Taken under a lease that was his then; carried out after it became another's, it would ring a
    telephone twice.
    """
    rig.bind(rig.world.administrator, "admin_noanswer")
    rig.ask()
    run_due_requests(now=rig.now)
    command = PbxCommand.objects.get()
    taken = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: taken + FRESH + 1)
    with pytest.raises(PbxUnavailable):
        rig.robot._ask(command, command.leg, taken)
    assert rig.simulator.snapshot().channels == {}


@pytest.mark.django_db(transaction=True)
def test_the_lease_is_not_taken_over_in_the_middle_of_a_write(rig: Rig) -> None:
    """The fence is the lease's own row lock: the next holder waits until what was begun under it is
    committed.
    """
    order: list[str] = []

    def write() -> bool:
        with rig.robot._fence():
            order.append("written")
        return True

    def take() -> bool:
        late = Robot(
            lambda: SimulatorPbx(lambda: rig.now),
            holder="second",
            clock=lambda: rig.now + dt.timedelta(minutes=1),
            workers=0,
        )
        taken = late.take_lease()
        order.append("taken over")
        return taken

    waited: set[int] = set()
    assert overlapping([write, take], waited=waited) == [True, True]
    assert order == ["written", "taken over"]
    assert waited == {1}
    with pytest.raises(LeaseLost), rig.robot._fence():
        pass
