"""«Активные задачи» and the card of a task; the waiting list is closed and moved here too."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from callcenter.assignments import actions, queries
from callcenter.assignments.forms import (
    CloseTaskForm,
    CloseWaitingForm,
    MoveTaskForm,
    MoveWaitingForm,
    TaskForm,
    TaskHandOverForm,
    read_filter,
)
from callcenter.assignments.models import Task
from callcenter.assignments.states import Department, escalated_to
from callcenter.clinics import actions as clinics
from callcenter.clinics.models import Clinic, Patient, WaitingListEntry
from callcenter.clinics.queries import future_visits, hours_of, search_patients, visits_answering
from callcenter.clinics.schedule import add_open_seconds
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.forms import refuse
from callcenter.lib.localtime import local, local_day
from callcenter.lib.query_params import number
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.queries import DEFAULT_ZONE, zone_of
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_OPEN_PATIENT, EVERYONE


@allow(*EVERYONE)
@require_GET
def active(request: StaffRequest) -> HttpResponse:
    """The list, or (htmx) only its rows; the whole state stands in the address."""
    user, now = request.user, timezone.now()
    own = set(Clinic.objects.visible_to(user).values_list("pk", flat=True))
    chosen = read_filter(request.GET, user, own)
    page = max(1, number(request.GET.get("page")) or 1)
    found = queries.active_list(user, chosen, now=now, page=page)
    context = {
        "found": found,
        "chosen": chosen,
        "tabs": [(name, label, found.whose[name]) for name, label in queries.tabs_of(user).items()],
        "whens": [(name, label, found.when[name]) for name, label in queries.WHEN.items()],
        "kinds": queries.KINDS.items(),
        "departments": Department.choices,
        "people": queries.colleagues_for(user).order_by("full_name")
        if chosen.whose == "all"
        else [],
        "topics": [
            "tasks",
            *(f"{what}:clinic:{pk}" for what in ("tasks", "waiting") for pk in sorted(own)),
        ],
        "zone": zone_of(user),
        "page": Paginator(range(found.total), queries.PAGE).get_page(page),
        "now": now,
    }
    part = request.headers.get("HX-Request") and not request.headers.get("HX-Boosted")
    return render(
        request, "assignments/active.html#rows" if part else "assignments/active.html", context
    )


@allow(*EVERYONE)
@require_http_methods(["GET", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """A task by hand; `patient` binds it to a patient of one's own clinics, `q` finds him (to htmx
    only who was found).
    """
    user, now = request.user, timezone.now()
    text = (request.POST.get("q") or request.GET.get("q") or "").replace("\x00", "")[:100]
    found = search_patients(text, user=user) if text and user.has(*CAN_OPEN_PATIENT) else []
    if _is_part(request) and request.method == "GET":
        return render(request, "assignments/new.html#found", {"found": found, "text": text})
    asked = request.POST.get("patient") or request.GET.get("patient")
    patient = (
        get_object_or_404(Patient.objects.visible_to(user), pk=number(asked)) if asked else None
    )
    given = request.POST if request.method == "POST" and "find" not in request.POST else None
    typed = (
        request.POST.dict() if given is None else {}
    )  # «Найти» without scripts keeps what stands in the form
    form = TaskForm(given, by=user, initial=_defaults(user, patient, now) | typed)
    if given is not None and form.is_valid():
        data = form.cleaned_data
        try:
            if data["deadline_at"] <= now:
                raise Refused("Этот срок уже прошёл. Выберите время позже.", field="deadline_at")
            task = actions.create_task(
                title=data["title"],
                body=data["body"],
                department=data["department"],
                clinic=data["clinic"],
                deadline_at=data["deadline_at"],
                patient=patient,
                by=user,
                now=now,
                **form.addressee(),
            )
        except Refused as error:
            refuse(form, error)
        else:
            messages.success(request, "Задача поставлена.")
            return redirect("assignments:task", task.pk)
    context = {"form": form, "patient": patient, "found": found, "text": text}
    return render(request, "assignments/new.html", context, status=422 if form.is_bound else 200)


def _defaults(user: Any, patient: Patient | None, now: dt.datetime) -> dict[str, object]:
    """The clinic of the patient (else the first of the user's) and two hours of its opening time
    from now.
    """
    own = Clinic.objects.visible_to(user).order_by("name")
    clinic = (own.filter(patients=patient).first() if patient else None) or own.first()
    if clinic is None:
        return {}
    due = add_open_seconds(hours_of(clinic), now, 2 * 3600) or now + dt.timedelta(hours=2)
    return {"clinic": clinic, "deadline_at": local(due, clinic.zone).replace(tzinfo=None)}


@allow(*EVERYONE)
@require_GET
def task(request: StaffRequest, pk: int) -> HttpResponse:
    """One task with its dialogue."""
    return _card(request, _task(request, pk))


def _card(
    request: StaffRequest, shown: Task, status: int = 200, **bound: forms.Form
) -> HttpResponse:
    zone = _zone(shown)
    typed = local(shown.deadline_at, zone).replace(tzinfo=None)
    context = {
        "task": shown,
        "zone": zone,
        "now": timezone.now(),
        "dialogue": shown.messages.select_related("by"),
        "held": shown.assignee is not None and shown.assignee.works_in(shown.clinic_id),
        "escalated_to": [role.label for role in escalated_to(shown.department, shown.escalated)],
        "can_handle": shown.is_live and actions.can_handle(shown, request.user),
        "can_take": shown.is_live and actions.can_take(shown, request.user),
        "close_form": CloseTaskForm(),
        "move_form": MoveTaskForm(zone=zone, initial={"deadline_at": typed}),
        "hand_over_form": TaskHandOverForm(by=request.user, clinic=shown.clinic),
        **bound,
    }
    return render(request, "assignments/task.html", context, status=status)


@allow(*EVERYONE)
@require_POST
def take(request: StaffRequest, pk: int) -> HttpResponse:
    """«Беру»: the task is mine and in work."""
    actions.take_task(_task(request, pk), by=request.user, now=timezone.now())
    return _done(request, "Задача ваша.", "assignments:task", pk)


@allow(*EVERYONE)
@require_POST
def say(request: StaffRequest, pk: int) -> HttpResponse:
    """One more line of the dialogue."""
    actions.add_message(
        _task(request, pk), text=request.POST.get("text", ""), by=request.user, now=timezone.now()
    )
    return redirect("assignments:task", pk)


@allow(*EVERYONE)
@require_POST
def hand_over(request: StaffRequest, pk: int) -> HttpResponse:
    """To another person or role."""
    found = _task(request, pk)
    form = TaskHandOverForm(request.POST, by=request.user, clinic=found.clinic)
    if form.is_valid():
        data = form.cleaned_data
        try:
            actions.hand_over_task(
                found,
                department=data["department"],
                text=data["text"],
                by=request.user,
                now=timezone.now(),
                **form.addressee(),
            )
        except Refused as error:
            refuse(form, error)
        else:
            return _done(request, "Задача передана.", "assignments:active")
    return _card(request, found, 422, hand_over_form=form)


@allow(*EVERYONE)
@require_http_methods(["GET", "POST"])
def close(request: StaffRequest, pk: int) -> HttpResponse:
    """GET: the small form for a row of the list. POST: closes the task with its outcome."""
    found = _task(request, pk)
    form = CloseTaskForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.close_task(found, **form.cleaned_data, by=request.user, now=timezone.now())
        except Refused as error:
            refuse(form, error)
        else:
            return _done(request, "Задача закрыта.", "assignments:active")
    if _is_part(request):
        return _row_form(request, form, "Закрыть")
    return _card(
        request,
        found,
        422 if form.is_bound else 200,
        **({"close_form": form} if form.is_bound else {}),
    )


@allow(*EVERYONE)
@require_http_methods(["GET", "POST"])
def move(request: StaffRequest, pk: int) -> HttpResponse:
    """GET: the small form for a row of the list. POST: another deadline."""
    found = _task(request, pk)
    zone = _zone(found)
    typed = local(found.deadline_at, zone).replace(tzinfo=None)
    form = MoveTaskForm(
        request.POST if request.method == "POST" else None,
        zone=zone,
        initial={"deadline_at": typed},
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.move_task(found, **form.cleaned_data, by=request.user, now=timezone.now())
        except Refused as error:
            refuse(form, error)
        else:
            return _done(request, "Срок перенесён.", "assignments:task", pk)
    if _is_part(request):
        return _row_form(request, form, "Перенести")
    return _card(
        request,
        found,
        422 if form.is_bound else 200,
        **({"move_form": form} if form.is_bound else {}),
    )


@allow(*CAN_CALL_PATIENTS)
@require_GET
def waiting(request: StaffRequest, pk: int) -> HttpResponse:
    """One entry of the waiting list with what may be done with it."""
    return _entry_page(request, _entry(request, pk))


def _entry_page(
    request: StaffRequest, shown: WaitingListEntry, status: int = 200, **more: object
) -> HttpResponse:
    now = timezone.now()
    context = {
        "entry": shown,
        "held": shown.owner is not None and shown.owner.works_in(shown.clinic_id),
        "today": local_day(now, shown.clinic.zone),
        "visit": visits_answering([shown], user=request.user, now=now).get(shown.pk),
        "close_form": CloseWaitingForm(visits=future_visits(shown.patient, now)),
        "move_form": MoveWaitingForm(initial={"call_on": shown.call_on}),
        **more,
    }
    return render(request, "assignments/waiting.html", context, status=status)


@allow(*CAN_CALL_PATIENTS)
@require_POST
def waiting_take(request: StaffRequest, pk: int) -> HttpResponse:
    """«Беру»: I am the one who calls. 409 with the entry as it is when a colleague was quicker."""
    found, shown = _entry(request, pk), request.POST.get("shown")
    try:
        clinics.give_waiting(
            found, owner=request.user, by=request.user, now=timezone.now(), shown=shown
        )
    except Conflict as error:
        if _is_part(request):
            raise  # a message over the list, whose rows look again by themselves
        return _entry_page(request, _entry(request, pk), error.status, problem=str(error))
    return _done(request, "Позвонить — вам.", "assignments:waiting", pk)


@allow(*CAN_CALL_PATIENTS)
@require_http_methods(["GET", "POST"])
def waiting_close(request: StaffRequest, pk: int) -> HttpResponse:
    """GET: the small form for a row. POST: closes the entry, with the visit it led to if there is
    one.
    """
    found, now = _entry(request, pk), timezone.now()
    form = CloseWaitingForm(
        request.POST if request.method == "POST" else None, visits=future_visits(found.patient, now)
    )
    if request.method == "POST" and form.is_valid():
        try:
            clinics.close_waiting(found, **form.cleaned_data, by=request.user, now=now)
        except Refused as error:
            refuse(form, error)
        else:
            if request.POST.get("back") == "card":
                return _done(
                    request, "Запись листа ожидания закрыта.", "clinics:patient", found.patient_id
                )
            return _done(request, "Запись листа ожидания закрыта.", "assignments:active")
    if _is_part(request):
        return _row_form(request, form, "Закрыть")
    return _entry_page(
        request,
        found,
        422 if form.is_bound else 200,
        **({"close_form": form} if form.is_bound else {}),
    )


@allow(*CAN_CALL_PATIENTS)
@require_http_methods(["GET", "POST"])
def waiting_move(request: StaffRequest, pk: int) -> HttpResponse:
    """GET: the small form for a row. POST: another day to call."""
    found = _entry(request, pk)
    form = MoveWaitingForm(
        request.POST if request.method == "POST" else None, initial={"call_on": found.call_on}
    )
    if request.method == "POST" and form.is_valid():
        try:
            clinics.move_waiting(found, **form.cleaned_data, by=request.user, now=timezone.now())
        except Refused as error:
            refuse(form, error)
        else:
            return _done(request, "Дата звонка перенесена.", "assignments:waiting", pk)
    if _is_part(request):
        return _row_form(request, form, "Перенести")
    return _entry_page(
        request,
        found,
        422 if form.is_bound else 200,
        **({"move_form": form} if form.is_bound else {}),
    )


def _task(request: StaffRequest, pk: int) -> Task:
    rows = Task.objects.visible_to(request.user).select_related(
        "clinic", "patient", "author", "assignee", "closed_by"
    )
    return get_object_or_404(rows.prefetch_related("patient__phones"), pk=pk)


def _entry(request: StaffRequest, pk: int) -> WaitingListEntry:
    rows = WaitingListEntry.objects.visible_to(request.user).select_related(
        "clinic",
        "patient",
        "owner",
        "doctor",
        "specialty",
        "opened_by",
        "closed_by",
        "appointment__clinic",
    )
    return get_object_or_404(rows.prefetch_related("patient__phones"), pk=pk)


def _zone(shown: Task) -> str:
    return shown.clinic.zone if shown.clinic is not None else DEFAULT_ZONE


def _is_part(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))


def _row_form(request: HttpRequest, form: forms.Form, verb: str) -> HttpResponse:
    next(iter(form.fields.values())).widget.attrs["autofocus"] = True
    context = {"form": form, "verb": verb, "url": request.path}
    return render(
        request, "assignments/_row_form.html", context, status=422 if form.is_bound else 200
    )


def _done(request: HttpRequest, text: str, to: str, *args: int) -> HttpResponse:
    """After a deed: the list of a row's form looks again by itself, a page goes on to where its
    work continues.
    """
    if _is_part(request):
        return HttpResponse(headers={"HX-Trigger": "tasks-changed"})
    messages.success(request, text)
    return redirect(to, *args)
