"""A post office (tests/messaging) with a yellow shift, and makers of runs."""

import datetime as dt
from dataclasses import dataclass

import pytest

from callcenter.clinics.models import Appointment
from callcenter.messaging import actions as messaging
from callcenter.staff.models import Shift, User
from reminders import actions
from reminders.models import Reminder, ReminderRun, ReminderSettings
from tests.conftest import World
from tests.messaging.conftest import Post


@dataclass
class Desk:
    """Clinic A's «Дозвон» and the clock of a test. Noon of Wednesday 18 March 2026 in Moscow."""

    post: Post
    world: World

    @property
    def now(self) -> dt.datetime:
        return self.post.now

    def visit(self, last_digits: str = "01", hours: float = 24, **fields: object) -> Appointment:
        return self.post.visit(last_digits, hours, **fields)

    def open(self) -> ReminderRun:
        return actions.open_run(
            self.world.clinic, on=dt.date(2026, 3, 18), by=self.world.administrator, now=self.now
        )

    def row(self, visit: Appointment) -> Reminder:
        return Reminder.objects.select_related("patient").get(appointment=visit, removed_at=None)

    def settle(self, **span: float) -> None:
        """Lets messages, reports and answers arrive."""
        self.post.tick()
        self.post.pass_time(**(span or {"seconds": 40}))
        self.post.tick()

    def reply(self, visit: Appointment, text: str) -> None:
        from tests.messaging.test_webhooks import say

        number = visit.patient.phones.all()[0].number
        say(self.post, number, text, f"{visit.pk}-{text}", f"visit:a{visit.pk}:{visit.version}:max")

    def set(self, **fields: object) -> None:
        settings = ReminderSettings.objects.get_or_create(clinic=self.world.clinic)[0]
        for name, value in fields.items():
            setattr(settings, name, value)
        settings.save()


def yellow(user: User, *days: dt.date) -> None:
    Shift.objects.bulk_create(Shift(user=user, on=day, colour="yellow") for day in days)


@pytest.fixture
def desk(post: Post, world: World) -> Desk:
    messaging.process_due_webhooks(now=post.now)
    yellow(world.administrator, dt.date(2026, 3, 18), dt.date(2026, 3, 19))
    return Desk(post, world)
