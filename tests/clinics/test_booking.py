"""Visits: what taking, moving and cancelling change, and what is refused."""

import datetime as dt
from decimal import Decimal

import pytest

from callcenter.audit.models import AuditEntry
from callcenter.clinics import actions
from callcenter.clinics.models import Appointment, Specialty
from callcenter.clinics.states import (
    TRANSITIONS,
    AppointmentStatus,
    WaitingKind,
    WaitingState,
    WindowState,
)
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, Refused
from tests.conftest import NOON, World

DAY = dt.timedelta(days=1)


def import_visit(world: World, start: dt.datetime) -> None:
    visit = Appointment(
        patient=world.patient(), doctor=world.doctor, clinic=world.clinic, starts_at=start, ends_at=start + DAY / 48,
        source="import", source_id="v1", created_at=NOON, changed_at=NOON,
    )  # fmt: skip
    assert actions.schedule_appointments([visit], by=None, now=NOON, note="импорт") == set()


def test_a_booking_takes_the_window_and_leaves_a_history_and_an_audit_row(world: World) -> None:
    window = world.window()
    visit = actions.book_appointment(
        patient=world.patient(), window=window, by=world.administrator, now=NOON
    )
    window.refresh_from_db()
    assert (window.state, window.appointment) == (WindowState.TAKEN, visit)
    assert [event.kind for event in visit.events.all()] == ["booked"]
    assert AuditEntry.objects.get(action="clinics.booked").clinic_id == world.clinic.pk


def test_an_imported_visit_without_a_window_blocks_the_time_too(world: World) -> None:
    start = NOON + DAY
    import_visit(world, start)
    window = world.window(start + dt.timedelta(minutes=15))
    with pytest.raises(Conflict, match="уже есть приём"):
        actions.book_appointment(
            patient=world.patient(), window=window, by=world.administrator, now=NOON
        )


def test_an_imported_visit_takes_the_windows_under_it(world: World) -> None:
    start = NOON + DAY
    window = world.window(start)
    import_visit(world, start)
    window.refresh_from_db()
    assert window.state == WindowState.TAKEN


def test_visits_back_to_back_do_not_overlap(world: World) -> None:
    start = NOON + DAY
    for offset in (0, 30):
        window = world.window(start + dt.timedelta(minutes=offset))
        actions.book_appointment(
            patient=world.patient(), window=window, by=world.administrator, now=NOON
        )
    assert Appointment.objects.count() == 2


def test_a_patient_does_not_sit_in_two_chairs(world: World) -> None:
    patient, start = world.patient(), NOON + DAY
    world.visit(patient, start, doctor=world.doctor_b, clinic=world.clinic_b)
    with pytest.raises(Conflict, match="Пациент уже записан"):
        actions.book_appointment(
            patient=patient, window=world.window(start), by=world.administrator, now=NOON
        )


def test_a_window_of_the_past_and_a_closed_one_are_refused(world: World) -> None:
    with pytest.raises(Refused, match="прошло"):
        actions.book_appointment(
            patient=world.patient(),
            window=world.window(NOON - DAY),
            by=world.administrator,
            now=NOON,
        )
    closed = world.window(state=WindowState.CLOSED)
    with pytest.raises(Conflict, match="больше нет"):
        actions.book_appointment(
            patient=world.patient(), window=closed, by=world.administrator, now=NOON
        )


def test_a_hold_keeps_others_out_until_it_runs_out_and_lets_its_owner_in(world: World) -> None:
    window = world.window(NOON + DAY)
    actions.hold_window(
        window, held_for="заявка 1", until=NOON + dt.timedelta(minutes=10), now=NOON
    )
    with pytest.raises(Conflict, match="придержано до 12:10"):
        actions.book_appointment(
            patient=world.patient(), window=window, by=world.administrator, now=NOON
        )
    with pytest.raises(Conflict):
        actions.hold_window(window, held_for="заявка 2", until=NOON + DAY, now=NOON)
    later = NOON + dt.timedelta(minutes=10)
    assert actions.book_appointment(
        patient=world.patient(), window=window, by=world.administrator, now=later
    )


def test_the_owner_of_a_hold_books_it(world: World) -> None:
    window = world.window(NOON + DAY)
    actions.hold_window(window, held_for="заявка 1", until=NOON + DAY, now=NOON)
    visit = actions.book_appointment(
        patient=world.patient(),
        window=window,
        by=world.administrator,
        now=NOON,
        held_for="заявка 1",
    )
    assert visit.pk
    assert not actions.release_hold(window, held_for="заявка 1")


