"""The settings of one's clinics: data, week, days off, quiet hours, grounds; then doctors,
services, specialties.
"""

import datetime as dt

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.forms import BaseForm, Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from callcenter.clinics.actions import settings as actions
from callcenter.clinics.models import Clinic, Doctor, LegalBasis, Service, SpecialDay, Specialty
from callcenter.clinics.schedule import Span
from callcenter.clinics.settings_forms import (
    ClinicForm,
    DoctorForm,
    LegalBasisForm,
    ServiceForm,
    SpecialDayForm,
    SpecialtyForm,
)
from callcenter.clinics.tables import ClinicsTable, DoctorsTable, ServicesTable
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.forms import refuse, show_conflict
from callcenter.lib.localtime import local_day
from callcenter.lib.query_params import date, number
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.list_pages import list_page
from callcenter.staff.roles import CAN_MANAGE_CLINIC


@allow(*CAN_MANAGE_CLINIC)
@require_GET
def clinics(request: StaffRequest) -> HttpResponse:
    """The clinics whose ways the senior sets."""
    rows = Clinic.objects.visible_to(request.user).annotate(
        people=Count("staff", filter=Q(staff__is_active=True), distinct=True),
        receiving=Count("doctors", filter=Q(doctors__is_active=True), distinct=True),
        open_days=Count("opening_hours", distinct=True),
        ground_count=Count("grounds", distinct=True),
    )
    return list_page(request, "clinics/settings/clinics.html", ClinicsTable, rows.order_by("name"))


