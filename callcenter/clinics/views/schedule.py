"""The schedule: a day of the clinic, booking into a free window, moving and cancelling a visit."""

import datetime as dt

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.clinics import actions, queries
from callcenter.clinics.models import (
    Appointment,
    Clinic,
    Doctor,
    ScheduleWindow,
    Service,
    Specialty,
)
from callcenter.clinics.states import UPCOMING, AppointmentStatus, is_too_early
from callcenter.clinics.views.patients import visible_patient
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.localtime import day_bounds, local, local_day
from callcenter.lib.query_params import date, number
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_OPEN_PATIENT

AHEAD = 30  # days of «прогнозное расписание»


@allow(*CAN_OPEN_PATIENT)
def day(request: StaffRequest) -> HttpResponse:
    """One clinic's day by doctors: visits and free windows in order of time."""
    clinics = list(Clinic.objects.filter(staff=request.user))
    if not clinics:
        return render(request, "clinics/schedule.html", {"clinics": [], "clinic": None})
    clinic = next((one for one in clinics if str(one.pk) == request.GET.get("clinic")), clinics[0])
    now = timezone.now()
    on = date(request.GET.get("on")) or local_day(now, clinic.zone)
    since, until = day_bounds(on, clinic.zone)
    visits = (
        Appointment.objects.filter(clinic=clinic, starts_at__gte=since, starts_at__lt=until)
        .exclude(status=AppointmentStatus.CANCELLED)
        .select_related("patient", "doctor__specialty", "service", "clinic")
        .order_by("starts_at")
    )
    windows = queries.free_windows(now=now, clinics=[clinic], since=since, until=until)
    columns: dict[Doctor, list[Appointment | ScheduleWindow]] = {}
    for row in sorted([*visits, *windows], key=lambda row: row.starts_at):
        columns.setdefault(row.doctor, []).append(row)
    context = {
        "clinics": clinics,
        "clinic": clinic,
        "on": on,
        "before": on - dt.timedelta(days=1),
        "after": on + dt.timedelta(days=1),
        "columns": sorted(columns.items(), key=lambda column: column[0].full_name),
        "now": now,
    }
    return render(request, "clinics/schedule.html", context)


@allow(*CAN_CALL_PATIENTS)
def book(request: StaffRequest, pk: int) -> HttpResponse:
    """Free windows of the next 30 days for the patient; a press on one books it. 409 shows what is
    left.
    """
    patient = visible_patient(request.user, pk)
    now = timezone.now()
    status, problem = 200, ""
    if request.method == "POST":
        window = get_object_or_404(_windows(request), pk=_id(request.POST.get("window")))
        service = Service.objects.filter(pk=_id(request.POST.get("service"))).first()
        try:
            visit = actions.book_appointment(
                patient=patient,
                window=window,
                service=service,
                comment=request.POST.get("comment", ""),
                by=request.user,
                now=now,
            )
            messages.success(
                request, f"Записан: {visit.local_start:%d.%m.%Y %H:%M}, {visit.doctor}."
            )
            return redirect("clinics:patient", patient.pk)
        except (Conflict, Refused) as error:
            status, problem = error.status, str(error)
    context = {
        "patient": patient,
        "problem": problem,
        "services": Service.objects.filter(is_active=True),
    }
    return render(request, "clinics/book.html", context | _choice(request, now), status=status)


@allow(*CAN_OPEN_PATIENT)
def visit(request: StaffRequest, pk: int) -> HttpResponse:
    """One visit with its history and what may be done with it."""
    shown, now = _visit(request, pk), timezone.now()
    marks = (
        AppointmentStatus.CONFIRMED,
        AppointmentStatus.ARRIVED,
        AppointmentStatus.COMPLETED,
        AppointmentStatus.NO_SHOW,
    )
    context = {
        "visit": shown,
        "events": shown.events.select_related("by", "doctor_before"),
        "can_change": shown.status in UPCOMING and request.user.has(*CAN_CALL_PATIENTS),
        "marks": [
            one
            for one in (marks if request.user.has(*CAN_CALL_PATIENTS) else ())
            if one in shown.next_statuses
            and not is_too_early(one, shown.starts_at, now, shown.clinic.zone)
        ],
    }
    return render(request, "clinics/visit.html", context)


