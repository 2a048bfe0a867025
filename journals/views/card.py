"""The card: one screen on which a call is made and ended."""

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.audit import actions as audit
from callcenter.clinics.models import Appointment, Clinic
from callcenter.lib.errors import Conflict, DomainError, Refused
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import (
    CAN_CALL_PATIENTS,
    CAN_MANAGE_CLINIC,
    CAN_READ_JOURNAL,
    CAN_WRITE_JOURNAL,
    Role,
)
from journals.actions import auto_close, cards, entries
from journals.actions.cards import NotInPlan
from journals.forms import CallForm
from journals.models import PlanItem, RecallCall, RecallEntry, RecallPolicy
from journals.outcome_rules import CallOutcome, Stage
from journals.queries import journal
from journals.queries.card import RecallCard
from journals.queries.card import card as card_of
from journals.queries.card import windows as windows_of


@dataclass(frozen=True)
class Mode:
    """How the card is shown: `works` with the form, or only to look at, and why."""

    works: bool
    problem: str = ""
    status: int = 200
    patient_called: bool = False
    may_serve_caller: bool = False  # «Пациент позвонил сам» would open it


def visible_entry(request: StaffRequest, pk: int) -> RecallEntry:
    """The entry of one of the user's clinics; else 404. Joined is what every page of it needs, the
    rest is read when it is there: with all its relations joined, planning the query took longer
    than everything else.
    """
    entries_seen = RecallEntry.objects.visible_to(request.user).select_related(
        "clinic", "patient", "doctor__specialty"
    )
    return get_object_or_404(entries_seen, pk=pk)


@allow(*CAN_READ_JOURNAL)
def card(request: StaffRequest, pk: int) -> HttpResponse:
    """GET reserves the entry and shows everything; POST ends the call.

    403 outside one's plan, 409 when a colleague holds it or it changed, 422 with the form — each
    with the card as it is.
    """
    patient_called = (request.POST.get("call") or request.GET.get("call")) == "in"
    if request.method == "POST" and request.user.has(*CAN_CALL_PATIENTS):
        return _save(request, pk, patient_called=patient_called)
    entry = visible_entry(request, pk)
    mode = _open(request, entry, patient_called=patient_called)
    audit.record(
        "journals.view_card",
        entry,
        by=request.user,
        now=timezone.now(),
        patient_id=entry.patient_id,
    )
    return _show(request, pk, mode)


def _open(request: StaffRequest, entry: RecallEntry, *, patient_called: bool) -> Mode:
    """Reserves the entry for the user if he may call; otherwise says why not."""
    user, now = request.user, timezone.now()
    if not user.has(*CAN_CALL_PATIENTS) or entry.stage != Stage.CALL:
        return Mode(works=False)
    planned_for_other = PlanItem.objects.open().filter(entry=entry).exclude(assignee=user).exists()
    if user.has(Role.SENIOR) and planned_for_other and request.GET.get("call") not in ("in", "out"):
        return Mode(
            works=False, may_serve_caller=True
        )  # the senior looks on without taking the card away
    try:
        cards.open_card(entry, by=user, now=now, patient_called=patient_called)
    except NotInPlan as error:
        return Mode(works=False, problem=str(error), status=403, may_serve_caller=True)
    except Conflict as error:
        return Mode(works=False, problem=str(error), status=409)
    except Refused as error:
        return Mode(works=False, problem=str(error), may_serve_caller=True)
    return Mode(works=True, patient_called=patient_called)


def _save(request: StaffRequest, pk: int, *, patient_called: bool) -> HttpResponse:
    # Seen by the user at all: the action reads it whole, under its lock.
    entry = get_object_or_404(RecallEntry.objects.visible_to(request.user).only("pk"), pk=pk)
    form = CallForm(request.POST, user=request.user)
    if not form.is_valid():
        return _show_again(
            request, pk, form, "Проверьте отмеченное.", 422, patient_called=patient_called
        )
    now = timezone.now()
    try:
        call = cards.record_call(
            entry,
            form.answer(),
            version=form.cleaned_data["version"],
            token=form.cleaned_data["token"],
            by=request.user,
            now=now,
            patient_called=patient_called,
        )
    except Refused as error:
        form.refuse(error.field, str(error))
        return _show_again(request, pk, form, str(error), 422, patient_called=patient_called)
    except DomainError as error:
        return _show_again(
            request, pk, form, str(error), error.status, patient_called=patient_called
        )
    messages.success(request, _told(call))
    following = (
        journal.next_in_plan(request.user, now, but=entry.pk)
        if request.POST.get("go") == "next"
        else None
    )
    if following is not None:
        return redirect("journals:card", following)
    return redirect("journals:journal")


