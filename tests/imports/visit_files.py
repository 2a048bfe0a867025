"""Files of visits for the tests: one row is one visit of tomorrow, unless it says otherwise."""

import datetime as dt

from callcenter.imports.models import ImportRun
from callcenter.lib.localtime import instant
from tests.conftest import MOSCOW, NOON, World
from tests.imports.files import check, start, through, xlsx

HEAD = (
    "Код приёма",
    "Дата приёма",
    "Время",
    "Длительность",
    "Врач",
    "ФИО пациента",
    "Дата рождения",
    "Телефон",
    "Статус",
)
BORN = dt.date(1985, 3, 12)
TOMORROW = dt.date(2026, 3, 19)


def row(code: str = "A1", on: dt.date = TOMORROW, at: str = "10:00", status: str = "", name: str = "Щёголева Ольга", phone: str = "+79000001001", doctor: str = "Белов О. И.", born: object = BORN) -> tuple[object, ...]:  # fmt: skip
    return (code, on, at, 30, doctor, name, born, phone, status)


def lengthless(status: str = "", at: str = "10:00", on: dt.date = TOMORROW) -> bytes:
    """A file that says neither when a visit ends nor how long it takes."""
    head = [heading for heading in HEAD if heading != "Длительность"]
    cells = [
        cell
        for heading, cell in zip(HEAD, row("", on, at, status), strict=True)
        if heading != "Длительность"
    ]
    return xlsx(head, cells)  # type: ignore[arg-type]


def moscow(at: str, on: dt.date = TOMORROW) -> dt.datetime:
    return instant(on, dt.time.fromisoformat(at), MOSCOW)


def run_it(world: World, *rows: tuple[object, ...]) -> ImportRun:
    return through(
        "appointments",
        xlsx(HEAD, *rows),  # type: ignore[arg-type]
        clinic=world.clinic,
        by=world.senior,
        now=NOON,
    )


def preview(world: World, *rows: tuple[object, ...]) -> ImportRun:
    content = xlsx(HEAD, *rows)  # type: ignore[arg-type]
    return check(
        start("appointments", content, clinic=world.clinic, by=world.senior, now=NOON),
        by=world.senior,
        now=NOON,
    )
