"""«Активные задачи»: one list of everything that somebody must call back or do, from two tables,
with fixed queries.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import (
    Count,
    DateTimeField,
    DurationField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Value,
)

from callcenter.assignments.models import Task, gone_up_to
from callcenter.assignments.states import LADDERS, Department
from callcenter.clinics.models import ZONES, Clinic, Patient, WaitingListEntry
from callcenter.clinics.states import WaitingKind
from callcenter.lib.localtime import day_bounds, local, local_day
from callcenter.staff.models import User
from callcenter.staff.queries import DEFAULT_ZONE, colleagues
from callcenter.staff.roles import CAN_MANAGE_TASKS, CAN_SEE_ALL_TASKS

PAGE: Final = 50
WHOSE: Final = {"mine": "Мои", "free": "Ничьи", "up": "Эскалации", "all": "Все"}
WHEN: Final = {"": "Все сроки", "overdue": "Просрочено", "today": "Сегодня", "later": "Позже"}
KINDS: Final = {"task": "Задача", **dict(WaitingKind.choices)}


@dataclass(frozen=True)
class TaskFilter:
    """What the list shows; every field stands in the page's address."""

    whose: str = "mine"
    when: str = ""
    kind: str = ""  # 'task' or a WaitingKind
    clinic_id: int | None = None
    department: str = ""
    owner_id: int | None = None
    sort: str = "date"  # or 'owner'


@dataclass(frozen=True)
class ActiveRow:
    """One line of the list. `late_at` (UTC): the deadline, or the end of the local day on which to
    call; `held`: somebody has it who still works in its clinic.
    """

    subject: Task | WaitingListEntry
    late_at: dt.datetime
    late: bool
    local_late: dt.datetime
    held: bool

    @property
    def zone(self) -> str:
        return self.subject.clinic.zone if self.subject.clinic is not None else DEFAULT_ZONE

    @property
    def zone_mark(self) -> str:
        """'МСК+7', for those who sit in another zone."""
        return dict(ZONES).get(self.zone, self.zone).partition("(")[2].rstrip(")")

    @property
    def is_task(self) -> bool:
        return isinstance(self.subject, Task)

    @property
    def key(self) -> str:
        return f"{'t' if self.is_task else 'w'}{self.subject.pk}"

    @property
    def patient(self) -> Patient | None:
        return self.subject.patient

    @property
    def owner(self) -> User | None:
        if not self.held:
            return None
        return self.subject.assignee if isinstance(self.subject, Task) else self.subject.owner

    @property
    def day(self) -> dt.date:
        """The local day on which it is to be done."""
        return self.local_late.date() if isinstance(self.subject, Task) else self.subject.call_on


@dataclass
class ActiveList:
    rows: list[ActiveRow]
    total: int
    whose: dict[str, int]
    when: dict[str, int]
    clinics: list[Clinic] = field(default_factory=list)


def active_list(user: User, chosen: TaskFilter, *, now: dt.datetime, page: int = 1) -> ActiveList:
    """A page of 50, overdue first, with the counts of every tab. At most eight queries, whatever
    the rows.
    """
    clinics = list(Clinic.objects.visible_to(user).order_by("name"))
    zones = _Zones(clinics, now)
    tasks, waits = _scope(user, chosen)
    whose_tasks, whose_waits = _whose(user)
    shown = tuple(whose_tasks)
    counts = _count(tasks, whose_tasks, chosen.whose, zones.tasks()) + _count(
        waits, whose_waits, chosen.whose, zones.waits()
    )
    by_whose = {name: counts[f"whose_{name}"] for name in shown}
    by_when = {name: counts[f"when_{name}"] for name in WHEN}
    tasks = tasks.filter(whose_tasks[chosen.whose], zones.tasks()[chosen.when])
    waits = waits.filter(whose_waits[chosen.whose], zones.waits()[chosen.when])
    rows = _rows(tasks, waits, chosen.sort, (page - 1) * PAGE, now)
    return ActiveList(rows, by_when[chosen.when], by_whose, by_when, clinics)


