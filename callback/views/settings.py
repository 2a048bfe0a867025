"""Settings of callback requests: those of each clinic, and the sources that may send requests."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from callback.forms import CallbackSettingsForm, SourceForm
from callback.models import RequestSource
from callback.queries import settings_of
from callback.signing import create_source
from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.lib.errors import Refused
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_MANAGE_CLINIC


@allow(*CAN_MANAGE_CLINIC)
def index(request: StaffRequest) -> HttpResponse:
    clinics = Clinic.objects.filter(staff=request.user)
    sources = (
        RequestSource.objects.filter(clinics__in=clinics).distinct().prefetch_related("clinics")
    )
    context = {"rows": [(clinic, settings_of(clinic)) for clinic in clinics], "sources": sources}
    return render(request, "callback/settings.html", context)


@allow(*CAN_MANAGE_CLINIC)
def clinic(request: StaffRequest, pk: int) -> HttpResponse:
    """Change one clinic's settings; they apply from the next decision of the robot on."""
    one = get_object_or_404(Clinic.objects.filter(staff=request.user), pk=pk)
    form = CallbackSettingsForm(request.POST or None, instance=settings_of(one))
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        changed: dict[str, object] = {
            name: str(form.cleaned_data[name]) for name in form.changed_data
        }
        audit.record(
            "callback.change_settings", saved, by=request.user, now=timezone.now(), after=changed
        )
        messages.success(request, f"Сохранено: {one.name}.")
        return redirect("callback:settings")
    return render(
        request,
        "callback/settings_form.html",
        {"form": form, "clinic": one},
        status=422 if form.errors else 200,
    )


@allow(*CAN_MANAGE_CLINIC)
def new_source(request: StaffRequest) -> HttpResponse:
    """Makes a source; its key and secret are shown this once."""
    form = SourceForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made, key = create_source(
                name=data["name"],
                code=data["code"],
                spoken=data["spoken"],
                clinics=list(data["clinics"]),
                by=request.user,
                now=timezone.now(),
            )
        except Refused as error:
            form.add_error(error.field, str(error))
        else:
            return render(request, "callback/source_key.html", {"source": made, "key": key})
    return render(
        request,
        "callback/source.html",
        {"form": form, "source": None},
        status=422 if form.errors else 200,
    )


@allow(*CAN_MANAGE_CLINIC)
def source(request: StaffRequest, pk: int) -> HttpResponse:
    """A source's name, clinics, and whether it is listened to."""
    one = get_object_or_404(
        RequestSource.objects.filter(clinics__staff=request.user).distinct(), pk=pk
    )
    form = SourceForm(request.POST or None, instance=one, user=request.user)
    if request.method == "POST" and form.is_valid():
        others = list(
            one.clinics.exclude(staff=request.user)
        )  # clinics that this senior does not see stay
        form.save()
        one.clinics.add(*others)
        audit.record("callback.change_source", one, by=request.user, now=timezone.now())
        messages.success(request, f"Сохранено: {one.name}.")
        return redirect("callback:settings")
    return render(
        request,
        "callback/source.html",
        {"form": form, "source": one},
        status=422 if form.errors else 200,
    )
