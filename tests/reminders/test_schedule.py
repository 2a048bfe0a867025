"""When runs open and which days they cover: zones, shifts, holidays, midnight of UTC."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.clinics.models import ZONES
from callcenter.lib.localtime import instant, local
from reminders.schedule import covered_span, last_covered_day, latest_opening, next_opening

NOON = dt.time(12)
FRIDAY = dt.date(2026, 3, 20)


@pytest.mark.parametrize(
    ("zone", "utc"),
    [
        ("Europe/Kaliningrad", 10),
        ("Europe/Moscow", 9),
        ("Asia/Vladivostok", 2),
        ("Asia/Kamchatka", 0),
    ],
)
def test_noon_is_of_the_clinics_own_clock(zone: str, utc: int) -> None:
    noon = dt.datetime(2026, 3, 20, utc, tzinfo=dt.UTC)
    second = dt.timedelta(seconds=1)
    assert latest_opening(noon, NOON, zone) == FRIDAY
    assert latest_opening(noon - second, NOON, zone) == FRIDAY - dt.timedelta(days=1)
    assert next_opening(noon - second, NOON, zone) == noon
    assert next_opening(noon, NOON, zone) == noon + dt.timedelta(days=1)


def test_a_tick_three_hours_late_still_means_today() -> None:
    late = instant(FRIDAY, dt.time(15, 7), "Europe/Moscow")
    assert latest_opening(late, NOON, "Europe/Moscow") == FRIDAY


def test_in_vladivostok_the_day_turns_before_utc_does() -> None:
    moment = dt.datetime(2026, 3, 19, 23, 30, tzinfo=dt.UTC)  # 09:30 on the 20th there
    assert latest_opening(moment, NOON, "Asia/Vladivostok") == dt.date(2026, 3, 19)
    moment += dt.timedelta(hours=3)  # 12:30 on the 20th
    assert latest_opening(moment, NOON, "Asia/Vladivostok") == FRIDAY


def days(*numbers: int) -> set[dt.date]:
    return {dt.date(2026, 3, number) for number in numbers}


@pytest.mark.parametrize(
    ("yellow", "last"),
    [
        (set(), 21),  # nobody has planned shifts: tomorrow
        (days(21), 21),
        (days(20, 23), 23),  # Friday's people remind of Saturday, Sunday and Monday
        (days(22, 23), 22),
        (days(1, 19, 20), 21),  # shifts of the past say nothing
    ],
)
def test_a_run_reaches_to_the_next_yellow_shift(yellow: set[dt.date], last: int) -> None:
    assert last_covered_day(FRIDAY, yellow) == dt.date(2026, 3, last)


def test_a_clinic_may_want_the_next_day_only() -> None:
    assert last_covered_day(FRIDAY, days(23), next_day_only=True) == dt.date(2026, 3, 21)


def test_over_the_new_years_holidays_one_run_covers_all_the_days_off() -> None:
    thirty_first = dt.date(2025, 12, 31)
    assert last_covered_day(thirty_first, {dt.date(2026, 1, 9)}) == dt.date(2026, 1, 9)


@given(
    st.integers(0, 6 * 365 * 86400).map(
        lambda second: dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=second)
    ),
    st.sampled_from([zone for zone, _ in ZONES]),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
)
def test_openings_follow_each_other_day_by_day(now: dt.datetime, zone: str, at: dt.time) -> None:
    following = next_opening(now, at, zone)
    assert now < following
    assert local(following, zone).time() == at
    assert latest_opening(following, at, zone) == latest_opening(now, at, zone) + dt.timedelta(
        days=1
    )


@given(st.sampled_from([zone for zone, _ in ZONES]), st.integers(0, 13))
def test_a_span_is_whole_local_days(zone: str, more: int) -> None:
    start, end = covered_span(FRIDAY, FRIDAY + dt.timedelta(days=1 + more), zone)
    assert (end - start) == dt.timedelta(days=1 + more)
    assert local(start, zone).time() == dt.time()
