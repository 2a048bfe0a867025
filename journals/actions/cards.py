"""The card of an entry: who has it open, and the one save that ends a call."""

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from callcenter.audit import actions as audit
from callcenter.clinics.actions import book_appointment, close_waiting, open_waiting
from callcenter.clinics.models import Appointment, ScheduleWindow, WaitingListEntry
from callcenter.clinics.queries import call_block_reason, hours_of
from callcenter.clinics.schedule import Hours, is_working_day, next_working_day
from callcenter.clinics.states import WaitingKind, WaitingState
from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    WrapUp,
    attach_result,
    defer_recompute,
    record_interaction,
)
from callcenter.contacts.models import Interaction, Reason
from callcenter.contacts.states import (
    Direction,
    InteractionKind,
    InteractionState,
    ResultKind,
    Summary,
)
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.lib.localtime import day_bounds, local, local_day
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from journals import outcome_rules
from journals.actions.entries import topic
from journals.models import PlanItem, PlanState, RecallCall, RecallEntry, RecallPolicy
from journals.outcome_rules import NextDate, OutcomeRule, RecallLimits, Stage
from journals.schedule import half_of, next_call_on, other_half

# A call put off further than a year is a slip of the finger.
FURTHEST = dt.timedelta(days=365)
# An open card is kept for a call that outlasts the clinic's day, not for the night.
FORGOTTEN = dt.timedelta(hours=1)


class NotInPlan(NotAllowed):
    """The entry is in nobody's plan, or in a colleague's: only a patient who calls in may be
    served.
    """


@dataclass(frozen=True)
class CallOutcomeInput:
    """What the administrator put into the form «Обращение в колл-центр»."""

    # A key of `OUTCOME_RULES`.
    outcome: str
    comment: str
    reason: Reason | None = None
    refusal_reason: Reason | None = None
    window: ScheduleWindow | None = None
    call_on: dt.date | None = None


@dataclass(frozen=True)
class _EndingCall:
    """A call that is being ended: all that its contact, its booking and the entry's next date are
    decided from.
    """

    entry: RecallEntry
    answer: CallOutcomeInput
    rule: OutcomeRule
    policy: RecallLimits
    hours: Hours
    today: dt.date
    by: User
    now: dt.datetime
    patient_called: bool

    @property
    def direction(self) -> Direction:
        return Direction.IN if self.patient_called else Direction.OUT

    @property
    def comment(self) -> str:
        return self.answer.comment.strip()


def open_card(
    entry: RecallEntry, *, by: User, now: dt.datetime, patient_called: bool = False
) -> RecallEntry:
    """Reserve the entry for the policy's minutes (10), to be renewed while the card is open.

    Raises NotInPlan when an administrator's plan lacks it (instruction: «обзваниваем только
    Пациентов, которым нужно позвонить по плану»), Refused when the patient may not be called or not
    yet, Conflict when a colleague has it open.
    """
    with transaction.atomic():
        entry = RecallEntry.locked(entry.pk)
        _refuse_closed(entry)
        _refuse_call(entry, by=by, now=now, patient_called=patient_called)
        _refuse_held(entry, by=by, now=now)
        return _hold(entry, by=by, now=now)


def renew_card(entry: RecallEntry, *, key: str, by: User, now: dt.datetime) -> RecallEntry:
    """Renew the reservation of an opening (`key`) for some minutes: it is never taken here, only
    kept.

    Raises Conflict when a colleague has the card by now, when this opening no longer holds it (the
    call is saved, the card was left), and an hour after the plan's day is over: a card forgotten
    open must not keep its entry from the others.
    """
    with transaction.atomic():
        entry = RecallEntry.locked(entry.pk)
        _refuse_held(entry, by=by, now=now)
        _refuse_closed(entry)
        if entry.reserved_by_id == by.pk and entry.reserved_key and entry.reserved_key != key:
            return entry  # opened again in a later tab: that one keeps it
        if entry.reserved_by_id != by.pk or not entry.reserved_key:
            raise Conflict("Карточка больше не за вами. Откройте её снова.")
        if (
            PlanItem.objects.open()
            .filter(entry=entry, assignee=by, due_at__lt=now - FORGOTTEN)
            .exists()
        ):
            raise Conflict(
                "План этого дня закончился, карточка свободна. Что осталось, вернётся в готовые."
            )
        return _hold(entry, by=by, now=now, key=key)


