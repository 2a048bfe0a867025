"""Clinic A with a cascade «MAX, then SMS» through the simulator, a ground, and makers of visits
with known personas.
"""

import datetime as dt
from dataclasses import dataclass

from callcenter.clinics.models import Appointment, Clinic, LegalBasis
from callcenter.messaging import actions
from callcenter.messaging.models import CascadeStep, Message, Provider, VisitLink
from callcenter.messaging.states import MessageChannel
from tests.conftest import World


@dataclass
class Post:
    """The outbox of clinic A and a clock that a test moves by hand."""

    world: World
    provider: Provider
    now: dt.datetime

    def clock(self) -> dt.datetime:
        return self.now

    def pass_time(self, **span: float) -> None:
        """Moves the clock and does what the ticks would have done by then."""
        self.now += dt.timedelta(**span)
        self.tick()

    def tick(self) -> None:
        for _ in range(3):
            actions.process_due_webhooks(now=self.now)
            actions.advance_due_cascades(now=self.now)
            actions.send_due(clock=self.clock, threads=2)

    def visit(self, last_digits: str = "01", hours: float = 24, **fields: object) -> Appointment:
        """A visit of a patient whose number ends so: his persona in the simulator."""
        number = (
            f"+79000{len(Message.objects.all()) % 10}{Appointment.objects.count():03}{last_digits}"
        )
        patient = fields.pop("patient", None) or self.world.patient(phones=[number])
        return self.world.visit(patient, self.now + dt.timedelta(hours=hours), **fields)  # type: ignore[arg-type]

    def queue(self, *visits: Appointment, channel: str | None = None) -> int:
        fresh = (
            Appointment.objects.filter(pk__in=[visit.pk for visit in visits])
            .select_related("clinic", "doctor", "patient")
            .prefetch_related("patient__phones")
        )
        return actions.queue_visit_messages(
            list(fresh), now=self.now, by=self.world.administrator, channel=channel
        )

    def of(self, visit: Appointment) -> dict[str, Message]:
        return {message.channel: message for message in Message.objects.filter(appointment=visit)}

    def link(self, visit: Appointment) -> VisitLink:
        return VisitLink.objects.get(
            appointment=visit, version=Appointment.objects.get(pk=visit.pk).version
        )


def add_cascade(clinic: Clinic, provider: Provider, *channels: str, wait: int = 20) -> None:
    for position, channel in enumerate(channels, start=1):
        CascadeStep.objects.create(
            clinic=clinic, position=position, channel=channel, provider=provider, wait_minutes=wait
        )
    LegalBasis.objects.create(
        clinic=clinic, purpose="service", basis="договор", since=dt.date(2026, 1, 1)
    )


def make_post(world: World) -> Post:
    provider = Provider.objects.create(
        name="Симулятор",
        kind="simulator",
        channels=[MessageChannel.MAX, MessageChannel.SMS, MessageChannel.EMAIL],
        settings={"pace": "20"},
    )
    add_cascade(world.clinic, provider, MessageChannel.MAX, MessageChannel.SMS)
    return Post(world, provider, world.now)