def _told(call: RecallCall) -> str:
    patient = call.entry.patient.short_name
    if call.appointment is not None:
        return f"{patient}: записан на {call.appointment.local_start:%d.%m.%Y %H:%M}."
    if call.stage_after == Stage.REFUSED:
        return f"{patient}: отказ — {call.refusal_reason or call.reason}."
    when = f"{call.next_on:%d.%m.%Y}" if call.next_on else ""
    if call.outcome == CallOutcome.REMIND:
        return f"{patient}: напомнить {when}, внесён в лист ожидания."
    return f"{patient}: {call.get_outcome_display().lower()}, следующий звонок {when}."


def _show_again(
    request: StaffRequest,
    pk: int,
    form: CallForm,
    problem: str,
    status: int,
    *,
    patient_called: bool,
) -> HttpResponse:
    """The card as it is by now, with what was typed, if the user still may end the call."""
    mode = _open(request, visible_entry(request, pk), patient_called=patient_called)
    shown = Mode(mode.works, problem, status, patient_called, mode.may_serve_caller)
    return _show(request, pk, shown, form)


def _show(request: StaffRequest, pk: int, mode: Mode, form: CallForm | None = None) -> HttpResponse:
    now, user = timezone.now(), request.user
    entry = visible_entry(request, pk)  # as it is after what has just happened to it
    clinics = list(Clinic.objects.filter(staff=user))
    shown = card_of(entry, user=user, now=now)
    specialty = mode.works and request.GET.get("specialty") == "1"
    context = {
        "specialty_days": windows_of(entry, whole_specialty=True, clinics=clinics, now=now)
        if specialty
        else None,
        "card": shown,
        "entry": entry,
        "mode": mode,
        "form": form,
        "typed": form.data if form is not None else {},
        "token": (form.data.get("token") if form is not None else None) or uuid.uuid4(),
        "days": windows_of(entry, whole_specialty=False, clinics=clinics, now=now)
        if mode.works
        else [],
        "days_chosen": _days_chosen(form, shown.next_on.isoformat()),
        "outcomes": _outcomes(shown, patient_called=mode.patient_called),
        "is_senior": user.has(*CAN_MANAGE_CLINIC),
        "held_by_other": entry.reserved_by if entry.is_held_by_other(user, now) else None,
        "may_write": user.has(*CAN_WRITE_JOURNAL),
        "renew_every": RecallPolicy.of(entry.clinic_id).hold_minutes
        * 60
        // 3,  # seconds: two may fail
        "mine_left": journal.my_items(user, now).count() if user.has(*CAN_CALL_PATIENTS) else 0,
        "now": now,
    }
    return render(request, "journals/card.html", context, status=mode.status)


def _days_chosen(form: CallForm | None, proposed: str) -> dict[str, str]:
    """Which of the proposed days is marked: the rule's own until a person has chosen; '' means
    «другой день».
    """
    names = ("call_on", "remind_on")
    return {
        name: str(form.data.get(name, proposed)) if form is not None else proposed for name in names
    }


@dataclass(frozen=True)
class OutcomeButton:
    """One way for the call to end, with its key; `asks` names what the form then shows."""

    value: str
    label: str
    icon: str
    tone: str
    asks: str
    digit: int | None