def release_card(entry: RecallEntry, *, key: str, by: User) -> bool:
    """Free the entry when the card is closed; false when this opening no longer holds it."""
    freed = RecallEntry.objects.filter(pk=entry.pk, reserved_by=by, reserved_key=key).update(
        reserved_by=None, reserved_until=None, reserved_key=""
    )
    if freed:
        live_updates.bump(topic(entry.clinic_id))
    return bool(freed)


def take_over(entry: RecallEntry, *, by: User, now: dt.datetime) -> RecallEntry:
    """Move an open card from a colleague to the senior. Raises NotAllowed for others, Conflict when
    the entry is closed.
    """
    if not by.has(Role.SENIOR):
        raise NotAllowed("Забрать открытую карточку может только старший администратор.")
    with transaction.atomic():
        entry = RecallEntry.locked(entry.pk)
        _refuse_closed(entry)
        holder = entry.reserved_by if entry.is_held_by_other(by, now) else None
        entry = _hold(entry, by=by, now=now)
        if holder is not None:
            audit.record(
                "journals.take_over",
                entry,
                by=by,
                now=now,
                before={"holder": str(holder)},
                after={"holder": str(by)},
            )
    return entry


def record_call(
    entry: RecallEntry,
    answer: CallOutcomeInput,
    *,
    version: int,
    token: uuid.UUID,
    by: User,
    now: dt.datetime,
    patient_called: bool = False,
) -> RecallCall:
    """End a call: one transaction over contact, journal, appointment and waiting list (source:
    «Журнал КОС», the table of outcomes).

    `version` is that of the card the form was filled in on; `token` makes a second click return the
    first call. Raises Conflict when the entry or the window is no longer what the card showed
    (nothing is written), NotInPlan, and Refused with the field that lacks. The third call that did
    not reach the patient is refused without `refusal_reason`: then the entry leaves «Звать» for
    «Отказ».
    """
    with transaction.atomic(), defer_recompute():
        entry = RecallEntry.locked(entry.pk)
        known = _saved_call(entry, version=version, token=token, by=by)
        if known is not None:
            return known
        item = _refuse_call(entry, by=by, now=now, patient_called=patient_called)
        _refuse_held(entry, by=by, now=now)
        ending = _ending(entry, answer, by=by, now=now, patient_called=patient_called)
        _refuse_answer(ending)
        next_on = _next_date(ending)
        interaction = _record_contact(ending)
        visit, waiting = _book_or_remind(ending, interaction)
        call = RecallCall.objects.create(
            **_call_fields(ending),
            next_on=next_on,
            appointment=visit,
            waiting=waiting,
            interaction=interaction,
            plan_item=item,
            token=token,
        )
        _finish_plan_item(entry, call)
        _move_entry(ending, call)
    return call


def _saved_call(
    entry: RecallEntry, *, version: int, token: uuid.UUID, by: User
) -> RecallCall | None:
    """Return the call that the first of two clicks has saved. Raises Conflict when the locked entry
    is closed, or no longer of the version that the card showed.
    """
    if entry.version != version:
        # The second of two clicks has waited for the entry's lock and finds the first one's call.
        known = RecallCall.objects.filter(token=token, by=by, entry=entry).first()
        if known is not None:
            return known
    _refuse_closed(entry)
    if entry.version != version:
        raise Conflict(
            "Запись изменилась, пока карточка была открыта. Посмотрите, что в ней теперь."
        )
    return None


def _ending(
    entry: RecallEntry,
    answer: CallOutcomeInput,
    *,
    by: User,
    now: dt.datetime,
    patient_called: bool,
) -> _EndingCall:
    policy = RecallPolicy.of(entry.clinic_id).limits
    return _EndingCall(
        entry=entry,
        answer=answer,
        rule=outcome_rules.rule_for(entry.progress, answer.outcome, policy),
        policy=policy,
        hours=hours_of(entry.clinic),
        today=local_day(now, entry.clinic.zone),
        by=by,
        now=now,
        patient_called=patient_called,
    )


