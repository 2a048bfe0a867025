"""`apply`: locks a request, asks the table, carries the effects out as rows, saves. Nothing outside
is called here.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from django.db import transaction

from callback import notifications, speech, state_machine
from callback.actions.slot_hold import hold
from callback.models import CallbackAttempt, CallbackRequest, CallbackSettings, RequestLine
from callback.queries import WITH, ClinicPolicy, DueBatch, is_family_number, phones_to_ring, ways_of
from callback.schedule import may_call_at, next_try, window_end
from callback.state_machine import (
    NoTransition,
    RequestEvent,
    RequestState,
    TransitionEffect,
    TransitionRule,
)
from callcenter.audit import actions as audit
from callcenter.clinics.actions import release_hold
from callcenter.clinics.schedule import Hours
from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Phases,
    record_interaction,
)
from callcenter.contacts.states import Direction, InteractionKind
from callcenter.contacts.states import InteractionState as ContactState
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict
from callcenter.staff.models import User
from callcenter.telephony.actions import call_control
from callcenter.telephony.models import Call, Leg, PhoneBinding
from callcenter.telephony.pbx import endpoint_of_number
from callcenter.telephony.queries import link_since
from callcenter.telephony.states import LegRole, Scenario

WATCHDOG: Final = 120  # seconds after which a silent attempt is given up, beyond its own step
TALK_WATCHDOG: Final = 2 * 3600
SPEECH_GUARD: Final = 60  # seconds: a speech that has not reported its end by then has ended
PBX_PAUSE: Final = 5
PBX_PATIENCE: Final = 60  # seconds without the exchange before people get the details


@dataclass
class Transition:
    """An event, and those that follow from it at once, being applied to one locked request."""

    request: CallbackRequest
    event: RequestEvent
    now: dt.datetime
    by: User | None = None
    reason: str = ""
    at: dt.datetime | None = None
    before: str = ""
    batch: DueBatch | None = None  # what has been read for many requests at once
    follow: RequestEvent | None = None
    story: list[str] = field(default_factory=list)

    @cached_property
    def attempt(self) -> CallbackAttempt | None:
        """The live one, if there is one."""
        return self.request.attempts.filter(ended_at__isnull=True).select_related("call").first()

    @property
    def call(self) -> Call | None:
        attempt = self.attempt
        return attempt.call if attempt is not None else None

    @cached_property
    def _ways(self) -> ClinicPolicy:
        return (
            self.batch.ways[self.request.clinic_id] if self.batch else ways_of(self.request.clinic)
        )

    @property
    def ways(self) -> CallbackSettings:
        return self._ways.settings

    @property
    def hours(self) -> Hours:
        return self._ways.hours

    @property
    def zone(self) -> str:
        """The patient's own, if it is known."""
        return self.request.patient.zone if self.request.patient is not None else ""

    @property
    def may_call(self) -> bool:
        """Whether it is still an hour for calls: asked again before every dial."""
        return may_call_at(self.hours, self.now, from_nine=self._ways.from_nine, zone=self.zone)

    def phones(self, rung: set[int]) -> Iterable[PhoneBinding]:
        """Whom to ring next, one after another."""
        if self.batch is None or rung:
            return phones_to_ring(self.request.clinic, now=self.now, rung=rung)
        return self.batch.take_phones(self.request.clinic_id)

    def next_try(self) -> dt.datetime | None:
        return next_try(
            self.hours,
            self.now,
            self.ways.redial_minutes,
            self.request.until,
            from_nine=self._ways.from_nine,
            zone=self.zone,
        )

    def leg(self, role: LegRole) -> Leg | None:
        call = self.call
        return call_control.live_leg(call, role) if call is not None else None


