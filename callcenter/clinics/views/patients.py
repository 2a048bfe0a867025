"""Finding a patient, his card and what is changed on it."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.audit import actions as audit
from callcenter.clinics import actions, queries
from callcenter.clinics.actions.patients import CARD_FIELDS, card_fingerprint
from callcenter.clinics.forms import ConsentForm, DoNotCallForm, PatientForm, WaitingForm
from callcenter.clinics.models import Clinic, Patient
from callcenter.clinics.panels import patient_panels
from callcenter.clinics.states import ConsentChannel, ConsentPurpose, WaitingKind
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.forms import refuse, show_conflict
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_OPEN_PATIENT


def visible_patient(user: User, pk: int) -> Patient:
    """The patient, if he visits one of the user's clinics; else 404, as for one who does not exist."""
    patients = Patient.objects.visible_to(user)
    return get_object_or_404(patients.prefetch_related("phones", "clinics", "consents__by"), pk=pk)


@allow(*CAN_OPEN_PATIENT)
def search(request: StaffRequest) -> HttpResponse:
    """The page of results, or only the list of them under the search box."""
    text = request.GET.get("q", "")[:100]
    found = queries.search_patients(text, user=request.user)
    template = (
        "clinics/search.html#results"
        if request.headers.get("HX-Request")
        else "clinics/search.html"
    )
    context = {
        "text": text.strip(),
        "found": found,
        "limit": len(found) == 20,
        # A free window of the schedule for which a patient is being looked for.
        "window": queries.window_to_book(request.GET.get("window"), user=request.user),
    }
    return render(request, template, context)


@allow(*CAN_OPEN_PATIENT)
def card(request: StaffRequest, pk: int) -> HttpResponse:
    """The patient's card. Opening it is written into the journal: medical secrecy begins with the
    fact of a visit.
    """
    return _card_page(request, visible_patient(request.user, pk))


def _card_page(
    request: StaffRequest, patient: Patient, waiting_form: WaitingForm | None = None
) -> HttpResponse:
    now = timezone.now()
    audit.record("clinics.view_patient", patient, by=request.user, now=now, patient_id=patient.pk)
    waiting = list(
        patient.waiting_list.select_related("clinic", "opened_by", "doctor", "specialty")[:20]
    )
    answers = queries.visits_answering(waiting, user=request.user, now=now)
    context = {
        "patient": patient,
        "family": queries.family_of(patient, user=request.user),
        "own_clinics": set(
            request.user.clinics.values_list("pk", flat=True)
        ),  # elsewhere visits are told, not opened
        "visits": list(queries.visits_of(patient)[:30]),
        "waiting": [(entry, answers.get(entry.pk)) for entry in waiting],
        "refusal": queries.call_block_reason(patient),
        "panels": patient_panels(patient, request.user, now=now),
        "consent_form": ConsentForm(),
        "waiting_form": waiting_form or WaitingForm(clinics=_clinics(request, patient)),
        "now": now,
    }
    return render(request, "clinics/patient.html", context, status=422 if waiting_form else 200)


