"""The pages that gather from every app: «Мой день» and «Настройки»."""

import datetime as dt
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from callcenter.assignments.queries import TaskFilter, active_list
from callcenter.lib.localtime import local_day
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.queries import shift_of, team_of, zone_of
from callcenter.staff.roles import CAN_EDIT_SETTINGS, CAN_MANAGE_STAFF, EVERYONE
from callcenter.staff.templatetags.access import may_open
from callcenter.workbench import registry

NEXT: Final = 7  # rows of «Ближайшее»


@allow(*EVERYONE)
def home(request: StaffRequest) -> HttpResponse:
    """The shift, the cards of every app that has something for the user, the most urgent first, and
    what is next.
    """
    user, now = request.user, timezone.now()
    cards = [
        card for day_cards in registry.DAY_CARDS for card in day_cards(user, now) if card.count
    ]
    cards.sort(key=lambda card: ({"late": 0, "warn": 1}.get(card.tone, 2), card.order, card.title))
    today = local_day(now, zone_of(user))
    next_rows = active_list(user, TaskFilter(whose="mine"), now=now)
    context = {
        "cards": cards,
        "next": next_rows.rows[:NEXT],
        "today": today,
        "shift": shift_of(user, today),
        "tomorrow": shift_of(user, today + dt.timedelta(days=1)),
        "team": team_of(user, today) if user.has(*CAN_MANAGE_STAFF) else None,
        "has_clinic": bool(next_rows.clinics),
    }
    return render(request, "home.html", context)


@allow(*CAN_EDIT_SETTINGS)
def settings_index(request: StaffRequest) -> HttpResponse:
    """The settings pages that the user may open."""
    pages = [page for page in registry.SETTINGS_PAGES if may_open(request.user, page.url_name)]
    return render(request, "settings.html", {"pages": pages})
