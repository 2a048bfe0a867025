"""The board: every request by state, with its attempts as lines."""

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import Count, F, Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from callback import actions
from callback.forms import RequestForm
from callback.models import CallbackAttempt, CallbackRequest, RequestSource
from callback.state_machine import FINAL, FOR_PEOPLE, IN_CALL, LIVE, RequestState
from callcenter.clinics.models import Clinic
from callcenter.clinics.search_keys import folded, normalise
from callcenter.lib.errors import Refused
from callcenter.lib.query_params import number
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_READ_CALLBACKS
from callcenter.telephony.models import Leg
from callcenter.telephony.queries import link

PAGE = 50
RECENT = 3  # attempts in a row of the board
# Tab → its name, icon, states.
TABS: dict[str, tuple[str, str, tuple[RequestState, ...]]] = {
    "live": ("У робота", "robot", LIVE),
    "people": ("Нужен человек", "user-exclamation", FOR_PEOPLE),
    "done": ("Завершены", "circle-check", FINAL),
}


@dataclass
class BoardRequest:
    """One request as the board shows it."""

    request: CallbackRequest
    now: dt.datetime
    attempts: list[CallbackAttempt] = field(default_factory=list)

    @property
    def recent(self) -> list[CallbackAttempt]:
        """The newest few: in two and a half hours there may be thirty, and the card shows
        them all.
        """
        return self.attempts[-RECENT:]

    @property
    def earlier(self) -> int:
        return len(self.attempts) - len(self.recent)

    @property
    def in_call(self) -> bool:
        return self.request.state in IN_CALL

    @property
    def can_undo(self) -> bool:
        return actions.can_undo(self.request, now=self.now)


@allow(*CAN_READ_CALLBACKS)
def board(request: StaffRequest) -> HttpResponse:
    """Tabs by who has to act, filters in the address, live. A fixed number of queries for any
    number of rows.
    """
    now = timezone.now()
    clinics = list(Clinic.objects.filter(staff=request.user))
    found = _filtered(request)
    counts = found.aggregate(
        **{name: Count("pk", filter=Q(state__in=states)) for name, (_, _, states) in TABS.items()}
    )
    tab = request.GET.get("tab", "")
    if tab not in TABS:
        tab = "people" if counts["people"] and not counts["live"] else "live"
    order = "-ended_at" if tab == "done" else "due_at"
    rows = [
        BoardRequest(one, now, list(one.attempts.all()))
        for one in found.filter(state__in=TABS[tab][2])
        .select_related("clinic", "patient", "doctor", "service", "source", "holder", "joined_to")
        .prefetch_related(
            Prefetch("attempts", CallbackAttempt.objects.select_related("employee", "call")),
            Prefetch("attempts__call__legs", Leg.objects.select_related("user")),
        )
        .order_by(order, "pk")[:PAGE]
    ]
    context = {
        "rows": rows,
        "tab": tab,
        "tabs": [(name, title, icon, counts[name]) for name, (title, icon, _) in TABS.items()],
        "clinics": clinics,
        "sources": RequestSource.objects.filter(clinics__in=clinics).distinct(),
        "topics": [f"callback:clinic:{clinic.pk}" for clinic in clinics],
        "link": link(now=now),
        "filtered": any(request.GET.get(name) for name in ("clinic", "source", "q")),
        "now": now,
    }
    template = (
        "callback/board.html#rows" if request.headers.get("HX-Request") else "callback/board.html"
    )
    return render(request, template, context)


def _filtered(request: StaffRequest) -> QuerySet[CallbackRequest]:
    found: QuerySet[CallbackRequest] = CallbackRequest.objects.visible_to(request.user)
    if (clinic := number(request.GET.get("clinic"))) is not None:
        found = found.filter(clinic_id=clinic)
    if (source := number(request.GET.get("source"))) is not None:
        found = found.filter(source_id=source)
    words = request.GET.get("q", "").strip()
    if words:
        digits = "".join(sign for sign in words if sign.isdigit())
        key = normalise(words)
        found = found.alias(name_key=folded(F("name")))
        match = Q(name_key__contains=key) | Q(patient__sort_key__contains=key)
        found = found.filter(
            match | Q(number__contains=digits[-10:]) if len(digits) >= 4 else match
        )
    return found


@allow(*CAN_CALL_PATIENTS)
def new(request: StaffRequest) -> HttpResponse:
    """A request written down by hand: the robot takes it like any other."""
    form = RequestForm(
        request.POST or None, user=request.user, initial={"phone": request.GET.get("phone", "")}
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.accept_request(**form.cleaned_data, now=timezone.now(), by=request.user)
        except Refused as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            return redirect("callback:card", made.pk)
    return render(request, "callback/new.html", {"form": form}, status=422 if form.errors else 200)
