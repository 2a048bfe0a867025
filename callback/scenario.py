"""From what happens on the telephones to the events of the machine."""

from callback import state_machine
from callback.actions.transitions import Turn, happen, locked
from callback.due_decision import stop_event
from callback.models import CallbackAttempt, CallbackRequest
from callback.queries import Floor, settings_of
from callback.state_machine import Event, State
from callcenter.telephony.actions import call_control
from callcenter.telephony.actions.call_control import SpeechFailed, StepDue
from callcenter.telephony.models import Call, Leg
from callcenter.telephony.pbx.base import Answered, Digit, Ended, Fact, Machine, PlayEnded
from callcenter.telephony.states import End, Role, Verb

_CHOICES = {"1": Event.CHOSE_CONNECT, "2": Event.CHOSE_BOOKED, "3": Event.CHOSE_LATER, "4": Event.CHOSE_NOT_OURS}
_FIRST_SECOND = 1.0  # of the reading: a key pressed twice by habit is no second key


def take(call: Call, leg: Leg | None, fact: Fact) -> None:
    """The handler of calls with the scenario 'callback' (callcenter/workbench/registry.py); runs in the fact's transaction."""
    attempt = CallbackAttempt.objects.filter(call=call, ended_at__isnull=True).first()
    if attempt is None:
        return  # the attempt is over; its telephones are still being put down
    attempt.call = call
    # Locked here already, so that what the decision below rests on is still true when it is applied.
    request = locked(attempt.request_id)
    event, reason = _event_of(request, attempt, call, leg, fact)
    if event is not None:
        turn = Turn(request, event, fact.at, reason=reason)
        turn.attempt = attempt
        happen(turn)


def _event_of(
    request: CallbackRequest, attempt: CallbackAttempt, call: Call, leg: Leg | None, fact: Fact
) -> tuple[Event | None, str]:
    match fact:
        case SpeechFailed():
            return Event.SPEECH_FAILED, fact.why
        case StepDue():
            return _step_due(request), ""
        case PlayEnded():
            return _speech_ended(request, call, fact), ""
        case Machine() if leg is not None and leg.role == Role.PATIENT:
            attempt.note = "ответил автоответчик"
            attempt.save(update_fields=["note"])
            return (Event.TALKED_SHORT, "ответил автоответчик") if request.state == State.TALKING else (None, "")
        case Answered() if leg is not None and leg.role == Role.PATIENT and fact.machine:
            call_control.hang_up(leg, now=fact.at)
            return _patient_failed(request), "ответил автоответчик"
        case Answered() if leg is not None:
            return (Event.ADMIN_ANSWERED if leg.role == Role.EMPLOYEE else Event.PATIENT_ANSWERED), ""
        case Digit() if leg is not None and leg.role == Role.EMPLOYEE:
            return _key(request, call, fact)
        case Ended() if leg is not None:
            return _ended(request, call, leg, fact)
        case _:
            return None, ""


def _step_due(request: CallbackRequest) -> Event | None:
    """The seconds of a step are over."""
    match request.state:
        case State.ASKING:
            return Event.NO_KEY
        case State.SPEAKING:
            return Event.SPEECH_ENDED  # its end was not heard (a change of hands): it has ended by now
        case State.CHOOSING:
            return _connect_unless_stopped(request)[0]
        case State.TELLING:
            return Event.TOLD
        case State.DIALLING:
            return _patient_failed(request)
        case _:
            return None


def _speech_ended(request: CallbackRequest, call: Call, fact: PlayEnded) -> Event | None:
    """Only the newest speech counts: the end of one that was cut says nothing."""
    newest = call.commands.filter(verb=Verb.PLAY).order_by("-pk").values_list("ref", flat=True).first()
    if newest != fact.playback:
        return None
    return {State.SPEAKING: Event.SPEECH_ENDED, State.TELLING: Event.TOLD}.get(State(request.state))


def _key(request: CallbackRequest, call: Call, fact: Digit) -> tuple[Event | None, str]:
    if request.state == State.ASKING:
        stop = stop_event(Floor([request]).stop_facts(request))
        return stop if stop is not None else (Event.KEY, "")
    if request.state not in (State.SPEAKING, State.CHOOSING) or not settings_of(request.clinic).second_key:
        return None, ""
    began = call.commands.filter(verb=Verb.PLAY).order_by("-pk").values_list("created_at", flat=True).first()
    if request.state == State.SPEAKING and began and (fact.at - began).total_seconds() < _FIRST_SECOND:
        return None, ""
    chosen = _CHOICES.get(fact.digit)
    if chosen == Event.CHOSE_CONNECT:
        return _connect_unless_stopped(request)
    return chosen, ""


def _connect_unless_stopped(request: CallbackRequest) -> tuple[Event, str]:
    """The last look at the floor before the patient's telephone rings."""
    return stop_event(Floor([request]).stop_facts(request)) or (Event.CHOSE_CONNECT, "")


def _ended(request: CallbackRequest, call: Call, leg: Leg, fact: Ended) -> tuple[Event | None, str]:
    if request.state == State.TALKING:
        return _talk_ended(request, call, fact)
    if leg.role == Role.PATIENT:
        if request.state != State.DIALLING:
            return None, ""
        return _patient_failed(request), fact.end.label
    if request.state == State.RINGING:
        return Event.ADMIN_FAILED, fact.end.label
    return (Event.ADMIN_GONE if request.state in state_machine.IN_CALL else None), ""


def _patient_failed(request: CallbackRequest) -> Event:
    ways = settings_of(request.clinic)
    return Event.PATIENT_LAST_FAILED if request.dials >= ways.patient_tries else Event.PATIENT_FAILED


def _talk_ended(request: CallbackRequest, call: Call, fact: Ended) -> tuple[Event, str]:
    """More than ten seconds from the moment both were connected count as a talk."""
    needed = settings_of(request.clinic).talk_seconds
    talked = (fact.at - call.connected_at).total_seconds() if call.connected_at is not None else 0.0
    if fact.end == End.LOST:
        return Event.TALK_LOST, "связь с АТС прервалась во время разговора: поговорили ли?"
    if talked > needed:
        return Event.TALKED, f"говорили {int(talked)} с"
    return Event.TALKED_SHORT, f"говорили {int(talked)} с"
