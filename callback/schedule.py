"""When the robot may call. Pure: instants come from the caller, UTC in and out.

«Если пациент нажал на кнопку «Записаться» в нерабочее время, обратный звонок произойдет в 9 утра
или в час открытия».
"""

import datetime as dt

from callcenter.clinics.schedule import (
    Hours,
    add_open_seconds,
    is_open,
    next_opening,
    opening,
    quiet_until,
)
from callcenter.lib.localtime import instant, local_day


def may_call_at(
    hours: Hours, moment: dt.datetime, *, from_nine: bool = False, zone: str = ""
) -> bool:
    """Whether the robot may dial at the instant: the clinic is open and the patient may be
    disturbed.
    """
    return next_call(hours, moment, from_nine=from_nine, zone=zone) == moment


def next_call(
    hours: Hours, moment: dt.datetime, *, from_nine: bool = False, zone: str = ""
) -> dt.datetime | None:
    """The first instant not before `moment` at which the robot may dial; None when there is none in
    two months.

    Opening hours of the clinic (from 09:00 at the earliest, if it chose so) and quiet hours of the
    patient's `zone`.
    """
    at = moment
    for _ in range(120):
        opened = next_opening(hours, at)
        if opened is None:
            return None
        nine = instant(local_day(opened, hours.zone), dt.time(9), hours.zone)
        if from_nine and opened < nine and _opens_before_nine(hours, opened):
            opened = nine
        allowed = quiet_until(hours, "call", opened, zone) or opened
        if allowed == opened and is_open(hours, opened):
            return opened
        at = max(allowed, opened)
    return None


def _opens_before_nine(hours: Hours, moment: dt.datetime) -> bool:
    span = opening(hours, local_day(moment, hours.zone))
    return span is not None and span[0] < dt.time(9) < span[1]


def window_end(hours: Hours, first_try_at: dt.datetime, minutes: int) -> dt.datetime:
    """When `minutes` of opening time have passed since the first attempt («в течение 2,5
    часов»).
    """
    return add_open_seconds(hours, first_try_at, minutes * 60) or first_try_at + dt.timedelta(
        minutes=minutes
    )


def next_try(
    hours: Hours,
    ended_at: dt.datetime,
    minutes: int,
    until: dt.datetime | None,
    *,
    from_nine: bool,
    zone: str = "",
) -> dt.datetime | None:
    """When to try again: `minutes` after the end of the last attempt, at an hour for calls, but
    never after `until`.
    """
    wanted = next_call(
        hours, ended_at + dt.timedelta(minutes=minutes), from_nine=from_nine, zone=zone
    )
    if until is None or wanted is None:
        return wanted or until
    return min(wanted, until)
