"""Races over an import: two confirmations, two workers; each first shown to happen without its
guard.
"""

import copy
import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from callcenter.audit.models import AuditEntry
from callcenter.clinics import actions as clinics
from callcenter.clinics.actions import bulk_appointments
from callcenter.clinics.locks import MOST_DAYS, lock_doctor_days
from callcenter.clinics.models import Appointment, Patient, ScheduleWindow
from callcenter.imports import actions
from callcenter.imports.jobs import Report
from callcenter.imports.models import ImportRun
from callcenter.imports.patients import PatientsJob
from callcenter.imports.states import ImportState
from callcenter.lib.errors import Conflict
from tests.concurrency.race import at_once, no_row_locks, overlapping
from tests.conftest import NOON, World
from tests.imports.files import check, csv, start

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ready(world: World) -> ImportRun:
    rows = [("Ким Анна", f"+7900000{n:04}") for n in range(300)]
    run = start(
        "patients", csv(("ФИО", "Телефон"), *rows), clinic=world.clinic, by=world.senior, now=NOON
    )
    return check(run, by=world.senior, now=NOON)


def confirm(run: ImportRun, world: World) -> Callable[[], ImportRun]:
    return lambda: actions.confirm_import(run, cancel_missing=False, by=world.senior, now=NOON)


def test_of_two_confirmations_at_once_one_is_told_so(world: World, ready: ImportRun) -> None:
    results = overlapping([confirm(ready, world), confirm(ready, world)])
    assert [type(result) for result in results] == [ImportRun, Conflict]


def test_without_the_rows_lock_both_confirmations_pass(
    world: World, ready: ImportRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the lock is for: the state read before, both believe that they are the first."""
    with no_row_locks(monkeypatch):
        results = overlapping([confirm(ready, world), confirm(ready, world)])
    assert [type(result) for result in results] == [ImportRun, ImportRun]


def test_two_workers_load_it_once(world: World, ready: ImportRun) -> None:
    actions.confirm_import(ready, cancel_missing=False, by=world.senior, now=NOON)
    work = lambda: actions.work_on_due(clock=lambda: NOON)  # noqa: E731
    assert overlapping([work, work, work]) == [True, False, False]
    assert Patient.objects.count() == 300


def test_a_worker_taken_for_dead_and_the_next_one_load_it_once(
    world: World, ready: ImportRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease ran out under a slow worker: both load, and the database lets only one of them
    write.
    """
    actions.confirm_import(ready, cancel_missing=False, by=world.senior, now=NOON)
    write = PatientsJob.write
    late = NOON + dt.timedelta(minutes=5)

    def reaper_and_next() -> bool:
        assert actions.release_abandoned(now=late) == 1
        return actions.work_on_due(clock=lambda: late)

    def write_slowly(job: PatientsJob, report: Report) -> None:
        write(job, report)
        assert at_once([reaper_and_next]) == [False]

    with monkeypatch.context() as slow:
        slow.setattr(PatientsJob, "write", write_slowly)
        assert actions.work_on_due(clock=lambda: NOON)
    assert Patient.objects.count() == 0
    assert actions.work_on_due(clock=lambda: late)
    ready.refresh_from_db()
    assert (ready.state, Patient.objects.count()) == (ImportState.DONE, 300)


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


def race_for_one_time(world: World, *, days: int = 1) -> list[object]:
    """An import has seen that the time is free; before it takes the window, an administrator tries
    to book the same time.
    """
    window = world.window()
    visits = [visit_at(window, world)]
    for day in range(
        1, days
    ):  # the same hour of further days: more days than are locked one by one
        visits.append(copy.copy(visits[0]))
        visits[-1].starts_at += dt.timedelta(days=day)
        visits[-1].ends_at += dt.timedelta(days=day)
    other = world.patient()

    def bring_in() -> object:
        with transaction.atomic():
            return clinics.schedule_appointments(visits, by=None, now=NOON, note="импорт")

    def book() -> object:
        return clinics.book_appointment(
            patient=other, window=window, by=world.administrator, now=NOON
        )

    return overlapping([bring_in, book], before=f'UPDATE "{ScheduleWindow._meta.db_table}"')


@pytest.mark.parametrize("days", [1, MOST_DAYS + 1], ids=["its own day", "the lock of all days"])
def test_a_booking_and_an_import_never_take_one_time(world: World, days: int) -> None:
    imported, booked = race_for_one_time(world, days=days)
    assert imported == set()
    assert isinstance(booked, Conflict)
    assert Appointment.objects.occupying().count() == days


def test_without_the_lock_of_the_day_they_both_take_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_appointments, "lock_doctor_days", lambda keys: None)
    race_for_one_time(world)
    assert Appointment.objects.occupying().count() == 2


def book_while_an_import_writes(world: World, *, lock_first: bool) -> bool:
    """An import of the same doctor, day and patient has written its rows and is not over yet: has
    the booking to wait?
    """
    window, wanted = (world.window(NOON + dt.timedelta(days=1, hours=hour)) for hour in (0, 3))
    visit = visit_at(window, world)

    def bring_in() -> object:
        with transaction.atomic(), connection.cursor() as cursor:
            if lock_first:
                lock_doctor_days(clinics.days_to_come([visit], NOON))
            clinics.write_visits([visit], by=None, now=NOON, note="импорт")
            cursor.execute("SELECT 'the import has written'")
            lock_doctor_days(clinics.days_to_come([visit], NOON))
            return clinics.place_visits([visit], by=None, now=NOON)

    def book() -> object:
        return clinics.book_appointment(
            patient=visit.patient, window=wanted, by=world.administrator, now=NOON
        )

    waited: set[int] = set()
    placed, booked = overlapping([bring_in, book], before="the import has written", waited=waited)
    assert placed == set()
    assert isinstance(booked, Appointment)
    return 1 in waited


def test_a_booking_does_not_wait_for_an_import_that_writes(world: World) -> None:
    assert not book_while_an_import_writes(world, lock_first=False)


def test_it_would_wait_if_the_import_locked_first(world: World) -> None:
    assert book_while_an_import_writes(world, lock_first=True)


def test_who_booked_while_the_import_wrote_stays_and_the_row_is_taken_back(world: World) -> None:
    window = world.window()
    visit = visit_at(window, world)
    with transaction.atomic():
        clinics.write_visits([visit], by=None, now=NOON, note="импорт")
        Appointment.objects.filter(pk=visit.pk).update(
            starts_at=window.starts_at - dt.timedelta(days=9)
        )
        booked = clinics.book_appointment(
            patient=world.patient(), window=window, by=world.administrator, now=NOON
        )
        Appointment.objects.filter(pk=visit.pk).update(starts_at=window.starts_at)
        assert clinics.place_visits([visit], by=None, now=NOON) == {0}
    assert Appointment.objects.get() == booked
    assert not AuditEntry.objects.filter(action="clinics.booked", object_id=visit.pk).exists()
    window.refresh_from_db()
    assert window.appointment == booked
