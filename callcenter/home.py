"""«Мой день», and the shapes in which desks hand their cards and panels to the floor's pages."""

from dataclasses import dataclass, field
from typing import cast

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from callcenter import desks
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import EVERYONE, SENIORS


@dataclass(frozen=True)
class Card:
    """One thing of today: a count that leads to its list. `tone`: '', 'warn' (soon late) or 'late'."""

    title: str
    count: int
    url: str
    icon: str
    hint: str = ""
    tone: str = ""
    order: int = 50


@dataclass(frozen=True)
class Panel:
    """What a desk knows of a patient: a template of its own, rendered on his card."""

    title: str
    template: str
    context: dict[str, object] = field(default_factory=dict)
    order: int = 50


@allow(*EVERYONE)
def home(request: StaffRequest) -> HttpResponse:
    """Cards of every desk that has something for the user's roles, the most urgent first."""
    now = timezone.now()
    cards = [
        card for cards_of in desks.load(desks.DAY_CARDS) for card in cast("list[Card]", cards_of(request.user, now))
    ]
    cards.sort(key=lambda card: ({"late": 0, "warn": 1}.get(card.tone, 2), card.order, card.title))
    return render(request, "home.html", {"cards": cards, "now": now})


@allow(*SENIORS)
def settings_index(request: StaffRequest) -> HttpResponse:
    """Every settings page there is: the floor's own and one of each desk."""
    return render(request, "settings.html", {"pages": desks.SETTINGS})