def apply(
    request_id: int,
    event: RequestEvent,
    *,
    now: dt.datetime,
    by: User | None = None,
    reason: str = "",
    at: dt.datetime | None = None,
) -> CallbackRequest:
    """Lets `event` happen to the request: one lock, one decision by the table, one save.

    Raises Conflict when a person asks for what the state does not allow; late news of a telephone
    changes nothing. `at` is when to look again, for a request postponed by a person (UTC).
    """
    with transaction.atomic():
        return apply_transition(Transition(lock_request(request_id), event, now, by, reason, at))


def lock_request(request_id: int, known: CallbackRequest | None = None) -> CallbackRequest:
    """The request, nobody else's until the end of the transaction, with what decisions read of it.

    `known`: the same request read before, whose neighbours (its clinic, its doctor …) need not be
    read again.
    """
    if known is None:
        return (
            CallbackRequest.objects.select_related(*WITH)
            .select_for_update(of=("self",))
            .get(pk=request_id)
        )
    fresh = CallbackRequest.objects.select_for_update().get(pk=request_id)
    for name in WITH:
        if getattr(fresh, f"{name}_id") == getattr(known, f"{name}_id"):
            setattr(fresh, name, getattr(known, name))
    return fresh


def apply_transition(turn: Transition) -> CallbackRequest:
    """`apply` on a request that the caller has locked in the present transaction."""
    request = turn.request
    pending: RequestEvent | None = turn.event
    while pending is not None:
        turn.event, turn.before, turn.follow, turn.story = pending, request.state, None, []
        _step(turn)
        pending, turn.reason = turn.follow, ""
    request.claimed_at = None
    request.save()
    live_updates.bump(f"callback:clinic:{request.clinic_id}", f"callback:request:{request.pk}")
    return request


def _step(turn: Transition) -> None:
    request, now = turn.request, turn.now
    row = state_machine.step(request.state, turn.event)
    if row is NoTransition.REFUSED:
        raise Conflict(f"Так уже нельзя: {RequestState(request.state).label}. Обновите страницу.")
    if not isinstance(row, TransitionRule):
        return
    request.state = row.state
    if turn.at is not None:
        request.due_at = turn.at
    for effect in row.effects:
        EFFECTS[effect](turn)
    _watch(turn)
    if turn.event == RequestEvent.POSTPONE:
        request.first_try_at = request.until = (
            None  # the clock of the robot begins anew with the agreed time
        )
    text = "; ".join(part for part in (turn.reason, *turn.story) if part)[:300]
    RequestLine.objects.create(
        request=request,
        at=now,
        event=turn.event,
        before=turn.before,
        after=request.state,
        by=turn.by,
        text=text,
    )
    if turn.by is not None:
        after: dict[str, object] = {"state": request.state}
        audit.record(
            f"callback.{turn.event}", request, by=turn.by, now=now, note=turn.reason, after=after
        )


def _watch(turn: Transition) -> None:
    """An attempt of which nothing more is heard must not hang: the ticker looks at it after a
    while.
    """
    if turn.request.state not in state_machine.IN_CALL:
        return
    if turn.request.state == RequestState.TALKING:
        turn.request.due_at = turn.now + dt.timedelta(seconds=TALK_WATCHDOG)
        return
    call = turn.call
    step = call.step_due_at if call is not None and call.step_due_at is not None else turn.now
    turn.request.due_at = max(step, turn.now) + dt.timedelta(seconds=WATCHDOG)


# --- the telephone
# ---------------------------------------------------------------------------------------------------


def _begin_attempt(turn: Transition) -> None:
    request, now = turn.request, turn.now
    if request.first_try_at is None:
        request.first_try_at = now
        request.until = window_end(turn.hours, now, turn.ways.window_minutes)
    _hold_window(turn)
    call = call_control.place_call(
        scenario=Scenario.CALLBACK,
        clinic=request.clinic,
        direction=Direction.OUT,
        patient=request.patient,
        number=request.number,
        now=now,
    )
    tried = turn.batch.tried[request.pk] if turn.batch else request.attempts.count()
    turn.attempt = CallbackAttempt.objects.create(
        request=request, number=tried + 1, call=call, started_at=now
    )


