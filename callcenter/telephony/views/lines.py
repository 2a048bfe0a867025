"""Settings: which number belongs to which clinic."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.clinics.models import Clinic
from callcenter.lib.errors import Refused
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_MANAGE_CLINIC
from callcenter.telephony.actions import staff_phones
from callcenter.telephony.forms import LineForm
from callcenter.telephony.models import PhoneLine


@allow(*CAN_MANAGE_CLINIC)
def lines(request: StaffRequest) -> HttpResponse:
    """Our numbers by clinic, and a form for one more."""
    form = LineForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            line = staff_phones.add_line(**form.cleaned_data, by=request.user, now=timezone.now())
        except Refused as error:
            form.add_error(error.field, str(error))
        else:
            messages.success(
                request, f"Звонки на {line} теперь приходят в клинику «{line.clinic.name}»."
            )
            return redirect("telephony:lines")
    clinics = Clinic.objects.filter(staff=request.user)
    rows = PhoneLine.objects.filter(clinic__in=clinics).select_related("clinic")
    context = {"form": form, "lines": rows, "clinics": clinics}
    return render(request, "telephony/lines.html", context, status=422 if form.errors else 200)


@allow(*CAN_MANAGE_CLINIC)
@require_POST
def remove(request: StaffRequest, pk: int) -> HttpResponse:
    line = get_object_or_404(PhoneLine.objects.filter(clinic__staff=request.user), pk=pk)
    staff_phones.remove_line(line, by=request.user, now=timezone.now())
    messages.success(request, f"Номер {line.number} убран.")
    return redirect("telephony:lines")
