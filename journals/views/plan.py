"""The senior's plan: a segment, who gets how many, the live board, sharing out again."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.clinics.models import Clinic
from callcenter.lib.errors import Conflict, DomainError, Refused
from callcenter.lib.localtime import local_day
from callcenter.lib.query_params import number
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_MANAGE_CLINIC
from journals import plan_split
from journals.actions.entries import topic
from journals.actions.plans import give_plan, redistribute
from journals.forms import GiveForm, SegmentForm, ShareForm
from journals.models import PlanItem
from journals.queries import plan_progress, segments
from journals.queries.segments import Segment

SHOWN = 50


@allow(*CAN_MANAGE_CLINIC)
def plan(request: StaffRequest) -> HttpResponse:
    """GET counts the segment and shows the board (to htmx the board alone); POST gives the plan
    out.
    """
    clinics = Clinic.objects.visible_to(request.user)
    clinic = clinics.filter(pk=number(request.GET.get("clinic")) or 0).first() or clinics.first()
    if clinic is None:
        return render(request, "journals/plan.html", {"clinic": None})
    now = timezone.now()
    data = request.GET.copy()
    data.setdefault("on", local_day(now, clinic.zone).isoformat())
    if (
        data.get("doctor")
        and not clinic.doctors.filter(pk=number(request.GET.get("doctor")) or 0).exists()
    ):
        del data["doctor"]  # of the clinic that was chosen before
    form = SegmentForm(data, clinic=clinic)
    segment = form.segment() if form.is_valid() else Segment(clinic, local_day(now, clinic.zone))
    problem, status = "", 200
    if request.method == "POST":
        try:
            _give(request, segment)
            return redirect(f"{request.path}?{request.GET.urlencode()}")
        except DomainError as error:
            problem, status = str(error), error.status
    lines = plan_progress.board(segment.clinic, segment.on, now=now)
    context = {
        "clinic": clinic,
        "clinics": list(clinics.values_list("pk", "name")),
        "form": form,
        "segment": segment,
        "board": lines,
        "total": _total(lines),
        "topic": topic(clinic.pk),
        "callers": plan_progress.callers(clinic, segment.on),
        "problem": problem,
        "typed": request.POST,
        "now": now,
    }
    if request.headers.get("HX-Request"):
        return render(request, "journals/plan.html#board", context)
    show = request.GET.get("show", "")
    context["counts"] = segments.counts(segment, now=now)
    context["show"] = show
    if show in ("ready", "planned", "resting", *segments.BLOCKED):
        context["shown"] = segments.rows(segment, show, now=now)[:SHOWN]
        context["show_label"] = segments.PLACES[show]
    return render(request, "journals/plan.html", context, status=status)


def _give(request: StaffRequest, segment: Segment) -> None:
    form = GiveForm(request.POST, user=request.user)
    if not form.is_valid():
        raise Refused("Отметьте, кому дать записи, и сколько всего.")
    people: list[User] = list(form.cleaned_data["people"])
    total: int = form.cleaned_data["total"]
    if form.cleaned_data["how"] == "capacity":
        rooms = {
            caller.person.pk: caller.room
            for caller in plan_progress.callers(segment.clinic, segment.on)
        }
        shares = plan_split.by_capacity(
            total, {person.pk: rooms.get(person.pk, 0) for person in people}
        )
        if not any(shares.values()):
            raise Conflict(
                "У выбранных людей на этот день больше нет места. Раздайте поровну или выберите других."
            )
    else:
        shares = plan_split.evenly(total, [person.pk for person in people])
    given = give_plan(
        segment,
        shares={person: shares.get(person.pk, 0) for person in people},
        by=request.user,
        now=timezone.now(),
    )
    counts = [
        (person, PlanItem.objects.filter(plan=given, assignee=person).count()) for person in people
    ]
    sum_given = sum(count for _person, count in counts)
    names = ", ".join(f"{person.short_name} — {count}" for person, count in counts)
    messages.success(request, f"Роздано {sum_given} из {total}: {names}.")


def _total(lines: list[plan_progress.Progress]) -> dict[str, int]:
    return {
        name: sum(getattr(line, name) for line in lines)
        for name in ("given", "called", "booked", "refused", "left", "returned", "closed")
    }


@require_POST
@allow(*CAN_MANAGE_CLINIC)
def share(request: StaffRequest) -> HttpResponse:
    """A person's remaining rows go to others in one action."""
    form = ShareForm(request.POST, user=request.user)
    if not form.is_valid():
        raise Refused("Выберите, чьи записи и кому передать.")
    data = form.cleaned_data
    person = get_object_or_404(User, pk=data["person"].pk)
    moved = redistribute(
        clinic=data["clinic"],
        on=data["on"],
        person=person,
        to=list(data["to"]),
        by=request.user,
        now=timezone.now(),
    )
    messages.success(request, f"Передано записей: {moved}, от {person.short_name}.")
    return redirect(
        f"{reverse('journals:plan')}?clinic={data['clinic'].pk}&on={data['on']:%Y-%m-%d}"
    )