def test_a_move_frees_the_old_window_and_grows_the_version(world: World) -> None:
    old, new = world.window(NOON + DAY), world.window(NOON + 2 * DAY)
    visit = actions.book_appointment(
        patient=world.patient(), window=old, by=world.administrator, now=NOON
    )
    moved = actions.reschedule_appointment(
        visit, window=new, by=world.senior, now=NOON, reason="попросил"
    )
    old.refresh_from_db()
    new.refresh_from_db()
    assert (moved.version, moved.starts_at, old.state, new.state) == (
        2,
        new.starts_at,
        "free",
        "taken",
    )
    assert [event.kind for event in visit.events.all()] == ["booked", "moved"]


def test_a_move_within_ones_own_time_is_no_overlap(world: World) -> None:
    visit = world.visit(starts_at=NOON + DAY)
    moved = actions.move_appointment(
        visit,
        starts_at=NOON + DAY + dt.timedelta(minutes=10),
        ends_at=NOON + DAY + dt.timedelta(minutes=40),
        by=None,
        now=NOON,
    )
    assert moved.version == 2


def test_a_confirmed_visit_that_moves_must_be_confirmed_anew(world: World) -> None:
    visit = world.visit(status=AppointmentStatus.CONFIRMED)
    moved = actions.reschedule_appointment(visit, window=world.window(), by=world.senior, now=NOON)
    assert moved.status == AppointmentStatus.SCHEDULED


@pytest.mark.parametrize(
    "status", [AppointmentStatus.CANCELLED, AppointmentStatus.COMPLETED, AppointmentStatus.NO_SHOW]
)
def test_what_is_over_is_neither_moved_nor_cancelled(
    world: World, status: AppointmentStatus
) -> None:
    visit = world.visit(status=status)
    with pytest.raises(Conflict):
        actions.cancel_appointment(visit, reason="нет", by=world.senior, now=NOON)
    with pytest.raises(Conflict):
        actions.reschedule_appointment(visit, window=world.window(), by=world.senior, now=NOON)


def test_a_cancelled_visits_window_that_is_covered_stays_taken(world: World) -> None:
    start = NOON + DAY
    window = world.window(start)
    visit = actions.book_appointment(
        patient=world.patient(), window=window, by=world.senior, now=NOON
    )
    Appointment.objects.filter(pk=visit.pk).update(ends_at=start + dt.timedelta(minutes=10))
    world.visit(world.patient(), start + dt.timedelta(minutes=15))
    actions.cancel_appointment(visit, reason="нет", by=world.senior, now=NOON)
    window.refresh_from_db()
    assert window.state == WindowState.TAKEN


@pytest.mark.parametrize("before", AppointmentStatus)
@pytest.mark.parametrize(
    "after", [status for status in AppointmentStatus if status != AppointmentStatus.CANCELLED]
)
def test_only_the_tables_transitions_are_made(
    world: World, before: AppointmentStatus, after: AppointmentStatus
) -> None:
    visit = world.visit(status=before)
    on_its_day = visit.starts_at + dt.timedelta(hours=1)
    if after == before or after in TRANSITIONS[before]:
        assert (
            actions.set_status(visit, status=after, by=world.senior, now=on_its_day).status == after
        )
    else:
        with pytest.raises(Conflict):
            actions.set_status(visit, status=after, by=world.senior, now=on_its_day)


@pytest.mark.parametrize(
    ("status", "hours", "early"),
    [
        (AppointmentStatus.CONFIRMED, -24, False),
        (AppointmentStatus.ARRIVED, -24, True),
        (AppointmentStatus.COMPLETED, -24, True),
        (AppointmentStatus.NO_SHOW, -24, True),
        (AppointmentStatus.ARRIVED, -1, False),  # on the day itself, before the hour
        (AppointmentStatus.NO_SHOW, -1, True),
        (AppointmentStatus.NO_SHOW, 0, False),
    ],
)
def test_nobody_has_come_or_stayed_away_before_the_time(
    world: World, status: AppointmentStatus, hours: int, early: bool
) -> None:
    visit = world.visit()
    now = visit.starts_at + dt.timedelta(hours=hours)
    if early:
        with pytest.raises(Refused, match="пока нельзя"):
            actions.set_status(visit, status=status, by=world.senior, now=now)
    else:
        assert actions.set_status(visit, status=status, by=world.senior, now=now).status == status


