"""Calls as rows: verbs that write a call's legs and the commands that the process at the exchange
will carry out.

Every function runs inside the transaction of whoever decides, so a state and the commands it wants
are written together.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction

from callcenter.clinics.models import Clinic, Patient
from callcenter.contacts.states import Direction
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict
from callcenter.staff.models import User
from callcenter.telephony.actions import call_logging
from callcenter.telephony.models import Call, Leg, PbxCommand
from callcenter.telephony.pbx.base import PbxEvent
from callcenter.telephony.states import (
    LIVE_LEGS,
    CommandType,
    HangupReason,
    LegRole,
    LegState,
    Scenario,
)

OURS: Final = "dz-"  # how our channels' ids begin
BRIDGE: Final = "dz-br-"  # and our bridges'
RING_EXPIRES: Final = dt.timedelta(
    seconds=20
)  # a ring that the exchange did not get by then is no longer wanted


@dataclass(frozen=True)
class StepDue(PbxEvent):
    """The call's present step has lasted its time."""


@dataclass(frozen=True)
class SpeechNotPlayed(PbxEvent):
    """The voice did not come out: no engine, an error of it, or a sound the exchange could not
    play.
    """

    why: str


@dataclass(frozen=True)
class Connected(PbxEvent):
    """Both sides hear each other."""


def place_call(
    *,
    scenario: Scenario,
    clinic: Clinic,
    direction: Direction,
    now: dt.datetime,
    patient: Patient | None = None,
    employee: User | None = None,
    number: str = "",
    line: str = "",
) -> Call:
    """Opens a call that nobody has been rung for yet. `number` is the patient's (E.164)."""
    return Call.objects.create(
        scenario=scenario,
        clinic=clinic,
        direction=direction,
        patient=patient,
        employee=employee,
        number=number,
        line=line,
        started_at=now,
    )


def ring(
    call: Call,
    *,
    role: LegRole,
    endpoint: str,
    now: dt.datetime,
    timeout: int,
    user: User | None = None,
    number: str = "",
    caller: str = "",
    prepare: Iterable[Sequence[str]] = (),
) -> Leg:
    """Adds a leg and the command to dial it; `timeout` in seconds.

    `prepare`: phrases that must be speakable before anybody is disturbed. Raises Conflict when this
    administrator or this patient's number is already on a live leg of any call.
    """
    try:
        with transaction.atomic():
            leg = Leg.objects.create(
                call=call,
                channel=f"{OURS}{uuid.uuid4().hex}",
                role=role,
                user=user,
                endpoint=endpoint,
                number=number,
                created_at=now,
            )
    except IntegrityError:
        who = (
            f"{user.short_name} уже на линии" if user is not None else "С этим номером уже говорят"
        )
        raise Conflict(f"{who}. Подождите, пока разговор закончится.") from None
    _command(
        call,
        CommandType.RING,
        now=now,
        leg=leg,
        expires_at=now + RING_EXPIRES,
        endpoint=endpoint,
        timeout=timeout,
        caller=caller,
        prepare=[list(phrases) for phrases in prepare],
    )
    if role == LegRole.PATIENT:
        call_logging.open_call(call, now=now)
    _bump(call, leg)
    return leg


def play(leg: Leg, *phrases: str, now: dt.datetime, then_hang_up: bool = False) -> PbxCommand:
    """Says the phrases to a leg; afterwards, if wished, lets it go."""
    ref = f"pb-{uuid.uuid4().hex}"
    return _command(
        leg.call,
        CommandType.PLAY,
        now=now,
        leg=leg,
        ref=ref,
        phrases=list(phrases),
        then_hang_up=then_hang_up,
    )


def stop_playing(call: Call, *, now: dt.datetime) -> None:
    """Cuts whatever is being said in the call, if anything is."""
    playing = call.commands.filter(verb=CommandType.PLAY).order_by("-pk").first()
    if playing is not None:
        _command(call, CommandType.STOP_PLAYING, now=now, leg=playing.leg, ref=playing.ref)


