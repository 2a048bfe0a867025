"""What people do with a request: call now, take over, stop, mark, postpone, undo, book."""

import datetime as dt
from typing import Final

from django.db import transaction

from callback import notifications
from callback.actions.transitions import apply
from callback.models import CallbackRequest, CallbackSettings
from callback.queries import own_booking, settings_of
from callback.schedule import next_call
from callback.state_machine import RequestEvent, RequestState
from callcenter.audit import actions as audit
from callcenter.clinics.actions import book_appointment
from callcenter.clinics.models import Appointment, Patient, ScheduleWindow
from callcenter.clinics.queries import hours_of
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.localtime import local
from callcenter.staff.models import User

UNDO_WINDOW: Final = dt.timedelta(minutes=15)  # a closing by key can be undone for so long


def call_now(request: CallbackRequest, *, by: User, now: dt.datetime) -> CallbackRequest:
    """The robot calls at once instead of waiting for its time. Raises Refused outside the hours for
    calls.
    """
    settings = settings_of(request.clinic)
    nine = settings.night_start == CallbackSettings.NightStart.NINE
    zone = request.patient.zone if request.patient is not None else ""
    at = next_call(hours_of(request.clinic), now, from_nine=nine, zone=zone)
    if at is None or at > now:
        when = (
            f" Ближайшее время — {local(at, request.clinic.zone):%d.%m %H:%M}."
            if at is not None
            else ""
        )
        raise Refused(f"Сейчас не время для звонков.{when}")
    _may_dial_more(request, settings)
    return apply(request.pk, RequestEvent.CALL_NOW, now=now, by=by)


def _may_dial_more(request: CallbackRequest, settings: CallbackSettings) -> None:
    """Raises Refused when the robot may not dial this patient again: it would only wait for
    nothing.
    """
    if request.dials >= settings.patient_tries and not settings.is_dialling_after_sms:
        raise Refused(
            "Пациенту звонили столько раз, сколько разрешено. Позвоните сами кнопкой с трубкой."
        )


def take_over(request: CallbackRequest, *, by: User, now: dt.datetime) -> CallbackRequest:
    """The robot stops; `by` will call the patient himself. If he does not, the 2.5 hours remind
    everybody.
    """
    return apply(request.pk, RequestEvent.TAKE, now=now, by=by, reason=f"взял(а): {by.short_name}")


def stop_robot(
    request: CallbackRequest, *, reason: str, by: User | None, now: dt.datetime
) -> CallbackRequest:
    """«Остановить робота» with a reason. Raises Refused without one, Conflict when there is nothing
    to stop.
    """
    if not reason.strip():
        raise Refused("Напишите, почему остановлен робот.", field="reason")
    return apply(
        request.pk, RequestEvent.STOP, now=now, by=by, reason=f"робот остановлен: {reason.strip()}"
    )


def mark_done(
    request: CallbackRequest, *, outcome: str, by: User, now: dt.datetime
) -> CallbackRequest:
    """A person has dealt with it; `outcome` says how. Raises Refused without one."""
    if not outcome.strip():
        raise Refused("Выберите или напишите, чем закончилось.", field="outcome")
    return apply(request.pk, RequestEvent.MARK_DONE, now=now, by=by, reason=outcome.strip())


def resume(request: CallbackRequest, *, by: User, now: dt.datetime) -> CallbackRequest:
    """The robot calls on; conversations up to now stop it no more. Raises Refused when the patient
    had all his dials.
    """
    _may_dial_more(request, settings_of(request.clinic))
    return apply(request.pk, RequestEvent.CONTINUE, now=now, by=by)


def postpone(
    request: CallbackRequest, *, at: dt.datetime, by: User, now: dt.datetime
) -> CallbackRequest:
    """«Позже»: the robot calls at `at` (UTC), and its 2.5 hours begin then. Raises Refused for the
    past and when the patient had all his dials.
    """
    if at <= now:
        raise Refused("Это время уже прошло.", field="at")
    _may_dial_more(request, settings_of(request.clinic))
    when = local(at, request.clinic.zone)
    return apply(
        request.pk,
        RequestEvent.POSTPONE,
        now=now,
        by=by,
        at=at,
        reason=f"позвонить {when:%d.%m в %H:%M}",
    )


def undo_closing(request: CallbackRequest, *, by: User, now: dt.datetime) -> CallbackRequest:
    """Takes back a closing by key within 15 minutes. Raises Conflict afterwards, or when a person
    closed it.
    """
    with transaction.atomic():
        fresh = CallbackRequest.objects.select_for_update().get(pk=request.pk)
        if not can_undo(fresh, now=now):
            raise Conflict(
                "Вернуть можно только закрытую клавишей и в течение 15 минут."
                " Заведите заявку заново."
            )
        return apply(
            request.pk, RequestEvent.UNDO, now=now, by=by, reason="закрытие клавишей отменено"
        )


def can_undo(request: CallbackRequest, *, now: dt.datetime) -> bool:
    return (
        request.state == RequestState.CLOSED
        and request.is_closed_by_key
        and request.ended_at is not None
        and now - request.ended_at <= UNDO_WINDOW
    )


def choose_patient(
    request: CallbackRequest, *, patient: Patient, by: User, now: dt.datetime
) -> CallbackRequest:
    """«Кто из семьи?»: says whose the request is."""
    with transaction.atomic():
        fresh = CallbackRequest.objects.select_for_update().get(pk=request.pk)
        fresh.patient = patient
        fresh.save(update_fields=["patient"])
        audit.record("callback.choose_patient", fresh, by=by, now=now)
    return fresh


def book_from_card(
    request: CallbackRequest,
    *,
    patient: Patient,
    window: ScheduleWindow,
    by: User,
    now: dt.datetime,
) -> Appointment:
    """Books the visit that was asked for and closes the request with it. Raises Conflict when the
    window is gone.
    """
    with transaction.atomic():
        CallbackRequest.objects.select_for_update().get(
            pk=request.pk
        )  # as the robot does: the request, then the day
        visit = book_appointment(
            patient=patient,
            window=window,
            by=by,
            now=now,
            service=request.service,
            comment=request.comment,
            source=own_booking(request),
            held_for=notifications.hold_key(request),
        )
        CallbackRequest.objects.filter(pk=request.pk).update(patient=patient)
        fresh = CallbackRequest.objects.get(pk=request.pk)
        when = local(visit.starts_at, visit.clinic.zone)
        told = f"записан: {visit.doctor.short_name}, {when:%d.%m.%Y %H:%M}"
        if fresh.is_live or fresh.for_people:
            apply(request.pk, RequestEvent.MARK_DONE, now=now, by=by, reason=told)
        else:
            CallbackRequest.objects.filter(pk=request.pk).update(outcome=told)
    return visit