def test_who_came_after_all_finds_his_time_taken_or_takes_it_again(world: World) -> None:
    window = world.window(NOON + DAY)
    visit = actions.book_appointment(
        patient=world.patient(), window=window, by=world.administrator, now=NOON
    )
    now = NOON + DAY
    actions.set_status(visit, status=AppointmentStatus.NO_SHOW, by=world.senior, now=now)
    window.refresh_from_db()
    assert window.state == WindowState.FREE
    visit.refresh_from_db()
    actions.set_status(visit, status=AppointmentStatus.ARRIVED, by=world.senior, now=now)
    window.refresh_from_db()
    assert (window.state, window.appointment) == (WindowState.TAKEN, visit)
    missed = world.visit(world.patient(), NOON + 2 * DAY, status=AppointmentStatus.NO_SHOW)
    world.visit(world.patient(), NOON + 2 * DAY)
    with pytest.raises(Conflict, match="У врача уже есть приём"):
        actions.set_status(
            missed, status=AppointmentStatus.ARRIVED, by=world.senior, now=NOON + 2 * DAY
        )


def test_the_same_booking_again_is_the_same_visit(world: World) -> None:
    patient, window = world.patient(), world.window()
    booked = [
        actions.book_appointment(patient=patient, window=window, by=by, now=NOON)
        for by in (world.administrator, world.administrator, world.administrator2)
    ]
    assert {visit.pk for visit in booked} == {Appointment.objects.get().pk}
    assert booked[0].events.count() == 1


def test_a_visit_is_not_moved_into_another_of_the_patients(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, NOON + DAY)
    world.visit(patient, NOON + 2 * DAY, doctor=world.doctor_b, clinic=world.clinic_b)
    with pytest.raises(Conflict, match="Пациент уже записан"):
        actions.reschedule_appointment(
            visit, window=world.window(NOON + 2 * DAY), by=world.senior, now=NOON
        )


def test_nothing_is_done_to_a_visit_that_is_no_longer_the_one_shown(world: World) -> None:
    visit = world.visit()
    actions.reschedule_appointment(
        visit, window=world.window(NOON + 2 * DAY), by=world.senior, now=NOON, version=1
    )
    moved = pytest.raises(Conflict, match=r"перенесли: теперь он 20\.03\.2026 12:00")
    with moved:
        actions.reschedule_appointment(
            visit, window=world.window(), by=world.senior, now=NOON, version=1
        )
    with moved:
        actions.cancel_appointment(visit, reason="x", by=world.senior, now=NOON, version=1)
    with moved:
        actions.set_status(
            visit, status=AppointmentStatus.CONFIRMED, by=world.senior, now=NOON, version=1
        )
    visit.refresh_from_db()
    assert (visit.status, visit.version) == (AppointmentStatus.SCHEDULED, 2)


def test_the_clinic_a_visit_moves_to_sees_the_patient(world: World) -> None:
    visit = world.visit()
    world.doctor_b.clinics.add(world.clinic_b)
    window = world.window(clinic=world.clinic_b, doctor=world.doctor_b)
    actions.reschedule_appointment(visit, window=window, by=world.senior, now=NOON)
    assert set(visit.patient.clinics.all()) == {world.clinic, world.clinic_b}
    entry = AuditEntry.objects.get(action="clinics.moved")
    assert entry.before is not None
    assert (entry.before["doctor"], entry.before["clinic"]) == (
        world.doctor.full_name,
        world.clinic.name,
    )
    assert entry.after is not None
    assert (entry.after["doctor"], entry.after["clinic"]) == (
        world.doctor_b.full_name,
        world.clinic_b.name,
    )


def test_money_comes_with_completion_and_the_same_mark_again_changes_nothing(world: World) -> None:
    visit = world.visit()
    for days in (1, 2):
        actions.set_status(
            visit,
            status=AppointmentStatus.COMPLETED,
            money=Decimal(5200),
            by=None,
            now=NOON + days * DAY,
        )
    visit.refresh_from_db()
    assert (visit.money, visit.changed_at, visit.events.count()) == (Decimal(5200), NOON + DAY, 1)