@allow(*CAN_CALL_PATIENTS)
def move(request: StaffRequest, pk: int) -> HttpResponse:
    """Another window for the visit. 409 shows what is left."""
    moved = _visit(request, pk)
    now = timezone.now()
    status, problem = 200, ""
    if request.method == "POST":
        window = get_object_or_404(_windows(request), pk=_id(request.POST.get("window")))
        try:
            after = actions.reschedule_appointment(
                moved,
                window=window,
                reason=request.POST.get("comment", ""),
                by=request.user,
                now=now,
                version=_version(request),
            )
            messages.success(request, f"Перенесён на {after.local_start:%d.%m.%Y %H:%M}.")
            return redirect("clinics:patient", moved.patient_id)
        except (Conflict, Refused) as error:
            status, problem = error.status, str(error)
    context = {"patient": moved.patient, "moved": moved, "problem": problem}
    return render(
        request, "clinics/book.html", context | _choice(request, now, moved.doctor), status=status
    )


@require_POST
@allow(*CAN_CALL_PATIENTS)
def cancel(request: StaffRequest, pk: int) -> HttpResponse:
    """Cancels the visit with a reason."""
    cancelled = _visit(request, pk)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise Refused("Напишите причину отмены.", field="reason")
    actions.cancel_appointment(
        cancelled, reason=reason, by=request.user, now=timezone.now(), version=_version(request)
    )
    messages.success(request, "Приём отменён, окно снова свободно.")
    return redirect("clinics:patient", cancelled.patient_id)


@require_POST
@allow(*CAN_CALL_PATIENTS)
def mark(request: StaffRequest, pk: int) -> HttpResponse:
    """Confirmed, arrived, completed, did not come."""
    marked = _visit(request, pk)
    status = request.POST.get("status", "")
    if status not in AppointmentStatus.values or status == AppointmentStatus.CANCELLED:
        raise Refused("Выберите отметку из списка.")
    actions.set_status(
        marked,
        status=AppointmentStatus(status),
        by=request.user,
        now=timezone.now(),
        version=_version(request),
    )
    messages.success(request, "Отметка сохранена.")
    return redirect("clinics:visit", pk)


def _visit(request: StaffRequest, pk: int) -> Appointment:
    visits: QuerySet[Appointment] = Appointment.objects.visible_to(request.user)
    return get_object_or_404(
        visits.select_related("clinic", "doctor__specialty", "patient", "service", "created_by"),
        pk=pk,
    )


def _version(request: StaffRequest) -> int | None:
    """That of the visit as the form showed it."""
    return _id(request.POST.get("version")) or None


def _windows(request: StaffRequest) -> QuerySet[ScheduleWindow]:
    return ScheduleWindow.objects.filter(clinic__in=Clinic.objects.filter(staff=request.user))


def _choice(
    request: StaffRequest, now: dt.datetime, doctor: Doctor | None = None
) -> dict[str, object]:
    """Free windows grouped by day, narrowed by clinic, doctor and specialty of the query string."""
    clinics = list(Clinic.objects.filter(staff=request.user))
    chosen = [one for one in clinics if str(one.pk) == request.GET.get("clinic")] or clinics
    doctors = list(
        Doctor.objects.filter(clinics__in=clinics, is_active=True)
        .distinct()
        .select_related("specialty")
    )
    wanted = request.GET.get("doctor", str(doctor.pk) if doctor else "")
    doctor = next((one for one in doctors if str(one.pk) == wanted), None)
    specialty = Specialty.objects.filter(pk=_id(request.GET.get("specialty"))).first()
    since = now
    windows = queries.free_windows(
        now=now,
        clinics=chosen,
        since=since,
        until=now + dt.timedelta(days=AHEAD),
        doctor=doctor,
        specialty=specialty,
    )[:300]
    days: dict[dt.date, list[ScheduleWindow]] = {}
    # In the order of the clocks on the screen: clinics of a chain may live in different zones.
    for window in sorted(
        windows, key=lambda window: local(window.starts_at, window.clinic.zone).replace(tzinfo=None)
    ):
        days.setdefault(local_day(window.starts_at, window.clinic.zone), []).append(window)
    return {
        "clinics": clinics,
        "clinic_chosen": request.GET.get("clinic", ""),
        "doctors": doctors,
        "doctor_chosen": doctor,
        "specialties": Specialty.objects.all(),
        "specialty_chosen": specialty,
        "window": queries.window_to_book(request.GET.get("window"), user=request.user),
        "days": list(days.items()),
    }


def _id(text: str | None) -> int:
    """Read a primary key out of a form; 0, which no row has, for anything else."""
    return number(text) or 0
