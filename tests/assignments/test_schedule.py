"""The ladder's clock, as a table: working hours only, one step a working day."""

import datetime as dt

import pytest

from callcenter.assignments.schedule import SERVICE_HOURS, EscalationStep, next_step
from callcenter.assignments.states import LADDERS, Department, escalated_to
from callcenter.clinics.schedule import Hours
from callcenter.staff.roles import Role

# 08:00–20:00 Moscow, Sunday closed. 18.03.2026 is a Wednesday.
HOURS = Hours(zone="Europe/Moscow", week={day: (dt.time(8), dt.time(20)) for day in range(6)})
LADDER = (Role.SENIOR, Role.MANAGER)


def moscow(day: int, hour: int, minute: int = 0, month: int = 3) -> dt.datetime:
    return dt.datetime(2026, month, day, hour - 3, minute, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("now", "escalated", "step"),
    [
        (moscow(18, 12), 0, EscalationStep(Role.SENIOR, moscow(19, 12))),
        (moscow(18, 12), 1, EscalationStep(Role.MANAGER, None)),
        (moscow(18, 12), 2, EscalationStep(None, None)),
        (
            moscow(18, 20),
            0,
            EscalationStep(None, moscow(19, 8)),
        ),  # the closing minute is no working time
        (moscow(18, 7), 0, EscalationStep(None, moscow(18, 8))),
        (
            moscow(21, 12),
            0,
            EscalationStep(Role.SENIOR, moscow(23, 8)),
        ),  # Saturday: the next working day is Monday
        (moscow(22, 12), 0, EscalationStep(None, moscow(23, 8))),  # Sunday
        (
            moscow(8, 12, month=5),
            0,
            EscalationStep(Role.SENIOR, moscow(12, 8, month=5)),
        ),  # the 9th is a Saturday, the 11th off for it
    ],
)
def test_next_step(now: dt.datetime, escalated: int, step: EscalationStep) -> None:
    assert next_step(ladder=LADDER, escalated=escalated, hours=HOURS, now=now) == step


def test_a_clinic_without_hours_is_asked_again_tomorrow() -> None:
    closed = Hours(zone="Europe/Moscow", week={})
    now = moscow(18, 12)
    assert next_step(ladder=LADDER, escalated=0, hours=closed, now=now) == EscalationStep(
        None, now + dt.timedelta(days=1)
    )


def test_the_client_service_works_every_day_from_eight_to_eight() -> None:
    sunday = moscow(22, 12)
    assert (
        next_step(ladder=LADDER, escalated=0, hours=SERVICE_HOURS, now=sunday).role == Role.SENIOR
    )
    assert (
        next_step(ladder=LADDER, escalated=0, hours=SERVICE_HOURS, now=moscow(22, 21)).role is None
    )


def test_every_department_has_a_ladder_of_two_steps() -> None:
    assert set(LADDERS) == set(Department)
    assert {len(ladder) for ladder in LADDERS.values()} == {2}
    assert escalated_to(Department.OKS, 0) == ()
    assert escalated_to(Department.OKS, 2) == (Role.LEAD, Role.HEAD)
