"""What the exchange told us, taken into the rows: each event in one transaction, once, in whatever
order it comes.

A leg's events only move it forward (planned → ringing → up → ended); an event about an ended leg
changes nothing. Then the call's scenario decides, in the same transaction.
"""

import datetime as dt
import logging
from collections.abc import Callable, Collection, Mapping

from django.db import transaction

from callcenter.lib import live_updates
from callcenter.telephony.actions import call_control, call_logging
from callcenter.telephony.actions.call_control import Connected, SpeechNotPlayed, StepDue
from callcenter.telephony.models import Call, Leg, PbxCommand
from callcenter.telephony.pbx.base import (
    Answered,
    AnsweringMachine,
    Digit,
    Ended,
    Incoming,
    PbxEvent,
    PlayEnded,
    Ringing,
)
from callcenter.telephony.states import (
    LIVE_LEGS,
    CommandState,
    CommandType,
    HangupReason,
    LegRole,
    LegState,
    Scenario,
)

log = logging.getLogger(__name__)
# seconds between the cut of a sound and the end of the channel that heard it, with room to spare
_HANGING_UP = 1.5
Handler = Callable[[Call, Leg | None, PbxEvent], None]


_handlers: dict[Scenario, Handler] = {}


def register_call_handlers(handlers: Mapping[Scenario, Handler]) -> None:
    """Set who decides in a call of each scenario; the registry on top calls it once at start."""
    _handlers.clear()
    _handlers.update(handlers)


def handler_of(call: Call) -> Handler:
    return _handlers[Scenario(call.scenario)]


def handle_event(event: PbxEvent) -> None:
    """Writes the event and lets the scenario act; events about channels that are not ours are none
    of our business.
    """
    if isinstance(event, Incoming):
        from callcenter.telephony.scenarios import open_incoming

        open_incoming(event)
    elif isinstance(event, PlayEnded):
        _handle_play_end(event)
    elif isinstance(event, (Ringing, Answered, Ended, Digit, AnsweringMachine)):
        with transaction.atomic():
            leg = _locked(event.channel)
            if leg is not None and _move(leg, event):
                _decide(leg.call, leg, event)


def handle_step_timeout(call_id: int, *, now: dt.datetime) -> None:
    """The call's step has lasted its time: says so to the scenario, once."""
    with transaction.atomic():
        call = Call.objects.select_for_update(no_key=True).due(now).filter(pk=call_id).first()
        if call is None:
            return  # something happened first
        call.step_due_at = None
        call.save(update_fields=["step_due_at"])
        played = (
            call.commands.filter(verb=CommandType.PLAY)
            .select_related("leg")
            .order_by("-pk")
            .first()
        )
        if (
            played is not None
            and played.leg is not None
            and played.leg.is_live
            and played.args.get("failed")
        ):
            _decide(call, played.leg, SpeechNotPlayed(now, "АТС не смогла проиграть речь"))
        else:
            _decide(call, None, StepDue(now))


def finish_command(
    command_id: int,
    state: CommandState,
    *,
    now: dt.datetime,
    error: str = "",
    end: HangupReason = HangupReason.FAILED,
) -> None:
    """Writes what became of a command. A ring that surely did not happen is its leg's end, told as
    `end`.
    """
    with transaction.atomic():
        command = PbxCommand.objects.select_for_update().get(pk=command_id)
        if command.done_at is not None:
            return
        command.state, command.done_at, command.last_error = state, now, error[:250]
        command.save(update_fields=["state", "done_at", "last_error"])
        if command.verb == CommandType.RING and state != CommandState.DONE:
            _ring_failed(command, end, error, now)
        elif command.verb == CommandType.CONNECT and state == CommandState.DONE:
            _connected(command, now)


def finish_commands(ids: Collection[int], *, now: dt.datetime) -> None:
    """Writes that these were carried out: verbs of which nothing further follows (all but
    CONNECT).
    """
    PbxCommand.objects.filter(pk__in=ids, done_at__isnull=True).update(
        state=CommandState.DONE, done_at=now, last_error=""
    )


def fail_speech(command_id: int, *, why: str, now: dt.datetime) -> None:
    """The words of a command could not be said: its leg, if it was yet to be rung, is never
    rung.
    """
    with transaction.atomic():
        command = PbxCommand.objects.select_for_update().get(pk=command_id)
        if command.done_at is not None:
            return
        command.state, command.done_at, command.last_error = CommandState.REFUSED, now, why[:250]
        command.save(update_fields=["state", "done_at", "last_error"])
        leg = _locked(command.leg.channel) if command.leg is not None else None
        if leg is None:
            return
        if command.verb == CommandType.RING:
            leg.state, leg.end, leg.ended_at, leg.note = (
                LegState.ENDED,
                HangupReason.FAILED,
                now,
                why[:250],
            )
            leg.save()
        if command.args.get("then_hang_up"):
            call_control.hang_up(leg, now=now)
        else:
            _decide(leg.call, leg, SpeechNotPlayed(now, why))