def _hold_window(turn: Transition) -> None:
    """For as long as the robot tries, and at least for the hold's own time."""
    least = turn.now + dt.timedelta(minutes=turn.ways.hold_minutes)
    hold(turn.request, until=max(least, turn.request.until or least), now=turn.now)


def _ring_next(turn: Transition) -> None:
    """The next administrator at a telephone, then the clinic's own number; each once in an attempt."""
    call, request = turn.call, turn.request
    if call is None:
        return
    if not turn.may_call:
        turn.follow = RequestEvent.HOURS_OVER
        return
    rung = [] if turn.event == RequestEvent.START else list(call.legs.filter(role=LegRole.EMPLOYEE))
    for phone in turn.phones({leg.user_id for leg in rung if leg.user_id}):
        try:
            _ring_employee(turn, call, endpoint=phone.endpoint, user=phone.user)
        except Conflict:
            continue  # somebody else's call was quicker
        PhoneBinding.objects.filter(pk=phone.pk).update(rung_at=turn.now)
        return
    clinic_number = request.clinic.phone
    if clinic_number and not any(leg.number == clinic_number for leg in rung):
        with suppress(Conflict):  # another request's call rings there
            _ring_employee(
                turn, call, endpoint=endpoint_of_number(clinic_number), number=clinic_number
            )
            return
    if not rung and turn.attempt is not None:
        turn.attempt.note = "все телефоны заняты"
    turn.follow = RequestEvent.ADMINS_EXHAUSTED


def _ring_employee(
    turn: Transition, call: Call, *, endpoint: str, user: User | None = None, number: str = ""
) -> None:
    call_control.ring(
        call,
        role=LegRole.EMPLOYEE,
        endpoint=endpoint,
        user=user,
        number=number,
        caller=f"Робот: заявка · {turn.request.source_name}",
        timeout=turn.ways.ring_seconds,
        prepare=[[turn.ways.prompt], _phrases(turn)],
        now=turn.now,
    )


def _phrases(turn: Transition) -> list[str]:
    return speech.phrases_of(turn.request, family=is_family_number(turn.request.number))


def _ask_for_key(turn: Transition) -> None:
    attempt, leg = turn.attempt, turn.leg(LegRole.EMPLOYEE)
    if attempt is None or attempt.call is None or leg is None:
        return
    attempt.employee = leg.user
    attempt.save(update_fields=["employee"])
    attempt.call.employee = leg.user
    attempt.call.save(update_fields=["employee"])
    call_control.play(leg, turn.ways.prompt, now=turn.now)
    call_control.set_step_timeout(attempt.call, turn.ways.key_seconds, now=turn.now)


def _say_request(turn: Transition) -> None:
    call, leg = turn.call, turn.leg(LegRole.EMPLOYEE)
    if call is None or leg is None:
        return
    call_control.stop_playing(call, now=turn.now)
    _hold_window(turn)
    call_control.play(leg, *_phrases(turn), now=turn.now)
    call_control.set_step_timeout(call, SPEECH_GUARD, now=turn.now)


def _await_choice(turn: Transition) -> None:
    if turn.call is not None and turn.ways.second_key:
        call_control.set_step_timeout(turn.call, turn.ways.choice_seconds, now=turn.now)
    else:
        turn.follow = RequestEvent.CHOSE_CONNECT


def _dial_patient(turn: Transition) -> None:
    call, request = turn.call, turn.request
    if call is None:
        return
    if not turn.may_call:
        turn.follow = RequestEvent.HOURS_OVER
        return
    call_control.stop_playing(call, now=turn.now)
    call_control.set_step_timeout(call, turn.ways.patient_seconds + 10, now=turn.now)
    try:
        call_control.ring(
            call,
            role=LegRole.PATIENT,
            endpoint=endpoint_of_number(request.number),
            number=request.number,
            caller=request.clinic.phone,
            timeout=turn.ways.patient_seconds,
            now=turn.now,
        )
    except Conflict:
        turn.follow = RequestEvent.PATIENT_IN_CALL
        return
    request.dials += 1


