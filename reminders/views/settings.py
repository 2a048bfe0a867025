"""How each clinic wants its reminders."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from callcenter.clinics.models import Clinic
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_MANAGE_CLINIC
from reminders import actions
from reminders.actions.runs import settings_of
from reminders.forms import ReminderSettingsForm


@allow(*CAN_MANAGE_CLINIC)
def settings(request: StaffRequest) -> HttpResponse:
    """One form a clinic; saving one leaves the others."""
    status = 200
    forms = []
    for clinic in Clinic.objects.visible_to(request.user).order_by("name"):
        mine = request.method == "POST" and request.POST.get("clinic") == str(clinic.pk)
        form = ReminderSettingsForm(
            request.POST if mine else None, instance=settings_of(clinic), auto_id=f"c{clinic.pk}_%s"
        )
        if mine and form.is_valid():
            actions.save_settings(form.save(commit=False), by=request.user, now=timezone.now())
            messages.success(request, f"Сохранено: {clinic.name}.")
            return redirect("reminders:settings")
        status = 422 if mine else status
        forms.append((clinic, form))
    return render(request, "reminders/settings.html", {"forms": forms}, status=status)