def own_counts(user: User, *, now: dt.datetime) -> dict[str, int]:
    """For «Мой день»: overdue and today of one's own, what is nobody's, what has gone up. Three
    queries.
    """
    zones = _Zones(list(Clinic.objects.visible_to(user)), now)
    tasks, waits = _scope(user, TaskFilter())
    whose_tasks, whose_waits = _whose(user)
    counts = _count(tasks, whose_tasks, "mine", zones.tasks()) + _count(
        waits, whose_waits, "mine", zones.waits()
    )
    return {
        "overdue": counts["when_overdue"],
        "today": counts["when_today"],
        "free": counts["whose_free"],
        "up": counts.get("whose_up", 0),
    }


def _scope(user: User, chosen: TaskFilter) -> tuple["QuerySet[Task]", "QuerySet[WaitingListEntry]"]:
    tasks: QuerySet[Task] = Task.objects.visible_to(user).open()
    waits: QuerySet[WaitingListEntry] = WaitingListEntry.objects.visible_to(user).open()
    if not user.has(*CAN_SEE_ALL_TASKS) or (chosen.department not in ("", Department.CALL_CENTRE)):
        waits = waits.none()
    if chosen.kind == "task":
        waits = waits.none()
    elif chosen.kind:
        tasks, waits = tasks.none(), waits.filter(kind=chosen.kind)
    if chosen.department:
        tasks = tasks.filter(department=chosen.department)
    if chosen.clinic_id is not None:
        tasks, waits = tasks.filter(clinic=chosen.clinic_id), waits.filter(clinic=chosen.clinic_id)
    if chosen.owner_id is not None:
        tasks, waits = tasks.filter(assignee=chosen.owner_id), waits.filter(owner=chosen.owner_id)
    return tasks, waits


def _whose(user: User) -> tuple[dict[str, Q], dict[str, Q]]:
    """Filters of the tabs. Work of a colleague who is dismissed or has left its clinic is nobody's:
    it is not lost with him.
    """
    unowned = _is_unowned("assignee")
    for_me = Q(role="") | Q(role__in=user.roles)
    tasks = {
        "mine": Q(assignee=user),
        "free": unowned if user.has(*CAN_MANAGE_TASKS) else unowned & for_me,
        "all": Q(),
    }
    waits = {"mine": Q(owner=user), "free": _is_unowned("owner"), "all": Q()}
    if any(user.has(*ladder) for ladder in LADDERS.values()):
        tasks["up"], waits["up"] = gone_up_to(user), Q(pk__in=[])
    return tasks, waits


def _is_unowned(who: str) -> Q:
    """Rows that nobody has who still works in their clinic; SQL's twin of `User.works_in`."""
    there = Clinic.staff.through.objects.filter(clinic=OuterRef("clinic"), user=OuterRef(who))
    gone = Q(**{f"{who}__is_active": False}) | Q(~Exists(there), clinic__isnull=False)
    return Q(**{f"{who}__isnull": True}) | gone


class _Zones:
    """The bounds of today, clinic by clinic: 'today' in Vladivostok is over while Moscow is having
    lunch.
    """

    def __init__(self, clinics: list[Clinic], now: dt.datetime) -> None:
        self.now = now
        self.zones: dict[str, list[int]] = defaultdict(list)
        for clinic in clinics:
            self.zones[clinic.zone].append(clinic.pk)

    def tasks(self) -> dict[str, Q]:
        end = day_bounds(local_day(self.now, DEFAULT_ZONE), DEFAULT_ZONE)[1]
        clinic_ids = [pk for ids in self.zones.values() for pk in ids]
        today = ~Q(clinic__in=clinic_ids) & Q(deadline_at__lt=end)
        for zone, ids in self.zones.items():
            today |= Q(
                clinic__in=ids, deadline_at__lt=day_bounds(local_day(self.now, zone), zone)[1]
            )
        overdue = Q(deadline_at__lte=self.now)
        return {"": Q(), "overdue": overdue, "today": ~overdue & today, "later": ~overdue & ~today}

    def waits(self) -> dict[str, Q]:
        found = {"": Q(), "overdue": Q(pk__in=[]), "today": Q(pk__in=[]), "later": Q(pk__in=[])}
        for zone, ids in self.zones.items():
            today = local_day(self.now, zone)
            found["overdue"] |= Q(clinic__in=ids, call_on__lt=today)
            found["today"] |= Q(clinic__in=ids, call_on=today)
            found["later"] |= Q(clinic__in=ids, call_on__gt=today)
        return found


