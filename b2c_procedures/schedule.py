"""Time norms of the procedures, pure: how long a function may take and when that runs out.

Seconds and minutes are the clock's own. «1 рабочий день» and «2 часа» run in working time only,
08:00–20:00 Moscow on working days (appendix 1: a request after 20:00 is answered in the first two
hours of the next working day); a working day is twelve working hours, so what is asked at 15:00 is
due at 15:00 of the next working day. ADR 0071.
"""

import datetime as dt
import re
from dataclasses import dataclass
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays

MOSCOW: Final = ZoneInfo("Europe/Moscow")
OPENS: Final = dt.time(8)
CLOSES: Final = dt.time(20)
DAY_SECONDS: Final = 12 * 3600
_FORM = re.compile(r"([1-9]\d*) (second|minute|hour|working day)s?")
_WORDS: Final = {
    "second": ("секунда", "секунды", "секунд"),
    "minute": ("минута", "минуты", "минут"),
    "hour": ("час", "часа", "часов"),
    "working day": ("рабочий день", "рабочих дня", "рабочих дней"),
}
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "working day": DAY_SECONDS}


@dataclass(frozen=True)
class Norm:
    """How long something may take: `seconds` of the clock, or of working time if `working`."""

    text: str  # as in the definition: '3 minutes'
    seconds: int
    working: bool
    words: str  # as on the screen: '3 минуты'

    def deadline(self, start: dt.datetime) -> dt.datetime:
        """When it runs out for work begun at `start` (UTC in, UTC out)."""
        return (
            add_working(start, self.seconds)
            if self.working
            else start + dt.timedelta(seconds=self.seconds)
        )

    def spent(self, start: dt.datetime, end: dt.datetime) -> int:
        """Seconds between two instants as this norm counts them."""
        if self.working:
            return working_between(start, end)
        return max(0, int((end - start).total_seconds()))


def norm(text: str) -> Norm:
    """'30 seconds', '3 minutes', '2 hours', '1 working day'; raises ValueError for anything else."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(
            f"«{text}»: норматив пишется как 30 seconds, 3 minutes, 2 hours или 1 working day"
        )
    number, unit = int(form[1]), form[2]
    return Norm(
        text,
        number * _SECONDS[unit],
        unit in {"hour", "working day"},
        _spoken(number, _WORDS[unit]),
    )


def _spoken(number: int, forms: tuple[str, str, str]) -> str:
    tail = number % 100
    if tail % 10 == 1 and tail != 11:
        form = forms[0]
    else:
        form = forms[1] if tail % 10 in (2, 3, 4) and tail not in (12, 13, 14) else forms[2]
    return f"{number} {form}"


@cache
def _public_holidays(year: int) -> frozenset[dt.date]:
    return frozenset(holidays.country_holidays("RU", years=year))


def is_working_day(on: dt.date) -> bool:
    """Monday to Friday, public holidays of Russia excepted."""
    return on.weekday() < 5 and on not in _public_holidays(on.year)


def _shift(on: dt.date) -> tuple[dt.datetime, dt.datetime]:
    return dt.datetime.combine(on, OPENS, MOSCOW), dt.datetime.combine(on, CLOSES, MOSCOW)


def next_working(moment: dt.datetime) -> dt.datetime:
    """`moment` itself inside working time, else the next opening at 08:00 Moscow (UTC)."""
    here = moment.astimezone(MOSCOW)
    opens, closes = _shift(here.date())
    if is_working_day(here.date()) and here < closes:
        return max(here, opens).astimezone(dt.UTC)
    on = here.date() + dt.timedelta(days=1)
    while not is_working_day(on):
        on += dt.timedelta(days=1)
    return _shift(on)[0].astimezone(dt.UTC)


def add_working(start: dt.datetime, seconds: int) -> dt.datetime:
    """The instant at which `seconds` of working time have passed since `start` (UTC)."""
    moment, left = next_working(start), seconds
    while True:
        closes = _shift(moment.astimezone(MOSCOW).date())[1]
        room = int((closes - moment).total_seconds())
        if left <= room:
            return (moment + dt.timedelta(seconds=left)).astimezone(dt.UTC)
        left -= room
        moment = next_working(closes)


def working_between(start: dt.datetime, end: dt.datetime) -> int:
    """Seconds of working time between two instants; 0 when `end` is not after `start`."""
    total = 0
    on, last = start.astimezone(MOSCOW).date(), end.astimezone(MOSCOW).date()
    while on <= last:
        if is_working_day(on):
            opens, closes = _shift(on)
            total += max(0, int((min(end, closes) - max(start, opens)).total_seconds()))
        on += dt.timedelta(days=1)
    return total
