"""The days that the card proposes."""

import datetime as dt

from callcenter.clinics.schedule import Hours
from journals.outcome_rules import RecallLimits
from journals.schedule import quick_dates

SPAN = (dt.time(9), dt.time(18))
HOURS = Hours("Europe/Moscow", dict.fromkeys(range(5), SPAN), observes_holidays=False)
THURSDAY = dt.date(2026, 3, 19)


def test_each_day_is_a_working_one_in_order_and_none_twice() -> None:
    for shift in range(14):
        days = [
            on
            for _words, on in quick_dates(
                HOURS, THURSDAY + dt.timedelta(days=shift), RecallLimits()
            )
        ]
        assert days == sorted(set(days))
        assert all(on.weekday() < 5 for on in days)


def test_tomorrow_is_called_so_only_when_it_is() -> None:
    assert quick_dates(HOURS, THURSDAY, RecallLimits())[0] == ("завтра", dt.date(2026, 3, 20))
    friday = dt.date(2026, 3, 20)
    assert quick_dates(HOURS, friday, RecallLimits())[0] == (
        "ближайший рабочий день",
        dt.date(2026, 3, 23),
    )


def test_the_clinics_own_interval_is_among_them() -> None:
    assert ("через 10 дней", dt.date(2026, 3, 30)) in quick_dates(
        HOURS, THURSDAY, RecallLimits(interval_days=10)
    )
    assert ("через неделю", dt.date(2026, 3, 26)) in quick_dates(HOURS, THURSDAY, RecallLimits())
