"""What a due request calls for, from facts that were read for it. Pure."""

import datetime as dt
from dataclasses import dataclass

from callback.state_machine import FOR_PEOPLE, IN_CALL, RequestEvent


@dataclass(frozen=True)
class DueFacts:
    """What is known of a request at an instant; texts say why and are shown to people."""

    state: str
    until: dt.datetime | None = None
    booked: str = ""
    forbidden: str = ""
    talked: str = ""  # he has talked with us since, about anything
    is_on: bool = True
    may_call_at: dt.datetime | None = None  # the first instant for calls; None = none in sight
    exhausted: bool = False  # the patient has been dialled as often as allowed
    pbx_trouble: str = ""
    patient_in_call: bool = False
    somebody: bool = True  # there is an administrator, or the clinic's number, to ring


@dataclass(frozen=True)
class WaitUntil:
    """Nothing happens now; look again at `at` (None = never by itself)."""

    at: dt.datetime | None
    why: str = ""


def stop_event(facts: DueFacts) -> tuple[RequestEvent, str] | None:
    """Why the robot should not call at all; asked before every dial and after the key."""
    if facts.forbidden:
        return RequestEvent.FORBIDDEN, facts.forbidden
    if facts.booked:
        return RequestEvent.BOOKED, facts.booked
    if facts.talked:
        return RequestEvent.PATIENT_CALLED_IN, facts.talked
    return None


def decide(facts: DueFacts, now: dt.datetime) -> tuple[RequestEvent, str] | WaitUntil:
    """The event that a look at a due request gives, with its reason in words."""
    if facts.state in IN_CALL:
        return RequestEvent.SILENCE, "процесс телефонии долго молчал об этой попытке"
    over = facts.until is not None and now >= facts.until
    stop = stop_event(facts)
    if facts.state in FOR_PEOPLE:
        if stop is not None and stop[0] != RequestEvent.PATIENT_CALLED_IN:
            return stop
        return (RequestEvent.WINDOW_OVER, "") if over else WaitUntil(facts.until)
    if stop is not None:
        return stop
    if not facts.is_on:
        return RequestEvent.WINDOW_OVER, "робот в этой клинике выключен"
    if over:
        return RequestEvent.WINDOW_OVER, ""
    if facts.may_call_at is None:
        return RequestEvent.WINDOW_OVER, "в ближайшие два месяца клиника не работает"
    if facts.may_call_at > now:
        at = facts.may_call_at if facts.until is None else min(facts.may_call_at, facts.until)
        return WaitUntil(at, "ждёт часов для звонков")
    if facts.exhausted:  # without an end of the 2.5 hours there is nothing to wait for
        return (
            WaitUntil(facts.until, "пациенту больше не звоним")
            if facts.until
            else (RequestEvent.WINDOW_OVER, "")
        )
    if facts.pbx_trouble:
        return RequestEvent.PBX_AWAY, facts.pbx_trouble
    if facts.patient_in_call:
        return RequestEvent.PATIENT_IN_CALL, ""
    return (
        (RequestEvent.START, "")
        if facts.somebody
        else (RequestEvent.NOBODY, "никто не выбрал телефон, номер клиники не указан")
    )
