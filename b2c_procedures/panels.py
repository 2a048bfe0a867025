"""What the procedures show on the floor's pages: cards of «Мой день», a panel on a patient's card."""

import datetime as dt

from django.urls import reverse
from django.utils.http import urlencode

from b2c_procedures.models import Chat, Run
from b2c_procedures.queries.runs import my_runs, runs_for_nobody, runs_for_role
from b2c_procedures.states import ChatState, RunSource
from callcenter.clinics.models import Patient
from callcenter.lib.contributions import Card, Panel
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_HOLD_CHATS, CAN_RUN_PROCEDURES
from callcenter.telephony.models import Call


def day_cards(user: User, now: dt.datetime) -> list[Card]:
    """Open runs, runs that wait for one's role, chats."""
    if not user.has(*CAN_RUN_PROCEDURES):
        return []
    shown = []
    mine = my_runs(user)
    count, late = mine.count(), mine.filter(step_due_at__lt=now).count()
    home = reverse("b2c_procedures:home")
    if count:
        hint = f"сверх норматива: {late}" if late else ""
        shown.append(Card("Мои процедуры", count, home, "list-check", hint, "late" if late else ""))
    waiting = runs_for_role(user).count()
    if waiting:
        shown.append(Card("Процедуры ждут моей роли", waiting, home, "hourglass", "", "warn"))
    nobody = runs_for_nobody(user).count()
    if nobody:
        shown.append(
            Card(
                "Процедуры: некому сделать",
                nobody,
                home,
                "user-off",
                "нет сотрудника с нужной ролью",
                "late",
            )
        )
    if user.has(*CAN_HOLD_CHATS):
        chats = Chat.objects.filter(manager=user, state=ChatState.ACTIVE)
        number = chats.count()
        if number:
            unanswered = chats.filter(first_answer_at=None).count()
            hint = f"без первого ответа: {unanswered}" if unanswered else ""
            tone = "late" if unanswered else ""
            shown.append(
                Card("Мои чаты", number, reverse("b2c_procedures:chats"), "messages", hint, tone)
            )
    return shown


def patient_panel(patient: Patient, user: User, now: dt.datetime) -> Panel | None:  # noqa: ARG001
    """The patient's last runs, and a button to begin one."""
    if not user.has(*CAN_RUN_PROCEDURES):
        return None
    rows = Run.objects.visible_to(user).filter(patient=patient).select_related("holder", "clinic")
    return Panel(
        "Процедуры",
        "b2c_procedures/_patient_panel.html",
        {"runs": list(rows[:5]), "patient": patient},
        60,
    )


def call_panel(call: Call, user: User, now: dt.datetime) -> Panel | None:  # noqa: ARG001
    """From the caller's card straight to «Чего хочет клиент?», with the call and its number filled
    in.
    """
    if not user.has(*CAN_RUN_PROCEDURES):
        return None
    known: dict[str, str | int] = {"clinic": call.clinic_id, "source": RunSource.CALL}
    if call.interaction_id is not None:
        known["interaction"] = call.interaction_id
    if call.patient_id is not None:
        known["patient"] = call.patient_id
    if user.sees_phones and call.number:
        known["number"] = call.number
    address = f"{reverse('b2c_procedures:home')}?{urlencode(known)}"
    return Panel("Процедура", "b2c_procedures/_call_panel.html", {"address": address})