def mark_leg_lost(channel: str, *, now: dt.datetime) -> None:
    """A leg that the exchange no longer knows and whose end nobody heard."""
    handle_event(Ended(now, channel, HangupReason.LOST))


def _ring_failed(command: PbxCommand, end: HangupReason, error: str, now: dt.datetime) -> None:
    if command.leg is None:
        return
    Leg.objects.filter(pk=command.leg.pk, state__in=LIVE_LEGS).update(note=error[:250])
    leg = _locked(command.leg.channel)
    event = Ended(now, command.leg.channel, end)
    if leg is not None and _move(leg, event):
        _decide(leg.call, leg, event)


def _connected(command: PbxCommand, now: dt.datetime) -> None:
    call = Call.objects.select_for_update(no_key=True).get(pk=command.call_id)
    for leg in call.legs.filter(pk__in=command.args.get("instead_of", ())):
        call_control.hang_up(leg, now=now)
    if call.connected_at is not None or call.ended_at is not None:
        return  # a colleague took over, or it was connected again after a change of hands
    call.connected_at = now
    call.save(update_fields=["connected_at"])
    call_logging.talk_began(call, now=now)
    _decide(call, None, Connected(now))


def _take_over(call: Call, leg: Leg, event: Answered) -> None:
    """A colleague answers a transferred call: he joins, and who talked so far is let go once he is
    in.
    """
    if call_control.live_leg(call, LegRole.PATIENT) is None:
        call_control.hang_up(leg, now=event.at)
        return
    others = [
        other
        for other in call.legs.filter(role=LegRole.EMPLOYEE, state__in=LIVE_LEGS)
        if other.pk != leg.pk
    ]
    recorded = call.commands.filter(verb=CommandType.RECORD).exists()
    call_control.connect(call, [leg], now=event.at, record=recorded, instead_of=others)
    call.employee = leg.user
    call.save(update_fields=["employee"])


def _handle_play_end(event: PlayEnded) -> None:
    with transaction.atomic():
        command = (
            PbxCommand.objects.filter(verb=CommandType.PLAY, ref=event.playback)
            .select_related("leg")
            .first()
        )
        leg = (
            _locked(command.leg.channel)
            if command is not None and command.leg is not None
            else None
        )
        if command is None or leg is None or leg.state != LegState.UP:
            return  # cut by the peer's hanging up: his end is told by itself
        if command.args.get("then_hang_up"):
            call_control.hang_up(leg, now=event.at)
        elif event.ok:
            _decide(leg.call, leg, event)
        else:
            # An absent file, or a listener who has just hung up: his end follows within moments, or
            # it was the file.
            PbxCommand.objects.filter(pk=command.pk).update(args={**command.args, "failed": True})
            call_control.set_step_timeout(leg.call, _HANGING_UP, now=event.at)


def _locked(channel: str) -> Leg | None:
    """The leg with its call locked. `no_key`: others may go on adding rows that point to
    the call.
    """
    legs = Leg.objects.select_related("call__clinic", "call__patient", "user")
    return legs.select_for_update(of=("self", "call"), no_key=True).filter(channel=channel).first()


def _move(leg: Leg, event: PbxEvent) -> bool:
    """Moves the leg forward by the event; False when the event is late or a repetition."""
    if not leg.is_live:
        return False
    match event:
        case Ringing():
            if leg.state != LegState.PLANNED:
                return False
            leg.state, leg.ringing_at = LegState.RINGING, event.at
        case Answered():
            if leg.state == LegState.UP:
                return False
            leg.state, leg.answered_at = LegState.UP, event.at
        case Ended():
            leg.state, leg.ended_at, leg.end = LegState.ENDED, event.at, event.end
            leg.cause, leg.dial_status = event.cause, event.dial_status
        case _:
            return leg.state == LegState.UP  # digits and machines of a leg that is up
    leg.save()
    if leg.user_id is not None:
        live_updates.bump(f"phone:user:{leg.user_id}")
    live_updates.bump(f"calls:clinic:{leg.call.clinic_id}")
    return True


def _decide(call: Call, leg: Leg | None, event: PbxEvent) -> None:
    """The scenario's turn, then what is true of every call: nobody is left alone in it, and an
    empty call is over.
    """
    if call.ended_at is not None and not isinstance(event, Ended):
        return
    if call.connected_at is not None and leg is not None:
        if isinstance(event, Answered) and leg.role == LegRole.EMPLOYEE:
            _take_over(call, leg, event)
            return
        if isinstance(event, Ended):
            if call_control.is_continuing(call):
                # transferred, or the colleague did not answer: the scenario sees one conversation
                return
            call_control.hang_up_all(call, now=event.at, besides=leg)
    handler_of(call)(call, leg, event)
    if (
        isinstance(event, (Ended, SpeechNotPlayed))
        and not call.legs.filter(state__in=LIVE_LEGS).exists()
    ):
        ended_as = (
            HangupReason.ANSWERED
            if call.connected_at is not None
            else leg.end
            if leg is not None
            else HangupReason.FAILED
        )
        call_control.end_call(call, end=ended_as, now=event.at)
