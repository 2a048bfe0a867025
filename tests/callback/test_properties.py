"""Whatever happens, in whatever order: nothing is dialled twice, nothing goes out twice, everything
ends.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle, pairwise

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from callback import actions, state_machine
from callback.models import CallbackRequest
from callback.state_machine import RequestEvent, RequestState
from callcenter.clinics.actions import book_appointment
from callcenter.contacts.actions import InteractionInput, Participants, Phases, record_interaction
from callcenter.contacts.states import InteractionKind
from callcenter.contacts.states import InteractionState as ContactState
from callcenter.lib.errors import DomainError
from callcenter.messaging.models import Message
from callcenter.telephony.actions import event_handlers
from callcenter.telephony.models import Leg
from callcenter.telephony.pbx.base import DialRequest, PbxEvent
from callcenter.telephony.pbx.simulator import PERSONAS, SimulatorPbx, _Channel
from callcenter.telephony.states import LegRole
from tests.callback.rig import Rig
from tests.conftest import World

pytestmark = pytest.mark.django_db

ADMINS = [name for name in PERSONAS if name.startswith("admin")]
PATIENTS = [name for name in PERSONAS if name.startswith("patient")]
WINDOW = 40  # minutes instead of 150: the same machine in less time
PEOPLE = ["take", "stop", "done", "continue", "call_now", "postpone", "undo"]
DEEDS = [*PEOPLE, "crash", "repeat", "tick twice", "booking", "called himself", "second request"]


class Rollback(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    """Each example leaves the database as it found it."""
    with suppress(Rollback), transaction.atomic():
        yield
        raise Rollback


class Repeating(SimulatorPbx):
    """People drawn by hypothesis; and every event is remembered, to be told again."""

    def cast_as(self, admins: list[str], patients: list[str]) -> None:
        self._admins, self._patients = cycle(admins), cycle(patients)
        self.told: list[PbxEvent] = []

    def _made(self, dial: DialRequest) -> _Channel:
        role = Leg.objects.get(channel=dial.channel).role
        name = next(self._admins if role == LegRole.EMPLOYEE else self._patients)
        return _Channel(dial.channel, self.personas[name], dial.timeout)

    def events(self, wait: float) -> list[PbxEvent]:
        found = super().events(wait)
        self.told += found
        return found


class Story:
    """One request, its people, and what comes in between."""

    def __init__(self, world: World, admins: list[str], patients: list[str]) -> None:
        self.rig = Rig(world, world.now)
        self.cast = (admins, patients)
        self.rig.robot.release()
        self.start()
        self.rig.change_settings(window_minutes=WINDOW)
        self.rig.bind(world.administrator, "admin")
        self.rig.bind(world.administrator2, "admin")
        self.patient = world.patient("Семёнов", "Пётр", "", phones=["+79000007700"])
        self.request = self.rig.ask()

    def start(self) -> None:
        """A process at an exchange; the calls of the one before are gone with it."""
        rig = self.rig
        simulator = Repeating(lambda: rig.now, wait=lambda _seconds: None)
        simulator.cast_as(*self.cast)
        rig.simulator = simulator
        rig.robot = type(rig.robot)(
            lambda: simulator, holder=str(rig.now), clock=lambda: rig.now, workers=0
        )
        for _ in range(3):
            rig.robot.run_once(0)

    def happen(self, action: str) -> None:
        rig, who, now = self.rig, self.rig.world.administrator, self.rig.now
        request = CallbackRequest.objects.get(pk=self.request.pk)
        with suppress(DomainError):
            match action:
                case "crash":
                    rig.now += dt.timedelta(seconds=12)  # the lease runs out
                    self.start()
                case "repeat":
                    assert isinstance(rig.simulator, Repeating)
                    for event in rig.simulator.told[-8:]:
                        event_handlers.handle_event(event)
                case "tick twice":
                    actions.run_due_requests(now=now)
                    actions.run_due_requests(now=now)
                case "booking":
                    book_appointment(
                        patient=self.patient, window=rig.world.window(), by=who, now=now
                    )
                case "called himself":
                    record_interaction(
                        InteractionInput(
                            clinic=request.clinic,
                            kind=InteractionKind.CALL,
                            state=ContactState.ANSWERED,
                            phases=Phases(now),
                            participants=Participants(number=request.number),
                        ),
                        by=None,
                        now=now,
                    )
                case "second request":
                    rig.ask()
                case "take":
                    actions.take_over(request, by=who, now=now)
                case "stop":
                    actions.stop_robot(request, reason="дубль", by=who, now=now)
                case "done":
                    actions.mark_done(request, outcome="записан", by=who, now=now)
                case "continue":
                    actions.resume(request, by=who, now=now)
                case "call_now":
                    actions.call_now(request, by=who, now=now)
                case "postpone":
                    actions.postpone(request, at=now + dt.timedelta(minutes=17), by=who, now=now)
                case "undo":
                    actions.undo_closing(request, by=who, now=now)

    def check(self) -> None:
        """What must be true at every moment."""
        live = [one for one in self.request.attempts.all() if one.ended_at is None]
        assert len(live) <= 1
        legs = Leg.objects.exclude(state="ended")
        assert legs.filter(role=LegRole.PATIENT).count() <= 1
        for user in (self.rig.world.administrator, self.rig.world.administrator2):
            assert legs.filter(user=user).count() <= 1
        # Of each request at most one to each address: a story may hold two requests.
        sent = list(Message.objects.values_list("channel", "purpose", "subject_key", "to"))
        assert len(sent) == len(set(sent))

    def check_gaps(self) -> None:
        """Five minutes from the end of one attempt to the next, unless a person asked for less."""
        asked = self.request.lines.filter(
            event__in=[
                RequestEvent.CALL_NOW,
                RequestEvent.CONTINUE,
                RequestEvent.POSTPONE,
                RequestEvent.UNDO,
            ]
        )
        moments = list(asked.values_list("at", flat=True))
        for before, after in pairwise(self.request.attempts.all()):
            assert before.ended_at is not None
            if not any(before.started_at <= moment <= after.started_at for moment in moments):
                assert (after.started_at - before.ended_at).total_seconds() >= 300


plays = st.lists(st.tuples(st.integers(1, 900), st.sampled_from(DEEDS)), max_size=6)


@pytest.mark.timeout(600)
@settings(max_examples=10, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(
    admins=st.lists(st.sampled_from(ADMINS), min_size=1, max_size=5),
    patients=st.lists(st.sampled_from(PATIENTS), min_size=1, max_size=5),
    plays=plays,
)
def test_whatever_happens(
    world: World, beep: None, admins: list[str], patients: list[str], plays: list[tuple[int, str]]
) -> None:
    with undone():
        story = Story(world, admins, patients)
        for seconds, action in plays:
            story.rig.run(seconds)
            story.check()
            story.happen(action)
            story.check()
        story.rig.run(5400)
        story.check()
        story.check_gaps()
        request = CallbackRequest.objects.get(pk=story.request.pk)
        assert request.state in (*state_machine.FINAL, RequestState.ESCALATED)
        assert not Leg.objects.exclude(state="ended").exists()
        human = {action for _, action in plays} & {*PEOPLE, "booking", "called himself", "crash"}
        if request.state == RequestState.ESCALATED and not human:
            assert request.first_try_at is not None
            assert request.letter_at is not None
            assert (
                0 <= (request.letter_at - request.first_try_at).total_seconds() - WINDOW * 60 <= 200
            )