def connect(
    call: Call,
    legs: Sequence[Leg],
    *,
    now: dt.datetime,
    record: bool = False,
    instead_of: Sequence[Leg] = (),
) -> None:
    """Lets the legs talk with each other, and records each of them apart if wished.

    `instead_of`: legs that are let go once the new ones are in the conversation (a transfer).
    """
    call.bridge = call.bridge or f"{BRIDGE}{call.ref.hex}"
    call.answered_at = call.answered_at or now
    call.save(update_fields=["bridge", "answered_at"])
    _command(
        call,
        CommandType.CONNECT,
        now=now,
        ref=call.bridge,
        channels=[leg.channel for leg in legs],
        instead_of=[leg.pk for leg in instead_of],
    )
    if record:
        for leg in legs:
            _command(
                call,
                CommandType.RECORD,
                now=now,
                leg=leg,
                ref=f"{call.ref.hex}-{leg.role}-{leg.pk}",
            )


def answer(leg: Leg, *, now: dt.datetime) -> None:
    _command(leg.call, CommandType.ANSWER, now=now, leg=leg)


def return_to_dialplan(leg: Leg, *, now: dt.datetime) -> None:
    """Leaves a caller to the exchange's own way; his leg's end comes back as an event."""
    _command(leg.call, CommandType.RETURN_TO_DIALPLAN, now=now, leg=leg)


def hang_up(leg: Leg, *, now: dt.datetime) -> None:
    """Asks for the end of a live leg; the leg's own end comes back as an event."""
    if leg.is_live and not leg.commands.filter(verb=CommandType.HANG_UP).exists():
        _command(leg.call, CommandType.HANG_UP, now=now, leg=leg)


def hang_up_all(call: Call, *, now: dt.datetime, besides: Leg | None = None) -> None:
    for leg in call.legs.filter(state__in=LIVE_LEGS):
        if besides is None or leg.pk != besides.pk:
            hang_up(leg, now=now)


def set_step_timeout(call: Call, seconds: float | None, *, now: dt.datetime) -> None:
    """When to hear of this step again (StepDue) if nothing else happens; None = it may last."""
    call.step_due_at = None if seconds is None else now + dt.timedelta(seconds=seconds)
    call.save(update_fields=["step_due_at"])


def is_continuing(call: Call) -> bool:
    """Whether a conversation that has begun still has its patient and somebody of ours, on the line
    or being rung.
    """
    live = set(call.legs.filter(state__in=LIVE_LEGS).values_list("role", "state"))
    return (LegRole.PATIENT, LegState.UP) in live and any(
        role == LegRole.EMPLOYEE for role, _ in live
    )


def live_leg(call: Call, role: LegRole) -> Leg | None:
    """The role's leg that is still on, the answered one first."""
    legs = list(call.legs.filter(role=role, state__in=LIVE_LEGS).select_related("user"))
    return next((leg for leg in legs if leg.state == LegState.UP), legs[0] if legs else None)


def end_call(call: Call, *, end: HangupReason | str, now: dt.datetime) -> None:
    """Writes the call's end into it and into the contact history. A call that has ended stays as it
    was.
    """
    if call.ended_at is not None:
        return
    call.ended_at, call.end, call.step_due_at = now, end, None
    call.save(update_fields=["ended_at", "end", "step_due_at"])
    if call.bridge:  # an exchange keeps an empty bridge for ever
        _command(call, CommandType.DISCONNECT, now=now, ref=call.bridge)
    call_logging.close_call(call, now=now)
    live_updates.bump(f"calls:clinic:{call.clinic_id}")


def _command(
    call: Call,
    verb: CommandType,
    *,
    now: dt.datetime,
    leg: Leg | None = None,
    ref: str = "",
    expires_at: dt.datetime | None = None,
    **args: object,
) -> PbxCommand:
    return PbxCommand.objects.create(
        call=call, leg=leg, verb=verb, ref=ref, args=args, created_at=now, expires_at=expires_at
    )


def _bump(call: Call, leg: Leg) -> None:
    topics = [f"calls:clinic:{call.clinic_id}"]
    if leg.user_id is not None:
        topics.append(f"phone:user:{leg.user_id}")
    live_updates.bump(*topics)
