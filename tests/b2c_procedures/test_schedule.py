"""Time norms: seconds of the clock, or working time 08:00–20:00 Moscow."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2c_procedures.schedule import add_working, is_working_day, norm, working_between

MSK = ZoneInfo("Europe/Moscow")


def msk(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=MSK)


@pytest.mark.parametrize(
    ("text", "start", "due"),
    [
        ("30 seconds", "20.11.2026 23:59", None),
        (
            "3 minutes",
            "21.11.2026 12:00",
            "21.11.2026 12:03",
        ),  # a Saturday: the clock's own minutes
        ("2 hours", "20.11.2026 10:00", "20.11.2026 12:00"),
        (
            "2 hours",
            "19.11.2026 21:00",
            "20.11.2026 10:00",
        ),  # after 20:00: first two hours of the next working day
        ("2 hours", "20.11.2026 21:00", "23.11.2026 10:00"),  # Friday evening → Monday
        (
            "2 hours",
            "20.11.2026 03:00",
            "20.11.2026 10:00",
        ),  # before 08:00 the day that is about to begin
        ("2 hours", "19.11.2026 20:00", "20.11.2026 10:00"),  # the boundary belongs to the evening
        ("2 hours", "20.11.2026 08:00", "20.11.2026 10:00"),
        (
            "2 hours",
            "19.11.2026 19:00",
            "20.11.2026 09:00",
        ),  # the rest goes over to the next working day
        ("1 working day", "20.11.2026 15:00", "23.11.2026 15:00"),
        ("1 working day", "21.11.2026 15:00", "23.11.2026 20:00"),
        ("1 working day", "03.11.2026 15:00", "05.11.2026 15:00"),  # over the holiday of 4 November
        ("1 working day", "31.12.2025 21:00", "12.01.2026 20:00"),  # over the New Year's holidays
    ],
)
def test_a_norm_runs_out_when_the_document_says(text: str, start: str, due: str | None) -> None:
    deadline = norm(text).deadline(msk(start).astimezone(dt.UTC))
    assert deadline == (msk(due) if due else msk(start) + dt.timedelta(seconds=30))


def test_norms_are_spoken_in_words() -> None:
    assert [norm(t).words for t in ("30 seconds", "1 minute", "2 hours", "1 working day", "5 minutes")] == [
        "30 секунд", "1 минута", "2 часа", "1 рабочий день", "5 минут",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "0 minutes", "2 weeks", "minute", "1.5 hours"])
def test_anything_else_is_no_norm(text: str) -> None:
    with pytest.raises(ValueError, match="норматив"):
        norm(text)


moments = st.integers(0, 330 * 24 * 3600).map(
    lambda seconds: msk("01.01.2026 00:00") + dt.timedelta(seconds=seconds)
)


@given(moments, st.integers(0, 100_000))
def test_adding_working_time_and_measuring_it_agree(start: dt.datetime, seconds: int) -> None:
    assert working_between(start, add_working(start, seconds)) == seconds


@given(moments)
def test_two_hours_are_the_clocks_by_day_and_end_at_ten_when_asked_outside(
    start: dt.datetime,
) -> None:
    """CH-15 and CH-16; what is asked less than two hours before 20:00 goes on at 08:00 of the next
    working day.
    """
    due, here = norm("2 hours").deadline(start).astimezone(MSK), start.astimezone(MSK)
    assert is_working_day(due.date())
    asked_in_time = is_working_day(here.date()) and dt.time(8) <= here.time() < dt.time(20)
    if asked_in_time and here.time() <= dt.time(18):
        assert due == here + dt.timedelta(hours=2)
    elif asked_in_time:
        assert due.date() > here.date()
        assert due.time() < dt.time(10)
    else:
        assert due.time() == dt.time(10)
        assert due > here


@given(moments)
def test_one_working_day_ends_at_the_same_time_of_the_next_working_day(start: dt.datetime) -> None:
    due, here = norm("1 working day").deadline(start).astimezone(MSK), start.astimezone(MSK)
    between = [
        day
        for number in range((due.date() - here.date()).days + 1)
        if is_working_day(day := here.date() + dt.timedelta(days=number))
    ]
    if is_working_day(here.date()) and 8 < here.hour < 20:
        assert (due.time(), len(between)) == (here.time(), 2)
    elif not is_working_day(here.date()):
        assert (due.time(), len(between)) == (dt.time(20), 1)
