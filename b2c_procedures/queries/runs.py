"""The runner's screen and the start page."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet

from b2c_procedures import engine
from b2c_procedures.definition import Function
from b2c_procedures.models import (
    DocumentText,
    ProcedureSettings,
    Run,
    RunEntry,
    RunObject,
    SentToClient,
)
from b2c_procedures.queries.people import nobody_performs, unmanned
from b2c_procedures.states import ACTS_AS, ROLE_OF, Performer, RunState
from b2c_procedures.texts import fill, packaged_texts, part_for
from b2c_procedures.version_lookup import book_of
from callcenter.assignments.models import Task
from callcenter.lib.phones import format_phone
from callcenter.lib.templatetags.formatting import day
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_STAND_IN, Role


@dataclass(frozen=True)
class StepTimer:
    """How the step's time stands at the moment the page is made; the page's script counts on from
    it.
    """

    started_at: dt.datetime
    due_at: dt.datetime | None
    words: str  # the norm in words
    state: str  # calm, amber, red, none
    label: str
    total: int  # seconds from start to due
    amber: int  # per cent


@dataclass(frozen=True)
class HistoryLine:
    """One line of a run's history in words."""

    at: dt.datetime
    who: str
    text: str
    icon: str
    muted: bool = False


def timer_of(
    run: Run, screen: engine.Screen, settings: ProcedureSettings, now: dt.datetime
) -> StepTimer:
    """The step's clock: calm, amber from the share of the norm that the settings name, red when it
    has run out.
    """
    moment = run.held_at or now
    if run.step_due_at is None or screen.norm is None:
        return StepTimer(
            run.step_started_at, None, "", "none", "без норматива", 0, settings.amber_percent
        )
    total = int((run.step_due_at - run.step_started_at).total_seconds())
    passed = (moment - run.step_started_at).total_seconds()
    if run.held_at is not None:
        state, label = "calm", "на удержании"
    elif moment >= run.step_due_at:
        state, label = "red", "сверх норматива"
    elif passed * 100 >= total * settings.amber_percent:
        state, label = "amber", "норматив скоро выйдет"
    else:
        state, label = "calm", "в пределах норматива"
    words = screen.norm.words
    return StepTimer(
        run.step_started_at, run.step_due_at, words, state, label, total, settings.amber_percent
    )


def texts_of(run: Run, screen: engine.Screen, settings: ProcedureSettings) -> list[tuple[str, str]]:
    """The documents of a step with their words, the client's name and the clinic filled in."""
    if screen.function is None:
        return []
    opens = screen.function is screen.procedure.first
    words = words_of(screen.function.documents)
    patient = run.patient
    names = (
        " ".join(part for part in (patient.first_name, patient.middle_name) if part)
        if patient
        else ""
    )
    values = {
        "клиент": names or (patient.full_name if patient else ""),
        "клиника": run.clinic.name,
        "адрес": run.clinic.address,
        "телефон": format_phone(run.clinic.phone) if run.clinic.phone else "",
        "команда": settings.team_name,
        "сотрудник": run.holder.short_name if run.holder else "",
    }
    return [(name, fill(part_for(text, opens=opens), values)) for name, text in words.items()]


def words_of(names: Sequence[str]) -> dict[str, str]:
    """The words behind the documents' names: as edited, else as the product brings them."""
    edited = dict(DocumentText.objects.filter(name__in=names).values_list("name", "text"))
    return {name: edited.get(name, packaged_texts().get(name, "")) for name in names}


_KINDS: dict[str, tuple[str, str]] = {
    "start": ("Начата процедура {procedure}", "player-play"),
    "result": ("{function} → {event}", "arrow-right"),
    "return": ("Возврат из другой процедуры", "arrow-back-up"),
    "back": ("Шаг назад: {reason}", "arrow-back"),
    "note": ("{text}", "note"),
    "hold": ("Поставлен на удержание", "player-pause"),
    "resume": ("Снят с удержания", "player-play"),
    "hand_over": ("Передано: {to}. {text}", "arrows-exchange"),
    "take": ("Принял процедуру", "hand-grab"),
    "stop": ("Прервано: {reason}", "x"),
}


def entries_of(run: Run) -> list[RunEntry]:
    """The run's entries, oldest first, with who made them."""
    return list(
        run.entries.select_related("by").only("run", "seq", "at", "kind", "data", "by__full_name")
    )


def history_in(entries: list[RunEntry]) -> list[dict[str, Any]]:
    """Entries as the engine reads them."""
    return [{"kind": entry.kind, **entry.data} for entry in entries]


def lines_of(entries: list[RunEntry]) -> list[HistoryLine]:
    """The run's history in words, newest first."""
    return [_line(entry) for entry in reversed(entries)]


def _line(entry: RunEntry) -> HistoryLine:
    form, icon = _KINDS.get(entry.kind, ("{kind}", "point"))
    data: dict[str, Any] = {
        "kind": entry.kind,
        "procedure": "",
        "function": "",
        "event": "",
        "reason": "",
        "to": "",
    }
    text = form.format_map({**data, "text": "", **entry.data})
    return HistoryLine(
        entry.at,
        entry.by.short_name if entry.by else "Система",
        text.strip(),
        icon,
        entry.kind == "back",
    )


