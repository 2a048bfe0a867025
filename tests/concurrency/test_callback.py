"""Races of the robot: two tickers at one request, two calls to one patient, to one administrator;
each first without its guard.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import models

from callback.actions import due_requests
from callback.models import CallbackAttempt, CallbackRequest
from callcenter.contacts.states import Direction
from callcenter.lib.errors import Conflict
from callcenter.staff.models import User
from callcenter.telephony.actions import call_control
from callcenter.telephony.models import Leg
from callcenter.telephony.states import LegRole, Scenario
from tests.callback.rig import Rig
from tests.concurrency.race import overlapping, without_constraint

pytestmark = pytest.mark.django_db(transaction=True)


# --- the claim of due requests
# ---------------------------------------------------------------------------------------


@pytest.fixture
def due(rig: Rig) -> list[CallbackRequest]:
    """Twenty requests due at once; nobody sits at a telephone, so a look at one ends in the next
    five minutes.
    """
    return [rig.ask(phone=f"+790000077{n:02}", name=f"Пациент {n}") for n in range(20)]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every look at a request by its number, whoever looked."""
    looked: list[int] = []
    look = due_requests.process_due_request

    def note(known: CallbackRequest, batch: Any) -> None:
        looked.append(known.pk)
        look(known, batch)

    monkeypatch.setattr(due_requests, "process_due_request", note)
    return looked


def test_two_workers_look_at_each_due_request_once(
    rig: Rig,
    due: list[CallbackRequest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = counted(monkeypatch)
    results = overlapping([lambda: due_requests.run_due_requests(now=rig.now, limit=15)] * 2)
    rest = due_requests.run_due_requests(now=rig.now)
    assert (results, rest) == ([15, 5], 0)
    assert sorted(looked) == sorted(one.pk for one in due)


def test_without_the_lock_of_the_claim_both_take_the_same_requests(
    rig: Rig,
    due: list[CallbackRequest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unlocked(rows: models.QuerySet[Any], *, now: dt.datetime, limit: int) -> list[Any]:
        found = list(rows[:limit])
        CallbackRequest.objects.filter(pk__in=[one.pk for one in found]).update(claimed_at=now)
        return found

    monkeypatch.setattr(due_requests, "claim", unlocked)
    looked = counted(monkeypatch)
    assert overlapping(
        [lambda: due_requests.run_due_requests(now=rig.now, limit=20)] * 2, before="UPDATE"
    ) == [20, 20]
    assert len(looked) == 2 * len(due)


def test_even_then_a_request_has_one_live_attempt(
    rig: Rig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Behind the claim stands the row itself: the second look finds that its time has moved."""
    monkeypatch.setattr(due_requests, "claim", lambda rows, *, now, limit: list(rows[:limit]))
    rig.bind(rig.world.administrator, "admin_noanswer")
    rig.bind(rig.world.administrator2, "admin_noanswer")
    rig.ask()
    overlapping([lambda: due_requests.run_due_requests(now=rig.now)] * 4)
    assert CallbackAttempt.objects.count() == 1
    assert Leg.objects.count() == 1


# --- one live leg for each patient, one ring for each administrator
# --------------------------------------------------


def ringing(
    rig: Rig, *, role: LegRole, number: str = "", user: User | None = None
) -> Callable[[], Leg]:
    def ring() -> Leg:
        call = call_control.place_call(
            scenario=Scenario.CLICK,
            clinic=rig.world.clinic,
            direction=Direction.OUT,
            now=rig.now,
            number="+79000007700",
        )
        # what anybody would ask first, and what helps nobody who asks at the same moment
        if Leg.objects.filter(role=role, number=number, user=user).exclude(state="ended").exists():
            raise Conflict("seen in time")
        return call_control.ring(
            call,
            role=role,
            endpoint="persona/admin",
            number=number,
            user=user,
            timeout=25,
            now=rig.now,
        )

    return ring


GUARDS = [
    ("leg_one_per_patient", LegRole.PATIENT, "+79000007700", False),
    ("leg_one_per_employee", LegRole.EMPLOYEE, "", True),
    ("leg_one_ring_per_number", LegRole.EMPLOYEE, "+79000009999", False),
]


@pytest.mark.parametrize(("guard", "role", "number", "has_user"), GUARDS)
def test_of_many_calls_at_once_one_rings_and_the_others_are_told(
    rig: Rig,
    guard: str,
    role: LegRole,
    number: str,
    has_user: bool,
) -> None:
    user = rig.world.administrator if has_user else None
    results = overlapping([ringing(rig, role=role, number=number, user=user)] * 4)
    assert sorted(type(result).__name__ for result in results) == [
        "Conflict",
        "Conflict",
        "Conflict",
        "Leg",
    ]
    assert "seen in time" not in map(str, results)
    assert Leg.objects.count() == 1


@pytest.mark.parametrize(("guard", "role", "number", "has_user"), GUARDS)
def test_without_its_guard_the_same_telephone_rings_more_than_once(
    rig: Rig,
    guard: str,
    role: LegRole,
    number: str,
    has_user: bool,
) -> None:
    user = rig.world.administrator if has_user else None
    with without_constraint(Leg, guard):
        overlapping([ringing(rig, role=role, number=number, user=user)] * 4)
        assert Leg.objects.count() == 4
