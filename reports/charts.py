"""The chart beside the table: the same filters, drawn."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, Q
from django.db.models.functions import ExtractIsoWeekDay

from callcenter.clinics.models import Clinic
from callcenter.contacts.states import MISSED, Outcome, mask
from reports.ask import Ask
from reports.queries import BOOKED, contacts_of

_WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")


def chart_of(ask: Ask, clinics: Sequence[Clinic], *, today: dt.date) -> dict[str, Any]:
    """The numbers of the chart asked for, for static/js/history.js."""
    if ask.chart == "funnel":
        return _funnel(ask, clinics, today)
    if ask.chart == "heat":
        return _heat(ask, clinics, today)
    rows = (
        contacts_of(ask, clinics, today=today)
        .values("on")
        .annotate(
            total=Count("*"),
            booked=Count("pk", filter=Q(outcome__in=BOOKED)),
            came=Count("pk", filter=Q(outcome=Outcome.CAME)),
        )
    )
    by_day = {row["on"]: row for row in rows}
    days = [ask.since + dt.timedelta(days=step) for step in range(min(ask.days, 1100))]
    zero = {"total": 0, "booked": 0, "came": 0}
    return {
        "kind": "day",
        "days": [f"{day:%d.%m}" for day in days],
        "total": [by_day.get(day, zero)["total"] for day in days],
        "booked": [by_day.get(day, zero)["booked"] for day in days],
        "came": [by_day.get(day, zero)["came"] for day in days],
    }


def _funnel(ask: Ask, clinics: Sequence[Clinic], today: dt.date) -> dict[str, Any]:
    row = contacts_of(ask, clinics, today=today).aggregate(
        total=Count("*"),
        talked=Count("pk", filter=Q(talks__gt=0) | Q(results_count__gt=0)),
        booked=Count("pk", filter=Q(outcome__in=BOOKED)),
        came=Count("pk", filter=Q(outcome=Outcome.CAME)),
    )
    steps = (("Обращения", "total"), ("Поговорили", "talked"), ("Записались", "booked"), ("Пришли", "came"))
    return {"kind": "funnel", "steps": [{"name": name, "value": row[key]} for name, key in steps]}


def _heat(ask: Ask, clinics: Sequence[Clinic], today: dt.date) -> dict[str, Any]:
    """Contacts with a missed call or chat, by the hour and the weekday they began."""
    rows = (
        contacts_of(ask, clinics, today=today)
        .annotate(missed=F("shapes").bitand(mask(list(MISSED))), weekday=ExtractIsoWeekDay("on"))
        .filter(missed__gt=0)
        .values("weekday", "hour")
        .annotate(n=Count("*"))
    )
    cells = [[row["hour"], row["weekday"] - 1, row["n"]] for row in rows]
    return {
        "kind": "heat",
        "hours": [f"{hour}:00" for hour in range(24)],
        "weekdays": list(_WEEKDAYS),
        "cells": cells,
        "max": max((cell[2] for cell in cells), default=1),
    }