def _connect(turn: Transition) -> None:
    call, employee, patient = turn.call, turn.leg(LegRole.EMPLOYEE), turn.leg(LegRole.PATIENT)
    if call is None or patient is None:
        return
    call_control.set_step_timeout(call, None, now=turn.now)
    if employee is None:
        call_control.hang_up(patient, now=turn.now)
        return
    call_control.connect(call, [employee, patient], now=turn.now, record=turn.ways.records)
    if turn.ways.records and turn.ways.recording_notice:
        call_control.play(patient, turn.ways.recording_notice, now=turn.now)


def _say_why(turn: Transition) -> None:
    """Tells the administrator why there is no conversation. Where the request goes on, the end of
    it is awaited.
    """
    call, leg = turn.call, turn.leg(LegRole.EMPLOYEE)
    if call is None or leg is None:
        turn.follow = RequestEvent.TOLD if turn.request.state == RequestState.TELLING else None
        return
    awaited = turn.request.state == RequestState.TELLING
    call_control.stop_playing(call, now=turn.now)
    call_control.play(
        leg, speech.why(turn.event, turn.reason), now=turn.now, then_hang_up=not awaited
    )
    call_control.set_step_timeout(call, 15 if awaited else None, now=turn.now)


def _hang_up(turn: Transition) -> None:
    if turn.call is not None:
        call_control.hang_up_all(turn.call, now=turn.now)


def _end_attempt(turn: Transition) -> None:
    attempt = turn.attempt
    if attempt is None:
        return
    attempt.ended_at, attempt.result, attempt.note = (
        turn.now,
        turn.event,
        (turn.reason or attempt.note)[:250],
    )
    attempt.save()
    turn.attempt = None
    if attempt.call is not None:
        call_control.set_step_timeout(attempt.call, None, now=turn.now)
    if turn.event == RequestEvent.TALKED:
        turn.request.connected_on, turn.request.connected_at = attempt.number, turn.now
        turn.request.holder = attempt.employee


# --- the clock
# -------------------------------------------------------------------------------------------------------


def _redial(turn: Transition) -> None:
    request, ways = turn.request, turn.ways
    if (
        request.first_try_at is None
    ):  # nobody could be rung yet: the time runs from here all the same
        request.first_try_at = turn.now
        request.until = window_end(turn.hours, turn.now, ways.window_minutes)
    if request.dials >= ways.patient_tries and not ways.goes_on_after_sms:
        request.due_at = request.until
        return
    request.due_at = turn.next_try()


def _start_now(turn: Transition) -> None:
    request = turn.request
    request.due_at, request.ended_at, request.outcome, request.pause_reason = turn.now, None, "", ""
    request.closed_by_key = request.closed_by_floor = False
    if request.until is not None and request.until <= turn.now:
        request.first_try_at = request.until = None
    if turn.event in (RequestEvent.CONTINUE, RequestEvent.UNDO):
        request.ignore_talks_before = turn.now
        request.holder = None


def _await_pbx(turn: Transition) -> None:
    turn.request.due_at = turn.now + dt.timedelta(seconds=PBX_PAUSE)
    turn.request.last_error = turn.reason[:250]
    since = link_since()
    if since is None or (turn.now - since).total_seconds() > PBX_PATIENCE:
        _letter_details(turn)


def _await_answer(turn: Transition) -> None:
    turn.request.pause_reason = turn.reason or turn.event.label
    _keep_window(turn)


def _keep_window(turn: Transition) -> None:
    request = turn.request
    if turn.event == RequestEvent.TAKE:
        request.holder = turn.by
    if request.until is None or request.until <= turn.now:
        request.until = window_end(turn.hours, turn.now, turn.ways.window_minutes)
        request.first_try_at = request.first_try_at or turn.now
    request.due_at = request.until


