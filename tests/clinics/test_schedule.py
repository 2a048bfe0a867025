"""Opening hours, working days and quiet hours, as a table; properties on random hours."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.clinics.schedule import (
    Hours,
    add_open_seconds,
    is_open,
    next_opening,
    next_working_day,
    open_seconds_between,
    opening,
    quiet_until,
)

WEEK = {day: (dt.time(8), dt.time(20)) for day in range(5)} | {5: (dt.time(10), dt.time(16))}
MOSCOW = Hours("Europe/Moscow", WEEK)
VLADIVOSTOK = Hours("Asia/Vladivostok", WEEK)


def at(text: str) -> dt.datetime:
    """An instant written with its offset: '2026-03-18 09:00+03'."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("moment", "open_", "opens"),
    [
        ("2026-03-18 07:59+03", False, "2026-03-18 08:00+03"),
        ("2026-03-18 08:00+03", True, "2026-03-18 08:00+03"),
        ("2026-03-18 19:59+03", True, "2026-03-18 19:59+03"),
        ("2026-03-18 20:00+03", False, "2026-03-19 08:00+03"),
        ("2026-03-20 20:00+03", False, "2026-03-21 10:00+03"),  # Friday evening: Saturday at ten
        (
            "2026-03-21 16:00+03",
            False,
            "2026-03-23 08:00+03",
        ),  # Saturday evening: Monday, Sunday is closed
        (
            "2026-12-31 23:00+03",
            False,
            "2027-01-09 10:00+03",
        ),  # New Year: a Saturday is the first day after
    ],
)
def test_opening_in_moscow(moment: str, open_: bool, opens: str) -> None:
    assert is_open(MOSCOW, at(moment)) is open_
    assert next_opening(MOSCOW, at(moment)) == at(opens)


def test_a_day_is_of_the_clinics_own_zone() -> None:
    moment = at("2026-03-18 22:30+00")
    assert is_open(VLADIVOSTOK, moment)
    assert not is_open(MOSCOW, moment)


def test_a_special_day_outranks_the_week_and_the_holiday() -> None:
    holiday, wednesday = dt.date(2026, 3, 9), dt.date(2026, 3, 18)
    hours = Hours("Europe/Moscow", WEEK, {holiday: (dt.time(10), dt.time(14)), wednesday: None})
    assert opening(hours, holiday) == (dt.time(10), dt.time(14))
    assert opening(hours, wednesday) is None
    assert next_working_day(hours, wednesday) == dt.date(2026, 3, 19)


def test_a_clinic_that_works_on_holidays_says_so() -> None:
    assert opening(MOSCOW, dt.date(2026, 6, 12)) is None
    assert (
        opening(Hours("Europe/Moscow", WEEK, observes_holidays=False), dt.date(2026, 6, 12))
        == WEEK[4]
    )


def test_a_clinic_that_never_opens_has_no_opening() -> None:
    assert next_opening(Hours("Europe/Moscow", {}), at("2026-03-18 09:00+03")) is None
    assert add_open_seconds(Hours("Europe/Moscow", {}), at("2026-03-18 09:00+03"), 60) is None


@pytest.mark.parametrize(
    ("kind", "moment", "zone", "until"),
    [
        ("call", "2026-03-18 08:59+03", "", "2026-03-18 09:00+03"),
        ("call", "2026-03-18 09:00+03", "", None),
        ("call", "2026-03-18 20:00+03", "", "2026-03-19 09:00+03"),
        ("call", "2026-03-20 20:30+03", "", "2026-03-21 10:00+03"),  # Saturday begins at ten
        ("call", "2026-03-21 19:00+03", "", "2026-03-22 10:00+03"),
        ("call", "2026-06-12 09:30+03", "", "2026-06-12 10:00+03"),  # Russia Day
        ("message", "2026-03-18 07:30+03", "", "2026-03-18 08:00+03"),
        ("message", "2026-03-18 20:59+03", "", None),
        ("message", "2026-03-18 21:00+03", "", "2026-03-19 08:00+03"),
        (
            "message",
            "2026-03-18 15:00+03",
            "Asia/Vladivostok",
            "2026-03-19 08:00+10",
        ),  # 22:00 where the patient is
        ("call", "2026-03-18 02:00+03", "Asia/Vladivostok", None),  # 09:00 there
    ],
)
def test_quiet_hours_are_of_the_patients_zone(
    kind: str, moment: str, zone: str, until: str | None
) -> None:
    assert quiet_until(MOSCOW, kind, at(moment), zone) == (at(until) if until else None)  # type: ignore[arg-type]


def test_opening_time_is_counted_only_while_open() -> None:
    evening, morning = at("2026-03-18 19:00+03"), at("2026-03-19 09:30+03")
    assert open_seconds_between(MOSCOW, evening, morning) == 2.5 * 3600
    assert add_open_seconds(MOSCOW, evening, 2.5 * 3600) == morning


DAY_ONE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
moments = st.integers(0, 365 * 86400).map(lambda seconds: DAY_ONE + dt.timedelta(seconds=seconds))


@given(moments, st.integers(1, 20 * 3600))
def test_adding_and_counting_agree(start: dt.datetime, seconds: int) -> None:
    end = add_open_seconds(MOSCOW, start, seconds)
    assert end is not None
    assert abs(open_seconds_between(MOSCOW, start, end) - seconds) < 1e-3


@given(moments)
def test_the_next_opening_is_open_and_not_before(start: dt.datetime) -> None:
    opens = next_opening(MOSCOW, start)
    assert opens is not None
    assert opens >= start
    assert is_open(MOSCOW, opens)


@given(
    moments,
    st.sampled_from(["call", "message"]),
    st.sampled_from(["", "Asia/Kamchatka", "Europe/Kaliningrad"]),
)
def test_what_quiet_hours_hold_back_may_go_at_the_instant_they_name(
    start: dt.datetime, kind: str, zone: str
) -> None:
    until = quiet_until(MOSCOW, kind, start, zone)  # type: ignore[arg-type]
    if until is not None:
        assert until > start
        assert quiet_until(MOSCOW, kind, until, zone) is None  # type: ignore[arg-type]