@dataclass(frozen=True)
class MadeObject:
    """One object a step made, as the runner shows it."""

    title: str
    link: str
    state: str
    function: str
    undone: bool


def made_by(run: Run, undone: Collection[int]) -> list[MadeObject]:
    """What the run's steps made, with the present state of tasks and messages; `undone` are the
    seqs gone back from.
    """
    rows = list(RunObject.objects.filter(run=run))
    tasks = Task.objects.in_bulk([row.object_id for row in rows if row.kind == "assignments.task"])
    sent = SentToClient.objects.select_related("message").in_bulk(
        [row.object_id for row in rows if row.kind == "b2c_procedures.senttoclient"]
    )
    made = []
    for row in rows:
        state = ""
        if row.kind == "assignments.task" and row.object_id in tasks:
            task = tasks[row.object_id]
            state = task.get_state_display() + (f": {task.outcome}" if task.outcome else "")
        if row.kind == "b2c_procedures.senttoclient" and row.object_id in sent:
            message = sent[row.object_id].message
            state = (
                f"{message.get_state_display()}{f': {message.reason}' if message.reason else ''}"
                if message
                else ""
            )
        made.append(MadeObject(row.title, row.link, state, row.function, row.seq in undone))
    return made


def done_path(run: Run) -> list[tuple[str, str]]:
    """(function, key) of the steps that count, for the diagram."""
    steps = run.steps.filter(is_undone=False)
    return list(steps.values_list("function", "choice"))


def function_of(run: Run) -> Function | None:
    """The function the run stands at, by its columns alone; None at a return or at the end."""
    return book_of(run)[run.at_procedure].by_id.get(run.at_function)


def my_runs(user: User) -> QuerySet[Run]:
    """The user's own live runs, the one that is late first."""
    runs: QuerySet[Run] = Run.objects.live().filter(holder=user)
    return runs.select_related("clinic", "patient", "chat").order_by("step_due_at", "pk")


def runs_for_role(user: User) -> QuerySet[Run]:
    """Runs that wait for a role the user has, in his clinics."""
    performers = [str(performer) for performer, roles in ACTS_AS.items() if user.has(*roles)]
    runs: QuerySet[Run] = Run.objects.visible_to(user).filter(
        state=RunState.WAITING, waits_for__in=performers
    )
    return runs.select_related("clinic", "patient", "holder").order_by("step_due_at", "pk")


def runs_for_nobody(user: User) -> QuerySet[Run]:
    """Runs of the user's clinics that wait for a role which nobody of their clinic has; for those
    who may stand in.
    """
    if not user.has(*CAN_STAND_IN):
        return Run.objects.none()
    rows = Run.objects.visible_to(user).filter(state=RunState.WAITING).exclude(waits_for="")
    waiting = list(rows.values_list("pk", "clinic", "waits_for"))
    missing = unmanned({clinic for _, clinic, _ in waiting})
    left = [pk for pk, clinic, performer in waiting if Performer(performer) in missing[clinic]]
    runs: QuerySet[Run] = Run.objects.filter(pk__in=left).select_related("clinic", "patient")
    return runs.order_by("step_due_at", "pk")


# Facts that later steps need, by the names under which steps keep them.
_FACTS: Final = {
    "consultant_question": "Вопрос врачу",
    "city": "Город отправки",
    "on": "Дата",
    "address": "Адрес",
    "logistics_answer": "Ответ логистики",
    "department_answer": "Ответ пробоподготовки",
    "receipt": "Квитанция",
    "call": "Звонок",
}


def known_in(run: Run) -> list[tuple[str, str]]:
    """What the steps learnt on the way, in words."""
    facts = [(label, run.facts[name]) for name, label in _FACTS.items() if run.facts.get(name)]
    return [
        (label, day(dt.date.fromisoformat(value)) if label == "Дата" else str(value))
        for label, value in facts
    ]


@dataclass(frozen=True)
class ListedRun:
    """A run in a list: what it stands at, and the role it waits for."""

    run: Run
    step: str
    role: str


def listed(rows: Iterable[Run]) -> list[ListedRun]:
    """The runs with the names of their present steps."""
    shown = []
    for run in rows:
        function = function_of(run)
        step = (
            f"{function.id} {function.name}"
            if function
            else f"{run.at_procedure}: возврат из другой процедуры"
        )
        role = ROLE_OF[Performer(run.waits_for)].label if run.waits_for else ""
        shown.append(ListedRun(run, step, role))
    return shown


def receivers(run: Run) -> tuple[Role, ...]:
    """The roles that may go on with the run's present step, and so may be handed the run; none
    where nobody has them.
    """
    function = function_of(run)
    performer = Performer(function.performer) if function is not None else Performer.MANAGER_OKS
    return () if nobody_performs(performer, run.clinic_id) else ACTS_AS[performer]


def performer_label(value: str) -> str:
    return Performer(value).label if value in Performer.values else value
