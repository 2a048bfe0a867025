"""Races over an import: two confirmations, two workers; each first shown to happen without its guard."""

import copy
import datetime as dt
import threading
from collections.abc import Callable, Mapping

import pytest
from django.db import transaction

from callcenter.audit.models import AuditEntry
from callcenter.clinics import actions as clinics
from callcenter.clinics.actions import bulk_appointments
from callcenter.clinics.locks import MOST_DAYS, lock_doctor_days
from callcenter.clinics.models import Appointment, Patient, ScheduleWindow
from callcenter.imports import actions
from callcenter.imports.models import ImportRun
from callcenter.imports.states import ImportState
from callcenter.lib.errors import Conflict
from tests.concurrency.race import at_once
from tests.conftest import NOON, World
from tests.imports.files import check, csv, start

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ready(world: World) -> ImportRun:
    rows = [("Ким Анна", f"+7900000{n:04}") for n in range(300)]
    run = start("patients", csv(("ФИО", "Телефон"), *rows), clinic=world.clinic, by=world.senior, now=NOON)
    return check(run, by=world.senior, now=NOON)


def confirm(run: ImportRun, world: World) -> Callable[[], ImportRun]:
    return lambda: actions.confirm_import(run, cancel_missing=False, by=world.senior, now=NOON)


def test_of_two_confirmations_at_once_one_is_told_so(world: World, ready: ImportRun) -> None:
    results = at_once([confirm(ready, world), confirm(ready, world)])
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "ImportRun"]