@allow(*CAN_MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def clinic(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """One clinic on one page; a new one becomes the senior's own."""
    found = _clinic(request, pk) if pk else None
    week = _week(found) if found else {weekday: (dt.time(9), dt.time(20)) for weekday in range(5)}
    form = ClinicForm(request.POST if request.method == "POST" else None, instance=found, week=week)
    if request.method == "POST" and form.is_valid():
        try:
            saved = actions.save_clinic(
                _clinic(request, pk) if pk else None,
                fields=form.facts(),
                week=form.week(),
                by=request.user,
                now=timezone.now(),
                shown=request.POST.get("shown", ""),
            )
        except Refused as error:
            refuse(form, error)
        except Conflict as error:
            present = _clinic(request, pk)
            show_conflict(form, ClinicForm(instance=present, week=_week(present)), error)
            return _clinic_page(request, pk, error.status, form=form)
        else:
            messages.success(request, "Настройки клиники сохранены.")
            return redirect("clinics:settings_clinic", saved.pk)
    return _clinic_page(request, pk, 422 if form.is_bound else 200, form=form)


def _week(clinic: Clinic) -> dict[int, Span]:
    return {row.weekday: (row.opens, row.closes) for row in clinic.opening_hours.all()}


def _clinic_page(
    request: StaffRequest, pk: int | None, status: int, **bound: BaseForm
) -> HttpResponse:
    found = _clinic(request, pk) if pk else None
    context: dict[str, object] = {"clinic": found, "quiet": _QUIET}
    if found is not None:
        today = local_day(timezone.now(), found.zone)
        context |= {
            "shown": _shown(request, status, actions.clinic_fingerprint(found)),
            "form": ClinicForm(instance=found, week=_week(found)),
            "day_form": SpecialDayForm(),
            "ground_form": LegalBasisForm(initial={"since": today}),
            "days": found.special_days.filter(on__gte=today - dt.timedelta(days=31)),
            "grounds": found.grounds.order_by("purpose", "-since"),
            "today": today,
        }
    return render(request, "clinics/settings/clinic.html", {**context, **bound}, status=status)


_QUIET = (
    ("Звонки в будни", "calls_from", "calls_to"),
    ("Звонки в выходные", "calls_dayoff_from", "calls_dayoff_to"),
    ("Сообщения", "messages_from", "messages_to"),
)


@allow(*CAN_MANAGE_CLINIC)
@require_POST
def special_day(request: StaffRequest, pk: int) -> HttpResponse:
    """A day off, or a day with hours of its own."""
    found, form = _clinic(request, pk), SpecialDayForm(request.POST)
    if form.is_valid():
        try:
            actions.set_special_day(
                found,
                on=form.cleaned_data["on"],
                hours=form.hours(),
                reason=form.cleaned_data["reason"],
                by=request.user,
                now=timezone.now(),
            )
        except Refused as error:
            refuse(form, error)
        else:
            messages.success(request, "Особый день записан.")
            return redirect("clinics:settings_clinic", pk)
    return _clinic_page(request, pk, 422, day_form=form)


@allow(*CAN_MANAGE_CLINIC)
@require_POST
def remove_special_day(request: StaffRequest, pk: int) -> HttpResponse:
    """The day is again like its weekday."""
    day = get_object_or_404(SpecialDay, pk=pk, clinic__in=Clinic.objects.visible_to(request.user))
    actions.remove_special_day(day, by=request.user, now=timezone.now())
    messages.success(request, "Особый день убран.")
    return redirect("clinics:settings_clinic", day.clinic_id)


@allow(*CAN_MANAGE_CLINIC)
@require_POST
def ground(request: StaffRequest, pk: int) -> HttpResponse:
    """Records a ground for messages and calls."""
    found, form = _clinic(request, pk), LegalBasisForm(request.POST)
    if form.is_valid():
        try:
            actions.record_legal_basis(
                found, fields=form.cleaned_data, by=request.user, now=timezone.now()
            )
        except Refused as error:
            refuse(form, error)
        else:
            messages.success(request, "Основание записано.")
            return redirect("clinics:settings_clinic", pk)
    return _clinic_page(request, pk, 422, ground_form=form)


@allow(*CAN_MANAGE_CLINIC)
@require_POST
def end_legal_basis(request: StaffRequest, pk: int) -> HttpResponse:
    """The ground holds up to a day; it stays on record."""
    found = get_object_or_404(LegalBasis, pk=pk, clinic__in=Clinic.objects.visible_to(request.user))
    now = timezone.now()
    until = date(request.POST.get("until")) or local_day(now, found.clinic.zone)
    actions.end_legal_basis(found, until=until, by=request.user, now=now)
    messages.success(request, "Основание закончено.")
    return redirect("clinics:settings_clinic", found.clinic_id)


@allow(*CAN_MANAGE_CLINIC)
@require_GET
def doctors(request: StaffRequest) -> HttpResponse:
    """Doctors of one's clinics."""
    text, clinic_id = request.GET.get("q", "").strip(), number(request.GET.get("clinic"))
    gone = "gone" in request.GET
    rows = (
        _doctors(request)
        .filter(is_active=not gone)
        .select_related("specialty", "user")
        .prefetch_related("clinics")
    )
    if text:
        rows = rows.filter(Q(full_name__icontains=text) | Q(specialty__name__icontains=text))
    if clinic_id:
        rows = rows.filter(clinics=clinic_id)
    context = {
        "text": text,
        "clinic_id": clinic_id,
        "gone": gone,
        "clinics": request.user.clinics.order_by("name"),
    }
    return list_page(request, "clinics/settings/doctors.html", DoctorsTable, rows, context)


@allow(*CAN_MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def doctor(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """One doctor; his places in clinics that are not the senior's stay as they are."""
    found = get_object_or_404(_doctors(request), pk=pk) if pk else None
    form = DoctorForm(
        request.POST if request.method == "POST" else None, instance=found, by=request.user
    )
    status = 422 if form.is_bound else 200
    if request.method == "POST" and form.is_valid():
        try:
            saved = actions.save_doctor(
                get_object_or_404(_doctors(request), pk=pk) if pk else None,
                fields=form.facts(),
                clinics=form.cleaned_data["clinics"],
                by=request.user,
                now=timezone.now(),
                shown=request.POST.get("shown", ""),
            )
        except Refused as error:
            refuse(form, error)
        except Conflict as error:
            found = get_object_or_404(_doctors(request), pk=pk)
            show_conflict(form, DoctorForm(instance=found, by=request.user), error)
            status = error.status
        else:
            messages.success(request, f"{saved.full_name}: сохранено.")
            return redirect("clinics:settings_doctors")
    shown = (
        _shown(request, status, actions.doctor_fingerprint(found, request.user)) if found else ""
    )
    return _one(
        request, form, "Врач", "clinics:settings_doctors", found, status=status, shown=shown
    )


@allow(*CAN_MANAGE_CLINIC)
@require_GET
def services(request: StaffRequest) -> HttpResponse:
    """Services of the chain."""
    rows = Service.objects.select_related("specialty")
    return list_page(request, "clinics/settings/services.html", ServicesTable, rows)


@allow(*CAN_MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def service(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """One service."""
    found = get_object_or_404(Service, pk=pk) if pk else None
    form = ServiceForm(request.POST if request.method == "POST" else None, instance=found)
    status = 422 if form.is_bound else 200
    if request.method == "POST" and form.is_valid():
        try:
            actions.save_service(
                get_object_or_404(Service, pk=pk) if pk else None,
                fields=form.cleaned_data,
                by=request.user,
                now=timezone.now(),
                shown=request.POST.get("shown", ""),
            )
        except Conflict as error:
            found = get_object_or_404(Service, pk=pk)
            show_conflict(form, ServiceForm(instance=found), error)
            status = error.status
        else:
            messages.success(request, "Услуга сохранена.")
            return redirect("clinics:settings_services")
    shown = _shown(request, status, actions.service_fingerprint(found)) if found else ""
    return _one(
        request, form, "Услуга", "clinics:settings_services", found, status=status, shown=shown
    )


@allow(*CAN_MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def specialties(request: StaffRequest) -> HttpResponse:
    """Specialties of the chain; a new one is added here."""
    form = SpecialtyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.save_specialty(
                None, name=form.cleaned_data["name"], by=request.user, now=timezone.now()
            )
        except Refused as error:
            refuse(form, error)
        else:
            messages.success(request, "Специальность добавлена.")
            return redirect("clinics:settings_specialties")
    rows = Specialty.objects.annotate(doctor_count=Count("doctors")).order_by("name")
    context = {"form": form, "specialties": rows}
    return render(
        request, "clinics/settings/specialties.html", context, status=422 if form.is_bound else 200
    )


@allow(*CAN_MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def specialty(request: StaffRequest, pk: int) -> HttpResponse:
    """Renames a specialty."""
    found = get_object_or_404(Specialty, pk=pk)
    form = SpecialtyForm(
        request.POST if request.method == "POST" else None, initial={"name": found.name}
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.save_specialty(
                found, name=form.cleaned_data["name"], by=request.user, now=timezone.now()
            )
        except Refused as error:
            refuse(form, error)
        else:
            messages.success(request, "Специальность переименована.")
            return redirect("clinics:settings_specialties")
    status = 422 if form.is_bound else 200
    return _one(
        request, form, "Специальность", "clinics:settings_specialties", found, status=status
    )


@allow(*CAN_MANAGE_CLINIC)
@require_POST
def remove_specialty(request: StaffRequest, pk: int) -> HttpResponse:
    """Takes away a specialty that no doctor has."""
    actions.remove_specialty(
        get_object_or_404(Specialty, pk=pk), by=request.user, now=timezone.now()
    )
    messages.success(request, "Специальность убрана.")
    return redirect("clinics:settings_specialties")


def _clinic(request: StaffRequest, pk: int | None) -> Clinic:
    return get_object_or_404(Clinic.objects.visible_to(request.user), pk=pk)


def _doctors(request: StaffRequest) -> "QuerySet[Doctor]":
    own = Doctor.clinics.through.objects.filter(clinic__staff=request.user)
    return Doctor.objects.filter(pk__in=own.values("doctor_id"))


def _one(
    request: StaffRequest,
    form: Form | BaseForm,
    name: str,
    back: str,
    found: object,
    *,
    status: int,
    shown: str = "",
) -> HttpResponse:
    context = {"form": form, "name": name, "back": back, "found": found, "shown": shown}
    return render(request, "clinics/settings/one.html", context, status=status)


def _shown(request: StaffRequest, status: int, present: str) -> str:
    """The fingerprint that the page carries on: after a wrong field still that of what was first shown,
    after a conflict the new.
    """
    return request.POST.get("shown", present) if status == 422 else present
