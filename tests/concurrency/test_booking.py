"""Two administrators at one window: one gets it, the other is told what happened. Each race is
first shown to be real.
"""

import datetime as dt
from typing import Any

import pytest
from django.db import connection, models, transaction

from callcenter.clinics import actions
from callcenter.clinics.actions import booking
from callcenter.clinics.models import Appointment
from callcenter.lib.errors import Conflict
from tests.concurrency.race import at_once, overlapping
from tests.conftest import NOON, World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product without its lock."""
    monkeypatch.setattr(booking, "lock_doctor_days", lambda keys: None)


def book_both(world: World) -> list[Appointment | Exception]:
    """Two windows of one doctor that overlap, as two systems may write them."""
    start = NOON + dt.timedelta(days=1)
    windows = [world.window(start), world.window(start + dt.timedelta(minutes=15))]
    people = [world.patient("Первый"), world.patient("Второй")]
    return overlapping(
        [
            lambda patient=patient, window=window: actions.book_appointment(  # type: ignore[misc]
                patient=patient, window=window, by=world.administrator, now=NOON
            )
            for patient, window in zip(people, windows, strict=True)
        ]
    )


def test_without_the_lock_the_doctor_is_double_booked(world: World, unguarded: None) -> None:
    assert [type(result) for result in book_both(world)] == [Appointment, Appointment]
    assert Appointment.objects.count() == 2


def test_with_the_lock_one_books_and_the_other_meets_a_conflict(world: World) -> None:
    assert [type(result) for result in book_both(world)] == [Appointment, Conflict]
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize("race", [at_once, overlapping])
def test_the_same_window_goes_to_one_of_five(world: World, race: Any) -> None:
    window = world.window()
    people = [world.patient(f"Пациент{index}") for index in range(5)]
    results = race(
        [
            lambda patient=patient: actions.book_appointment(
                patient=patient, window=window, by=world.administrator, now=NOON
            )
            for patient in people
        ]
    )
    assert Appointment.objects.count() == 1
    assert sum(isinstance(result, Conflict) for result in results) == 4


def test_two_clicks_of_one_person_make_one_visit(world: World) -> None:
    window, patient = world.window(), world.patient()
    overlapping(
        [
            lambda: actions.book_appointment(
                patient=patient, window=window, by=world.administrator, now=NOON
            )
        ]
        * 2
    )
    assert Appointment.objects.count() == 1


def test_two_swaps_do_not_wait_for_each_other_for_ever(world: World) -> None:
    """Moves that need each other's days: both end, no deadlock."""
    day = NOON + dt.timedelta(days=1)
    first, second = world.visit(starts_at=day), world.visit(starts_at=day + dt.timedelta(days=1))
    to_second, to_first = (
        world.window(day + dt.timedelta(days=1, hours=2)),
        world.window(day + dt.timedelta(hours=2)),
    )
    results = at_once(
        [
            lambda: actions.reschedule_appointment(
                first, window=to_second, by=world.administrator, now=NOON
            ),
            lambda: actions.reschedule_appointment(
                second, window=to_first, by=world.administrator, now=NOON
            ),
        ]
    )
    assert all(isinstance(result, models.Model) for result in results), results


def test_who_waits_for_the_earlier_day_does_not_hold_the_later_one(world: World) -> None:
    """The one order of locks is what keeps two swaps from waiting in a ring."""
    day = NOON + dt.timedelta(days=1)
    visit = world.visit(starts_at=day + dt.timedelta(days=1))
    window = world.window(day + dt.timedelta(hours=2))

    def hold(moment: dt.datetime) -> object:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(%s, %s)",
                [world.doctor.pk, moment.astimezone(dt.UTC).toordinal()],
            )
            return cursor.fetchone()

    first, moved, second = overlapping(
        [
            lambda: hold(day),
            lambda: actions.reschedule_appointment(
                visit, window=window, by=world.administrator, now=NOON
            ),
            lambda: hold(visit.starts_at),
        ]
    )
    assert (first, second) == ((True,), (True,))
    assert isinstance(moved, Appointment)


def test_two_cancellations_free_the_window_once_and_the_second_is_told(world: World) -> None:
    window = world.window()
    visit = actions.book_appointment(
        patient=world.patient(), window=window, by=world.administrator, now=NOON
    )

    def cancel() -> Appointment:
        return actions.cancel_appointment(visit, reason="нет", by=world.administrator, now=NOON)

    assert [type(result) for result in overlapping([cancel, cancel])] == [Appointment, Conflict]
    visit.refresh_from_db()
    window.refresh_from_db()
    assert (visit.version, window.state) == (2, "free")
