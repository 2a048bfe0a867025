"""A clinic with a robot on a clock that the test turns: the real rows, the real robot, simulated
telephones.
"""

import array
import datetime as dt
from dataclasses import dataclass, field

import pytest

from callback.actions import accept_request, free_stale_requests, run_due_requests
from callback.models import CallbackRequest, CallbackSettings, RequestSource
from callcenter.staff.models import User
from callcenter.telephony.actions.staff_phones import bind_phone
from callcenter.telephony.models import Call, PhoneBinding
from callcenter.telephony.pbx.simulator import PhonePersona, SimulatorPbx
from callcenter.telephony.robot import Robot
from callcenter.telephony.speech import engines
from callcenter.telephony.states import PhoneKind
from tests.conftest import World


class Beep:
    """A voice for tests: a tenth of a second for each word."""

    def say(self, words: str) -> engines.Samples:
        return engines.Samples(array.array("h", bytes(1600 * len(words.split()))), 8000)


@dataclass
class Rig:
    world: World
    now: dt.datetime
    personas: dict[str, PhonePersona] = field(default_factory=dict)
    simulator: SimulatorPbx = field(init=False)
    robot: Robot = field(init=False)

    def __post_init__(self) -> None:
        self.start_robot("first")

    def start_robot(self, name: str) -> None:
        """A process at an exchange of its own making; the old one, if any, is simply gone."""
        self.simulator = SimulatorPbx(
            lambda: self.now, personas=self.personas, wait=lambda _seconds: None
        )
        self.robot = Robot(lambda: self.simulator, holder=name, clock=lambda: self.now, workers=0)
        for _ in range(3):
            self.robot.run_once(0)

    def bind(self, user: User, persona: str) -> PhoneBinding:
        """The user sits at a telephone that behaves like the persona."""
        return bind_phone(
            user=user, kind=PhoneKind.PBX, endpoint=f"persona/{persona}", now=self.now
        )

    def ask(self, digit: str = "0", **fields: object) -> CallbackRequest:
        """A request; the last digit of its number is the patient's character (see
        simulator.BY_LAST_DIGIT).
        """
        values: dict[str, object] = {
            "clinic": self.world.clinic,
            "name": "Пётр Семёнов",
            "phone": f"+7900000770{digit}",
            "now": self.now,
            "by": None,
            "doctor": self.world.doctor,
        }
        return accept_request(**{**values, **fields})  # type: ignore[arg-type]

    def settle(self) -> None:
        """Everything that is to happen at this very moment happens."""
        for _ in range(300):
            worked = self.robot.run_once(0)
            free_stale_requests(now=self.now)
            if not (run_due_requests(now=self.now) or worked):
                return
        pytest.fail("the rig does not come to rest")

    def run(self, seconds: float) -> None:
        """Turns the clock, stopping at every moment at which something is due."""
        until = self.now + dt.timedelta(seconds=seconds)
        self.settle()
        while self.now < until:
            self._turn(until)

    def _turn(self, until: dt.datetime) -> None:
        """To the next moment at which something is due, but not beyond `until`."""
        moments = [until, self.simulator.next_moment()]
        moments += Call.objects.filter(ended_at=None).values_list("step_due_at", flat=True)
        moments += CallbackRequest.objects.exclude(due_at=None).values_list("due_at", flat=True)
        self.now = min(
            max(moment, self.now + dt.timedelta(milliseconds=50)) for moment in moments if moment
        )
        self.settle()

    def run_until(
        self, *states: str, request: CallbackRequest, seconds: float = 3600
    ) -> CallbackRequest:
        """Until the request is in one of the states; fails after `seconds`."""
        until = self.now + dt.timedelta(seconds=seconds)
        self.settle()
        while True:
            request.refresh_from_db()
            if request.state in states:
                return request
            if self.now >= until:
                pytest.fail(
                    f"{request.state} after {seconds} s:"
                    f" {[line.text for line in request.lines.all()]}"
                )
            self._turn(until)

    def change_settings(self, **changes: object) -> CallbackSettings:
        row, _ = CallbackSettings.objects.update_or_create(
            clinic=self.world.clinic, defaults=changes
        )
        return row

    def source(self, **fields: object) -> RequestSource:
        values: dict[str, object] = {
            "name": "НаПоправку",
            "code": "napopravku",
            "spoken": "НаПоправку",
            "key_digest": "0" * 64,
            "secret": "s" * 32,
            "created_at": self.now,
        }
        row = RequestSource.objects.create(**{**values, **fields})
        row.clinics.add(self.world.clinic)
        return row
