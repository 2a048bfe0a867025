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
from callback.queries import (
    WITH,
    ClinicPolicy,
    DueBatch,
    is_family_number,
    phones_to_ring,
    policy_of,
)
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
    def _policy(self) -> ClinicPolicy:
        return (
            self.batch.policies[self.request.clinic_id]
            if self.batch
            else policy_of(self.request.clinic)
        )

    @property
    def settings(self) -> CallbackSettings:
        return self._policy.settings

    @property
    def hours(self) -> Hours:
        return self._policy.hours

    @property
    def zone(self) -> str:
        """The patient's own, if it is known."""
        return self.request.patient.zone if self.request.patient is not None else ""

    @property
    def may_call(self) -> bool:
        """Whether it is still an hour for calls: asked again before every dial."""
        return may_call_at(self.hours, self.now, from_nine=self._policy.from_nine, zone=self.zone)

    def phones(self, rung: set[int]) -> Iterable[PhoneBinding]:
        """Whom to ring next, one after another."""
        if self.batch is None or rung:
            return phones_to_ring(self.request.clinic, now=self.now, rung=rung)
        return self.batch.take_phones(self.request.clinic_id)

    def next_try(self) -> dt.datetime | None:
        return next_try(
            self.hours,
            self.now,
            self.settings.redial_minutes,
            self.request.until,
            from_nine=self._policy.from_nine,
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


def apply_transition(transition: Transition) -> CallbackRequest:
    """`apply` on a request that the caller has locked in the present transaction."""
    request = transition.request
    pending: RequestEvent | None = transition.event
    while pending is not None:
        transition.event, transition.before, transition.follow, transition.story = (
            pending,
            request.state,
            None,
            [],
        )
        _step(transition)
        pending, transition.reason = transition.follow, ""
    request.claimed_at = None
    request.save()
    live_updates.bump(f"callback:clinic:{request.clinic_id}", f"callback:request:{request.pk}")
    return request


def _step(transition: Transition) -> None:
    request, now = transition.request, transition.now
    row = state_machine.rule_for(request.state, transition.event)
    if row is NoTransition.REFUSED:
        raise Conflict(f"Так уже нельзя: {RequestState(request.state).label}. Обновите страницу.")
    if not isinstance(row, TransitionRule):
        return
    request.state = row.state
    if transition.at is not None:
        request.due_at = transition.at
    for effect in row.effects:
        EFFECTS[effect](transition)
    _watch(transition)
    if transition.event == RequestEvent.POSTPONE:
        request.first_try_at = request.until = (
            None  # the clock of the robot starts again with the agreed time
        )
    text = "; ".join(part for part in (transition.reason, *transition.story) if part)[:300]
    RequestLine.objects.create(
        request=request,
        at=now,
        event=transition.event,
        before=transition.before,
        after=request.state,
        by=transition.by,
        text=text,
    )
    if transition.by is not None:
        after: dict[str, object] = {"state": request.state}
        audit.record(
            f"callback.{transition.event}",
            request,
            by=transition.by,
            now=now,
            note=transition.reason,
            after=after,
        )


def _watch(transition: Transition) -> None:
    """An attempt of which nothing more is heard must not hang: the ticker looks at it after a
    while.
    """
    if transition.request.state not in state_machine.IN_CALL:
        return
    if transition.request.state == RequestState.TALKING:
        transition.request.due_at = transition.now + dt.timedelta(seconds=TALK_WATCHDOG)
        return
    call = transition.call
    step = call.step_due_at if call is not None and call.step_due_at is not None else transition.now
    transition.request.due_at = max(step, transition.now) + dt.timedelta(seconds=WATCHDOG)


# --- the telephone


def _begin_attempt(transition: Transition) -> None:
    request, now = transition.request, transition.now
    if request.first_try_at is None:
        request.first_try_at = now
        request.until = window_end(transition.hours, now, transition.settings.window_minutes)
    _hold_window(transition)
    call = call_control.place_call(
        scenario=Scenario.CALLBACK,
        clinic=request.clinic,
        direction=Direction.OUT,
        patient=request.patient,
        number=request.number,
        now=now,
    )
    tried = transition.batch.tried[request.pk] if transition.batch else request.attempts.count()
    transition.attempt = CallbackAttempt.objects.create(
        request=request, number=tried + 1, call=call, started_at=now
    )


def _hold_window(transition: Transition) -> None:
    """For as long as the robot tries, and at least for the hold's own time."""
    least = transition.now + dt.timedelta(minutes=transition.settings.hold_minutes)
    hold(
        transition.request, until=max(least, transition.request.until or least), now=transition.now
    )


def _ring_next(transition: Transition) -> None:
    """The next administrator at a telephone, then the clinic's own number; each once in an
    attempt.
    """
    call, request = transition.call, transition.request
    if call is None:
        return
    if not transition.may_call:
        transition.follow = RequestEvent.HOURS_OVER
        return
    rung = (
        []
        if transition.event == RequestEvent.START
        else list(call.legs.filter(role=LegRole.EMPLOYEE))
    )
    for phone in transition.phones({leg.user_id for leg in rung if leg.user_id}):
        try:
            _ring_employee(transition, call, endpoint=phone.endpoint, user=phone.user)
        except Conflict:
            continue  # somebody else's call was quicker
        PhoneBinding.objects.filter(pk=phone.pk).update(rung_at=transition.now)
        return
    clinic_number = request.clinic.phone
    if clinic_number and not any(leg.number == clinic_number for leg in rung):
        with suppress(Conflict):  # another request's call rings there
            _ring_employee(
                transition, call, endpoint=endpoint_of_number(clinic_number), number=clinic_number
            )
            return
    if not rung and transition.attempt is not None:
        transition.attempt.note = "все телефоны заняты"
    transition.follow = RequestEvent.ADMINS_EXHAUSTED


def _ring_employee(
    transition: Transition, call: Call, *, endpoint: str, user: User | None = None, number: str = ""
) -> None:
    call_control.ring(
        call,
        role=LegRole.EMPLOYEE,
        endpoint=endpoint,
        user=user,
        number=number,
        caller=f"Робот: заявка · {transition.request.source_name}",
        timeout=transition.settings.ring_seconds,
        prepare=[[transition.settings.prompt], _phrases(transition)],
        now=transition.now,
    )


def _phrases(transition: Transition) -> list[str]:
    return speech.request_phrases(
        transition.request, family=is_family_number(transition.request.number)
    )


def _ask_for_key(transition: Transition) -> None:
    attempt, leg = transition.attempt, transition.leg(LegRole.EMPLOYEE)
    if attempt is None or attempt.call is None or leg is None:
        return
    attempt.employee = leg.user
    attempt.save(update_fields=["employee"])
    attempt.call.employee = leg.user
    attempt.call.save(update_fields=["employee"])
    call_control.play(leg, transition.settings.prompt, now=transition.now)
    call_control.set_step_timeout(attempt.call, transition.settings.key_seconds, now=transition.now)


def _say_request(transition: Transition) -> None:
    call, leg = transition.call, transition.leg(LegRole.EMPLOYEE)
    if call is None or leg is None:
        return
    call_control.stop_playing(call, now=transition.now)
    _hold_window(transition)
    call_control.play(leg, *_phrases(transition), now=transition.now)
    call_control.set_step_timeout(call, SPEECH_GUARD, now=transition.now)


def _await_choice(transition: Transition) -> None:
    if transition.call is not None and transition.settings.has_second_key:
        call_control.set_step_timeout(
            transition.call, transition.settings.choice_seconds, now=transition.now
        )
    else:
        transition.follow = RequestEvent.CHOSE_CONNECT


def _dial_patient(transition: Transition) -> None:
    call, request = transition.call, transition.request
    if call is None:
        return
    if not transition.may_call:
        transition.follow = RequestEvent.HOURS_OVER
        return
    call_control.stop_playing(call, now=transition.now)
    call_control.set_step_timeout(
        call, transition.settings.patient_seconds + 10, now=transition.now
    )
    try:
        call_control.ring(
            call,
            role=LegRole.PATIENT,
            endpoint=endpoint_of_number(request.number),
            number=request.number,
            caller=request.clinic.phone,
            timeout=transition.settings.patient_seconds,
            now=transition.now,
        )
    except Conflict:
        transition.follow = RequestEvent.PATIENT_IN_CALL
        return
    request.dials += 1


def _connect(transition: Transition) -> None:
    call, employee, patient = (
        transition.call,
        transition.leg(LegRole.EMPLOYEE),
        transition.leg(LegRole.PATIENT),
    )
    if call is None or patient is None:
        return
    call_control.set_step_timeout(call, None, now=transition.now)
    if employee is None:
        call_control.hang_up(patient, now=transition.now)
        return
    call_control.connect(
        call, [employee, patient], now=transition.now, record=transition.settings.is_recording_on
    )
    if transition.settings.is_recording_on and transition.settings.recording_notice:
        call_control.play(patient, transition.settings.recording_notice, now=transition.now)


def _explain(transition: Transition) -> None:
    """Tells the administrator why there is no conversation. Where the request goes on, the end of
    it is awaited.
    """
    call, leg = transition.call, transition.leg(LegRole.EMPLOYEE)
    if call is None or leg is None:
        transition.follow = (
            RequestEvent.TOLD if transition.request.state == RequestState.TELLING else None
        )
        return
    awaited = transition.request.state == RequestState.TELLING
    call_control.stop_playing(call, now=transition.now)
    call_control.play(
        leg,
        speech.refusal_phrase(transition.event, transition.reason),
        now=transition.now,
        then_hang_up=not awaited,
    )
    call_control.set_step_timeout(call, 15 if awaited else None, now=transition.now)


def _hang_up(transition: Transition) -> None:
    if transition.call is not None:
        call_control.hang_up_all(transition.call, now=transition.now)


def _end_attempt(transition: Transition) -> None:
    attempt = transition.attempt
    if attempt is None:
        return
    attempt.ended_at, attempt.result, attempt.note = (
        transition.now,
        transition.event,
        (transition.reason or attempt.note)[:250],
    )
    attempt.save()
    transition.attempt = None
    if attempt.call is not None:
        call_control.set_step_timeout(attempt.call, None, now=transition.now)
    if transition.event == RequestEvent.TALKED:
        transition.request.connected_on, transition.request.connected_at = (
            attempt.number,
            transition.now,
        )
        transition.request.holder = attempt.employee


# --- the clock


def _redial(transition: Transition) -> None:
    request, settings = transition.request, transition.settings
    if (
        request.first_try_at is None
    ):  # nobody could be rung yet: the time runs from here all the same
        request.first_try_at = transition.now
        request.until = window_end(transition.hours, transition.now, settings.window_minutes)
    if request.dials >= settings.patient_tries and not settings.is_dialling_after_sms:
        request.due_at = request.until
        return
    request.due_at = transition.next_try()


def _start_now(transition: Transition) -> None:
    request = transition.request
    request.due_at, request.ended_at, request.outcome, request.pause_reason = (
        transition.now,
        None,
        "",
        "",
    )
    request.is_closed_by_key = request.is_closed_automatically = False
    if request.until is not None and request.until <= transition.now:
        request.first_try_at = request.until = None
    if transition.event in (RequestEvent.CONTINUE, RequestEvent.UNDO):
        request.ignore_talks_before = transition.now
        request.holder = None


def _await_pbx(transition: Transition) -> None:
    transition.request.due_at = transition.now + dt.timedelta(seconds=PBX_PAUSE)
    transition.request.last_error = transition.reason[:250]
    since = link_since()
    if since is None or (transition.now - since).total_seconds() > PBX_PATIENCE:
        _letter_details(transition)


def _await_answer(transition: Transition) -> None:
    transition.request.pause_reason = transition.reason or transition.event.label
    _keep_window(transition)


def _keep_window(transition: Transition) -> None:
    request = transition.request
    if transition.event == RequestEvent.TAKE:
        request.holder = transition.by
    if request.until is None or request.until <= transition.now:
        request.until = window_end(
            transition.hours, transition.now, transition.settings.window_minutes
        )
        request.first_try_at = request.first_try_at or transition.now
    request.due_at = request.until


# --- letters, SMS, tasks
# ---------------------------------------------------------------------------------------------


def _letter_details(transition: Transition) -> None:
    if transition.request.details_at is None:
        transition.request.details_at = transition.now
        notifications.details_letter(transition.request, now=transition.now)
        transition.story.append("подробности заявки ушли ответственным письмом")


def _letter_done(transition: Transition) -> None:
    if transition.request.letter_at is None:
        transition.request.letter_at = transition.now
        notifications.done_letter(transition.request, now=transition.now)
        transition.story.append("письмо «Не надо перезванивать»")


def _letter_call_back(transition: Transition) -> None:
    if transition.request.letter_at is None:
        transition.request.letter_at = transition.now
        notifications.call_back_letter(transition.request, now=transition.now)
        transition.story.append("письмо «перезвоните пациенту»")


def _task(transition: Transition) -> None:
    notifications.escalation_task(transition.request, now=transition.now)


def _sms(transition: Transition) -> None:
    """«Если все они неудачные, пациенту уходит смс»: once, when he is dialled no more."""
    if (
        transition.request.sms_at is None
        and transition.request.dials >= transition.settings.patient_tries
    ):
        transition.request.sms_at = transition.now
        notifications.missed_you_sms(
            transition.request, text=transition.settings.sms_text, now=transition.now
        )
        transition.story.append("пациенту поставлена СМС")


def _finish(transition: Transition) -> None:
    request = transition.request
    request.due_at = None
    if request.state not in state_machine.FINAL:
        return
    request.ended_at = transition.now
    request.outcome = (transition.reason or transition.event.label)[:250]
    request.is_closed_by_key = transition.event in (
        RequestEvent.CHOSE_BOOKED,
        RequestEvent.CHOSE_NOT_OURS,
    )
    request.is_closed_automatically = (
        transition.event in (RequestEvent.BOOKED, RequestEvent.FORBIDDEN) and transition.by is None
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
            by=transition.by,
            now=transition.now,
        )


EFFECTS: Final[dict[TransitionEffect, Callable[[Transition], None]]] = {
    TransitionEffect.BEGIN_ATTEMPT: _begin_attempt,
    TransitionEffect.RING_NEXT: _ring_next,
    TransitionEffect.ASK_FOR_KEY: _ask_for_key,
    TransitionEffect.SAY_REQUEST: _say_request,
    TransitionEffect.AWAIT_CHOICE: _await_choice,
    TransitionEffect.DIAL_PATIENT: _dial_patient,
    TransitionEffect.CONNECT: _connect,
    TransitionEffect.EXPLAIN: _explain,
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
