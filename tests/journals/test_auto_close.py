"""What the clock does: entries booked by another way are closed, reminders are followed."""

import datetime as dt

import pytest

from callcenter.audit.models import AuditEntry
from callcenter.clinics.actions import (
    book_appointment,
    cancel_appointment,
    close_waiting,
    move_waiting,
    reschedule_appointment,
)
from callcenter.clinics.models import Appointment, Doctor, Specialty, WaitingListEntry
from callcenter.clinics.states import WaitingState
from callcenter.lib.errors import Conflict
from journals.actions import auto_close
from journals.actions.auto_close import close_found, follow_waiting, settle_visits
from journals.models import PlanItem, PlanState, RecallEntry
from journals.outcome_rules import CallOutcome, Stage
from tests.journals.conftest import Recall

LATER = dt.timedelta(minutes=1)


def book(recall: Recall, entry: RecallEntry, doctor: Doctor | None = None) -> Appointment:
    window = recall.world.window(doctor=doctor or recall.world.doctor)
    return book_appointment(
        patient=entry.patient, window=window, by=recall.world.administrator, now=recall.world.now
    )


def colleague(recall: Recall, specialty: Specialty | None = None) -> Doctor:
    doctor = Doctor.objects.create(
        full_name="Седов Пётр Ильич", specialty=specialty or recall.world.specialty
    )
    doctor.clinics.add(recall.world.clinic)
    return doctor


def test_a_visit_booked_elsewhere_closes_the_entry_and_is_named(recall: Recall) -> None:
    entry = recall.entry()
    recall.plan(recall.world.administrator)
    visit = book(recall, entry)
    assert close_found(now=recall.world.now + LATER) == 1
    entry.refresh_from_db()
    assert (entry.stage, entry.appointment, entry.closed_by) == (Stage.BOOKED, visit, None)
    assert PlanItem.objects.get().state == PlanState.CLOSED
    assert AuditEntry.objects.get(action="journals.close_found").note == str(visit)
    assert close_found(now=recall.world.now + 2 * LATER) == 0


def test_a_visit_to_another_doctor_of_the_specialty_counts(recall: Recall) -> None:
    entry = recall.entry()
    book(recall, entry, colleague(recall))
    assert close_found(now=recall.world.now + LATER) == 1


def test_a_visit_to_another_specialty_does_not(recall: Recall) -> None:
    entry = recall.entry()
    book(recall, entry, colleague(recall, Specialty.objects.create(name="Хирургия")))
    assert close_found(now=recall.world.now + LATER) == 0


def test_a_visit_from_before_the_entry_does_not(recall: Recall) -> None:
    patient = recall.world.patient()
    recall.world.visit(patient)
    recall.entry(patient, now=recall.world.now + LATER)
    assert close_found(now=recall.world.now + 2 * LATER) == 0


def test_several_visits_are_asked_of_a_person(recall: Recall) -> None:
    entry = recall.entry()
    first, _second = book(recall, entry), book(recall, entry)
    now = recall.world.now + LATER
    assert close_found(now=now) == 0
    entry.refresh_from_db()
    assert (entry.stage, entry.several_visits) == (Stage.CALL, True)
    with pytest.raises(Conflict):
        settle_visits(
            entry,
            appointment=first,
            version=entry.version - 1,
            by=recall.world.administrator,
            now=now,
        )
    settle_visits(
        entry, appointment=first, version=entry.version, by=recall.world.administrator, now=now
    )
    entry.refresh_from_db()
    assert (entry.stage, entry.appointment, entry.closed_by) == (
        Stage.BOOKED,
        first,
        recall.world.administrator,
    )


def test_when_one_of_several_is_cancelled_the_other_closes_the_entry(recall: Recall) -> None:
    entry = recall.entry()
    first, second = book(recall, entry), book(recall, entry)
    close_found(now=recall.world.now + LATER)
    cancel_appointment(
        first, reason="передумал", by=recall.world.administrator, now=recall.world.now + LATER
    )
    assert close_found(now=recall.world.now + dt.timedelta(hours=1)) == 1
    entry.refresh_from_db()
    assert entry.appointment == second


def test_none_of_them_is_remembered(recall: Recall) -> None:
    entry = recall.entry()
    book(recall, entry), book(recall, entry)
    now = recall.world.now + LATER
    close_found(now=now)
    entry.refresh_from_db()
    settle_visits(
        entry, appointment=None, version=entry.version, by=recall.world.administrator, now=now
    )
    assert close_found(now=now + LATER) == 0
    entry.refresh_from_db()
    assert (entry.stage, entry.several_visits) == (Stage.CALL, False)


def test_one_visit_that_fits_two_entries_closes_that_of_its_doctor_and_asks_about_the_other(
    recall: Recall,
) -> None:
    entry = recall.entry()
    other = recall.entry(entry.patient, doctor=colleague(recall))
    book(recall, entry)
    close_found(now=recall.world.now + LATER)
    entry.refresh_from_db()
    other.refresh_from_db()
    assert entry.stage == Stage.BOOKED
    assert (other.stage, other.several_visits) == (Stage.CALL, True)