@allow(*CAN_CALL_PATIENTS)
def edit(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """A new card (`phone`: a number that nobody has yet) or a change of one; 422 with the form when
    something is wrong, 409 when a colleague has changed it. Opening a card's form is written down,
    as opening the card is.
    """
    patient = visible_patient(request.user, pk) if pk else None
    shown = (
        request.POST.get("shown", "")
        if request.method == "POST"
        else card_fingerprint(patient)
        if patient
        else ""
    )
    form = PatientForm(
        request.POST or None,
        instance=patient,
        clinics=_clinics(request, patient),
        sees_phones=request.user.sees_phones,
        phone="" if patient else request.GET.get("phone", "")[:40],
    )
    status = 200
    if patient is not None and request.method != "POST":
        audit.record(
            "clinics.view_patient",
            patient,
            by=request.user,
            now=timezone.now(),
            patient_id=patient.pk,
        )
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                saved = actions.save_patient(
                    patient,
                    fields={name: form.cleaned_data[name] for name in CARD_FIELDS},
                    numbers=form.numbers(),
                    adds_numbers=form.adds_numbers,
                    clinic=form.cleaned_data["clinic"],
                    by=request.user,
                    now=timezone.now(),
                    shown=shown,
                )
                messages.success(request, "Карта сохранена.")
                return redirect("clinics:patient", saved.pk)
            except Refused as error:
                form.add_error(error.field, str(error))
            except Conflict as error:
                patient = visible_patient(request.user, cast(int, pk))
                fresh = PatientForm(
                    instance=patient,
                    clinics=_clinics(request, patient),
                    sees_phones=request.user.sees_phones,
                )
                show_conflict(form, fresh, error)
                status, shown = error.status, card_fingerprint(patient)
    context = {"form": form, "patient": patient, "shown": shown}
    return render(request, "clinics/patient_form.html", context, status=status)


@require_POST
@allow(*CAN_CALL_PATIENTS)
def consent(request: StaffRequest, pk: int) -> HttpResponse:
    """A consent or a refusal in the patient's words; it works at once."""
    patient = visible_patient(request.user, pk)
    form = ConsentForm(request.POST)
    if not form.is_valid():
        raise Refused("Укажите, о чём решение, каким путём и чем подтверждается.")
    actions.record_consent(
        patient,
        purpose=ConsentPurpose(form.cleaned_data["purpose"]),
        channel=ConsentChannel(form.cleaned_data["channel"]),
        granted=form.cleaned_data["granted"] == "yes",
        source=form.cleaned_data["source"],
        by=request.user,
        now=timezone.now(),
    )
    messages.success(request, "Записано и уже действует.")
    return redirect("clinics:patient", pk)


@require_POST
@allow(*CAN_CALL_PATIENTS)
def do_not_call(request: StaffRequest, pk: int) -> HttpResponse:
    """«Не звонить» on or off."""
    patient = visible_patient(request.user, pk)
    form = DoNotCallForm(request.POST)
    if not form.is_valid():
        raise Refused("Напишите, почему: это прочтёт следующий, кто откроет карту.")
    actions.set_do_not_call(
        patient,
        value=form.cleaned_data["value"] == "on",
        reason=form.cleaned_data["reason"],
        by=request.user,
        now=timezone.now(),
    )
    messages.success(request, "Записано и уже действует.")
    return redirect("clinics:patient", pk)


@require_POST
@allow(*CAN_CALL_PATIENTS)
def waiting(request: StaffRequest, pk: int) -> HttpResponse:
    """Puts the patient on the waiting list or on «напомнить позже»; 422 with the card and what was
    typed.
    """
    patient = visible_patient(request.user, pk)
    form = WaitingForm(request.POST, clinics=_clinics(request, patient))
    if form.is_valid():
        data = form.cleaned_data
        try:
            actions.open_waiting(
                **{
                    name: data[name]
                    for name in ("clinic", "doctor", "specialty", "call_on", "comment")
                },
                patient=patient,
                kind=WaitingKind(data["kind"]),
                owner=request.user,
                by=request.user,
                now=timezone.now(),
            )
        except Refused as error:
            refuse(form, error)
        else:
            messages.success(
                request, "Внесён: запись стоит в «Активных задачах» на выбранный день."
            )
            return redirect("clinics:patient", pk)
    return _card_page(request, patient, form)


def _clinics(request: HttpRequest, patient: Patient | None) -> list[Clinic]:
    """The user's clinics, first those that the patient visits: a form begins with one of his own."""
    own = {clinic.pk for clinic in patient.clinics.all()} if patient else set()
    clinics = Clinic.objects.filter(staff=cast(User, request.user))
    return sorted(clinics, key=lambda clinic: clinic.pk not in own)
