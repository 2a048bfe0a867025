"""What «Дозвон» shows on the floor's pages: cards of «Мой день», a panel of the patient's card."""

import datetime as dt

from django.db.models import Q
from django.urls import reverse

from callcenter.clinics.models import Clinic, Patient
from callcenter.lib.contributions import Card, Panel
from callcenter.lib.localtime import local, local_day
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_CALL_PATIENTS
from reminders.models import Reminder, ReminderRun
from reminders.queries.lists import day_list, evening_list


def day_cards(user: User, now: dt.datetime) -> list[Card]:
    """The two lists with what is still to do in them."""
    if not user.has(*CAN_CALL_PATIENTS):
        return []
    clinics = list(Clinic.objects.visible_to(user).order_by("name"))
    if not clinics:
        return []
    today = local_day(now, clinics[0].zone)
    found = []
    runs = list(ReminderRun.objects.filter(clinic__in=clinics, on=today))
    if runs:
        counts = evening_list(runs, clinics=clinics, user=user, now=now).counts
        urgent = counts["red"] + counts["orange"]
        hint = (
            f"перезвонить и перенести: {urgent}" if urgent else "никто не отменяет и не переносит"
        )
        found.append(
            Card(
                "Дозвон: обзвонить",
                counts["call"],
                f"{reverse('reminders:evening')}?show=call",
                "phone-outgoing",
                hint,
                "warn" if urgent else "",
                20,
            )
        )
    morning = day_list(on=today, clinics=clinics, user=user, now=now)
    if morning.total:
        first = morning.entries[0].starts_at
        tone = "late" if first - now < dt.timedelta(hours=1) else "warn"
        found.append(
            Card(
                "ДД: позвонить утром",
                morning.total,
                reverse("reminders:day"),
                "sun",
                f"ближайший приём в {local(first, clinics[0].zone):%H:%M}",
                tone,
                15,
            )
        )
    return found


def patient_panel(patient: Patient, user: User, now: dt.datetime) -> Panel | None:
    """The reminders of the patient's last visits."""
    rows = list(
        Reminder.objects.visible_to(user)
        .filter(patient=patient)
        .filter(Q(removed_at=None) | Q(starts_at__gt=now))
        .select_related("clinic", "run")
        .order_by("-starts_at")[:5]
    )
    return Panel("Напоминания", "reminders/panel.html", {"reminders": rows}, 40) if rows else None
