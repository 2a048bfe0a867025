"""«Смены»: who works on which day under which colour; a click on a day paints it with the chosen
colour.
"""

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from callcenter.lib.localtime import local_day
from callcenter.lib.query_params import date, number
from callcenter.staff import actions, queries
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_MANAGE_STAFF, EVERYONE, ShiftColour


@dataclass(frozen=True)
class ShiftCell:
    day: dt.date
    colour: str
    label: str

    @property
    def letter(self) -> str:
        return self.label[:1].upper()


@dataclass(frozen=True)
class ShiftLine:
    person: User
    cells: list[ShiftCell]


@allow(*EVERYONE)
@require_GET
def shifts(request: StaffRequest) -> HttpResponse:
    """A week or a month of the people of one's clinics; seniors and managers paint, the others
    read.
    """
    return render(request, "staff/shifts.html", _context(request, request.GET))


@allow(*CAN_MANAGE_STAFF)
@require_POST
def paint(request: StaffRequest) -> HttpResponse:
    """Paints one day of one person: `cell` is 'person:day:shown colour'; the shown colour once more
    wipes it off.

    The page says what it showed, so that a second click of an impatient finger repeats the deed
    instead of undoing it.
    """
    pk, _, rest = request.POST.get("cell", "").partition(":")
    day, _, shown = rest.partition(":")
    on, brush = date(day), request.POST.get("brush", "")
    if number(pk) is None or on is None:
        return HttpResponseBadRequest("cell")
    person = get_object_or_404(queries.colleagues(request.user), pk=number(pk))
    colour = "" if brush == shown else brush
    actions.set_shift(person, on=on, colour=colour, by=request.user, now=timezone.now())
    return _answer(request)


@allow(*CAN_MANAGE_STAFF)
@require_POST
def copy(request: StaffRequest) -> HttpResponse:
    """Repeats the week before the shown one where days are still free."""
    monday = _monday(date(request.POST.get("from")) or _today(request.user))
    people = queries.shift_people(request.user, number(request.POST.get("clinic")))
    given = actions.copy_week(people, monday=monday, by=request.user, now=timezone.now())
    messages.info(
        request,
        f"Повторено смен: {given}."
        if given
        else "Повторять нечего: прошлая неделя пуста или дни уже заняты.",
    )
    return redirect(_address(request.POST))


def _answer(request: StaffRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return render(request, "staff/shifts.html#grid", _context(request, request.POST))
    return redirect(_address(request.POST))


def _address(params: QueryDict) -> str:
    kept = QueryDict(mutable=True)
    kept.update(
        {
            name: params.get(name, "")
            for name in ("clinic", "from", "span", "brush")
            if name in params
        }
    )
    return f"{reverse('staff:shifts')}?{kept.urlencode()}"


def _context(request: StaffRequest, params: QueryDict) -> dict[str, Any]:
    today = _today(request.user)
    start, span = date(params.get("from")) or today, params.get("span", "week")
    days = (
        _month(start)
        if span == "month"
        else [_monday(start) + dt.timedelta(days=step) for step in range(7)]
    )
    clinic_id = number(params.get("clinic"))
    people = queries.shift_people(request.user, clinic_id)
    found = queries.shifts_of(people, days[0], days[-1])
    labels = dict(ShiftColour.choices)

    def cell(person: User, day: dt.date) -> ShiftCell:
        shift = found.get((person.pk, day))
        return ShiftCell(day, shift.colour if shift else "", labels[shift.colour] if shift else "")

    brush = params.get("brush", ShiftColour.YELLOW)
    return {
        "lines": [ShiftLine(person, [cell(person, day) for day in days]) for person in people],
        "days": days,
        "today": today,
        "start": days[0],
        "earlier": (days[0] - dt.timedelta(days=1 if span == "month" else 7)),
        "later": days[-1] + dt.timedelta(days=1),
        "span": "month" if span == "month" else "week",
        "clinic_id": clinic_id,
        "clinics": request.user.clinics.order_by("name"),
        "colours": ShiftColour.choices,
        "brush": brush if brush in ("", *ShiftColour.values) else ShiftColour.YELLOW,
        "may_paint": request.user.has(*CAN_MANAGE_STAFF),
    }


def _today(user: User) -> dt.date:
    return local_day(timezone.now(), queries.zone_of(user))


def _monday(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())


def _month(day: dt.date) -> list[dt.date]:
    return [
        day.replace(day=number)
        for number in range(1, calendar.monthrange(day.year, day.month)[1] + 1)
    ]
