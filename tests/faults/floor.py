"""A clinic that is always open, one administrator at a telephone of an exchange, and a request."""

import datetime as dt

from django.utils import timezone

from callback.actions import accept_request, run_due_requests
from callback.models import CallbackAttempt, CallbackRequest, CallbackSettings
from callcenter.clinics.models import Clinic, OpeningHours
from callcenter.staff.models import User
from callcenter.staff.roles import Role as StaffRole
from callcenter.telephony.actions.staff_phones import bind_phone
from callcenter.telephony.models import RobotLease
from callcenter.telephony.states import PhoneKind
from tests.faults.conftest import Process, Stack

ALWAYS = dt.time(0), dt.time(23, 59, 59)


class Floor:
    def __init__(self, stack: Stack, *, admin: str, trunk: str, **ways: object) -> None:
        """`admin`: the administrator's address at the exchange; `trunk`: the patient's, whatever
        his number.
        """
        self.stack, self.endpoint, self.trunk = stack, admin, trunk
        self.clinic = Clinic.objects.create(
            name="Клиника",
            calls_from=ALWAYS[0],
            calls_to=ALWAYS[1],
            calls_dayoff_from=ALWAYS[0],
            calls_dayoff_to=ALWAYS[1],
            observes_holidays=False,
        )
        OpeningHours.objects.bulk_create(
            OpeningHours(clinic=self.clinic, weekday=day, opens=ALWAYS[0], closes=ALWAYS[1])
            for day in range(7)
        )
        quick: dict[str, object] = {"talk_seconds": 3, "choice_seconds": 1, "patient_seconds": 10}
        CallbackSettings.objects.create(clinic=self.clinic, **{**quick, **ways})
        self.user = self._person("a", "Орлова Ольга")
        bind_phone(user=self.user, kind=PhoneKind.PBX, endpoint=admin, now=timezone.now())
        self.request = accept_request(
            clinic=self.clinic,
            name="Вера",
            phone="+79000007701",
            now=timezone.now(),
            by=None,
            comment="",
        )

    def _person(self, login: str, name: str) -> User:
        person = User.objects.create_user(
            login, full_name=name, roles=[str(StaffRole.ADMINISTRATOR)]
        )
        person.clinics.add(self.clinic)
        return person

    def colleague(self) -> User:
        return self._person("b", "Зимина Зоя")

    def run_robot(self, **env: str) -> Process:
        return self.stack.manage(
            "run_robot", "--idle", "0.5", PBX="ari", ARI_TRUNK=self.trunk, ARI_MEDIA="path", **env
        )

    def until(self, *states: str, seconds: float = 40) -> None:
        """The ticker's work is done here, in small steps, until the request is in one of the
        states.
        """

        def there() -> bool:
            run_due_requests(now=timezone.now())
            return CallbackRequest.objects.get().state in states

        self.stack.wait_until(there, seconds=seconds, what=f"the request is {' or '.join(states)}")

    def until_tried(self, *, seconds: float) -> None:
        """Until the first attempt is over."""

        def over() -> bool:
            run_due_requests(now=timezone.now())
            return CallbackAttempt.objects.filter(ended_at__isnull=False).exists()

        self.stack.wait_until(over, seconds=seconds, what="the attempt is over")

    def linked(self) -> None:
        self.stack.wait_until(
            lambda: RobotLease.objects.filter(connected=True).exists(),
            seconds=120,
            what="the robot is linked",
        )
