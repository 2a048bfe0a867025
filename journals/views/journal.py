"""The list of the journal, and an entry put in or changed by hand."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from callcenter.clinics.models import Clinic, Patient
from callcenter.clinics.queries import search_patients
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.forms import refuse
from callcenter.lib.localtime import local_day
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_READ_JOURNAL, CAN_WRITE_JOURNAL, Role
from journals.actions.entries import edit_entry, open_entry, topic
from journals.forms import EntryForm, FilterForm
from journals.models import RecallEntry
from journals.queries import journal


@allow(*CAN_READ_JOURNAL)
def index(request: StaffRequest) -> HttpResponse:
    """One tab of the journal; to htmx only the rows and counters."""
    now = timezone.now()
    form = FilterForm(request.GET, user=request.user)
    filters = form.filters(default_tab="mine" if request.user.has(Role.ADMINISTRATOR) else "call")
    counters = journal.counters(filters, user=request.user, now=now)
    clinics = list(Clinic.objects.filter(staff=request.user).values_list("pk", flat=True))
    context = {
        "form": form,
        "filters": filters,
        "here": request.path,
        "many_clinics": len(clinics) > 1,
        "tabs": [
            (
                key,
                label,
                counters[key],
                min(counters[key], journal.CAP),
                counters[key] > journal.CAP,
            )
            for key, label in journal.TABS.items()
        ],
        "page": journal.page(filters, user=request.user, now=now),
        "live": live_updates.sign([topic(pk) for pk in clinics]),
        "may_call": request.user.has(*CAN_CALL_PATIENTS),
        "may_write": request.user.has(*CAN_WRITE_JOURNAL),
        "sort": journal.sort_of(filters),
    }
    template = (
        "journals/journal.html#rows"
        if request.headers.get("HX-Request")
        else "journals/journal.html"
    )
    return render(request, template, context)


@allow(*CAN_WRITE_JOURNAL)
def new(request: StaffRequest) -> HttpResponse:
    """First the patient is found, then the entry is filled in; 422 with the form, 409 when it is
    open already.
    """
    text = request.GET.get("q", "")[:100]
    pk = request.GET.get("patient", "")
    if not pk.isdecimal():
        found = search_patients(text, user=request.user) if text else []
        return render(request, "journals/new_entry.html", {"text": text, "found": found})
    patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=int(pk))
    now = timezone.now()
    his = Clinic.objects.visible_to(request.user).filter(patients=patient).first()
    where = his or Clinic.objects.filter(staff=request.user).first()
    today = local_day(now, where.zone) if where else now.date()
    form = EntryForm(
        request.POST or None, user=request.user, initial={"call_on": today, "clinic": where}
    )
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                entry = open_entry(
                    clinic=form.cleaned_data["clinic"],
                    patient=patient,
                    doctor=form.cleaned_data["doctor"],
                    doctor_comment=form.cleaned_data["doctor_comment"],
                    call_on=form.cleaned_data["call_on"],
                    by=request.user,
                    now=now,
                )
                messages.success(request, f"Внесено в «3. Звать»: {entry}.")
                return redirect("journals:journal")
            except Refused as error:
                refuse(form, error)
            except Conflict as error:
                form.add_error(None, str(error))
                status = error.status
    return render(
        request, "journals/new_entry.html", {"patient": patient, "form": form}, status=status
    )


@allow(*CAN_WRITE_JOURNAL)
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    """The doctor's comment and the date of an entry in «3. Звать»; 409 when it changed while the
    form was open.
    """
    entry = get_object_or_404(
        RecallEntry.objects.visible_to(request.user).select_related("patient", "doctor", "clinic"),
        pk=pk,
    )
    form = EntryForm(request.POST or None, user=request.user, instance=entry)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                edit_entry(
                    entry,
                    doctor_comment=form.cleaned_data["doctor_comment"],
                    call_on=form.cleaned_data["call_on"],
                    version=form.cleaned_data["version"],
                    by=request.user,
                    now=timezone.now(),
                )
                messages.success(request, "Сохранено.")
                return redirect("journals:card", pk)
            except Refused as error:
                refuse(form, error)
            except Conflict as error:
                entry.refresh_from_db(fields=["doctor_comment", "call_on", "version"])
                form = form.over(entry)
                form.add_error(None, str(error))
                status = error.status
    return render(
        request, "journals/edit_entry.html", {"entry": entry, "form": form}, status=status
    )
