"""`POST /api/v1/callback-requests`: aggregators and the clinic's own site."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from callback import actions
from callback.models import CallbackRequest, RequestSource
from callback.signing import sender_of
from callcenter.clinics.models import Clinic, Doctor, ScheduleWindow, Service
from callcenter.clinics.search_keys import normalise
from callcenter.lib.api import MAX_BODY, ApiError, endpoint, read_body
from callcenter.lib.query_params import moment


@endpoint
@require_POST
def requests(request: HttpRequest) -> HttpResponseBase:
    """201 with the request's number and when the robot calls; 200 for a repetition of the
    same id.
    """
    now = timezone.now()
    source = sender_of(request, body=_raw(request), now=now)
    body = read_body(request, "CallbackRequest")
    known = CallbackRequest.objects.filter(source=source, external_id=body["id"]).exists()
    clinic = _clinic(source, body)
    doctor = _doctor(clinic, body)
    made = actions.accept_request(
        clinic=clinic,
        name=body["name"],
        phone=body["phone"],
        now=now,
        by=None,
        source=source,
        external_id=body["id"],
        doctor=doctor,
        doctor_words=body.get("doctor", ""),
        service=_service(body),
        service_words=body.get("service", ""),
        window=_window(clinic, doctor, body),
        wished=body.get("wished", ""),
        comment=body.get("comment", ""),
        utm=body.get("utm"),
    )
    return JsonResponse(_state(made), status=200 if known else 201)


@endpoint
@require_http_methods(["GET", "DELETE"])
def request_state(request: HttpRequest, external_id: str) -> HttpResponseBase:
    """GET: what became of it. DELETE: the patient took it back, the robot stops."""
    now = timezone.now()
    source = sender_of(request, body=_raw(request), now=now)
    found = CallbackRequest.objects.filter(source=source, external_id=external_id).first()
    if found is None:
        raise ApiError(404, "Такой заявки от этого источника не было.")
    if request.method == "DELETE":
        found = actions.withdraw_request(found, now=now)
    return JsonResponse(_state(found))


def _raw(request: HttpRequest) -> bytes:
    """The body as it was signed, kept for `read_body` as well."""
    length = request.headers.get("Content-Length") or "0"
    if length.isdecimal() and int(length) > MAX_BODY:
        raise ApiError(413, f"Тело запроса больше {MAX_BODY // 1024} КиБ. Сократите его.")
    return request.body


def _state(request: CallbackRequest) -> dict[str, Any]:
    due = request.due_at if request.is_live else None
    return {
        "request": request.pk,
        "id": request.external_id,
        "state": request.state,
        "joined_to": request.joined_to_id,
        "calls_at": due.isoformat() if due else None,
        "window_lost": request.window_lost,
    }


def _clinic(source: RequestSource, body: dict[str, Any]) -> Clinic:
    """By our number or by name, among the clinics that this source serves."""
    allowed = list(source.clinics.all())
    wanted = body.get("clinic")
    if wanted is None and len(allowed) == 1:
        return allowed[0]
    for clinic in allowed:
        if wanted == clinic.pk or (
            isinstance(wanted, str) and normalise(wanted) == normalise(clinic.name)
        ):
            return clinic
    names = ", ".join(f"{clinic.name} ({clinic.pk})" for clinic in allowed)
    raise ApiError(422, f"Клиника не найдена. У этого источника: {names}.", field="clinic")


def _doctor(clinic: Clinic, body: dict[str, Any]) -> Doctor | None:
    wanted = normalise(body.get("doctor", ""))
    if not wanted:
        return None
    found = [
        one
        for one in Doctor.objects.filter(clinics=clinic, is_active=True)
        if normalise(one.full_name) == wanted
    ]
    return found[0] if len(found) == 1 else None


def _service(body: dict[str, Any]) -> Service | None:
    name = body.get("service", "").strip()
    return Service.objects.filter(name__iexact=name, is_active=True).first() if name else None


def _window(clinic: Clinic, doctor: Doctor | None, body: dict[str, Any]) -> ScheduleWindow | None:
    """РТЗ: the window of this doctor that begins at the chosen time."""
    text = body.get("window_at")
    if not text:
        return None
    at = moment(str(text))
    if at is None:
        example = "2026-03-18T12:00:00+03:00"
        raise ApiError(
            422, f"Время не читается. Нужно ISO 8601 со смещением: {example}.", field="window_at"
        )
    if doctor is None:
        raise ApiError(422, "Для выбранного окна нужен врач клиники.", field="doctor")
    window = ScheduleWindow.objects.filter(clinic=clinic, doctor=doctor, starts_at=at).first()
    if window is None:
        raise ApiError(422, "Такого окна нет в расписании врача.", field="window_at")
    return window
