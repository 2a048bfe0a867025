"""What assignments show on others' pages: cards of «Мой день», the panel of a patient's card."""

import datetime as dt

from django.db.models import Q
from django.urls import reverse

from callcenter.assignments.models import Task
from callcenter.assignments.queries import own_counts
from callcenter.clinics.models import Patient
from callcenter.lib.contributions import Card, Panel
from callcenter.staff.models import User


def day_cards(user: User, now: dt.datetime) -> list[Card]:
    """Overdue and due today of one's own, what is nobody's yet, what has gone up to the user."""
    counts = own_counts(user, now=now)
    url = reverse("assignments:active")
    found = [
        Card(
            "Просрочено у вас",
            counts["overdue"],
            f"{url}?when=overdue",
            "alert-triangle",
            tone="late",
            order=10,
        ),
        Card("Сделать сегодня", counts["today"], f"{url}?when=today", "checklist", order=20),
        Card(
            "Эскалации",
            counts["up"],
            f"{url}?whose=up",
            "arrow-big-up-lines",
            "срок вышел, задача у вас",
            "late",
            15,
        ),
        Card(
            "Ничьи задачи и звонки",
            counts["free"],
            f"{url}?whose=free",
            "hand-grab",
            "можно взять себе",
            order=60,
        ),
    ]
    return [card for card in found if card.count]


def patient_panel(patient: Patient, user: User, now: dt.datetime) -> Panel:
    """The patient's open tasks, overdue marked, the last closed ones, and the button for a
    new one.
    """
    rows = (
        Task.objects.visible_to(user).filter(patient=patient).select_related("assignee", "clinic")
    )
    closed = Q(closed_at__isnull=False)
    context: dict[str, object] = {
        "tasks": list(rows.exclude(closed).order_by("deadline_at")[:20]),
        "closed": list(rows.filter(closed).order_by("-closed_at")[:5]),
        "patient": patient,
        "now": now,
    }
    return Panel("Задачи", "assignments/_patient_panel.html", context, order=20)
