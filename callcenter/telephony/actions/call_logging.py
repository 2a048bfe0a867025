"""A call's lines in the contact history: one interaction from the first ring to the end, told phase
by phase.
"""

import datetime as dt

from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    record_interaction,
)
from callcenter.contacts.states import Direction, InteractionKind, InteractionState
from callcenter.lib import live_updates
from callcenter.telephony.models import Call


def open_call(call: Call, *, now: dt.datetime) -> None:
    """Writes the call into the history while it still rings."""
    if call.interaction_id is None:
        _tell(call, InteractionState.RINGING, now=now)


def talk_began(call: Call, *, now: dt.datetime) -> None:
    """Both sides are connected: how long the patient waited is known from here on."""
    if call.interaction_id is not None:
        _tell(call, InteractionState.TALKING, now=now, answered_at=now)


def close_call(call: Call, *, now: dt.datetime) -> None:
    """How it ended: held (with its length), missed (they called us), not reached (we called
    them).
    """
    if call.interaction_id is None:
        return
    unanswered = (
        InteractionState.MISSED if call.direction == Direction.IN else InteractionState.FAILED
    )
    _tell(
        call,
        InteractionState.ANSWERED if call.connected_at is not None else unanswered,
        now=now,
        ended_at=now,
    )


def _tell(
    call: Call,
    state: InteractionState,
    *,
    now: dt.datetime,
    answered_at: dt.datetime | None = None,
    ended_at: dt.datetime | None = None,
) -> None:
    interaction = record_interaction(
        InteractionInput(
            clinic=call.clinic,
            kind=InteractionKind.CALL,
            state=state,
            phases=Phases(
                now if call.interaction is None else call.interaction.at,
                answered_at=answered_at,
                ended_at=ended_at,
            ),
            direction=Direction(call.direction),
            participants=Participants(
                patient=call.patient, number=call.number, employee=call.employee, line=call.line
            ),
            source=InteractionSource(name="pbx", id=str(call.ref)),
        ),
        by=None,
        now=now,
    )
    if call.interaction_id is None:
        call.interaction = interaction
        call.save(update_fields=["interaction"])
    live_updates.bump(f"contacts:clinic:{call.clinic_id}")
