"""When a clinic is open and when a patient may be disturbed. Pure: instants come from the caller,
UTC in and out.

«Рабочее время», «час открытия» (instruction «Обратный звонок»), «рабочий день клиники» (Журнал КОС)
and quiet hours (calls 09:00–20:00, days off 10:00–19:00; messages 08:00–21:00) are all decided
here.
"""

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import holidays as public_holidays

from callcenter.lib.errors import Refused
from callcenter.lib.localtime import instant, local

Span = tuple[dt.time, dt.time]
LOOK_AHEAD: Final = 60  # days: a clinic that does not open within two months has no opening


# Two years: a check-up of the next year is an intention, a call in ten is a slip of the finger.
FURTHEST_CALL: Final = dt.timedelta(days=731)


def refuse_too_far(call_on: dt.date, today: dt.date) -> None:
    """Raises Refused for a day to call that lies more than two years ahead."""
    last = today + FURTHEST_CALL
    if call_on > last:
        raise Refused(
            f"Это слишком далеко: выберите день не позже {last:%d.%m.%Y}.", field="call_on"
        )


@dataclass(frozen=True)
class Hours:
    """A clinic's week, its special days (None = closed), whether it keeps Russian holidays, and its
    quiet hours.
    """

    zone: str
    week: Mapping[int, Span]
    special: Mapping[dt.date, Span | None] = field(default_factory=dict)
    observes_holidays: bool = True
    calls: Span = (dt.time(9), dt.time(20))
    calls_day_off: Span = (dt.time(10), dt.time(19))
    messages: Span = (dt.time(8), dt.time(21))


@functools.lru_cache(maxsize=16)
def _russian_holidays(year: int) -> frozenset[dt.date]:
    return frozenset(public_holidays.country_holidays("RU", years=year))


def is_holiday(on: dt.date) -> bool:
    """Whether the day is a public holiday of Russia."""
    return on in _russian_holidays(on.year)


def opening(hours: Hours, on: dt.date) -> Span | None:
    """Opening and closing time of the local day, or None when the clinic is closed. A special day
    outranks a holiday.
    """
    if on in hours.special:
        return hours.special[on]
    if hours.observes_holidays and is_holiday(on):
        return None
    return hours.week.get(on.weekday())


def _bounds(hours: Hours, on: dt.date) -> tuple[dt.datetime, dt.datetime] | None:
    span = opening(hours, on)
    return (
        None
        if span is None
        else (instant(on, span[0], hours.zone), instant(on, span[1], hours.zone))
    )


def is_open(hours: Hours, moment: dt.datetime) -> bool:
    """Whether the clinic is open at the instant (the closing minute is not)."""
    bounds = _bounds(hours, local(moment, hours.zone).date())
    return bounds is not None and bounds[0] <= moment < bounds[1]


def next_opening(hours: Hours, moment: dt.datetime) -> dt.datetime | None:
    """`moment` itself when open, else the next instant the doors open; None when there is none in
    two months.
    """
    if is_open(hours, moment):
        return moment
    today = local(moment, hours.zone).date()
    for step in range(LOOK_AHEAD):
        bounds = _bounds(hours, today + dt.timedelta(days=step))
        if bounds is not None and bounds[0] >= moment:
            return bounds[0]
    return None


def closing(hours: Hours, on: dt.date) -> dt.datetime | None:
    """The instant at which the clinic closes on the local day; None when it is closed all day."""
    bounds = _bounds(hours, on)
    return bounds[1] if bounds else None


def is_working_day(hours: Hours, on: dt.date) -> bool:
    return opening(hours, on) is not None


def next_working_day(hours: Hours, on: dt.date) -> dt.date:
    """`on` when the clinic works then, else the first working day after it (`on` itself if there is
    none in sight).
    """
    for step in range(LOOK_AHEAD):
        day = on + dt.timedelta(days=step)
        if is_working_day(hours, day):
            return day
    return on


def open_seconds_between(hours: Hours, start: dt.datetime, end: dt.datetime) -> float:
    """Seconds of opening time in [start, end)."""
    total = 0.0
    day, last = local(start, hours.zone).date(), local(end, hours.zone).date()
    while day <= last:
        bounds = _bounds(hours, day)
        if bounds is not None:
            total += max(0.0, (min(end, bounds[1]) - max(start, bounds[0])).total_seconds())
        day += dt.timedelta(days=1)
    return total


def add_open_seconds(hours: Hours, start: dt.datetime, seconds: float) -> dt.datetime | None:
    """The instant at which `seconds` of opening time have passed since `start`; None when the
    clinic never opens.
    """
    left, day = seconds, local(start, hours.zone).date()
    for _ in range(LOOK_AHEAD * 4):
        bounds = _bounds(hours, day)
        if bounds is not None:
            begin = max(start, bounds[0])
            room = (bounds[1] - begin).total_seconds()
            if room >= left > 0 or (left == 0 and room > 0):
                return begin + dt.timedelta(seconds=left)
            left -= max(0.0, room)
        day += dt.timedelta(days=1)
    return None


def quiet_until(
    hours: Hours, kind: Literal["call", "message"], moment: dt.datetime, zone: str = ""
) -> dt.datetime | None:
    """None when a person may be disturbed at the instant, else the instant at which he may be.

    `zone` is the patient's own if known, else the clinic's. Days off for calls: Saturday, Sunday
    and Russian holidays.
    """
    zone = zone or hours.zone
    here = local(moment, zone)
    for step in range(3):
        day = here.date() + dt.timedelta(days=step)
        begins, ends = _disturbable(hours, kind, day)
        start, end = instant(day, begins, zone), instant(day, ends, zone)
        if moment < end:
            return None if moment >= start else start
    return None


def _disturbable(hours: Hours, kind: Literal["call", "message"], on: dt.date) -> Span:
    if kind == "message":
        return hours.messages
    return hours.calls_day_off if on.weekday() >= 5 or is_holiday(on) else hours.calls