def _call_fields(ending: _EndingCall) -> dict[str, Any]:
    """What the row of the call has of the entry and of the form."""
    entry, answer, rule = ending.entry, ending.answer, ending.rule
    return {
        "entry": entry,
        "clinic": entry.clinic,
        "doctor": entry.doctor,
        "number": 0 if ending.patient_called else entry.calls + 1,
        "direction": ending.direction,
        "at": ending.now,
        "on": ending.today,
        "half": half_of(ending.hours, ending.now),
        "by": ending.by,
        "outcome": answer.outcome,
        "stage_after": rule.stage,
        "reason": answer.reason,
        "refusal_reason": answer.refusal_reason if "refusal_reason" in rule.asks else None,
        "comment": ending.comment,
    }


def _refuse_closed(entry: RecallEntry) -> None:
    if entry.stage == Stage.CALL:
        return
    who = f", {entry.closed_by.short_name}" if entry.closed_by else ""
    when = f" {local(entry.closed_at, entry.clinic.zone):%d.%m.%Y %H:%M}" if entry.closed_at else ""
    raise Conflict(f"Запись уже закрыта: «{entry.get_stage_display()}»{who}{when}.")


def _refuse_call(
    entry: RecallEntry, *, by: User, now: dt.datetime, patient_called: bool
) -> PlanItem | None:
    """Return the plan item under which `by` may call; None for the senior and for a patient who
    calls in. Raises NotInPlan, or Refused when the patient may not be called or not yet.
    """
    if patient_called:
        return None
    today = local_day(now, entry.clinic.zone)
    item = PlanItem.objects.open().filter(entry=entry, assignee=by, on__lte=today).first()
    if item is None and not by.has(Role.SENIOR):
        raise NotInPlan(
            "Этой записи нет в вашем плане на сегодня: на КОС звоним только по плану старшего."
        )
    reason = call_block_reason(entry.patient)
    if reason is not None:
        raise Refused(f"Звонить нельзя: {reason}.")
    if entry.call_on > today:
        raise Refused(f"Следующий звонок — не раньше {entry.call_on:%d.%m.%Y}.")
    return item


def _refuse_held(entry: RecallEntry, *, by: User, now: dt.datetime) -> None:
    if entry.is_held_by_other(by, now) and entry.reserved_by and entry.reserved_until:
        until = local(entry.reserved_until, entry.clinic.zone)
        raise Conflict(
            f"Карточку держит {entry.reserved_by.short_name}, освободится не позже {until:%H:%M}."
        )


def _hold(entry: RecallEntry, *, by: User, now: dt.datetime, key: str = "") -> RecallEntry:
    minutes = RecallPolicy.of(entry.clinic_id).hold_minutes
    is_new = not key or entry.reserved_by_id != by.pk
    entry.reserved_by, entry.reserved_until = by, now + dt.timedelta(minutes=minutes)
    entry.reserved_key = key or secrets.token_hex(8)
    entry.save(update_fields=["reserved_by", "reserved_until", "reserved_key"])
    # A renewal is no news to the others.
    if is_new:
        live_updates.bump(topic(entry.clinic_id))
    return entry


def _refuse_answer(ending: _EndingCall) -> None:
    """Raise Refused when what the table asks for is missing or does not fit the outcome."""
    answer, rule = ending.answer, ending.rule
    if not outcome_rules.can_end_call(rule, patient_called=ending.patient_called):
        raise Refused("Пациент позвонил сам — «не берёт трубку» не подходит.", field="outcome")
    if not ending.comment:
        raise Refused(
            "Напишите комментарий: его прочтёт тот, кто позвонит следующим.", field="comment"
        )
    if "reason" in rule.asks:
        if answer.reason is None:
            raise Refused("Выберите причину.", field="reason")
        if rule.reason_use not in answer.reason.uses:
            raise Refused(f"Причина «{answer.reason}» не подходит к этому итогу.", field="reason")
    if "refusal_reason" in rule.asks and answer.refusal_reason is None:
        number = ending.entry.unreached + 1
        raise Refused(
            f"Это {number}-й звонок без ответа: запись уходит в «Отказ». Выберите причину отказа "
            "или попросите старшего разрешить ещё один звонок.",
            field="refusal_reason",
        )
    if "window" in rule.asks and answer.window is None:
        raise Refused("Выберите время в прогнозном расписании.", field="window")
    if "call_on" in rule.asks and answer.call_on is None:
        raise Refused("Когда напомнить? Выберите дату.", field="call_on")


