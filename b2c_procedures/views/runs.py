"""The start page and the runner."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from b2c_procedures import engine
from b2c_procedures.actions import runs as actions
from b2c_procedures.actions.chats import chat_interaction
from b2c_procedures.definition import Function
from b2c_procedures.forms import RunHandOverForm, StartForm
from b2c_procedures.models import Chat, Order, ProcedureSettings, Run
from b2c_procedures.queries import runs, side_panels
from b2c_procedures.queries.people import nobody_performs, unmanned_words
from b2c_procedures.search import find
from b2c_procedures.states import ACTS_AS, LIVE_RUNS, Performer, RunSource, RunState
from b2c_procedures.steps.forms import StepForm
from b2c_procedures.steps.registry import STEP_ACTIONS
from b2c_procedures.version_lookup import book_of, current_book
from callcenter.clinics.models import Clinic, Patient
from callcenter.clinics.queries import patients_by_number, search_patients
from callcenter.contacts.models import Interaction
from callcenter.lib import phones
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.forms import refuse
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_RUN_PROCEDURES, CAN_STAND_IN

_FOUND = 8
_CLINIC = "procedures_clinic"  # in the session: where the user began a procedure last


def visible_run(user: User, pk: int) -> Run:
    """A run of the user's clinics with its clinic and client; else 404."""
    run: Run = get_object_or_404(
        Run.objects.visible_to(user).select_related("clinic", "patient"), pk=pk
    )
    if run.holder_id == user.pk:
        run.holder = user
    return run


def visible_patient(user: User, pk: int | None) -> Patient | None:
    return get_object_or_404(Patient.objects.visible_to(user), pk=pk) if pk else None


@dataclass(frozen=True)
class ClientOnLine:
    """Whom a procedure is begun for, as a page's address says it: ?patient= ?number= ?interaction=
    ?chat= ?run= ?order= ?source=.
    """

    clinic: (
        int | None
    )  # of the call, the chat, the run before or the order; else one of the client's
    patient: Patient | None
    family: list[Patient]  # who shares the number, when it is not one person
    number: str
    interaction: Interaction | None
    chat: Chat | None
    parent: Run | None
    order: Order | None
    source: str


def _caller(request: StaffRequest) -> ClientOnLine:
    user, given = request.user, request.GET
    chat_id, call_id = number_of(given.get("chat")), number_of(given.get("interaction"))
    chat = (
        get_object_or_404(Chat.objects.visible_to(user).select_related("patient"), pk=chat_id)
        if chat_id
        else None
    )
    calls = Interaction.objects.filter(clinic__in=Clinic.objects.visible_to(user)).select_related(
        "patient"
    )
    call = get_object_or_404(calls, pk=call_id) if call_id else None
    parent_id = number_of(given.get("run"))
    parent = visible_run(user, parent_id) if parent_id else None
    order_id = number_of(given.get("order"))
    orders = Order.objects.visible_to(user).select_related("patient")
    order = get_object_or_404(orders, pk=order_id) if order_id else None
    number = given.get("number", "")[:30] or (call.number if call else "")
    patient = visible_patient(user, number_of(given.get("patient")))
    family: list[Patient] = []
    for source in (call, chat, parent, order):
        patient = patient or (source.patient if source else None)
    if patient is None and number:
        try:
            family = patients_by_number(phones.parse(number))
        except phones.BadPhone:
            family = []
        patient = family[0] if len(family) == 1 else None
    where = call or chat or parent or order
    return ClientOnLine(
        clinic=where.clinic_id if where else number_of(given.get("clinic")),
        patient=patient,
        family=family if patient is None else [],
        number=number,
        interaction=call,
        chat=chat,
        parent=parent,
        order=order,
        source=given.get("source")
        or (RunSource.CHAT if chat else RunSource.CALL if number else RunSource.CARD),
    )


@allow(*CAN_RUN_PROCEDURES)
def home(request: StaffRequest) -> HttpResponse:
    """What does the client want? The procedures that fit his words, one's own runs, runs that wait
    for one's role.
    """
    said = request.GET.get("q", "")[:200]
    caller = _caller(request)
    clinics = list(Clinic.objects.visible_to(request.user))
    visited = set(caller.patient.clinics.values_list("pk", flat=True)) if caller.patient else set()
    usual = [clinic.pk for clinic in clinics if clinic.pk == request.session.get(_CLINIC)]
    likely = [clinic.pk for clinic in clinics if clinic.pk in visited]
    context = {
        "said": said,
        "found": find(current_book(timezone.now()), said),
        "caller": caller,
        "clinics": clinics,
        "clinic_id": next(
            (pk for pk in [caller.clinic, *likely, *usual, *(one.pk for one in clinics)] if pk),
            None,
        ),
        "mine": runs.listed(runs.my_runs(request.user)[:30]),
        "waiting": runs.listed(runs.runs_for_role(request.user)[:30]),
        "for_nobody": runs.listed(runs.runs_for_nobody(request.user)),
        "known": runs.known_in(caller.parent) if caller.parent else [],
        "now": timezone.now(),
    }
    template = (
        "b2c_procedures/home.html#found"
        if request.headers.get("HX-Request")
        else "b2c_procedures/home.html"
    )
    return render(request, template, context)


