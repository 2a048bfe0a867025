"""One request: its facts, attempts, letters, and everything a person may do with it."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from callback import actions
from callback.models import CallbackRequest
from callback.notifications import subject_key
from callback.views.board import TABS, BoardRequest
from callcenter.clinics.models import Patient, ScheduleWindow
from callcenter.clinics.queries import free_windows, patients_by_number
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.forms import MomentField
from callcenter.lib.query_params import number
from callcenter.messaging.models import Message
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_READ_CALLBACKS

AHEAD = dt.timedelta(days=14)
WINDOWS = 24
OUTCOMES = (
    "записан по телефону",
    "перезвонит сам",
    "не отвечает",
    "отказался",
    "ошибся номером",
    "не наш пациент",
)


def visible(request: StaffRequest, pk: int) -> CallbackRequest:
    rows = CallbackRequest.objects.visible_to(request.user)
    found: CallbackRequest = get_object_or_404(
        rows.select_related(
            "clinic",
            "patient",
            "doctor__specialty",
            "service__specialty",
            "source",
            "window__doctor",
            "holder",
        ),
        pk=pk,
    )
    return found


@allow(*CAN_READ_CALLBACKS)
def card(request: StaffRequest, pk: int) -> HttpResponse:
    found = visible(request, pk)
    part = "callback/card.html#card" if request.headers.get("HX-Request") else "callback/card.html"
    return render(request, part, _context(found))


def _context(found: CallbackRequest, problem: str = "") -> dict[str, object]:
    now = timezone.now()
    attempts = found.attempts.select_related("employee", "call").prefetch_related(
        "call__legs__user"
    )
    return {
        "one": found,
        "row": BoardRequest(found, now, list(attempts)),
        "family": patients_by_number(found.number),
        "windows": _windows(found, now),
        "lines": found.lines.select_related("by"),
        "sent": Message.objects.filter(subject_key=subject_key(found)).order_by("pk"),
        "outcomes": OUTCOMES,
        "topic": f"callback:request:{found.pk}",
        "problem": problem,
        "now": now,
    }


def _windows(found: CallbackRequest, now: dt.datetime) -> list[ScheduleWindow]:
    """The window the request holds, then the next free ones of the doctor, of his specialty, or of
    the service's.
    """
    specialty = None
    if found.doctor is None and found.service is not None:
        specialty = found.service.specialty
    if found.doctor is None and specialty is None:
        return []
    free = free_windows(
        now=now,
        clinics=[found.clinic],
        since=now,
        until=now + AHEAD,
        doctor=found.doctor,
        specialty=specialty,
    )
    held = (
        [found.window]
        if found.window is not None and not found.window_lost and found.window.state == "held"
        else []
    )
    return [*held, *free[:WINDOWS]]


@allow(*CAN_CALL_PATIENTS)
@require_POST
def act(request: StaffRequest, pk: int) -> HttpResponse:
    """A button of the card or of the board's row. 409 shows the present state."""
    found, now, verb = visible(request, pk), timezone.now(), request.POST.get("verb", "")
    try:
        match verb:
            case "call_now":
                actions.call_now(found, by=request.user, now=now)
            case "take":
                actions.take_over(found, by=request.user, now=now)
            case "stop":
                actions.stop_robot(
                    found, reason=request.POST.get("reason", ""), by=request.user, now=now
                )
            case "done":
                actions.mark_done(
                    found, outcome=request.POST.get("outcome", ""), by=request.user, now=now
                )
            case "continue":
                actions.resume(found, by=request.user, now=now)
            case "postpone":
                at = _local_moment(request.POST.get("at", ""), found.clinic.zone)
                actions.postpone(found, at=at, by=request.user, now=now)
            case "undo":
                actions.undo_closing(found, by=request.user, now=now)
            case _:
                raise Refused("Такого действия нет.")
    except (Conflict, Refused) as error:
        context = _context(visible(request, pk), problem=str(error))
        return render(request, "callback/card.html", context, status=error.status)
    if request.POST.get("from") == "board":
        tab = request.POST.get("tab", "")
        return redirect(f"{reverse('callback:board')}?tab={tab if tab in TABS else ''}")
    return redirect("callback:card", pk)


@allow(*CAN_CALL_PATIENTS)
@require_POST
def patient(request: StaffRequest, pk: int) -> HttpResponse:
    """«Кто из семьи?»"""
    found = visible(request, pk)
    chosen = get_object_or_404(
        Patient, pk=number(request.POST.get("patient")) or 0, phones__number=found.number
    )
    actions.choose_patient(found, patient=chosen, by=request.user, now=timezone.now())
    return redirect("callback:card", pk)


@allow(*CAN_CALL_PATIENTS)
@require_POST
def book(request: StaffRequest, pk: int) -> HttpResponse:
    """A press on a window books it for the request's patient. 409 shows what is left."""
    found = visible(request, pk)
    window = get_object_or_404(
        ScheduleWindow, pk=number(request.POST.get("window")) or 0, clinic=found.clinic
    )
    chosen = (
        found.patient or Patient.objects.filter(pk=number(request.POST.get("patient")) or 0).first()
    )
    if chosen is None:
        problem = "Сначала выберите пациента: записывают человека, а не номер."
        return render(request, "callback/card.html", _context(found, problem=problem), status=422)
    try:
        visit = actions.book_from_card(
            found, patient=chosen, window=window, by=request.user, now=timezone.now()
        )
    except (Conflict, Refused) as error:
        return render(
            request,
            "callback/card.html",
            _context(visible(request, pk), problem=str(error)),
            status=error.status,
        )
    messages.success(request, f"Записан: {visit}.")
    return redirect("callback:card", pk)


def _local_moment(text: str, zone: str) -> dt.datetime:
    """The value of an input type=datetime-local on the clinic's wall clock. Raises Refused."""
    try:
        typed: dt.datetime = MomentField().clean(text)
    except ValidationError:
        raise Refused("Укажите день и время.", field="at") from None
    return typed.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
