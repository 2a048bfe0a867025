"""The card: one screen on which a call is made and ended."""

import itertools
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.audit import actions as audit
from callcenter.clinics.models import Appointment, Clinic
from callcenter.contacts.models import Reason, ReasonUse
from callcenter.lib.errors import Conflict, DomainError, Refused
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import (
    CAN_CALL_PATIENTS,
    CAN_MANAGE_CLINIC,
    CAN_READ_JOURNAL,
    CAN_WRITE_JOURNAL,
    Role,
)
from journals import outcome_rules
from journals.actions import auto_close, cards, entries
from journals.actions.cards import NotInPlan
from journals.forms import CallForm
from journals.models import PlanItem, RecallCall, RecallEntry, RecallPolicy
from journals.outcome_rules import NextDate, OutcomeRule, RecallLimits, Stage
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
    if call.waiting is not None:
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
    policy = RecallPolicy.of(entry.clinic_id)
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
        "outcomes": _outcomes(
            shown, form, policy=policy.limits, patient_called=mode.patient_called
        ),
        "refusal_reasons": shown.reasons[ReasonUse.REFUSED],
        "is_senior": user.has(*CAN_MANAGE_CLINIC),
        "held_by_other": entry.reserved_by if entry.is_held_by_other(user, now) else None,
        "may_write": user.has(*CAN_WRITE_JOURNAL),
        # Seconds: two renewals may fail.
        "renew_every": policy.hold_minutes * 60 // 3,
        "mine_left": journal.my_items(user, now).count() if user.has(*CAN_CALL_PATIENTS) else 0,
        "now": now,
    }
    return render(request, "journals/card.html", context, status=mode.status)


@dataclass(frozen=True)
class OutcomeButton:
    """One way for the call to end: the value that the form sends, its words and its key."""

    value: str
    label: str
    digit: int | None


@dataclass(frozen=True)
class OutcomeChoice:
    """A row of `OUTCOME_RULES` on the card: its buttons and what its fields offer."""

    outcome: str
    rule: OutcomeRule
    buttons: list[OutcomeButton]
    reasons: list[Reason]
    typed_reason: str
    # The proposed day that is marked: the rule's own until a person has chosen; '' is «другой
    # день».
    typed_day: str
    typed_other_day: str
    reason_errors: list[str]
    date_errors: list[str]

    @property
    def asks(self) -> str:
        return " ".join(sorted(self.rule.asks))

    @property
    def is_reminder(self) -> bool:
        """Whether the day goes onto the waiting list."""
        return self.rule.next_date is NextDate.WAITING_LIST


def _outcomes(
    card: RecallCard, form: CallForm | None, *, policy: RecallLimits, patient_called: bool
) -> list[OutcomeChoice]:
    """The rows of the table by which this call of this entry may end, in the order of the table."""
    if card.entry.stage != Stage.CALL:
        return []
    found = []
    for outcome in outcome_rules.OUTCOME_RULES:
        rule = outcome_rules.rule_for(card.entry.progress, outcome, policy)
        if outcome_rules.can_end_call(rule, patient_called=patient_called):
            found.append(_outcome(outcome, rule, card, form))
    return found


def _outcome(
    outcome: str, rule: OutcomeRule, card: RecallCard, form: CallForm | None
) -> OutcomeChoice:
    typed = form.data if form is not None else {}
    errors: Any = form.errors if form is not None else {}
    reason, day = f"reason_{outcome}", f"call_on_{outcome}"
    reasons = card.reasons.get(rule.reason_use, [])
    if rule.has_button_per_reason:
        named = [(f"{outcome}:{one.pk}", one.name) for one in reasons]
    else:
        named = [(outcome, rule.button)]
    return OutcomeChoice(
        outcome=outcome,
        rule=rule,
        buttons=[
            OutcomeButton(value, label, digit)
            for (value, label), digit in itertools.zip_longest(named, rule.digits[: len(named)])
        ],
        reasons=reasons,
        typed_reason=str(typed.get(reason, "")),
        typed_day=str(typed.get(day, card.next_on.isoformat())),
        typed_other_day=str(typed.get(f"{day}_other", "")),
        reason_errors=list(errors.get(reason, [])),
        date_errors=list(errors.get(day, [])),
    )


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