def number_of(text: str | None) -> int | None:
    """A key out of an address or a form; None for anything that cannot be one."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


@require_POST
@allow(*CAN_RUN_PROCEDURES)
def start(request: StaffRequest) -> HttpResponse:
    """Begins a procedure and opens its first step."""
    form = StartForm(request.POST, user=request.user)
    if not form.is_valid():
        raise Refused("Выберите процедуру и клинику.")
    data = form.cleaned_data
    parent = visible_run(request.user, data["parent"]) if data["parent"] else None
    chat = None
    if data["chat"]:
        chat = get_object_or_404(Chat.objects.visible_to(request.user), pk=data["chat"])
    interaction = chat_interaction(chat) if chat else None
    if data["interaction"]:
        interaction = get_object_or_404(Interaction, pk=data["interaction"], clinic=data["clinic"])
    order = None
    if data["order"]:
        order = get_object_or_404(
            Order.objects.visible_to(request.user).select_related("patient"), pk=data["order"]
        )
    number = interaction.number if interaction else ""
    if data["number"]:
        try:
            number = phones.parse(data["number"])
        except phones.BadPhone as error:
            raise Refused(str(error), field="number") from None
    patient = visible_patient(request.user, data["patient"]) or (chat.patient if chat else None)
    patient = (
        patient
        or (interaction.patient if interaction else None)
        or (order.patient if order else None)
    )
    request.session[_CLINIC] = data["clinic"].pk
    run = actions.start_run(
        procedure=data["procedure"],
        clinic=data["clinic"],
        patient=patient or (parent.patient if parent else None),
        number=number or (parent.number if parent else ""),
        source=data["source"] or (RunSource.CHAT if chat else RunSource.CALL),
        chat=chat,
        interaction=interaction,
        parent=parent,
        order=order or (parent.order if parent else None),
        by=request.user,
        now=timezone.now(),
    )
    return redirect("b2c_procedures:run", run.pk)


@allow(*CAN_RUN_PROCEDURES)
def run(request: StaffRequest, pk: int) -> HttpResponse:
    """The present step of a run; POST takes one of its ways out. 409 and 422 show the page as it
    stands now.
    """
    now = timezone.now()
    here = visible_run(request.user, pk)
    form: StepForm | None = None
    status, problem = 200, ""
    if request.method == "POST":
        form = _form(here, runs.function_of(here), request, request.POST)
        try:
            if form is not None and not form.is_valid():
                raise Refused("Проверьте отмеченные поля.")
            actions.press(
                here,
                version=number_of(request.POST.get("version")) or 0,
                key=request.POST.get("key", ""),
                data=form.cleaned_data if form is not None else None,
                by=request.user,
                now=now,
            )
            return redirect("b2c_procedures:run", pk)
        except Refused as error:
            status = 422
            if form is not None:
                refuse(form, error)
            else:
                problem = str(error)
        except Conflict as error:
            status, problem, form = 409, str(error), None
            here = visible_run(request.user, pk)
    return render(
        request, "b2c_procedures/run.html", _context(request, here, form, problem), status=status
    )


def _form(
    here: Run, function: Function | None, request: StaffRequest, data: Any
) -> StepForm | None:
    if (
        function is None
        or function.action not in STEP_ACTIONS
        or not STEP_ACTIONS[function.action].fields
    ):
        return None
    return StepForm(
        data,
        run=here,
        function=function,
        now=timezone.now(),
        user=request.user,
        panel_search=_panel_search(request),
        prefix="step",
    )


def _panel_search(request: StaffRequest) -> str:
    """The words looked for in the reference data beside a step."""
    return request.GET.get("search", "")[:100]


def _context(
    request: StaffRequest, here: Run, form: StepForm | None, problem: str
) -> dict[str, Any]:
    now = timezone.now()
    book = book_of(here)
    entries = runs.entries_of(here)
    history = runs.history_in(entries)
    screen = engine.step(book, history)
    settings = ProcedureSettings.present()
    steps = list(here.steps.values_list("seq", "is_undone"))
    performer = Performer(screen.function.performer) if screen.function else None
    may = performer is None or request.user.has(*ACTS_AS[performer])
    nobody = not may and performer is not None and nobody_performs(performer, here.clinic_id)
    mine = here.holder_id == request.user.pk
    live = here.state in LIVE_RUNS
    client = request.GET.get("client", "")[:100]
    return {
        "run": here,
        "screen": screen,
        "function": screen.function,
        "performer": performer,
        "documents": runs.texts_of(here, screen, settings),
        "side_panels": side_panels.panels_of(
            here, screen.function, text=_panel_search(request), user=request.user, now=now
        )
        if screen.function
        else [],
        "side_panel_search": _panel_search(request),
        # Only the tasks of a step change by other people's hands while it is being done.
        "side_panel_topics": [f"tasks:clinic:{here.clinic_id}"]
        if screen.function and "tasks" in screen.function.side_panels
        else [],
        "known": runs.known_in(here),
        "timer": runs.timer_of(here, screen, settings, now),
        "form": form or _form(here, screen.function, request, None),
        "problem": problem,
        "lines": runs.lines_of(entries),
        "made": runs.made_by(here, {seq for seq, undone in steps if undone}),
        "below": [book[number] for number in screen.below],
        "can_press": live and mine and (may or nobody),
        "can_take": live
        and (may or (nobody and request.user.has(*CAN_STAND_IN)))
        and (not mine or here.state == RunState.WAITING),
        "nobody": unmanned_words(performer) if live and nobody and performer is not None else "",
        "mine": mine,
        "live": live,
        "steps": sum(not undone for _, undone in steps),
        "can_back": live and mine and len(engine.moves(history)) > 1,
        "hand_over": RunHandOverForm(run=here, user=request.user, prefix="over")
        if live and mine and request.GET.get("hand")
        else None,
        "client": client,
        "clients": search_patients(client, user=request.user)[:_FOUND] if client else [],
        "passed": screen.passed_to,
        "returned": book[screen.returned_from] if screen.returned_from else None,
        "run_topic": f"b2c_procedures:run:{here.pk}",
        "line_held_at": _instant(here.facts.get("line_held_at")),
        "now": now,
    }


def _instant(text: object) -> dt.datetime | None:
    return dt.datetime.fromisoformat(str(text)) if text else None


@require_POST
@allow(*CAN_RUN_PROCEDURES)
def run_action(request: StaffRequest, pk: int, what: str) -> HttpResponse:
    """Everything around the steps: back, note, hold, resume, hand over, take, stop, the client.

    409 and 422 show the page as it stands now, with what is wrong.
    """
    here = visible_run(request.user, pk)
    if what not in _RUN_ACTIONS:
        raise Http404
    try:
        return _RUN_ACTIONS[what](request, here)
    except (Conflict, Refused) as error:
        here = visible_run(request.user, pk)
        return render(
            request,
            "b2c_procedures/run.html",
            _context(request, here, None, str(error)),
            status=error.status,
        )


def _asked(request: StaffRequest) -> dict[str, Any]:
    """What every deed of a holder is given: the version he saw, himself and the time."""
    version = number_of(request.POST.get("version")) or 0
    return {"version": version, "by": request.user, "now": timezone.now()}


def _words(request: StaffRequest) -> str:
    return request.POST.get("text", "")[:1000]


def _plain(
    verb: Callable[[StaffRequest, Run], object],
) -> Callable[[StaffRequest, Run], HttpResponse]:
    """A deed after which the run's page is shown again."""

    def done(request: StaffRequest, here: Run) -> HttpResponse:
        verb(request, here)
        return redirect("b2c_procedures:run", here.pk)

    return done