def test_a_booking_closes_the_waiting_list_entries_it_answers_and_no_others(world: World) -> None:
    patient = world.patient()
    on = NOON.date() + DAY

    def entry(**wish: object) -> int:
        return actions.open_waiting(
            clinic=world.clinic,
            patient=patient,
            call_on=on,
            comment="ждёт",
            by=world.senior,
            now=NOON,
            **wish,  # type: ignore[arg-type]
        ).pk

    mine, his_kind = entry(doctor=world.doctor), entry(specialty=world.specialty)
    others = [
        entry(doctor=world.doctor_b),
        entry(specialty=Specialty.objects.create(name="Кардиология")),
        entry(),
    ]
    visit = actions.book_appointment(
        patient=patient, window=world.window(), by=world.senior, now=NOON
    )
    states = {row.pk: (row.state, row.appointment_id) for row in patient.waiting_list.all()}
    assert states[mine] == states[his_kind] == (WaitingState.CLOSED, visit.pk)
    assert {states[other] for other in others} == {(WaitingState.OPEN, None)}


def test_who_wants_to_come_earlier_is_not_answered_by_a_later_visit(world: World) -> None:
    patient = world.patient()
    world.visit(patient, NOON + 5 * DAY)
    entry = actions.open_waiting(
        clinic=world.clinic,
        patient=patient,
        call_on=NOON.date() + DAY,
        comment="раньше",
        kind=WaitingKind.EARLIER,
        doctor=world.doctor,
        by=world.senior,
        now=NOON,
    )
    actions.book_appointment(
        patient=patient, window=world.window(NOON + 9 * DAY), by=world.senior, now=NOON
    )
    entry.refresh_from_db()
    assert entry.state == WaitingState.OPEN
    sooner = actions.book_appointment(
        patient=patient, window=world.window(NOON + 2 * DAY), by=world.senior, now=NOON
    )
    entry.refresh_from_db()
    assert (entry.state, entry.appointment) == (WaitingState.CLOSED, sooner)


def test_a_visit_that_moves_to_an_earlier_time_answers_who_wanted_to_come_earlier_and_nothing_else(
    world: World,
) -> None:
    patient = world.patient()
    visit = world.visit(patient, NOON + 5 * DAY)
    sooner, waits = (
        actions.open_waiting(
            clinic=world.clinic,
            patient=patient,
            call_on=NOON.date() + DAY,
            comment="ждёт",
            kind=kind,
            doctor=world.doctor,
            by=world.senior,
            now=NOON,
        )
        for kind in (WaitingKind.EARLIER, WaitingKind.REMIND_LATER)
    )
    states = []
    for days in (9, 2):  # later, then earlier
        window = world.window(NOON + days * DAY)
        visit = actions.reschedule_appointment(visit, window=window, by=world.senior, now=NOON)
        sooner.refresh_from_db()
        waits.refresh_from_db()
        states.append((sooner.state, waits.state))
    assert states == [
        (WaitingState.OPEN, WaitingState.OPEN),
        (WaitingState.CLOSED, WaitingState.OPEN),
    ]


def test_the_list_of_active_tasks_hears_of_an_entry_closed_by_a_booking(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient, heard = world.patient(), list[str]()
    actions.open_waiting(
        clinic=world.clinic,
        patient=patient,
        call_on=NOON.date() + DAY,
        comment="ждёт",
        doctor=world.doctor,
        by=world.senior,
        now=NOON,
    )
    monkeypatch.setattr(live_updates, "bump", heard.append)
    actions.book_appointment(patient=patient, window=world.window(), by=world.senior, now=NOON)
    assert f"waiting:clinic:{world.clinic.pk}" in heard


def test_a_waiting_list_entry_needs_a_comment_and_a_day_to_come(world: World) -> None:
    for on, comment in ((NOON.date(), " "), (NOON.date() - DAY, "ждёт")):
        with pytest.raises(Refused):
            actions.open_waiting(
                clinic=world.clinic,
                patient=world.patient(),
                call_on=on,
                comment=comment,
                by=world.senior,
                now=NOON,
            )


def test_a_closed_entry_is_neither_moved_nor_closed_again(world: World) -> None:
    entry = actions.open_waiting(
        clinic=world.clinic,
        patient=world.patient(),
        call_on=NOON.date(),
        comment="ждёт",
        by=world.senior,
        now=NOON,
    )
    actions.close_waiting(entry, reason="передумал", by=world.senior, now=NOON)
    with pytest.raises(Conflict, match="передумал"):
        actions.close_waiting(entry, reason="снова", by=world.senior, now=NOON)
    with pytest.raises(Conflict):
        actions.move_waiting(entry, call_on=NOON.date() + DAY, by=world.senior, now=NOON)
