"""What one cell may hold: tables of good and bad values, and the promise that nothing but BadCell
ever comes out.
"""

import contextlib
import datetime as dt
import functools
import math
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callcenter.clinics.states import AppointmentStatus
from callcenter.imports import cell_parsers
from callcenter.imports.cell_parsers import BadCell, Cell

# Excel knows no zones: what it stores is the clinic's wall clock.
WALL_CLOCK = functools.partial(dt.datetime, tzinfo=None)
DAY = dt.date(2026, 11, 5)
TODAY = dt.date(2026, 11, 21)


@pytest.mark.parametrize(
    "cell",
    [
        "05.11.2026",
        "5.11.26",
        "05/11/2026",
        "05-11-2026",
        "2026-11-05",
        "2026-11-05 00:00:00",
        "2026-11-05T00:00",
        "5 ноября 2026 г.",
        "5 нояб. 2026",
        " 05.11.2026 г. ",
        DAY,
        WALL_CLOCK(2026, 11, 5),
        46331,
        46331.0,
        "46331",
    ],
)
def test_a_day_in_any_shape(cell: Cell) -> None:
    assert cell_parsers.date(cell) == DAY


@pytest.mark.parametrize("month", range(1, 13))
def test_months_in_words(month: int) -> None:
    words = [
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ]
    assert cell_parsers.date(f"1 {words[month - 1]} 2026") == dt.date(2026, month, 1)


@pytest.mark.parametrize(
    "cell",
    ["31.02.2026", "завтра", "2026", "05.13.2026", "05.11.1026", "5 мухобря 2026", "0", True],
)
def test_what_is_no_day(cell: Cell) -> None:
    with pytest.raises(BadCell) as bad:
        cell_parsers.date(cell)
    assert bad.value.what
    assert bad.value.todo


@pytest.mark.parametrize(
    ("cell", "on"),
    [
        ("01.02.85", dt.date(1985, 2, 1)),
        ("01.02.31", dt.date(1931, 2, 1)),
        ("01.02.26", dt.date(2026, 2, 1)),
        ("", None),
    ],
)
def test_nobody_is_born_in_the_future(cell: Cell, on: dt.date | None) -> None:
    assert cell_parsers.birth_date(cell, today=TODAY) == on


@pytest.mark.parametrize("cell", ["22.11.2026", "01.01.1901"])
def test_births_that_cannot_be(cell: Cell) -> None:
    with pytest.raises(BadCell):
        cell_parsers.birth_date(cell, today=TODAY)


@pytest.mark.parametrize(
    "cell",
    [
        "9:30",
        "09:30",
        "09.30",
        "9-30",
        "930",
        "0930",
        "09:30:00",
        dt.time(9, 29, 59, 999_000),
        9.5 / 24,
        dt.timedelta(hours=9.5),
    ],
)
def test_a_time_in_any_shape(cell: Cell) -> None:
    assert cell_parsers.time(cell) == dt.time(9, 30)


@pytest.mark.parametrize("cell", ["25:00", "9:75", "утром", 1.5, 42])
def test_what_is_no_time(cell: Cell) -> None:
    with pytest.raises(BadCell):
        cell_parsers.time(cell)


@pytest.mark.parametrize(
    "cell",
    [
        "05.11.2026 10:30",
        "05.11.2026, 10:30",
        "05.11.2026 в 10:30",
        "2026-11-05T10:30:00",
        "2026-11-05 10:30:00.000",
        "5 ноября 2026 10.30",
        WALL_CLOCK(2026, 11, 5, 10, 30),
        46331.4375,
    ],
)
def test_a_day_with_its_time(cell: Cell) -> None:
    assert cell_parsers.moment(cell) == (DAY, dt.time(10, 30))


@pytest.mark.parametrize(
    "cell", ["2026-11-05T07:30:00Z", "2026-11-05 10:30+03:00", "05.11.2026 10:30 UTC"]
)
def test_a_time_of_another_zone_is_not_the_clinics(cell: str) -> None:
    with pytest.raises(BadCell, match="с указанием пояса"):
        cell_parsers.moment(cell)


@pytest.mark.parametrize("cell", ["#Н/Д", "#N/A", "#ССЫЛКА!", "#div/0!", " #ЗНАЧ! "])
def test_a_formula_that_failed_is_not_an_empty_cell(cell: str) -> None:
    for parse in PARSERS:
        with pytest.raises(BadCell, match="ошибка Excel"):
            parse(cell)


@pytest.mark.parametrize(
    ("cell", "ends"),
    [
        ("10:45", (None, dt.time(10, 45))),
        ("05.11.2026 10:45", (DAY, dt.time(10, 45))),
        (WALL_CLOCK(2026, 11, 5, 10, 45), (DAY, dt.time(10, 45))),
        (WALL_CLOCK(1899, 12, 31, 10, 45), (None, dt.time(10, 45))),
        (WALL_CLOCK(2026, 11, 5), (DAY, dt.time())),
        (0.5, (None, dt.time(12))),
        ("", None),
    ],
)
def test_an_end_is_a_time_with_or_without_its_day(
    cell: Cell, ends: tuple[dt.date | None, dt.time] | None
) -> None:
    assert cell_parsers.time_or_moment(cell) == ends


def test_a_day_without_its_time() -> None:
    assert cell_parsers.moment("05.11.2026") == (DAY, None)
    assert cell_parsers.moment(WALL_CLOCK(2026, 11, 5)) == (DAY, None)
    assert cell_parsers.moment("") is None
    assert cell_parsers.moment("  ") is None


