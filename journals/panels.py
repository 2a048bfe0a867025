"""How the journal shows itself on the floor's pages (callcenter/workbench/registry.py names these
functions).
"""

import datetime as dt

from django.db.models import Q
from django.urls import reverse

from callcenter.clinics.models import Patient
from callcenter.lib.contributions import Card, Panel
from callcenter.lib.localtime import local_day
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_READ_JOURNAL, CAN_WRITE_JOURNAL, Role
from journals.models import PlanItem, RecallEntry
from journals.queries.journal import my_items


def day_cards(user: User, now: dt.datetime) -> list[Card]:
    """My plan of today; for the senior also what is left of everybody's plan and what waits for her
    word; for a doctor who of his patients is still to be called.
    """
    cards: list[Card] = []
    if user.has(*CAN_CALL_PATIENTS):
        left = my_items(user, now).count()
        if left or user.has(Role.ADMINISTRATOR):
            cards.append(
                Card(
                    "Мой план КОС",
                    left,
                    f"{reverse('journals:journal')}?tab=mine",
                    "list-check",
                    "осталось позвонить",
                    order=10,
                )
            )
    if user.has(Role.SENIOR):
        left = PlanItem.objects.visible_to(user).open().count()
        cards.append(
            Card(
                "План прозвона КОС",
                left,
                reverse("journals:plan"),
                "users",
                "осталось у всех",
                order=11,
            )
        )
        asks = RecallEntry.objects.visible_to(user).to_call()
        for title, name, icon, where in (
            ("КОС с пометкой", "flagged", "flag", Q(flagged=True)),
            ("КОС: какая из записей?", "several", "help-circle", Q(several_visits=True)),
        ):
            count = asks.filter(where).count()
            if count:
                url = f"{reverse('journals:journal')}?tab=call&only={name}"
                cards.append(Card(title, count, url, icon, "ждут решения", "warn", order=12))
    doctor = getattr(user, "doctor", None) if user.has(Role.DOCTOR) else None
    if doctor is not None:
        count = RecallEntry.objects.visible_to(user).to_call().filter(doctor=doctor).count()
        url = f"{reverse('journals:journal')}?tab=call&doctor={doctor.pk}"
        cards.append(
            Card(
                "Зовём к вам", count, url, "phone-outgoing", "ваших записей КОС в «Звать»", order=13
            )
        )
    return cards


def patient_panel(patient: Patient, user: User, now: dt.datetime) -> Panel | None:
    """The patient's entries in the journal, newest first."""
    if not user.has(*CAN_READ_JOURNAL):
        return None
    entries = (
        RecallEntry.objects.visible_to(user)
        .filter(patient=patient)
        .select_related("doctor", "clinic", "last_reason", "last_caller", "appointment__clinic")
        .order_by("-touched_at")[:10]
    )
    context: dict[str, object] = {
        "entries": [
            (entry, entry.call_on <= local_day(now, entry.clinic.zone)) for entry in entries
        ],
        "patient": patient,
        "may_write": user.has(*CAN_WRITE_JOURNAL),
    }
    return Panel("Журнал КОС", "journals/patient_panel.html", context, order=20)