def test_an_entry_that_fails_keeps_its_error_and_holds_nobody_up(
    recall: Recall, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = recall.entry(), recall.entry()
    book(recall, bad), book(recall, good)
    close = auto_close._close

    def fail(entry: RecallEntry, *args: object, **kwargs: object) -> None:
        if entry.pk == bad.pk:
            raise Conflict("не вышло")
        close(entry, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(auto_close, "_close", fail)
    assert close_found(now=recall.world.now + LATER) == 1
    bad.refresh_from_db()
    assert bad.last_error == "не вышло"


def test_the_look_goes_on_where_it_stopped_and_overlaps(recall: Recall) -> None:
    entry = recall.entry()
    close_found(now=recall.world.now + dt.timedelta(minutes=10))
    # Booked before the last look, committed after it.
    book(recall, entry)
    assert close_found(now=recall.world.now + dt.timedelta(minutes=11)) == 1


def test_patients_booked_with_others_do_not_stand_before_those_whose_entry_can_be_closed(
    recall: Recall,
) -> None:
    surgeon = colleague(recall, Specialty.objects.create(name="Хирургия"))
    for _ in range(3):
        book(recall, recall.entry(), surgeon)
    book(recall, recall.entry())
    assert close_found(now=recall.world.now + LATER, limit=2) == 1


def test_entries_that_fail_do_not_stand_before_the_others(
    recall: Recall, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = [recall.entry() for _ in range(2)]
    entries = [*bad, recall.entry()]
    for entry in entries:
        book(recall, entry)
    RecallEntry.objects.filter(pk__in=[entry.pk for entry in bad]).update(last_error="не вышло")
    tried: list[int] = []

    def look(pk: int, *, now: dt.datetime) -> bool:
        tried.append(pk)
        return False

    monkeypatch.setattr(auto_close, "_close_if_booked", look)
    close_found(now=recall.world.now + LATER, limit=1)
    assert tried == [entries[-1].pk]


def reminded(recall: Recall) -> tuple[RecallEntry, WaitingListEntry]:
    entry = recall.entry()
    recall.call(entry, CallOutcome.REMIND, call_on=recall.today + dt.timedelta(days=5))
    return entry, WaitingListEntry.objects.get()


def test_a_reminder_moved_in_the_list_of_tasks_moves_the_entry(recall: Recall) -> None:
    entry, waiting = reminded(recall)
    assert follow_waiting(now=recall.world.now) == 0
    on = recall.today + dt.timedelta(days=9)
    move_waiting(waiting, call_on=on, by=recall.world.administrator, now=recall.world.now)
    assert follow_waiting(now=recall.world.now) == 1
    entry.refresh_from_db()
    assert entry.call_on == on


def test_a_reminder_closed_without_a_visit_makes_the_entry_ready_today(recall: Recall) -> None:
    entry, waiting = reminded(recall)
    close_waiting(
        waiting, reason="перезвонил сам", by=recall.world.administrator, now=recall.world.now
    )
    assert follow_waiting(now=recall.world.now + dt.timedelta(days=1)) == 1
    entry.refresh_from_db()
    assert (entry.waiting, entry.call_on) == (None, recall.today + dt.timedelta(days=1))


def test_a_reminder_that_ended_in_a_booking_closes_the_entry(recall: Recall) -> None:
    entry, waiting = reminded(recall)
    visit = book(recall, entry)
    waiting.refresh_from_db()
    assert waiting.state == WaitingState.CLOSED
    assert follow_waiting(now=recall.world.now + LATER) == 1
    entry.refresh_from_db()
    assert (entry.stage, entry.appointment, entry.closed_by) == (
        Stage.BOOKED,
        visit,
        recall.world.administrator,
    )


def test_a_visit_moved_to_the_doctor_after_the_entry_closes_it_and_one_moved_in_time_alone_does_not(
    recall: Recall,
) -> None:
    surgeon = colleague(recall, Specialty.objects.create(name="Хирургия"))
    to_him, with_him = recall.world.patient("Перенесённая"), recall.world.patient("Прежняя")
    moved, earlier = recall.world.visit(to_him, doctor=surgeon), recall.world.visit(with_him)
    entry, other = (
        recall.entry(patient, now=recall.world.now + LATER) for patient in (to_him, with_him)
    )
    for visit in (moved, earlier):
        window = recall.world.window()
        reschedule_appointment(
            visit, window=window, by=recall.world.administrator, now=recall.world.now + 2 * LATER
        )
    assert close_found(now=recall.world.now + 3 * LATER) == 1
    entry.refresh_from_db()
    other.refresh_from_db()
    assert (entry.stage, entry.appointment, other.stage) == (Stage.BOOKED, moved, Stage.CALL)