def _outcomes(card: RecallCard, *, patient_called: bool) -> list[OutcomeButton]:
    """1 booked, 2 and 3 the first two ways of not reaching, 4 thinks, 5 remind, 6 refused."""
    unreached = [
        OutcomeButton(
            f"{CallOutcome.UNREACHED}:{reason.pk}",
            reason.name,
            "phone-x",
            "unsent",
            "unreached",
            place if place < 4 else None,
        )
        for place, reason in enumerate(card.unreached_reasons, start=2)
    ]
    return [
        OutcomeButton(CallOutcome.BOOKED, "Записался", "calendar-check", "confirm", "window", 1),
        *([] if patient_called else unreached),
        OutcomeButton(CallOutcome.THINKING, "Думает", "bulb", "missed", "thinking", 4),
        OutcomeButton(CallOutcome.REMIND, "Напомнить", "hourglass", "delivered", "remind", 5),
        OutcomeButton(CallOutcome.REFUSED, "Отказался", "circle-x", "cancel", "refused", 6),
    ]


@allow(*CAN_CALL_PATIENTS)
def windows(request: StaffRequest, pk: int) -> HttpResponse:
    """«Прогнозное расписание» of the other doctors of the specialty, fetched when asked for."""
    entry = visible_entry(request, pk)
    clinics = list(Clinic.objects.filter(staff=request.user))
    days = windows_of(entry, whole_specialty=True, clinics=clinics, now=timezone.now())
    return render(request, "journals/windows.html", {"days": days, "entry": entry, "whole": True})


@require_POST
@allow(*CAN_CALL_PATIENTS)
def hold(request: StaffRequest, pk: int) -> HttpResponse:
    """Renews the reservation of an open card; 409 when somebody else has it by now."""
    entry = visible_entry(request, pk)
    cards.renew_card(
        entry, key=request.POST.get("key", "")[:32], by=request.user, now=timezone.now()
    )
    return HttpResponse(status=204)


@require_POST
@allow(*CAN_CALL_PATIENTS)
def release(request: StaffRequest, pk: int) -> HttpResponse:
    """Frees the card when it is left."""
    cards.release_card(
        visible_entry(request, pk), key=request.POST.get("key", "")[:32], by=request.user
    )
    if request.POST.get("leave"):
        return redirect("journals:journal")
    return HttpResponse(status=204)


@require_POST
@allow(*CAN_MANAGE_CLINIC)
def take_over(request: StaffRequest, pk: int) -> HttpResponse:
    """The senior takes an open card out of a colleague's hands."""
    cards.take_over(visible_entry(request, pk), by=request.user, now=timezone.now())
    return redirect(f"{reverse('journals:card', args=[pk])}?call=out")


@require_POST
@allow(*CAN_MANAGE_CLINIC)
def grant(request: StaffRequest, pk: int) -> HttpResponse:
    """One more call beyond the rule."""
    entry = entries.grant_call(visible_entry(request, pk), by=request.user, now=timezone.now())
    messages.success(request, f"Разрешён ещё один звонок: {entry.call_on:%d.%m.%Y}.")
    return redirect("journals:card", pk)


@require_POST
@allow(*CAN_MANAGE_CLINIC)
def unflag(request: StaffRequest, pk: int) -> HttpResponse:
    """The senior has looked at the flagged entry."""
    entries.clear_flag(visible_entry(request, pk), by=request.user, now=timezone.now())
    messages.success(request, "Пометка снята.")
    return redirect("journals:card", pk)


@require_POST
@allow(*CAN_CALL_PATIENTS)
def settle(request: StaffRequest, pk: int) -> HttpResponse:
    """«Какая из записей?»: the chosen visit closes the entry; 'none' leaves it in «Звать»."""
    entry = visible_entry(request, pk)
    chosen, version = request.POST.get("appointment", ""), request.POST.get("version", "")
    visit = None
    if chosen != "none":
        if not chosen.isdecimal():
            raise Refused("Выберите запись на приём или «ни одна из них».")
        visit = get_object_or_404(
            Appointment.objects.filter(patient_id=entry.patient_id), pk=int(chosen)
        )
    auto_close.settle_visits(
        entry,
        appointment=visit,
        version=int(version) if version.isdecimal() else 0,
        by=request.user,
        now=timezone.now(),
    )
    messages.success(request, "Записано." if visit else "Запись остаётся в «Звать».")
    return redirect("journals:card", pk)