@pytest.mark.parametrize(
    ("cell", "length"),
    [
        ("30", 30),
        (30.0, 30),
        ("30 мин", 30),
        ("0:45", 45),
        ("1 ч 30 мин", 90),
        ("1ч", 60),
        (dt.time(1, 0), 60),
        ("", None),
    ],
)
def test_lengths(cell: Cell, length: int | None) -> None:
    assert cell_parsers.minutes(cell) == length


@pytest.mark.parametrize("cell", ["0", "-5", "полчаса", "13:00", 100_000, "30.11.2026"])
def test_what_is_no_length(cell: Cell) -> None:
    with pytest.raises(BadCell):
        cell_parsers.minutes(cell)


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1500", "1500"),
        ("1 500,00 ₽", "1500"),
        ("1\u202f500,50\u00a0руб.", "1500.50"),
        ("1.500,50", "1500.50"),
        ("1,500.50", "1500.50"),
        ("1.500", "1500"),
        ("1 500", "1500"),
        ("1'500'000,5", "1500000.50"),
        ("12.345.678", "12345678"),
        ("2500.0000", "2500"),
        (1500.5, "1500.50"),
        (0.125, "0.12"),
        (0, "0"),
    ],
)
def test_sums(cell: Cell, amount: str) -> None:
    assert cell_parsers.money(cell) == Decimal(amount)


@pytest.mark.parametrize(
    "cell",
    [
        "-5",
        "много",
        "nan",
        "1e99",
        "inf",
        "=",
        "1500,000",
        "2500.000",
        "1.500.50",
        "15 00",
        "0.500",
        "1,50,000",
    ],
)
def test_what_is_no_sum(cell: Cell) -> None:
    with pytest.raises(BadCell):
        cell_parsers.money(cell)


@pytest.mark.parametrize(
    ("cell", "state"),
    [
        ("Запланирован", "scheduled"),
        ("записана", "scheduled"),
        ("Подтверждён", "confirmed"),
        ("Пришла", "arrived"),
        ("Не пришёл", "no_show"),
        ("неявка", "no_show"),
        ("Отменен пациентом", "cancelled"),
        ("завершён", "completed"),
        ("completed", "completed"),
    ],
)
def test_states_of_visits(cell: str, state: str) -> None:
    assert cell_parsers.status(cell) == AppointmentStatus(state)


@pytest.mark.parametrize(
    ("cell", "answer"),
    [
        ("да", True),
        ("Нет", False),
        ("+", True),
        ("-", False),
        (1, True),
        (0.0, False),
        (True, True),
        ("", None),
    ],
)
def test_yes_and_no(cell: Cell, answer: bool | None) -> None:
    assert cell_parsers.flag(cell) is answer


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("Иванова Ольга Петровна", ("Иванова", "Ольга", "Петровна")),
        ("ИВАНОВА-СМИРНОВА ОЛЬГА", ("Иванова-Смирнова", "Ольга", "")),
        ("мамедов али гусейн оглы", ("Мамедов", "Али", "Гусейн Оглы")),
        ("Д'Артаньян  Шарль", ("Д'Артаньян", "Шарль", "")),
        ("Ким А.", ("Ким", "А.", "")),
        ("Иванов И.И.", ("Иванов", "И.", "И.")),
        ("Иванов И. И.", ("Иванов", "И.", "И.")),
        ("иванов и.и", ("Иванов", "И.", "И")),
        ("Иванов Иван И.", ("Иванов", "Иван", "И.")),
    ],
)
def test_names(cell: str, name: tuple[str, str, str]) -> None:
    assert cell_parsers.full_name(cell) == name


@pytest.mark.parametrize(
    "cell", ["Иванов 2", '=HYPERLINK("http://x")', "<script>", "12345", "@SUM(A1)", "🙂"]
)
def test_what_is_no_name(cell: str) -> None:
    with pytest.raises(BadCell):
        cell_parsers.full_name(cell)


def test_a_bad_phone_says_what_is_wrong_and_what_to_do() -> None:
    with pytest.raises(BadCell) as bad:
        cell_parsers.phone("+89110001122")
    assert "после плюса стоит 8" in bad.value.what
    assert "без плюса" in bad.value.todo


ANY_CELL: st.SearchStrategy[Cell] = st.one_of(
    st.none(),
    st.text(max_size=60),
    st.from_regex(r"[0-9.,:/ \-]{1,20}"),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
)
PARSERS: list[Callable[[Cell], object]] = [
    cell_parsers.text,
    cell_parsers.identifier,
    cell_parsers.date,
    cell_parsers.time,
    cell_parsers.moment,
    cell_parsers.time_or_moment,
    cell_parsers.minutes,
    cell_parsers.money,
    cell_parsers.flag,
    cell_parsers.status,
    cell_parsers.phone,
    cell_parsers.email,
    cell_parsers.name_part,
    cell_parsers.full_name,
    lambda cell: cell_parsers.birth_date(cell, today=TODAY),
]


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@given(cell=ANY_CELL)
@example(cell=math.inf)  # what Excel makes of 1e999
@example(cell=math.nan)
def test_no_cell_breaks_a_parser(parse: Callable[[Cell], object], cell: Cell) -> None:
    with contextlib.suppress(BadCell):
        parse(cell)


@given(cell=ANY_CELL)
def test_what_is_shown_is_text(cell: Cell) -> None:
    assert isinstance(cell_parsers.shown(cell), str)


@given(on=st.dates(dt.date(1928, 1, 1), dt.date(2099, 12, 31)))
def test_a_day_survives_every_way_of_writing(on: dt.date) -> None:
    serial = (on - dt.date(1899, 12, 30)).days
    for written in (
        f"{on:%d.%m.%Y}",
        f"{on:%Y-%m-%d}",
        on,
        dt.datetime.combine(on, dt.time()),
        float(serial),
    ):
        assert cell_parsers.date(written) == on
