"""From what happens on the telephones to the events of the state machine."""

from callback import state_machine
from callback.actions.transitions import Transition, apply_transition, lock_request
from callback.due_decision import stop_event
from callback.models import CallbackAttempt, CallbackRequest
from callback.queries import PatientFacts, settings_of
from callback.state_machine import RequestEvent, RequestState
from callcenter.telephony.actions import call_control
from callcenter.telephony.actions.call_control import SpeechNotPlayed, StepDue
from callcenter.telephony.models import Call, Leg
from callcenter.telephony.pbx.base import (
    Answered,
    AnsweringMachine,
    Digit,
    Ended,
    PbxEvent,
    PlayEnded,
)
from callcenter.telephony.states import CommandType, HangupReason, LegRole

_CHOICES = {
    "1": RequestEvent.CHOSE_CONNECT,
    "2": RequestEvent.CHOSE_BOOKED,
    "3": RequestEvent.CHOSE_LATER,
    "4": RequestEvent.CHOSE_NOT_OURS,
}
_FIRST_SECOND = 1.0  # of the reading: a key pressed twice by habit is no second key


def take(call: Call, leg: Leg | None, pbx_event: PbxEvent) -> None:
    """The handler of calls with the scenario 'callback' (callcenter/workbench/registry.py); runs in
    the PBX event's transaction.
    """
    attempt = CallbackAttempt.objects.filter(call=call, ended_at__isnull=True).first()
    if attempt is None:
        return  # the attempt is over; its telephones are still being put down
    attempt.call = call
    # Locked here already, so that what the decision below rests on is still true when it is
    # applied.
    request = lock_request(attempt.request_id)
    event, reason = _event_of(request, attempt, call, leg, pbx_event)
    if event is not None:
        transition = Transition(request, event, pbx_event.at, reason=reason)
        transition.attempt = attempt
        apply_transition(transition)


def _event_of(
    request: CallbackRequest,
    attempt: CallbackAttempt,
    call: Call,
    leg: Leg | None,
    pbx_event: PbxEvent,
) -> tuple[RequestEvent | None, str]:
    match pbx_event:
        case SpeechNotPlayed():
            return RequestEvent.SPEECH_FAILED, pbx_event.why
        case StepDue():
            return _step_due(request), ""
        case PlayEnded():
            return _speech_ended(request, call, pbx_event), ""
        case AnsweringMachine() if leg is not None and leg.role == LegRole.PATIENT:
            attempt.note = "ответил автоответчик"
            attempt.save(update_fields=["note"])
            return (
                (RequestEvent.TALKED_SHORT, "ответил автоответчик")
                if request.state == RequestState.TALKING
                else (None, "")
            )
        case Answered() if leg is not None and leg.role == LegRole.PATIENT and pbx_event.machine:
            call_control.hang_up(leg, now=pbx_event.at)
            return _patient_failed(request), "ответил автоответчик"
        case Answered() if leg is not None:
            return (
                RequestEvent.ADMIN_ANSWERED
                if leg.role == LegRole.EMPLOYEE
                else RequestEvent.PATIENT_ANSWERED
            ), ""
        case Digit() if leg is not None and leg.role == LegRole.EMPLOYEE:
            return _key(request, call, pbx_event)
        case Ended() if leg is not None:
            return _ended(request, call, leg, pbx_event)
        case _:
            return None, ""


def _step_due(request: CallbackRequest) -> RequestEvent | None:
    """The seconds of a step are over."""
    match request.state:
        case RequestState.ASKING:
            return RequestEvent.NO_KEY
        case RequestState.SPEAKING:
            return (
                RequestEvent.SPEECH_ENDED
            )  # its end was not heard (a change of hands): it has ended by now
        case RequestState.CHOOSING:
            return _connect_unless_stopped(request)[0]
        case RequestState.TELLING:
            return RequestEvent.TOLD
        case RequestState.DIALLING:
            return _patient_failed(request)
        case _:
            return None


def _speech_ended(
    request: CallbackRequest, call: Call, pbx_event: PlayEnded
) -> RequestEvent | None:
    """Only the newest speech counts: the end of one that was cut says nothing."""
    newest = (
        call.commands.filter(verb=CommandType.PLAY)
        .order_by("-pk")
        .values_list("ref", flat=True)
        .first()
    )
    if newest != pbx_event.playback:
        return None
    return {
        RequestState.SPEAKING: RequestEvent.SPEECH_ENDED,
        RequestState.TELLING: RequestEvent.TOLD,
    }.get(RequestState(request.state))


def _key(request: CallbackRequest, call: Call, pbx_event: Digit) -> tuple[RequestEvent | None, str]:
    if request.state == RequestState.ASKING:
        stop = stop_event(PatientFacts([request]).stop_facts(request))
        return stop if stop is not None else (RequestEvent.KEY, "")
    if (
        request.state not in (RequestState.SPEAKING, RequestState.CHOOSING)
        or not settings_of(request.clinic).has_second_key
    ):
        return None, ""
    began = (
        call.commands.filter(verb=CommandType.PLAY)
        .order_by("-pk")
        .values_list("created_at", flat=True)
        .first()
    )
    if (
        request.state == RequestState.SPEAKING
        and began
        and (pbx_event.at - began).total_seconds() < _FIRST_SECOND
    ):
        return None, ""
    chosen = _CHOICES.get(pbx_event.digit)
    if chosen == RequestEvent.CHOSE_CONNECT:
        return _connect_unless_stopped(request)
    return chosen, ""


def _connect_unless_stopped(request: CallbackRequest) -> tuple[RequestEvent, str]:
    """The last check before the patient's telephone rings."""
    return stop_event(PatientFacts([request]).stop_facts(request)) or (
        RequestEvent.CHOSE_CONNECT,
        "",
    )


def _ended(
    request: CallbackRequest, call: Call, leg: Leg, pbx_event: Ended
) -> tuple[RequestEvent | None, str]:
    if request.state == RequestState.TALKING:
        return _talk_ended(request, call, pbx_event)
    if leg.role == LegRole.PATIENT:
        if request.state != RequestState.DIALLING:
            return None, ""
        return _patient_failed(request), pbx_event.end.label
    if request.state == RequestState.RINGING:
        return RequestEvent.ADMIN_FAILED, pbx_event.end.label
    return (RequestEvent.ADMIN_GONE if request.state in state_machine.IN_CALL else None), ""


def _patient_failed(request: CallbackRequest) -> RequestEvent:
    settings = settings_of(request.clinic)
    return (
        RequestEvent.PATIENT_LAST_FAILED
        if request.dials >= settings.patient_tries
        else RequestEvent.PATIENT_FAILED
    )


def _talk_ended(request: CallbackRequest, call: Call, pbx_event: Ended) -> tuple[RequestEvent, str]:
    """More than ten seconds from the moment both were connected count as a talk."""
    needed = settings_of(request.clinic).talk_seconds
    talked = (
        (pbx_event.at - call.connected_at).total_seconds() if call.connected_at is not None else 0.0
    )
    if pbx_event.end == HangupReason.LOST:
        return RequestEvent.TALK_LOST, "связь с АТС прервалась во время разговора: поговорили ли?"
    if talked > needed:
        return RequestEvent.TALKED, f"говорили {int(talked)} с"
    return RequestEvent.TALKED_SHORT, f"говорили {int(talked)} с"
