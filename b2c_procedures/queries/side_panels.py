"""Reference data beside a step: what its definition tells it to look at."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q, QuerySet

from b2c_procedures.definition import Function
from b2c_procedures.models import (
    Branch,
    Claim,
    CourierCity,
    Institution,
    Order,
    RefundInvoice,
    Run,
    Study,
    TaxCertificate,
)
from callcenter.assignments.models import Task
from callcenter.clinics.models import ScheduleWindow
from callcenter.clinics.queries import free_windows, future_visits
from callcenter.clinics.search_keys import normalise
from callcenter.staff.models import User

_ROWS: Final = 15


@dataclass(frozen=True)
class SidePanel:
    """One panel: its title, the template part that shows its rows, the rows, and what its search
    box (if any) asks for.
    """

    kind: str
    title: str
    rows: list[Any]
    hint: str = ""  # what its search box is for


def panels_of(
    run: Run, function: Function, *, text: str, user: User, now: dt.datetime
) -> list[SidePanel]:
    """The panels of a function, each one query or two; `text` filters those that have a search box."""
    return [_BUILDERS[kind](run, text, user, now) for kind in function.side_panels]


def _studies(run: Run, text: str, user: User, now: dt.datetime) -> SidePanel:  # noqa: ARG001
    rows = Study.objects.filter(is_active=True).select_related("responsible")
    for word in normalise(text).split():
        rows = rows.filter(search_key__contains=word)
    return SidePanel("studies", "Исследования", list(rows[:_ROWS]), "код или название")


def _orders(run: Run, text: str, user: User, now: dt.datetime) -> SidePanel:  # noqa: ARG001
    rows = (
        Order.objects.visible_to(user)
        .select_related("patient")
        .prefetch_related("lines__study__responsible")
    )
    rows = (
        rows.filter(patient=run.patient)
        if run.patient_id
        else rows.filter(number__icontains=text.strip() or "-")
    )
    return SidePanel(
        "orders", "Журнал заказов", list(rows[:_ROWS]), "" if run.patient_id else "номер заказа"
    )


def _institutions(run: Run, text: str, user: User, now: dt.datetime) -> SidePanel:  # noqa: ARG001
    rows = Institution.objects.filter(is_active=True).prefetch_related("studies")
    if text.strip():
        rows = rows.filter(studies__search_key__contains=normalise(text)) | rows.filter(
            city__icontains=text.strip()
        )
    return SidePanel(
        "institutions",
        "Учреждения, принимающие ОМС",
        list(rows.distinct()[:_ROWS]),
        "город или исследование",
    )


def _couriers(run: Run, text: str, user: User, now: dt.datetime) -> SidePanel:  # noqa: ARG001
    rows = CourierCity.objects.filter(is_active=True)
    city = text.strip() or str(run.facts.get("city", ""))
    if city:
        rows = rows.filter(city__icontains=city)
    return SidePanel("couriers", "Курьер: города и дни", list(rows[:_ROWS]), "город")


def _branches(run: Run, text: str, user: User, now: dt.datetime) -> SidePanel:  # noqa: ARG001
    rows = Branch.objects.filter(is_active=True)
    if text.strip():
        rows = rows.filter(city__icontains=text.strip()) | rows.filter(name__icontains=text.strip())
    return SidePanel("branches", "Филиалы и партнёры", list(rows[:_ROWS]), "город")


def _windows(run: Run, text: str, user: User, now: dt.datetime) -> SidePanel:  # noqa: ARG001
    windows = free_windows(
        now=now, clinics=[run.clinic], since=now, until=now + dt.timedelta(days=30)
    )
    return SidePanel(
        "windows",
        "Ближайшее свободное время",
        list(narrowed(windows, text)[:_ROWS]),
        "врач или специальность",
    )


def narrowed(windows: QuerySet[ScheduleWindow], text: str) -> QuerySet[ScheduleWindow]:
    """Windows of the doctors whose name or specialty has every word of `text`; they are booked up
    to 30 days ahead.
    """
    for word in text.split():
        windows = windows.filter(
            Q(doctor__full_name__icontains=word) | Q(doctor__specialty__name__icontains=word)
        )
    return windows


def _appointments(run: Run, text: str, user: User, now: dt.datetime) -> SidePanel:  # noqa: ARG001
    visits = list(future_visits(run.patient, now)) if run.patient else []
    return SidePanel("appointments", "Записи клиента", visits)


def _certificates(run: Run, text: str, user: User, now: dt.datetime) -> SidePanel:  # noqa: ARG001
    rows = TaxCertificate.objects.filter(patient_id=run.patient_id or 0).exclude(run=run)
    return SidePanel("certificates", "Прежние запросы справок", list(rows[:_ROWS]))


def _tasks(run: Run, text: str, user: User, now: dt.datetime) -> SidePanel:  # noqa: ARG001
    pks = [value for name, value in run.facts.items() if name.endswith("_task")]
    return SidePanel(
        "tasks",
        "Задачи этой процедуры",
        list(Task.objects.filter(pk__in=pks).prefetch_related("messages")),
    )


def _invoices(run: Run, text: str, user: User, now: dt.datetime) -> SidePanel:  # noqa: ARG001
    return SidePanel("invoices", "Счёт на возврат", list(RefundInvoice.objects.filter(run=run)))


def _claims(run: Run, text: str, user: User, now: dt.datetime) -> SidePanel:  # noqa: ARG001
    rows = Claim.objects.filter(patient_id=run.patient_id or 0).exclude(run=run)
    return SidePanel("claims", "Прежние претензии", list(rows[:_ROWS]))


_BUILDERS: Final = {
    "studies": _studies,
    "orders": _orders,
    "institutions": _institutions,
    "couriers": _couriers,
    "branches": _branches,
    "windows": _windows,
    "appointments": _appointments,
    "certificates": _certificates,
    "tasks": _tasks,
    "invoices": _invoices,
    "claims": _claims,
}
