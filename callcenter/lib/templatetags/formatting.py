"""Template filters for numbers, days and instants in Russian; built into every template."""

import datetime as dt
from decimal import Decimal

from django import template

from callcenter.lib.calendar_names import weekday_abbr
from callcenter.lib.localtime import local as to_local

register = template.Library()


@register.filter
def plural(number: int, forms: str) -> str:
    """Write the number with its noun: {{ n|plural:"звонок,звонка,звонков" }} → '2 звонка'."""
    return f"{number} {word(number, forms)}"


@register.filter
def word(number: int, forms: str) -> str:
    """Choose the form of the noun alone: 1 звонок, 2 звонка, 5 звонков."""
    one, few, many = forms.split(",")
    tail = abs(number) % 100
    if tail % 10 == 1 and tail != 11:
        return one
    return few if tail % 10 in (2, 3, 4) and tail not in (12, 13, 14) else many


@register.filter
def day(value: dt.date | dt.datetime | None) -> str:
    """Write a day as дд.мм.гггг; an instant goes through `at` first, as a day belongs to a zone."""
    return value.strftime("%d.%m.%Y") if value else ""


@register.filter
def add_days(value: dt.date, days: int) -> dt.date:
    return value + dt.timedelta(days=days)


@register.filter
def weekday(value: dt.date) -> str:
    """Write the weekday in short: 'пн'."""
    return weekday_abbr(value.weekday())


class WallClock(dt.datetime):
    """An instant already in its zone, which Django's `date` filter must not convert to UTC."""

    convert_to_local_time = False


@register.filter
def at(moment: dt.datetime | None, zone: str) -> dt.datetime | None:
    """Convert an instant to a zone: {{ appointment.starts_at|at:clinic.zone|date_time }}."""
    if not moment:
        return None
    shown = to_local(moment, zone)
    return WallClock.combine(shown.date(), shown.timetz())


@register.filter
def date_time(value: dt.datetime | None) -> str:
    return value.strftime("%d.%m.%Y %H:%M") if value else ""


@register.filter
def clock(value: dt.datetime | dt.time | None) -> str:
    return value.strftime("%H:%M") if value else ""


@register.filter
def duration(seconds: int | None) -> str:
    """Write seconds as 0:07, 3:15, 1:02:30."""
    if seconds is None:
        return ""
    hours, rest = divmod(int(seconds), 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


@register.filter
def rub(money: Decimal | int | None) -> str:
    """Write a sum in roubles, 12 500 ₽, with narrow no-break spaces."""
    return (
        "" if money is None else f"{money:,.0f} ₽".replace(",", "\u202f").replace(" ₽", "\u00a0₽")
    )


@register.filter
def percent(share: float | None) -> str:
    """Write a share as a percentage: 0.421 → '42,1 %'."""
    return "" if share is None else f"{share * 100:.1f}".replace(".", ",") + "\u00a0%"
