"""«Пропущенные»: every missed call with what became of it; and «Связать»: calls without a result
beside deeds without a call.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.db.models import Avg, Count, F, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.clinics.models import Clinic
from callcenter.contacts.actions import dismiss_result, link_result, unlink_result
from callcenter.contacts.models import ContactPolicy, ContactResult, Interaction
from callcenter.contacts.rules import DAY_SECONDS, FATES, QUICK_SECONDS, CallbackStatus, fate_of
from callcenter.contacts.states import Direction, InteractionKind, InteractionState
from callcenter.lib.localtime import day_bounds
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_READ_CONTACTS
from reports.filters import ReportFilter, address, read_filter
from reports.queries import PAGE, clinics_of, today_of

_TONES: Final[dict[str, tuple[str, str]]] = {
    CallbackStatus.NOBODY: ("alert-triangle", "cancel"),
    CallbackStatus.SELF: ("phone-incoming", "confirm"),
    CallbackStatus.QUICK: ("phone-check", "delivered"),
    CallbackStatus.DAY: ("phone-check", "called"),
    CallbackStatus.LATER: ("clock", "unsent"),
}


@dataclass(frozen=True)
class MissedCall:
    call: Interaction
    fate: str
    seconds: int | None

    @property
    def word(self) -> str:
        return FATES[self.fate]

    @property
    def icon(self) -> str:
        return _TONES[self.fate][0]

    @property
    def tint(self) -> str:
        return _TONES[self.fate][1]


def missed_calls(report_filter: ReportFilter, clinics: Sequence[Clinic]) -> QuerySet[Interaction]:
    """Missed incoming calls of the period, each clinic's in its own zone."""
    zones: dict[str, list[int]] = {}
    for clinic in clinics:
        if not report_filter.clinics or clinic.pk in report_filter.clinics:
            zones.setdefault(clinic.zone, []).append(clinic.pk)
    where = Q(pk__in=[])
    for zone, keys in zones.items():
        begin, end = (
            day_bounds(report_filter.since, zone)[0],
            day_bounds(report_filter.until, zone)[1],
        )
        where |= Q(clinic__in=keys, at__gte=begin, at__lt=end)
    return Interaction.objects.filter(
        where, kind=InteractionKind.CALL, state=InteractionState.MISSED
    )


def fate_filters() -> dict[str, Q]:
    """The fates as conditions, for counting; `fate_of` says the same of one call."""
    ours = Q(returned_at__isnull=False, returned_by=Direction.OUT)
    quick = Q(returned_at__lte=F("at") + dt.timedelta(seconds=QUICK_SECONDS))
    day = Q(returned_at__lte=F("at") + dt.timedelta(seconds=DAY_SECONDS))
    return {
        CallbackStatus.NOBODY: Q(returned_at__isnull=True),
        CallbackStatus.SELF: Q(returned_at__isnull=False, returned_by=Direction.IN),
        CallbackStatus.QUICK: ours & quick,
        CallbackStatus.DAY: ours & day & ~quick,
        CallbackStatus.LATER: ours & ~day,
    }


@allow(*CAN_READ_CONTACTS)
def missed(request: StaffRequest) -> HttpResponse:
    """The missed calls, newest first, counters by fate, the mean time to return."""
    now = timezone.now()
    clinics = clinics_of(request.user)
    report_filter = read_filter(request.GET, today_of(clinics, now))
    fate = request.GET.get("fate", "")
    found = missed_calls(report_filter, clinics)
    conditions = fate_filters()
    counts = found.aggregate(
        total=Count("*"),
        mean=Avg(F("returned_at") - F("at"), filter=Q(returned_by=Direction.OUT)),
        **{f"n_{name}": Count("pk", filter=where) for name, where in conditions.items()},
    )
    if fate in conditions:
        found = found.filter(conditions[fate])
    if report_filter.before is not None:
        _, moment, key = report_filter.before
        found = found.filter(Q(at__lt=moment) | Q(at=moment, pk__lt=key))
    rows = list(
        found.select_related("patient", "clinic", "contact", "channel").order_by("-at", "-pk")[
            : PAGE + 1
        ]
    )
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    suffix = f"&fate={fate}" if fate in conditions else ""
    plain = address(report_filter, before=None, view="")
    context: dict[str, Any] = {
        "report_filter": report_filter,
        "plain": plain + suffix,
        "presets": [
            (slug, title, address(report_filter, preset=slug, before=None, view="") + suffix)
            for slug, title in _PRESETS
        ],
        "calls": [
            MissedCall(row, fate_of(row.at, row.returned_at, row.returned_by), _seconds(row))
            for row in rows[:PAGE]
        ],
        "counts": [
            (
                name,
                FATES[name],
                counts[f"n_{name}"],
                *_TONES[name],
                f"{plain}&fate={name}",
                name == fate,
            )
            for name in conditions
        ],
        "total": counts["total"],
        "everything": plain,
        "mean": round(counts["mean"].total_seconds()) if counts["mean"] else None,
        "next": address(report_filter, before=(report_filter.until, last.at, last.pk), view="")
        + suffix
        if last
        else "",
        "clinics": clinics,
        "topics": [f"contacts:clinic:{clinic.pk}" for clinic in clinics],
    }
    template = "reports/missed.html"
    if request.headers.get("HX-Request") and request.headers.get("HX-Target") == "missed":
        template += "#list"
    return render(request, template, context)


