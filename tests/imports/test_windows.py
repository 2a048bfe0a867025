"""Import of free windows: the file is a picture of what is free; what is booked here stays booked."""

import datetime as dt

import pytest

from callcenter.clinics import actions
from callcenter.clinics.models import ScheduleWindow
from callcenter.clinics.states import WindowState
from callcenter.imports.jobs import Report
from callcenter.imports.models import ImportRun
from callcenter.imports.windows import WindowsJob
from callcenter.lib.localtime import instant
from tests.conftest import MOSCOW, NOON, VLADIVOSTOK, World
from tests.imports.files import through, words, xlsx

pytestmark = pytest.mark.django_db

HEAD = ("Дата", "Начало", "Окончание", "Врач", "Клиника")
TOMORROW = dt.date(2026, 3, 19)


def row(at: str = "10:00", until: str = "10:30", on: dt.date = TOMORROW, doctor: str = "Белов Олег Ильич", clinic: str = "") -> tuple[object, ...]:  # fmt: skip
    return (on, at, until, doctor, clinic)


def run_it(world: World, *rows: tuple[object, ...]) -> ImportRun:
    return through("windows", xlsx(HEAD, *rows), clinic=world.clinic, by=world.senior, now=NOON)  # type: ignore[arg-type]


def moscow(at: str, on: dt.date = TOMORROW) -> dt.datetime:
    return instant(on, dt.time.fromisoformat(at), MOSCOW)


def states() -> dict[dt.datetime, str]:
    return dict(ScheduleWindow.objects.values_list("starts_at", "state"))


def test_windows_open_once(world: World) -> None:
    assert run_it(world, row(), row("11:00", "11:45")).counts["created"] == 2
    assert run_it(world, row(), row("11:00", "11:45")).counts["unchanged"] == 2
    assert states() == {moscow("10:00"): "free", moscow("11:00"): "free"}


def test_what_the_file_no_longer_has_is_closed_on_its_days_and_opened_again_later(
    world: World,
) -> None:
    far = TOMORROW + dt.timedelta(days=20)
    run_it(world, row(), row("11:00", "11:30"), row(on=far))
    run = run_it(world, row("11:00", "12:00"))
    assert (run.counts["closed"], run.counts["changed"]) == (1, 1)
    assert states() == {
        moscow("10:00"): "closed",
        moscow("11:00"): "free",
        moscow("10:00", far): "free",
    }
    assert run_it(world, row(), row("11:00", "12:00")).counts["changed"] == 1
    assert states()[moscow("10:00")] == "free"


def test_a_window_booked_or_held_here_is_left_alone(world: World) -> None:
    run_it(world, row(), row("11:00", "11:30"), row("12:00", "12:30"))
    booked, held, _ = ScheduleWindow.objects.order_by("starts_at")
    actions.book_appointment(
        patient=world.patient(), window=booked, by=world.administrator, now=NOON
    )
    actions.hold_window(held, held_for="робот", until=NOON + dt.timedelta(minutes=10), now=NOON)
    assert run_it(world, row(), row("12:00", "12:30")).counts["closed"] == 0
    assert list(states().values()).count(WindowState.FREE) == 1
    assert set(states().values()) == {"taken", "held", "free"}


def test_a_window_under_a_visit_or_in_the_past_or_twice_is_refused(world: World) -> None:
    world.visit(starts_at=moscow("10:15"))
    run = run_it(world, row(), row("12:00", "12:30"), row("12:00", "13:00"), row(on=dt.date(2026, 3, 17)), row("14:00", "13:00"))  # fmt: skip
    assert words(run) == [
        "2 Дата: В это время у врача приём (19.03.2026 10:15). Уберите окно.",
        "4 Дата: Это окно врача уже есть в строке 3. Удалите лишнюю строку.",
        "5 Дата: Это время уже прошло. Выгрузите окна с сегодняшнего дня.",
        "6 Окончание: Окончание 13:00 не позже начала 14:00. Исправьте время.",
    ]
    assert run.counts["created"] == 1


def test_a_window_tells_all_that_is_wrong_with_it(world: World) -> None:
    assert words(run_it(world, row(on=dt.date(2026, 3, 17), doctor="Неизвестный Н. Н."))) == [
        "2 Врач: Врача «Неизвестный Н. Н.» нет в справочнике. Добавьте его или исправьте написание.",
        "2 Дата: Это время уже прошло. Выгрузите окна с сегодняшнего дня.",
    ]


def test_times_are_of_the_clinics_own_zone(world: World) -> None:
    world.doctor_b.clinics.add(world.clinic_b)
    through(
        "windows",
        xlsx(HEAD, row(doctor="Чернова И. Л.")),  # type: ignore[arg-type]
        clinic=world.clinic_b,
        by=world.senior_b,
        now=NOON,
    )
    assert ScheduleWindow.objects.get().starts_at == instant(TOMORROW, dt.time(10), VLADIVOSTOK)


def test_a_doctor_of_another_clinic_is_refused(world: World) -> None:
    assert "нет в справочнике" in words(run_it(world, row(doctor="Чернова И. Л.")))[0]


def test_a_refused_row_keeps_its_window_open(world: World) -> None:
    run_it(world, row(), row("11:00", "11:30"), row("12:00", "12:30"))
    run = run_it(
        world, row("10:00", "1030х"), row("11:00", "11:30", doctor="Белов О"), row("12:00", "12:30")
    )
    assert (run.counts["rejected"], run.counts["closed"]) == (2, 0)
    assert set(states().values()) == {"free"}


def test_a_row_that_may_mean_any_window_stops_the_closing(world: World) -> None:
    run_it(world, row(), row("11:00", "11:30"))
    run = run_it(world, row("когда-нибудь"), row("11:00", "11:30"))
    assert "В файле нет 1 окон, но часть строк не читается" in words(run, "notice")[0]
    assert set(states().values()) == {"free"}


def test_a_slip_of_the_year_closes_nothing_between(world: World) -> None:
    far = TOMORROW + dt.timedelta(days=100)
    run_it(world, row(), row("11:00", "11:30"), row(on=far))
    run = run_it(world, row(), row("11:00", "11:30", TOMORROW.replace(year=2027)))
    assert words(run, "closed") == ["0 : 19.03.2026 11:00–11:30, врач Белов О. И."]
    assert (states()[moscow("11:00")], states()[moscow("10:00", far)]) == ("closed", "free")


def test_a_file_without_ends_leaves_the_lengths_of_windows_alone(world: World) -> None:
    run_it(world, row("10:00", "11:00"))
    run = through(
        "windows", xlsx(("Дата", "Начало", "Врач"), (TOMORROW, "10:00", "Белов О. И.")),
        clinic=world.clinic, by=world.senior, now=NOON,
    )  # fmt: skip
    assert run.counts["unchanged"] == 1
    assert ScheduleWindow.objects.get().ends_at == moscow("11:00")


def test_a_window_booked_while_the_file_is_loaded_stays_booked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_it(world, row())
    write = WindowsJob.write

    def booked_first(job: WindowsJob, report: Report) -> None:
        window = ScheduleWindow.objects.get()
        actions.book_appointment(
            patient=world.patient(), window=window, by=world.administrator, now=NOON
        )
        write(job, report)

    monkeypatch.setattr(WindowsJob, "write", booked_first)
    run = run_it(world, row("10:00", "10:40"))
    assert (run.counts["changed"], run.counts["unchanged"]) == (0, 1)
    window = ScheduleWindow.objects.get()
    assert (window.state, window.ends_at) == (WindowState.TAKEN, moscow("10:30"))
