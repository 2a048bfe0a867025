"""How visits of a file are written: who gets a doctor's time, what happens at the last moment, how
long it takes.
"""

import datetime as dt
import functools
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from callcenter.audit.models import AuditEntry
from callcenter.clinics import actions
from callcenter.clinics.models import Appointment, Patient, ScheduleWindow
from callcenter.clinics.states import AppointmentStatus as S
from callcenter.clinics.states import WindowState
from callcenter.imports.appointments import AppointmentsJob
from callcenter.imports.jobs import Report
from tests.conftest import NOON, World
from tests.imports.files import load, words
from tests.imports.visit_files import TOMORROW, moscow, preview, row, run_it

pytestmark = pytest.mark.django_db


def test_two_visits_may_change_places(world: World) -> None:
    anna = functools.partial(row, name="Ким Анна", phone="+79000001002")
    run_it(world, row("A1", at="10:00"), anna("A2", at="11:00"))
    run = run_it(world, row("A1", at="11:00"), anna("A2", at="10:00"))
    assert (run.counts["moved"], run.counts["rejected"]) == (2, 0)
    assert Appointment.objects.get(source_id="A1").starts_at == moscow("11:00")
    assert Appointment.objects.get(source_id="A2").starts_at == moscow("10:00")


def test_one_doctor_never_gets_two_patients_at_once(world: World) -> None:
    world.visit(starts_at=moscow("10:15"))
    run = run_it(
        world,
        row("A1"),
        row("A2", at="11:00"),
        row("A3", at="11:15", name="Ким Анна", phone="+79000001002"),
    )
    assert run.counts["created"] == 1
    assert words(run) == [
        "2 Дата приёма: У врача уже есть приём 19.03.2026 10:15–10:45. Оставьте одного пациента или исправьте время.",
        "4 Дата приёма: У врача уже есть приём 19.03.2026 11:00–11:30 (строка 3). Оставьте одного пациента или исправьте время.",
    ]
    assert Patient.objects.filter(last_name="Ким").count() == 0  # nobody is left of a refused row


def test_a_row_in_the_time_of_a_missing_visit_says_on_what_it_depends(world: World) -> None:
    run_it(world, row("A1"), row("A2", at="11:00"))
    run = preview(world, row("A2", at="11:00"), row("A9", name="Ким Анна", phone="+79000001002"))
    assert run.counts["created"] == 1
    assert words(run, "notice") == [
        "3 : Загрузится, только если отменить приём 19.03.2026 10:00, которого в файле нет. "
        "Иначе в это время у врача останется прежний пациент."
    ]
    run = load(run, by=world.senior, now=NOON, cancel_missing=False)
    assert words(run) == [
        "3 Дата приёма: У врача уже есть приём 19.03.2026 10:00–10:30. Оставьте одного пациента или исправьте время."
    ]
    assert (run.counts.get("created", 0), words(run, "notice")) == (0, [])


def test_the_old_time_of_a_refused_move_is_not_given_away(world: World) -> None:
    """A1 wants a time that is taken, so it stays; whoever wanted its time is refused in the preview
    already, and so on.
    """
    anna: dict[str, Any] = {"name": "Ким Анна", "phone": "+79000001002"}
    yana: dict[str, Any] = {"name": "Яна Ли", "phone": "+79000001003"}
    run_it(world, row("A1"), row("A2", at="12:00", **anna))
    world.visit(starts_at=moscow("11:00"))
    run = preview(
        world, row("A2", at="10:00", **anna), row("A9", at="12:00", **yana), row("A1", at="11:00")
    )
    assert words(run) == [
        "2 Дата приёма: У врача уже есть приём 19.03.2026 10:00–10:30. Оставьте одного пациента или исправьте время.",
        "3 Дата приёма: У врача уже есть приём 19.03.2026 12:00–12:30. Оставьте одного пациента или исправьте время.",
        "4 Дата приёма: У врача уже есть приём 19.03.2026 11:00–11:30. Оставьте одного пациента или исправьте время.",
    ]