class _Counts(dict[str, int]):
    def __add__(self, other: "_Counts") -> "_Counts":
        return _Counts({name: self.get(name, 0) + other.get(name, 0) for name in {**self, **other}})


def _count(rows: "QuerySet[Any]", whose: dict[str, Q], chosen: str, when: dict[str, Q]) -> _Counts:
    asked = {f"whose_{name}": Count("pk", filter=test) for name, test in whose.items()}
    asked |= {
        f"when_{name}": Count("pk", filter=whose[chosen] & test) for name, test in when.items()
    }
    found = rows.aggregate(**asked)
    return _Counts({name: found.get(name) or 0 for name in asked})


def _rows(
    tasks: "QuerySet[Task]",
    waits: "QuerySet[WaitingListEntry]",
    sort: str,
    skip: int,
    now: dt.datetime,
) -> list[ActiveRow]:
    next_day = F("call_on") + Value(dt.timedelta(days=1), output_field=DurationField())
    day_over: Func = Func(
        F("clinic__zone"), next_day, function="timezone", output_field=DateTimeField()
    )
    columns = ("what", "pk", "late_at", "whom", "free")
    keys = (
        tasks.order_by()
        .annotate(
            what=Value("task"),
            late_at=F("deadline_at"),
            whom=F("assignee__full_name"),
            free=_is_unowned("assignee"),
        )
        .values_list(*columns)
        .union(
            waits.order_by()
            .annotate(
                what=Value("waiting"),
                late_at=day_over,
                whom=F("owner__full_name"),
                free=_is_unowned("owner"),
            )
            .values_list(*columns),
            all=True,
        )
        .order_by(*(("whom", "late_at", "pk") if sort == "owner" else ("late_at", "pk")))[
            skip : skip + PAGE
        ]
    )
    found = list(keys)
    subjects: dict[tuple[str, int], Task | WaitingListEntry] = {}
    for task in (
        Task.objects.filter(pk__in=[pk for what, pk, *_ in found if what == "task"])
        .select_related("clinic", "patient", "assignee", "author")
        .prefetch_related("patient__phones")
    ):
        subjects["task", task.pk] = task
    for entry in (
        WaitingListEntry.objects.filter(pk__in=[pk for what, pk, *_ in found if what == "waiting"])
        .select_related("clinic", "patient", "owner", "doctor", "specialty")
        .prefetch_related("patient__phones")
    ):
        subjects["waiting", entry.pk] = entry
    return [
        _row(subjects[what, pk], late_at, now, held=not free)
        for what, pk, late_at, _, free in found
        if (what, pk) in subjects
    ]


def _row(
    subject: Task | WaitingListEntry, late_at: dt.datetime, now: dt.datetime, *, held: bool
) -> ActiveRow:
    zone = subject.clinic.zone if subject.clinic is not None else DEFAULT_ZONE
    return ActiveRow(subject, late_at, late_at <= now, local(late_at, zone), held)


def tabs_of(user: User) -> dict[str, str]:
    """The tabs the user has, by name: «Эскалации» only for the roles on a ladder."""
    return {name: WHOSE[name] for name in WHOSE if name in _whose(user)[0]}


def colleagues_for(user: User, clinic: Clinic | None = None) -> "QuerySet[User]":
    """To whom a task may be given: active colleagues, of one clinic or of all of the user's."""
    people = colleagues(user).filter(is_active=True)
    return people.filter(clinics=clinic) if clinic is not None else people
