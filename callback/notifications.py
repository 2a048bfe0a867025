"""What goes out about a request: letters to the clinic's people, one SMS to the patient, a task.
Each at most once.

Their keys are made of the request, so asking again finds the first one (unique in the outbox).
"""

import datetime as dt
from typing import Final

from django.conf import settings
from django.urls import reverse

from callback.models import CallbackRequest
from callcenter.assignments.actions import create_task
from callcenter.lib import phones
from callcenter.lib.errors import Refused
from callcenter.lib.localtime import local
from callcenter.lib.placeholders import fill_known
from callcenter.messaging.actions import queue_letter, queue_message
from callcenter.staff.roles import Role

PURPOSE: Final = "callback"
TASK_WITHIN: Final = dt.timedelta(hours=1)


def subject_key(request: CallbackRequest) -> str:
    return f"callbackrequest:{request.pk}"


def hold_key(request: CallbackRequest) -> str:
    """Whose hold it is on the window that the patient chose."""
    return f"заявка № {request.pk}"


def details_letter(request: CallbackRequest, *, now: dt.datetime) -> None:
    """«Если соединение по каким-то причинам не произошло, вся информация о записи продублируется на
    почту».
    """
    _queue_letter(
        request,
        "details",
        f"Заявка{request.from_where}: соединение не состоялось",
        "Робот не смог соединить с пациентом с первого раза и попробует ещё."
        " Пожалуйста, перезвоните пациенту.",
        now=now,
    )


def done_letter(request: CallbackRequest, *, now: dt.datetime) -> None:
    """«После разговора на почту клиники приходит письмо с информацией о заявке и комментарием «Не
    надо перезванивать»».
    """
    theme = f"Заявка{request.from_where} — не надо перезванивать"
    _queue_letter(request, "done", theme, "Не надо перезванивать.", now=now)


def call_back_letter(request: CallbackRequest, *, now: dt.datetime) -> None:
    """Theme of the instruction: «Заявка с НаПоправку — перезвоните пациенту»."""
    _queue_letter(
        request,
        "call_back",
        f"Заявка{request.from_where} — перезвоните пациенту",
        "Робот не смог соединить с пациентом и больше не звонит. Пожалуйста, перезвоните пациенту.",
        now=now,
    )


def missed_you_sms(request: CallbackRequest, *, text: str, now: dt.datetime) -> None:
    """One SMS in the instruction's words, with the clinic's number."""
    message = fill_known(
        _of_source(text, request), {"телефон": phones.format_phone(request.clinic.phone)}
    )
    queue_message(
        purpose=PURPOSE,
        subject_key=subject_key(request),
        channel="sms",
        text=message,
        to=request.number,
        clinic=request.clinic,
        patient=request.patient,
        now=now,
        by=None,
    )


def _of_source(text: str, request: CallbackRequest) -> str:
    """«по заявке с сайта НаПоправку», «по заявке с сайта клиники»; one written down by hand came
    from no site.
    """
    if request.source is None:
        return text.replace(" с сайта {источник}", "").replace("{источник}", "клиники")
    filled = fill_known(text, {"источник": request.source.spoken})
    return filled.replace("сайта сайта", "сайта")


def escalation_task(request: CallbackRequest, *, now: dt.datetime) -> None:
    """«Активные задачи»: somebody must call; once per request."""
    create_task(
        title=f"Перезвонить пациенту: заявка{request.from_where}",
        body=_details(request),
        role=Role.SENIOR,
        clinic=request.clinic,
        patient=request.patient,
        deadline_at=now + TASK_WITHIN,
        origin=f"callback.callbackrequest:{request.pk} escalation",
        link=reverse("callback:card", args=[request.pk]),
        by=None,
        now=now,
    )


def _queue_letter(
    request: CallbackRequest, kind: str, subject: str, wish: str, *, now: dt.datetime
) -> None:
    clinic = request.clinic
    reception = [clinic.reception_email] if clinic.reception_email else []
    to = reception if kind == "done" else [*clinic.responsible_emails, *reception]
    try:
        queue_letter(
            to=to or clinic.responsible_emails,
            subject=subject,
            text=f"{wish}\n\n{_details(request)}\n\nКарточка заявки: {_link(request)}\n",
            purpose=f"{PURPOSE}_{kind}",
            subject_key=subject_key(request),
            clinic=clinic,
            now=now,
            by=None,
        )
    except Refused as nobody:
        request.last_error = f"письмо не ушло: {nobody}"[:250]


def _details(request: CallbackRequest) -> str:
    asked = local(request.asked_at, request.clinic.zone)
    lines = [
        ("Пациент", request.name),
        ("Телефон", phones.format_phone(request.number)),
        ("Врач", request.doctor_name),
        ("Услуга", request.service_name),
        ("Выбранное время", _window(request)),
        ("Удобное время", request.wished),
        ("Комментарий", request.comment),
        ("Клиника", request.clinic.name),
        ("Заявка пришла", f"{asked:%d.%m.%Y %H:%M}"),
    ]
    return "\n".join(f"{label}: {value}" for label, value in lines if value)


def _window(request: CallbackRequest) -> str:
    if request.window is None:
        return ""
    at = local(request.window.starts_at, request.clinic.zone)
    return f"{at:%d.%m.%Y %H:%M}" + (" (уже занято)" if request.window_lost else "")


def _link(request: CallbackRequest) -> str:
    return f"{settings.PUBLIC_URL}{reverse('callback:card', args=[request.pk])}"
