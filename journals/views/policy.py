"""The journal's rule, for each clinic of the senior."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from callcenter.clinics.models import Clinic
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_MANAGE_CLINIC
from journals.actions.entries import set_policy
from journals.forms import PolicyForm
from journals.models import RecallPolicy


@allow(*CAN_MANAGE_CLINIC)
def policy(request: StaffRequest) -> HttpResponse:
    """One clinic's rule; 422 with the form for a number out of range."""
    clinics = list(Clinic.objects.filter(staff=request.user))
    if not clinics:
        return render(request, "journals/policy.html", {"clinics": []})
    clinic = next((one for one in clinics if str(one.pk) == request.GET.get("clinic")), clinics[0])
    form = PolicyForm(request.POST or None, instance=RecallPolicy.of(clinic.pk))
    status = 200
    if request.method == "POST":
        if form.is_valid():
            set_policy(clinic, values=form.cleaned_data, by=request.user, now=timezone.now())
            messages.success(request, f"Правило сохранено: {clinic}.")
            return redirect(f"{reverse('journals:policy')}?clinic={clinic.pk}")
        status = 422
    return render(
        request,
        "journals/policy.html",
        {"clinics": clinics, "clinic": clinic, "form": form},
        status=status,
    )