def test_a_row_whose_time_is_booked_at_the_last_moment_says_by_what(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = AppointmentsJob.write

    def booked_first(job: AppointmentsJob, report: Report) -> None:
        world.visit(starts_at=moscow("10:15"))
        write(job, report)

    monkeypatch.setattr(AppointmentsJob, "write", booked_first)
    assert words(run_it(world, row())) == [
        "2 Дата приёма: Это время у врача только что заняли: приём 19.03.2026 10:15–10:45. Загрузите файл ещё раз."
    ]


def test_a_booking_between_preview_and_loading_wins(world: World) -> None:
    run = preview(world, row("A1"), row("A2", at="12:00"))
    actions.book_appointment(patient=world.patient(), window=world.window(moscow("10:00")), by=world.administrator, now=NOON)  # fmt: skip
    run = load(run, by=world.senior, now=NOON)
    assert (run.counts["created"], run.counts["rejected"]) == (1, 1)


def test_the_number_of_queries_does_not_grow_with_the_rows(world: World) -> None:
    counts = []
    for rows, first in ((3, 1), (30, 2)):
        day = TOMORROW + dt.timedelta(days=first)
        times = [f"{7 + n // 2}:{n % 2 * 30:02}" for n in range(rows)]
        visits = [
            row(f"Q{first}-{at}", day, at, phone=f"+7900000{first}{at[-5:-3]:0>2}{at[-2]}")
            for at in times
        ]
        run = preview(world, *visits)
        with CaptureQueriesContext(connection) as queries:
            load(run, by=world.senior, now=NOON)
        assert run.counts["created"] == rows
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_marks_of_many_visits_take_the_same_queries(world: World) -> None:
    counts = []
    for rows, days in ((3, 3), (30, 5)):
        day = TOMORROW - dt.timedelta(days=days)
        times = [f"{7 + n // 2}:{n % 2 * 30:02}" for n in range(rows)]
        run_it(world, *(row(f"Q{days}-{at}", day, at) for at in times))
        run = preview(world, *(row(f"Q{days}-{at}", day, at, "состоялся") for at in times))
        with CaptureQueriesContext(connection) as queries:
            load(run, by=world.senior, now=NOON)
        assert run.counts["changed"] == rows
        counts.append(len(queries))
    assert counts[0] == counts[1]
    visit = Appointment.objects.filter(status=S.COMPLETED)[0]
    assert [event.kind for event in visit.events.all()] == ["booked", "marked"]
    mark = AuditEntry.objects.get(action="clinics.marked", object_id=visit.pk)
    assert (mark.before, mark.clinic_id) == ({"status": "scheduled"}, world.clinic.pk)


def test_a_no_show_of_a_file_frees_its_window(world: World) -> None:
    on = NOON.date()
    window = world.window(moscow("11:00", on))
    visit = world.visit(starts_at=moscow("11:00", on), source="import", source_id="A1")
    ScheduleWindow.objects.update(state=WindowState.TAKEN, appointment=visit)
    person = visit.patient
    run_it(
        world,
        row(
            "A1",
            on,
            "11:00",
            "неявка",
            name=person.full_name,
            phone=person.phones.get().number,
            born="",
        ),
    )
    window.refresh_from_db()
    visit.refresh_from_db()
    assert (visit.status, window.state, window.appointment) == (S.NO_SHOW, WindowState.FREE, None)


def test_a_mark_of_a_visit_cancelled_meanwhile_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_it(world, row())
    write = AppointmentsJob.write

    def cancelled_first(job: AppointmentsJob, report: Report) -> None:
        actions.cancel_appointment(
            Appointment.objects.get(), reason="просил", by=world.administrator, now=NOON
        )
        write(job, report)

    monkeypatch.setattr(AppointmentsJob, "write", cancelled_first)
    run = run_it(world, row(status="подтверждён"))
    assert words(run) == ["2 : Приём только что отменили."]
    assert Appointment.objects.get().status == S.CANCELLED


@pytest.mark.parametrize(
    ("status", "at"), [("состоялся", ""), ("отменён", ""), ("", "15"), (None, "")], ids=["mark", "cancel", "move", "missing"]
)  # fmt: skip
def test_every_kind_of_work_shows_that_the_worker_lives(
    world: World, monkeypatch: pytest.MonkeyPatch, status: str | None, at: str
) -> None:
    on = TOMORROW if status != "состоялся" else TOMORROW - dt.timedelta(days=3)
    rows = [row(f"A{hour}", on, f"{hour}:00") for hour in (9, 10, 11)]
    run_it(world, *rows, row("A8", on, "8:00"))
    signs: list[int] = []
    write = AppointmentsJob.write

    def listening(job: AppointmentsJob, report: Report) -> None:
        write(job, signs.append)

    monkeypatch.setattr(AppointmentsJob, "write", listening)
    news = [row(f"A{hour}", on, f"{hour}:{at or '00'}", status or "") for hour in (9, 10, 11)]
    run_it(world, *(news if status is not None else []), row("A8", on, "8:00"))
    assert len(signs) >= (1 if status == "состоялся" else 3)
    assert signs == sorted(signs)