def test_without_the_rows_lock_both_confirmations_pass(
    world: World, ready: ImportRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the lock is for: the state read before, both believe that they are the first."""

    def unlocked(run: ImportRun, states: tuple[ImportState, ...]) -> ImportRun:
        if run.state not in states:
            raise Conflict("поздно")
        return run

    monkeypatch.setattr(actions, "_locked", unlocked)
    twice = [ImportRun.objects.get(pk=ready.pk) for _ in range(2)]
    results = at_once([confirm(one, world) for one in twice])
    assert all(isinstance(result, ImportRun) for result in results)


def test_two_workers_load_it_once(world: World, ready: ImportRun) -> None:
    actions.confirm_import(ready, cancel_missing=False, by=world.senior, now=NOON)
    work = lambda: actions.work_on_due(clock=lambda: NOON)  # noqa: E731
    results = at_once([work, work, work])
    assert sorted(map(str, results)) == ["False", "False", "True"]
    assert Patient.objects.count() == 300


def test_a_worker_taken_for_dead_and_the_next_one_load_it_once(world: World, ready: ImportRun) -> None:
    """The lease ran out under a slow worker: both load, and the database lets only one of them write."""
    actions.confirm_import(ready, cancel_missing=False, by=world.senior, now=NOON)

    def reaper_and_next() -> bool:
        while not actions.release_abandoned(now=NOON + dt.timedelta(minutes=5)):
            if ImportRun.objects.get(pk=ready.pk).state == ImportState.DONE:
                return False
        return actions.work_on_due(clock=lambda: NOON + dt.timedelta(minutes=5))

    at_once([lambda: actions.work_on_due(clock=lambda: NOON), reaper_and_next])
    while ImportRun.objects.due().exists():
        actions.work_on_due(clock=lambda: NOON + dt.timedelta(minutes=6))
    ready.refresh_from_db()
    assert ready.state == ImportState.DONE
    assert Patient.objects.count() == 300


def visit_at(window: ScheduleWindow, world: World) -> Appointment:
    return Appointment(
        patient=world.patient(),
        doctor=window.doctor,
        clinic=window.clinic,
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        source="import",
        created_at=NOON,
        changed_at=NOON,
    )


def race_for_one_time(world: World, monkeypatch: pytest.MonkeyPatch, *, days: int = 1) -> list[object]:
    """An import looks whether the time is free; before it commits, an administrator tries to book the same time."""
    window = world.window()
    looked, tried = threading.Event(), threading.Event()
    look = bulk_appointments._overlapping

    def look_and_wait(places: Mapping[int, Appointment]) -> set[int]:
        refused = look(places)
        looked.set()
        tried.wait(2)
        return refused

    monkeypatch.setattr(bulk_appointments, "_overlapping", look_and_wait)
    visits = [visit_at(window, world)]
    for day in range(1, days):  # the same hour of further days: more days than are locked one by one
        visits.append(copy.copy(visits[0]))
        visits[-1].starts_at += dt.timedelta(days=day)
        visits[-1].ends_at += dt.timedelta(days=day)
    other = world.patient()

    def bring_in() -> object:
        with transaction.atomic():
            return clinics.schedule_appointments(visits, by=None, now=NOON, note="импорт")

    def book() -> object:
        looked.wait(10)
        try:
            return clinics.book_appointment(patient=other, window=window, by=world.administrator, now=NOON)
        finally:
            tried.set()

    return at_once([bring_in, book])


@pytest.mark.parametrize("days", [1, MOST_DAYS + 1], ids=["its own day", "the lock of all days"])
def test_a_booking_and_an_import_never_take_one_time(world: World, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    imported, booked = race_for_one_time(world, monkeypatch, days=days)
    assert imported == set()
    assert isinstance(booked, Conflict)
    assert Appointment.objects.occupying().count() == days


def test_without_the_lock_of_the_day_they_both_take_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_appointments, "lock_doctor_days", lambda keys: None)
    race_for_one_time(world, monkeypatch)
    assert Appointment.objects.occupying().count() == 2


def book_while_an_import_writes(world: World, *, lock_first: bool) -> list[object]:
    """An import of the same doctor, day and patient has written its rows and is not over yet."""
    window, wanted = (world.window(NOON + dt.timedelta(days=1, hours=hour)) for hour in (0, 3))
    visit = visit_at(window, world)
    written, tried = threading.Event(), threading.Event()

    def bring_in() -> object:
        with transaction.atomic():
            if lock_first:
                lock_doctor_days(clinics.days_to_come([visit], NOON))
            clinics.write_visits([visit], by=None, now=NOON, note="импорт")
            written.set()
            booked_meanwhile = tried.wait(2)
            lock_doctor_days(clinics.days_to_come([visit], NOON))
            clinics.place_visits([visit], by=None, now=NOON)
            return booked_meanwhile

    def book() -> object:
        written.wait(10)
        try:
            return clinics.book_appointment(patient=visit.patient, window=wanted, by=world.administrator, now=NOON)
        finally:
            tried.set()

    return at_once([bring_in, book])


def test_a_booking_does_not_wait_for_an_import_that_writes(world: World) -> None:
    booked_meanwhile, booked = book_while_an_import_writes(world, lock_first=False)
    assert booked_meanwhile is True
    assert isinstance(booked, Appointment)


def test_it_would_wait_if_the_import_locked_first(world: World) -> None:
    booked_meanwhile, booked = book_while_an_import_writes(world, lock_first=True)
    assert booked_meanwhile is False
    assert isinstance(booked, Appointment)


def test_who_booked_while_the_import_wrote_stays_and_the_row_is_taken_back(world: World) -> None:
    window = world.window()
    visit = visit_at(window, world)
    with transaction.atomic():
        clinics.write_visits([visit], by=None, now=NOON, note="импорт")
        Appointment.objects.filter(pk=visit.pk).update(starts_at=window.starts_at - dt.timedelta(days=9))
        booked = clinics.book_appointment(patient=world.patient(), window=window, by=world.administrator, now=NOON)
        Appointment.objects.filter(pk=visit.pk).update(starts_at=window.starts_at)
        assert clinics.place_visits([visit], by=None, now=NOON) == {0}
    assert Appointment.objects.get() == booked
    assert not AuditEntry.objects.filter(action="clinics.booked", object_id=visit.pk).exists()
    window.refresh_from_db()
    assert window.appointment == booked