_PRESETS: Final = (
    ("today", "Сегодня"),
    ("yesterday", "Вчера"),
    ("week", "7 дней"),
    ("last_month", "Прошлый месяц"),
)


def _seconds(row: Interaction) -> int | None:
    return (
        round((row.returned_at - row.at).total_seconds()) if row.returned_at is not None else None
    )


# --- «Связать»
# --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """A loose deed with the calls that may have led to it, the likeliest first."""

    result: ContactResult
    calls: list[Interaction]


def unlinked_pairs(user: User, *, since: dt.datetime) -> list[Pair]:
    """Deeds that fitted no contact, each with talks of the same patient within a day, or of the
    same employee near it.
    """
    results = list(
        ContactResult.objects.filter(
            contact__isnull=True, note="", at__gte=since, clinic__in=Clinic.objects.visible_to(user)
        )
        .select_related(
            "patient",
            "by",
            "clinic",
            "appointment__doctor",
            "appointment__clinic",
            "waiting",
            "task",
        )
        .order_by("-at")[:PAGE]
    )
    if not results:
        return []
    patients = {result.patient_id for result in results}
    earliest = min(result.at for result in results) - dt.timedelta(days=1)
    calls = list(
        Interaction.objects.filter(
            Q(patient__in=patients)
            | Q(patient__isnull=True, employee__in={result.by_id for result in results}),
            clinic__in=Clinic.objects.visible_to(user),
            at__gte=earliest,
            joined_call__isnull=True,
            results__isnull=True,
        )
        .select_related("patient", "clinic", "shown_employee", "contact")
        .order_by("at")[:2000]
    )
    return [Pair(result, _likely_calls(result, calls)) for result in results]


def _likely_calls(result: ContactResult, calls: Sequence[Interaction]) -> list[Interaction]:
    near = [
        call
        for call in calls
        if abs(call.at - result.at) <= dt.timedelta(days=1)
        and (
            call.patient_id == result.patient_id
            or (call.patient_id is None and call.employee_id == result.by_id)
        )
    ]
    near.sort(
        key=lambda call: (
            call.patient_id is None,
            call.employee_id != result.by_id,
            abs(call.at - result.at),
        )
    )
    return near[:3]


@allow(*CAN_CALL_PATIENTS)
def link(request: StaffRequest) -> HttpResponse:
    """Calls without a result beside actions without a call; one key links the proposed pair."""
    now = timezone.now()
    clinics = clinics_of(request.user)
    since = now - dt.timedelta(days=14)
    silent = (
        Interaction.objects.filter(
            clinic__in=clinics,
            at__gte=now - dt.timedelta(days=2),
            kind=InteractionKind.CALL,
            state=InteractionState.ANSWERED,
            joined_call__isnull=True,
            results__isnull=True,
            contact__results_count=0,
            comment="",
            notes__isnull=True,
        )
        .select_related("patient", "clinic", "shown_employee", "contact")
        .order_by("-at")[:PAGE]
    )
    context = {
        "pairs": unlinked_pairs(request.user, since=since),
        "silent": silent,
        "result_minutes": ContactPolicy.said(clinics)["result_minutes"],
    }
    return render(request, "reports/link.html", context)


@require_POST
@allow(*CAN_CALL_PATIENTS)
def bind(request: StaffRequest, pk: int) -> HttpResponse:
    """Links a deed to a call, or puts it aside as one without a call."""
    visible = Clinic.objects.visible_to(request.user)
    result = get_object_or_404(ContactResult.objects.filter(clinic__in=visible), pk=pk)
    now = timezone.now()
    chosen = request.POST.get("interaction", "")
    if chosen.isdecimal():
        call = get_object_or_404(Interaction.objects.visible_to(request.user), pk=int(chosen))
        link_result(result, interaction=call, by=request.user, now=now)
        messages.success(request, "Связано. Отчёт пересчитан.")
    else:
        dismiss_result(result, note=request.POST.get("note", ""), by=request.user, now=now)
        messages.success(request, "Отложено: звонка не было.")
    return redirect("reports:link")


@require_POST
@allow(*CAN_CALL_PATIENTS)
def unbind(request: StaffRequest, pk: int) -> HttpResponse:
    """Takes a deed off the contact it was bound to by mistake; it stands on «Связать» again."""
    visible = Clinic.objects.visible_to(request.user)
    result = get_object_or_404(ContactResult.objects.filter(clinic__in=visible), pk=pk)
    contact_id = result.contact_id
    unlink_result(result, by=request.user, now=timezone.now())
    messages.success(request, "Отвязано. Отчёт пересчитан, действие ждёт на странице «Связать».")
    return redirect("reports:contact", contact_id)