# --- letters, SMS, tasks
# ---------------------------------------------------------------------------------------------


def _letter_details(turn: Transition) -> None:
    if turn.request.details_at is None:
        turn.request.details_at = turn.now
        notifications.details_letter(turn.request, now=turn.now)
        turn.story.append("подробности заявки ушли ответственным письмом")


def _letter_done(turn: Transition) -> None:
    if turn.request.letter_at is None:
        turn.request.letter_at = turn.now
        notifications.done_letter(turn.request, now=turn.now)
        turn.story.append("письмо «Не надо перезванивать»")


def _letter_call_back(turn: Transition) -> None:
    if turn.request.letter_at is None:
        turn.request.letter_at = turn.now
        notifications.call_back_letter(turn.request, now=turn.now)
        turn.story.append("письмо «перезвоните пациенту»")


def _task(turn: Transition) -> None:
    notifications.escalation_task(turn.request, now=turn.now)


def _sms(turn: Transition) -> None:
    """«Если все они неудачные, пациенту уходит смс»: once, when he is dialled no more."""
    if turn.request.sms_at is None and turn.request.dials >= turn.ways.patient_tries:
        turn.request.sms_at = turn.now
        notifications.missed_you_sms(turn.request, text=turn.ways.sms_text, now=turn.now)
        turn.story.append("пациенту поставлена СМС")


def _finish(turn: Transition) -> None:
    request = turn.request
    request.due_at = None
    if request.state not in state_machine.FINAL:
        return
    request.ended_at = turn.now
    request.outcome = (turn.reason or turn.event.label)[:250]
    request.closed_by_key = turn.event in (RequestEvent.CHOSE_BOOKED, RequestEvent.CHOSE_NOT_OURS)
    request.closed_by_floor = (
        turn.event in (RequestEvent.BOOKED, RequestEvent.FORBIDDEN) and turn.by is None
    )
    if request.window is not None:
        release_hold(request.window, held_for=notifications.hold_key(request))
    if request.interaction is not None:
        record_interaction(
            InteractionInput(
                clinic=request.clinic,
                kind=InteractionKind.REQUEST,
                state=ContactState.PROCESSED,
                phases=Phases(request.interaction.at),
                source=InteractionSource(
                    name=request.interaction.source, id=request.interaction.source_id
                ),
            ),
            by=turn.by,
            now=turn.now,
        )


EFFECTS: Final[dict[TransitionEffect, Callable[[Transition], None]]] = {
    TransitionEffect.BEGIN_ATTEMPT: _begin_attempt,
    TransitionEffect.RING_NEXT: _ring_next,
    TransitionEffect.ASK_FOR_KEY: _ask_for_key,
    TransitionEffect.SAY_REQUEST: _say_request,
    TransitionEffect.AWAIT_CHOICE: _await_choice,
    TransitionEffect.DIAL_PATIENT: _dial_patient,
    TransitionEffect.CONNECT: _connect,
    TransitionEffect.SAY_WHY: _say_why,
    TransitionEffect.HANG_UP: _hang_up,
    TransitionEffect.END_ATTEMPT: _end_attempt,
    TransitionEffect.REDIAL: _redial,
    TransitionEffect.START_NOW: _start_now,
    TransitionEffect.AWAIT_PBX: _await_pbx,
    TransitionEffect.AWAIT_ANSWER: _await_answer,
    TransitionEffect.KEEP_WINDOW: _keep_window,
    TransitionEffect.LETTER_DETAILS: _letter_details,
    TransitionEffect.LETTER_DONE: _letter_done,
    TransitionEffect.LETTER_CALL_BACK: _letter_call_back,
    TransitionEffect.TASK: _task,
    TransitionEffect.SMS: _sms,
    TransitionEffect.FINISH: _finish,
}