def _next_date(ending: _EndingCall) -> dt.date | None:
    """Return the clinic's local day of the next call. Raises Refused for a chosen day on which the
    clinic is closed, too early or more than a year ahead.
    """
    next_date, hours, today = ending.rule.next_date, ending.hours, ending.today
    if next_date is NextDate.NONE:
        return None
    proposed = next_call_on(hours, today, ending.policy)
    if next_date is NextDate.INTERVAL:
        return proposed
    chosen = ending.answer.call_on or proposed
    earliest = today if next_date is NextDate.WAITING_LIST else today + dt.timedelta(days=1)
    if not earliest <= chosen <= today + FURTHEST:
        raise Refused(f"Выберите дату с {earliest:%d.%m.%Y} и не дальше года.", field="call_on")
    if not is_working_day(hours, chosen):
        working = next_working_day(hours, chosen)
        raise Refused(
            f"{chosen:%d.%m.%Y} клиника не работает. Ближайший рабочий день — {working:%d.%m.%Y}.",
            field="call_on",
        )
    return chosen


def _record_contact(ending: _EndingCall) -> Interaction:
    """Record «Обращение в колл-центр»: «Мы звоним» and «КОС» are set here, so they can't be
    forgotten.
    """
    entry, answer, rule = ending.entry, ending.answer, ending.rule
    is_booking = "window" in rule.asks
    return record_interaction(
        InteractionInput(
            clinic=entry.clinic,
            kind=InteractionKind.CALL,
            state=InteractionState.FAILED if rule.is_unreached else InteractionState.ANSWERED,
            phases=Phases(ending.now),
            direction=ending.direction,
            participants=Participants(
                patient=entry.patient,
                number=_dialled(entry, by=ending.by, now=ending.now),
                employee=ending.by,
            ),
            wrap_up=WrapUp(
                summary=Summary.BOOKED if is_booking else Summary.NO_RESULT,
                reason=answer.refusal_reason or answer.reason,
                comment=ending.comment,
                is_recall=True,
            ),
            source=InteractionSource(name="journals"),
        ),
        by=ending.by,
        now=ending.now,
    )


def _dialled(entry: RecallEntry, *, by: User, now: dt.datetime) -> str:
    """Return the patient's number that this call went over: of several, that of the user's newest
    call of the day; else the main one. Two numbers for one call would make two calls of it in the
    contact.
    """
    numbers = [phone.number for phone in entry.patient.phones.all()]
    if len(numbers) < 2:
        return "".join(numbers)
    since, _ = day_bounds(local_day(now, entry.clinic.zone), entry.clinic.zone)
    spoken = Interaction.objects.filter(
        clinic=entry.clinic,
        kind=InteractionKind.CALL,
        employee=by,
        number__in=numbers,
        at__gte=since,
        is_recall=False,
    )
    newest: str | None = spoken.order_by("-at").values_list("number", flat=True).first()
    return newest or numbers[0]


def _book_or_remind(
    ending: _EndingCall, interaction: Interaction
) -> tuple[Appointment | None, WaitingListEntry | None]:
    """Make the visit or the waiting-list entry that the call led to; the former reminder is closed
    by this call.
    """
    entry, rule, by, now = ending.entry, ending.rule, ending.by, ending.now
    visit = _book(ending, interaction) if "window" in rule.asks else None
    reason = f"КОС: {rule.label.lower()}"
    close_reminder(entry, reason=reason, by=by, now=now, appointment=visit)
    is_reminder = rule.next_date is NextDate.WAITING_LIST
    return visit, _remind(ending, interaction) if is_reminder else None


