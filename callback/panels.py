"""What callback requests show on other pages: a ringing call's request, a patient's requests, cards
of «Мой день».
"""

import datetime as dt

from django.db.models import Count, Q
from django.urls import reverse

from callback.models import CallbackRequest
from callback.queries import settings_of
from callback.state_machine import FOR_PEOPLE, LIVE
from callcenter.clinics.models import Patient
from callcenter.lib.contributions import Card, Panel
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_CALL_PATIENTS
from callcenter.telephony.models import Call


def call_panel(call: Call, user: User, now: dt.datetime) -> Panel | None:
    """The request behind the robot's ring, on screen before the handset is up."""
    request = (
        CallbackRequest.objects.visible_to(user)
        .filter(attempts__call=call)
        .select_related("clinic", "doctor", "service", "source", "window", "patient")
        .first()
    )
    if request is None:
        return None
    has_second_key = settings_of(request.clinic).has_second_key
    return Panel(
        "Заявка",
        "callback/_call_panel.html",
        {"request": request, "has_second_key": has_second_key, "now": now},
    )


def patient_panel(patient: Patient, user: User, now: dt.datetime) -> Panel | None:
    """The patient's newest requests; nothing when he has never asked."""
    rows = list(
        CallbackRequest.objects.visible_to(user)
        .filter(Q(patient=patient) | Q(number__in=patient.phones.values("number")))
        .select_related("clinic", "doctor", "service", "source")
        .order_by("-asked_at")[:5]
    )
    return (
        Panel(
            "Заявки на обратный звонок", "callback/_patient_panel.html", {"rows": rows, "now": now}
        )
        if rows
        else None
    )


def day_cards(user: User, _now: dt.datetime) -> list[Card]:
    """What waits for a person, and what the robot has in its hands."""
    if not user.has(*CAN_CALL_PATIENTS):
        return []
    counts = CallbackRequest.objects.visible_to(user).aggregate(
        people=Count("pk", filter=Q(state__in=FOR_PEOPLE)),
        live=Count("pk", filter=Q(state__in=LIVE)),
    )
    board = reverse("callback:board")
    cards = []
    if counts["people"]:
        hint = "робот остановился, нужен человек"
        cards.append(
            Card(
                "Заявки ждут людей",
                counts["people"],
                f"{board}?tab=people",
                "phone-x",
                hint,
                "late",
                10,
            )
        )
    if counts["live"]:
        hint = "робот соединит или позвонит в час открытия"
        cards.append(
            Card(
                "Заявки у робота",
                counts["live"],
                f"{board}?tab=live",
                "phone-incoming",
                hint,
                "",
                40,
            )
        )
    return cards
