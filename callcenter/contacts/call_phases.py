"""A call as its phases tell of it, in whatever order they arrive. Pure: no ORM, no clock."""

import datetime as dt
from dataclasses import dataclass

from callcenter.contacts.states import Direction, InteractionState


@dataclass(frozen=True)
class Phases:
    """What is known of a call so far; instants are UTC."""

    started_at: dt.datetime
    answered_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None


def merge(one: Phases, other: Phases) -> Phases:
    """Both together: the earliest of each instant, so that the order of arrival changes nothing."""
    return Phases(
        started_at=min(one.started_at, other.started_at),
        answered_at=_earliest(one.answered_at, other.answered_at),
        ended_at=_earliest(one.ended_at, other.ended_at),
    )


def _earliest(one: dt.datetime | None, other: dt.datetime | None) -> dt.datetime | None:
    known = [moment for moment in (one, other) if moment is not None]
    return min(known, default=None)


def state_of(phases: Phases, direction: str) -> InteractionState:
    """An end without an answer is a missed call, or one that failed when it was ours; the answer
    may still arrive.
    """
    if phases.answered_at is not None:
        return (
            InteractionState.ANSWERED if phases.ended_at is not None else InteractionState.TALKING
        )
    if phases.ended_at is None:
        return InteractionState.RINGING
    return InteractionState.MISSED if direction == Direction.IN else InteractionState.FAILED


def waited(phases: Phases) -> int | None:
    """Seconds the client waited for an answer (or in vain)."""
    until = phases.answered_at or phases.ended_at
    return None if until is None else _seconds(phases.started_at, until)


def talked(phases: Phases) -> int | None:
    """Seconds of talk; None while it lasts or when nobody answered."""
    if phases.answered_at is None or phases.ended_at is None:
        return None
    return _seconds(phases.answered_at, phases.ended_at)


def _seconds(since: dt.datetime, until: dt.datetime) -> int:
    return max(0, round((until - since).total_seconds()))
