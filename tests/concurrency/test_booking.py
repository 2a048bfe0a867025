"""Two administrators at one window: one gets it, the other is told what happened. Each race is first shown to be real."""

import datetime as dt
import time
from typing import Any

import pytest
from django.db import models

from callcenter.clinics import actions
from callcenter.clinics.actions import booking
from callcenter.clinics.models import Appointment, ScheduleWindow
from callcenter.lib.errors import Conflict
from tests.concurrency.race import at_once
from tests.conftest import NOON, World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product without its lock, and with the pause between look and write that a busy server has."""
    monkeypatch.setattr(booking, "lock_doctor_days", lambda keys: list(keys))

    def look_then_dawdle(doctor: Any, starts_at: dt.datetime, ends_at: dt.datetime, but: Any = None) -> None:
        clash = (
            Appointment.objects.occupying().filter(doctor=doctor, starts_at__lt=ends_at, ends_at__gt=starts_at).exists()
        )
        time.sleep(0.3)
        if clash:
            raise Conflict("занято")

    monkeypatch.setattr(booking, "_refuse_overlap", look_then_dawdle)


@pytest.fixture
def dawdling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pause with the lock in place."""
    real = booking._refuse_overlap

    def look_then_dawdle(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        time.sleep(0.3)

    monkeypatch.setattr(booking, "_refuse_overlap", look_then_dawdle)


def overlapping(world: World) -> list[ScheduleWindow]:
    """Two windows of one doctor that overlap, as two systems may write them."""
    start = NOON + dt.timedelta(days=1)
    return [world.window(start), world.window(start + dt.timedelta(minutes=15))]


def book_both(world: World) -> list[Appointment | Exception]:
    windows = overlapping(world)
    people = [world.patient("Первый"), world.patient("Второй")]
    return at_once(
        [
            lambda patient=patient, window=window: actions.book_appointment(  # type: ignore[misc]
                patient=patient, window=window, by=world.administrator, now=NOON
            )
            for patient, window in zip(people, windows, strict=True)
        ]
    )


def test_without_the_lock_the_doctor_is_double_booked(world: World, unguarded: None) -> None:
    book_both(world)
    assert Appointment.objects.count() == 2


def test_with_the_lock_one_books_and_the_other_meets_a_conflict(world: World, dawdling: None) -> None:
    results = book_both(world)
    assert Appointment.objects.count() == 1
    assert sum(isinstance(result, Conflict) for result in results) == 1


def test_the_same_window_goes_to_one_of_five(world: World) -> None:
    window = world.window()
    people = [world.patient(f"Пациент{index}") for index in range(5)]
    results = at_once(
        [
            lambda patient=patient: actions.book_appointment(  # type: ignore[misc]
                patient=patient, window=window, by=world.administrator, now=NOON
            )
            for patient in people
        ]
    )
    assert Appointment.objects.count() == 1
    assert sum(isinstance(result, Conflict) for result in results) == 4


def test_two_clicks_of_one_person_make_one_visit(world: World) -> None:
    window, patient = world.window(), world.patient()
    at_once([lambda: actions.book_appointment(patient=patient, window=window, by=world.administrator, now=NOON)] * 2)
    assert Appointment.objects.count() == 1


def test_two_swaps_do_not_wait_for_each_other_for_ever(world: World) -> None:
    """Moves that need each other's days take the locks in one order: both end, no deadlock."""
    day = NOON + dt.timedelta(days=1)
    first, second = world.visit(starts_at=day), world.visit(starts_at=day + dt.timedelta(days=1))
    to_second, to_first = world.window(day + dt.timedelta(days=1, hours=2)), world.window(day + dt.timedelta(hours=2))
    results = at_once(
        [
            lambda: actions.reschedule_appointment(first, window=to_second, by=world.administrator, now=NOON),
            lambda: actions.reschedule_appointment(second, window=to_first, by=world.administrator, now=NOON),
        ]
    )
    assert all(isinstance(result, models.Model) for result in results), results


def test_two_cancellations_free_the_window_once_and_the_second_is_told(world: World) -> None:
    window = world.window()
    visit = actions.book_appointment(patient=world.patient(), window=window, by=world.administrator, now=NOON)
    cancel = lambda: actions.cancel_appointment(visit, reason="нет", by=world.administrator, now=NOON)  # noqa: E731
    results = at_once([cancel, cancel])
    assert sum(isinstance(result, Conflict) for result in results) == 1
    visit.refresh_from_db()
    window.refresh_from_db()
    assert (visit.version, window.state) == (2, "free")
