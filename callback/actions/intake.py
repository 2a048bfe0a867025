"""A request comes in: from a source's system or by hand. Nothing of a refused one is kept."""

import datetime as dt
from typing import Final

from django.db import transaction

from callback import notifications
from callback.actions.slot_hold import hold
from callback.actions.transitions import apply
from callback.models import CallbackRequest, CallbackSettings, RequestLine, RequestSource
from callback.queries import matched_patient, settings_of
from callback.schedule import next_call
from callback.state_machine import OPEN, RequestEvent, RequestState
from callcenter.audit import actions as audit
from callcenter.clinics.actions import hold_window
from callcenter.clinics.models import Clinic, Doctor, Patient, ScheduleWindow, Service
from callcenter.clinics.queries import hours_of
from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    WrapUp,
    record_interaction,
)
from callcenter.contacts.locks import lock_words
from callcenter.contacts.states import InteractionKind
from callcenter.contacts.states import InteractionState as ContactState
from callcenter.lib import live_updates, phones
from callcenter.lib.errors import Conflict, Refused
from callcenter.staff.models import User

JOIN_WITHIN: Final = dt.timedelta(hours=1)


def accept_request(
    *,
    clinic: Clinic,
    name: str,
    phone: str,
    now: dt.datetime,
    by: User | None,
    source: RequestSource | None = None,
    external_id: str = "",
    doctor: Doctor | None = None,
    service: Service | None = None,
    doctor_words: str = "",
    service_words: str = "",
    window: ScheduleWindow | None = None,
    wished: str = "",
    comment: str = "",
    patient: Patient | None = None,
    utm: dict[str, str] | None = None,
) -> CallbackRequest:
    """Writes a request, puts it into the contact history, holds its window, and says when the robot
    calls.

    The same `external_id` of a source again returns the first request unchanged. A second request
    of the same number within an hour joins the first. Raises Refused for a bad phone or an empty
    name.
    """
    try:
        number = phones.parse(phone)
    except phones.BadPhone as error:
        raise Refused(str(error), field="phone") from None
    if not name.strip():
        raise Refused("Укажите, как зовут пациента.", field="name")
    with transaction.atomic():
        lock_words("callback", number)  # two requests of one number at once join all the same
        if source is not None and external_id:
            known = CallbackRequest.objects.filter(source=source, external_id=external_id).first()
            if known is not None:
                return known
        request = CallbackRequest.objects.create(
            source=source,
            external_id=external_id,
            clinic=clinic,
            name=name.strip(),
            number=number,
            patient=patient or matched_patient(number, name),
            doctor=doctor,
            service=service,
            doctor_words=doctor_words[:150],
            service_words=service_words[:150],
            wished=wished[:120],
            comment=comment,
            asked_at=now,
            created_by=by,
        )
        _into_history(request, by=by, now=now, utm=utm or {})
        if window is not None:
            _hold(request, window, now=now)
        RequestLine.objects.create(
            request=request, at=now, after=RequestState.WAITING, by=by, text="заявка пришла"
        )
        _schedule(request, now=now)
        audit.record("callback.accept_request", request, by=by, now=now)
        live_updates.bump(f"callback:clinic:{clinic.pk}")
        first = _first_of(request, now=now)
        if first is not None:
            _join(request, first, now=now)
    return CallbackRequest.objects.get(pk=request.pk)


def _into_history(
    request: CallbackRequest, *, by: User | None, now: dt.datetime, utm: dict[str, str]
) -> None:
    wishes = (request.doctor_name, request.service_name, request.wished, request.comment)
    request.interaction = record_interaction(
        InteractionInput(
            clinic=request.clinic,
            kind=InteractionKind.REQUEST,
            state=ContactState.NEW,
            phases=Phases(now),
            participants=Participants(patient=request.patient, number=request.number),
            wrap_up=WrapUp(comment=" · ".join(part for part in wishes if part)),
            source=InteractionSource(name="callback", id=str(request.pk), utm=utm),
        ),
        by=by,
        now=now,
    )
    request.save(update_fields=["interaction"])


def _hold(request: CallbackRequest, window: ScheduleWindow, *, now: dt.datetime) -> None:
    """РТЗ: the chosen window is held until the talk; one that is taken already is told to
    everybody.
    """
    settings = settings_of(request.clinic)
    start = _first_call(request, settings, now) or now
    until = start + dt.timedelta(minutes=settings.hold_minutes)
    request.window = window
    hold(request, until=until, now=now)
    request.doctor = request.doctor or window.doctor
    request.save(update_fields=["window", "window_lost", "doctor"])


def _first_call(
    request: CallbackRequest, settings: CallbackSettings, now: dt.datetime
) -> dt.datetime | None:
    zone = request.patient.zone if request.patient is not None else ""
    nine = settings.night_start == CallbackSettings.NightStart.NINE
    return next_call(hours_of(request.clinic), now, from_nine=nine, zone=zone)


def _schedule(request: CallbackRequest, *, now: dt.datetime) -> None:
    """Now in opening hours, otherwise at the hour the clinic has set for the next working day."""
    request.due_at = _first_call(request, settings_of(request.clinic), now) or now
    request.save(update_fields=["due_at"])


def _first_of(request: CallbackRequest, *, now: dt.datetime) -> CallbackRequest | None:
    return (
        CallbackRequest.objects.filter(
            number=request.number,
            clinic=request.clinic,
            state__in=OPEN,
            asked_at__gt=now - JOIN_WITHIN,
        )
        .exclude(pk=request.pk)
        .order_by("pk")
        .first()
    )


def _join(request: CallbackRequest, first: CallbackRequest, *, now: dt.datetime) -> None:
    """The second request stops; what it adds is written into the first one's story."""
    apply(
        request.pk,
        RequestEvent.JOIN,
        now=now,
        reason=f"повторная: присоединена к заявке № {first.pk}",
    )
    CallbackRequest.objects.filter(pk=request.pk).update(joined_to=first)
    wishes = (request.doctor_name, request.service_name, request.wished, request.comment)
    said = "; ".join(part for part in wishes if part)
    RequestLine.objects.create(
        request=first,
        at=now,
        event=RequestEvent.JOIN,
        text=f"пришла повторная заявка № {request.pk}. {said}".strip()[:300],
    )
    if request.window is not None and first.window is None and not request.window_lost:
        held = hold_window(
            request.window,
            held_for=notifications.hold_key(first),
            until=now + dt.timedelta(hours=3),
            now=now,
        )
        CallbackRequest.objects.filter(pk=first.pk).update(window=held)


def withdraw_request(request: CallbackRequest, *, now: dt.datetime) -> CallbackRequest:
    """The patient took it back at the source. A request that has ended stays as it was."""
    try:
        return apply(request.pk, RequestEvent.STOP, now=now, reason="пациент отозвал заявку")
    except Conflict:
        return request