def _book(ending: _EndingCall, interaction: Interaction) -> Appointment | None:
    window, by, now = ending.answer.window, ending.by, ending.now
    if window is None:
        return None
    visit = book_appointment(
        patient=ending.entry.patient, window=window, by=by, now=now, comment=ending.comment
    )
    attach_result(
        interaction.contact,
        kind=ResultKind.BOOKED,
        at=now,
        by=by,
        interaction=interaction,
        subject=visit,
        origin="recall",
    )
    return visit


def _remind(ending: _EndingCall, interaction: Interaction) -> WaitingListEntry | None:
    entry, call_on, by, now = ending.entry, ending.answer.call_on, ending.by, ending.now
    if call_on is None:
        return None
    waiting = open_waiting(
        clinic=entry.clinic,
        patient=entry.patient,
        call_on=call_on,
        comment=ending.comment,
        by=by,
        now=now,
        kind=WaitingKind.REMIND_LATER,
        doctor=entry.doctor,
        owner=by,
    )
    attach_result(
        interaction.contact,
        kind=ResultKind.WAITING_LIST,
        at=now,
        by=by,
        interaction=interaction,
        subject=waiting,
        origin="recall",
    )
    return waiting


def close_reminder(
    entry: RecallEntry,
    *,
    reason: str,
    by: User | None,
    now: dt.datetime,
    appointment: Appointment | None = None,
) -> None:
    """Close the entry's waiting-list row if it is still open (a booking has closed it already)."""
    if entry.waiting_id is None:
        return
    waiting = WaitingListEntry.objects.select_for_update().get(pk=entry.waiting_id)
    if waiting.state == WaitingState.OPEN:
        close_waiting(waiting, reason=reason, by=by, now=now, appointment=appointment)


def _finish_plan_item(entry: RecallEntry, call: RecallCall) -> None:
    """Close the open plan item of the entry, of any person: the call is made."""
    called = call.direction == Direction.OUT
    PlanItem.objects.open().filter(entry=entry).update(
        state=PlanState.CALLED if called else PlanState.CLOSED,
        outcome=call.outcome,
        stage_after=call.stage_after,
        done_at=call.at,
    )


def _move_entry(ending: _EndingCall, call: RecallCall) -> None:
    entry = ending.entry
    progress = outcome_rules.after(entry.progress, call.outcome, ending.policy)
    has_talked = progress.talks > entry.talks
    before: dict[str, object] = {"stage": entry.stage, "call_on": entry.call_on.isoformat()}
    entry.stage = progress.stage
    entry.unreached, entry.talks = progress.unreached, progress.talks
    # What the senior has cleared, an unreached call does not bring back.
    if has_talked or progress.stage is not Stage.CALL:
        entry.flagged = outcome_rules.is_flagged(progress, ending.policy)
    if call.direction == Direction.OUT:
        entry.calls += 1
    entry.call_on = call.next_on or entry.call_on
    is_called_again = ending.rule.is_unreached and call.next_on is not None
    entry.call_half = other_half(outcome_rules.Half(call.half)) if is_called_again else ""
    entry.last_outcome, entry.last_comment = call.outcome, call.comment
    entry.last_reason = call.refusal_reason or call.reason
    entry.last_caller, entry.last_call_at, entry.touched_at = call.by, call.at, call.at
    entry.appointment, entry.waiting = call.appointment, call.waiting
    entry.several_visits, entry.last_error = False, ""
    if entry.stage != Stage.CALL:
        entry.closed_at, entry.closed_by = call.at, call.by
    entry.reserved_by, entry.reserved_until, entry.reserved_key = None, None, ""
    entry.version += 1
    entry.save()
    audit.record(
        "journals.record_call",
        entry,
        by=call.by,
        now=call.at,
        before=before,
        after={"stage": entry.stage, "call_on": entry.call_on.isoformat(), "outcome": call.outcome},
    )
    live_updates.bump(topic(entry.clinic_id))
