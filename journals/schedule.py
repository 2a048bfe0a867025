"""Dates and halves of the day for the next call. Pure: days are the clinic's local ones."""

import datetime as dt

from callcenter.clinics.schedule import Hours, closing, next_working_day, opening
from callcenter.lib.localtime import instant, local
from callcenter.lib.templatetags.formatting import plural
from journals.outcome_rules import Half, RecallLimits

# A clinic closed on the day of a call still has a middle of the day.
_NOON = dt.time(14)


def next_call_on(hours: Hours, today: dt.date, policy: RecallLimits) -> dt.date:
    """The date to which a call without a result moves: the interval later, on a working day of the
    clinic.

    «Меняем дату три раза через неделю».
    """
    return next_working_day(hours, today + dt.timedelta(days=policy.interval_days))


def quick_dates(hours: Hours, today: dt.date, policy: RecallLimits) -> list[tuple[str, dt.date]]:
    """What patients usually answer to «когда перезвонить?», each on a working day of the clinic; in
    order, no day twice.

    The policy's own interval is among them.
    """
    wanted = {
        1: "завтра",
        3: "через 3 дня",
        7: "через неделю",
        14: "через 2 недели",
        30: "через месяц",
    }
    wanted.setdefault(
        policy.interval_days, f"через {plural(policy.interval_days, 'день,дня,дней')}"
    )
    found: dict[dt.date, str] = {}
    for days, words in sorted(wanted.items()):
        on = next_working_day(hours, today + dt.timedelta(days=days))
        tomorrow_is_off = days == 1 and on != today + dt.timedelta(days=1)
        found.setdefault(on, "ближайший рабочий день" if tomorrow_is_off else words)
    return [(words, on) for on, words in found.items()]


def half_of(hours: Hours, moment: dt.datetime) -> Half:
    """In which half of the clinic's opening hours the instant lies."""
    here = local(moment, hours.zone)
    span = opening(hours, here.date())
    if span is None:
        middle = _NOON
    else:
        minutes = (span[0].hour * 60 + span[0].minute + span[1].hour * 60 + span[1].minute) // 2
        middle = dt.time(*divmod(minutes, 60))
    return Half.MORNING if here.time() < middle else Half.EVENING


def other_half(half: Half) -> Half:
    return Half.EVENING if half is Half.MORNING else Half.MORNING


def plan_ends_at(hours: Hours, on: dt.date) -> dt.datetime:
    """When the plan of a day ends: at the clinic's closing; on a day off, when calls on days off
    end.
    """
    return closing(hours, on) or instant(on, hours.calls_day_off[1], hours.zone)
