"""The chart beside the table: the same filters and the same view, drawn."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Count, F, Q, QuerySet

from callcenter.clinics.models import Clinic
from callcenter.contacts.models import Contact
from callcenter.contacts.states import MISSED, ContactOutcome, mask
from callcenter.lib.calendar_names import weekday_abbrs
from reports.dimensions import DIMENSIONS
from reports.filters import ALL, ReportFilter
from reports.queries import (
    BOOKED,
    contacts_of,
    group_by,
    interactions_of,
    reading_the_index,
    with_contacts,
)

_MOST_DAYS: Final = 1100


def chart_of(
    report_filter: ReportFilter, clinics: Sequence[Clinic], *, today: dt.date
) -> dict[str, Any]:
    """The numbers of the chart asked for, for static/js/reports.js."""
    draw = {"funnel": _funnel, "heat": _heat}.get(report_filter.chart, _by_day)
    with reading_the_index(report_filter):
        return draw(report_filter, _found(report_filter, clinics, today))


def _found(report_filter: ReportFilter, clinics: Sequence[Clinic], today: dt.date) -> QuerySet[Any]:
    """The rows of the table: contacts, or interactions."""
    if report_filter.view == ALL:
        return with_contacts(interactions_of(report_filter, clinics, today=today), report_filter)
    return contacts_of(report_filter, clinics, today=today)


def _by_day(report_filter: ReportFilter, found: QuerySet[Any]) -> dict[str, Any]:
    keys = {
        "day": group_by(DIMENSIONS["day"], report_filter),
        "result": group_by(DIMENSIONS["outcome"], report_filter),
    }
    counted = (
        found.annotate(**keys)
        .values(*keys)
        .annotate(n=Count("*"))
        .values_list("day", "result", "n")
    )
    total: dict[dt.date, int] = {}
    booked: dict[dt.date, int] = {}
    came: dict[dt.date, int] = {}
    for day, result, n in counted:
        total[day] = total.get(day, 0) + n
        if result in BOOKED:
            booked[day] = booked.get(day, 0) + n
        if result == ContactOutcome.CAME:
            came[day] = came.get(day, 0) + n
    days = [
        report_filter.since + dt.timedelta(days=step)
        for step in range(min(report_filter.days, _MOST_DAYS))
    ]
    return {
        "kind": "day",
        "unit": "Записи" if report_filter.view == ALL else "Обращения",
        "days": [f"{day:%d.%m}" for day in days],
        "total": [total.get(day, 0) for day in days],
        "booked": [booked.get(day, 0) for day in days],
        "came": [came.get(day, 0) for day in days],
    }


def _funnel(report_filter: ReportFilter, found: QuerySet[Any]) -> dict[str, Any]:
    """People, not their calls: without grouping, the contacts of the interactions found."""
    contacts = found
    if report_filter.view == ALL:
        contacts = Contact.objects.filter(
            pk__in=found.values("contact"), on__gte=report_filter.since, on__lte=report_filter.until
        )
    row = contacts.order_by().aggregate(
        total=Count("*"),
        talked=Count("pk", filter=Q(talk_count__gt=0) | Q(results_count__gt=0)),
        booked=Count("pk", filter=Q(outcome__in=BOOKED)),
        came=Count("pk", filter=Q(outcome=ContactOutcome.CAME)),
    )
    steps = (
        ("Обращения", "total"),
        ("Поговорили", "talked"),
        ("Записались", "booked"),
        ("Пришли", "came"),
    )
    return {"kind": "funnel", "steps": [{"name": name, "value": row[key]} for name, key in steps]}


def _heat(report_filter: ReportFilter, found: QuerySet[Any]) -> dict[str, Any]:
    """Missed calls and chats by hour and weekday; «По обращениям» the contacts that had one, by
    when they began.
    """
    if report_filter.view == ALL:
        found = found.filter(contact_type__in=MISSED)
    else:
        found = found.annotate(missed=F("contact_types").bitand(mask(list(MISSED)))).filter(
            missed__gt=0
        )
    keys = {
        "h": group_by(DIMENSIONS["hour"], report_filter),
        "w": group_by(DIMENSIONS["weekday"], report_filter),
    }
    counted = found.annotate(**keys).values(*keys).annotate(n=Count("*")).values_list("h", "w", "n")
    cells = [[hour, weekday - 1, n] for hour, weekday, n in counted]
    return {
        "kind": "heat",
        "hours": [f"{hour}:00" for hour in range(24)],
        "weekdays": weekday_abbrs(),
        "cells": cells,
        "max": max((cell[2] for cell in cells), default=1),
    }
