"""What the report shows on the floor's pages: cards of «Мой день», and a patient's own history on
his card.
"""

import datetime as dt

from django.http import QueryDict
from django.urls import reverse

from callcenter.clinics.models import Patient
from callcenter.contacts.models import Contact, ContactResult, Interaction
from callcenter.contacts.states import InteractionKind, InteractionState
from callcenter.lib.contributions import Card, Panel
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_READ_CONTACTS
from reports.filters import read_filter
from reports.lookups import lookups_of
from reports.queries import clinics_of, today_of
from reports.row_presenter import contact_rows
from reports.views.missed import fate_filters, missed_calls


def day_cards(user: User, now: dt.datetime) -> list[Card]:
    """Missed calls nobody returned, unhandled requests, deeds without a call.

    «…в течение дня проверять, есть ли у администраторов пропущенные звонки и необработанные
    заявки».
    """
    if not user.has(*CAN_READ_CONTACTS):
        return []
    clinics = clinics_of(user)
    today = today_of(clinics, now)
    report_filter = read_filter(QueryDict("period=today"), today)
    missed = missed_calls(report_filter, clinics).filter(fate_filters()["nobody"]).count()
    requests = Contact.objects.filter(clinic__in=clinics, overdue_on__isnull=False)
    overdue = requests.filter(overdue_on__lte=today).count()
    waiting = Interaction.objects.filter(
        clinic__in=clinics,
        kind__in=[InteractionKind.REQUEST, InteractionKind.REQUEST_DIALOG],
        state=InteractionState.NEW,
    ).count()
    cards = [
        Card(
            "Пропущенные без ответа",
            missed,
            reverse("reports:missed") + "?period=today&fate=nobody",
            "phone-x",
            hint="сегодня, никто не перезвонил",
            tone="late" if missed else "",
            order=20,
        ),
        Card(
            "Необработанные заявки",
            waiting,
            reverse("reports:history")
            + "?period=quarter&view=all&type=request_new&type=req_dialog_new",
            "forms",
            hint=f"просрочено {overdue}" if overdue else "",
            tone="late" if overdue else "warn" if waiting else "",
            order=25,
        ),
    ]
    if user.has(*CAN_CALL_PATIENTS):
        unlinked = ContactResult.objects.filter(
            contact__isnull=True, note="", clinic__in=clinics, at__gte=now - dt.timedelta(days=14)
        ).count()
        if unlinked:
            cards.append(
                Card(
                    "Записи без звонка",
                    unlinked,
                    reverse("reports:link"),
                    "link",
                    hint="связать",
                    order=70,
                )
            )
    return cards


def patient_panel(patient: Patient, user: User, now: dt.datetime) -> Panel | None:
    """«„История обращений“ по каждому конкретному пациенту»: his last contacts in the user's
    clinics.
    """
    if not user.has(*CAN_READ_CONTACTS):
        return None
    clinics = clinics_of(user)
    contacts = Contact.objects.filter(patient=patient, clinic__in=clinics).order_by("-started_at")
    newest = list(contacts.values_list("pk", flat=True)[:8])
    lines = contact_rows(newest, clinics, lookups_of(clinics), today_of(clinics, now))
    return Panel(
        "История обращений",
        "reports/_patient_panel.html",
        {"report_rows": lines, "patient": patient},
        order=40,
    )