def _set_client(request: StaffRequest, here: Run) -> object:
    chosen = visible_patient(request.user, number_of(request.POST.get("patient")))
    if chosen is None:
        raise Refused("Выберите клиента из найденных.", field="patient")
    return actions.set_client(here, patient=chosen, by=request.user, now=timezone.now())


def _hand_over(request: StaffRequest, here: Run) -> HttpResponse:
    form = RunHandOverForm(request.POST, run=here, user=request.user, prefix="over")
    if not form.is_valid():
        raise Refused("Выберите сотрудника или роль.", field="to")
    given = actions.hand_over(
        here,
        to=form.cleaned_data["to"],
        performer=form.cleaned_data.get("performer", ""),
        comment=form.cleaned_data["comment"],
        **_asked(request),
    )
    messages.success(request, f"Передано: {given.holder or given.get_waits_for_display()}.")
    return redirect("b2c_procedures:home")


_RUN_ACTIONS: dict[str, Callable[[StaffRequest, Run], HttpResponse]] = {
    "back": _plain(
        lambda request, here: actions.go_back(here, reason=_words(request), **_asked(request))
    ),
    "hold": _plain(lambda request, here: actions.hold_run(here, **_asked(request))),
    "resume": _plain(lambda request, here: actions.resume_run(here, **_asked(request))),
    "stop": _plain(
        lambda request, here: actions.stop_run(here, reason=_words(request), **_asked(request))
    ),
    "note": _plain(
        lambda request, here: actions.add_note(
            here, text=_words(request), by=request.user, now=timezone.now()
        )
    ),
    "take": _plain(
        lambda request, here: actions.take_run(here, by=request.user, now=timezone.now())
    ),
    "client": _plain(_set_client),
    "hand-over": _hand_over,
}
