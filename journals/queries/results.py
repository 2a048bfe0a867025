"""«Результаты прозвона КОСы»: every number is a filter over calls or plan rows, so it opens exactly
the rows it counts.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce

from callcenter.clinics.models import Clinic, Doctor
from callcenter.contacts.models import Reason
from callcenter.contacts.states import Direction
from callcenter.staff.models import User
from journals.models import PlanItem, RecallCall
from journals.outcome_rules import OUTCOME_RULES, Stage

Grouping = Literal["caller", "doctor", "clinic"]
GROUPINGS: Final[dict[str, str]] = {
    "caller": "администратор",
    "doctor": "врач",
    "clinic": "клиника",
}

_OUT = Q(direction=Direction.OUT)


@dataclass(frozen=True)
class Measure:
    """One column: what it is called, how it is counted, and how to say so."""

    label: str
    where: Q
    meaning: str


# Over plan rows.
PLANNED: Final = Measure("По плану", Q(), "строк, выданных в план на эти дни, с возвращёнными")
# The fourth call and later stand in one line.
LAST_NUMBER: Final = 4


def call_measures() -> dict[str, Measure]:
    """Return the columns over calls: called = reached + unreached; reached = booked + thinking +
    remind + refused in a talk.

    «Записано» and «Отказ» count what the call made of the entry; any other outcome of the table has
    a column of its own.
    """
    unreached = [outcome for outcome, rule in OUTCOME_RULES.items() if rule.is_unreached]
    own = {
        outcome: Measure(rule.column, _OUT & Q(outcome=outcome), rule.column_help)
        for outcome, rule in OUTCOME_RULES.items()
        if outcome not in Stage.values
    }
    return {
        "called": Measure("Звонков", _OUT, "наши звонки с записанным итогом"),
        "reached": Measure("Дозвонились", _OUT & ~Q(outcome__in=unreached), "пациент ответил"),
        "booked": _stage_measure(Stage.BOOKED),
        **{name: measure for name, measure in own.items() if name not in unreached},
        **{name: measure for name, measure in own.items() if name in unreached},
        "refused": _stage_measure(Stage.REFUSED),
        "incoming": Measure(
            "Звонил сам", Q(direction=Direction.IN), "пациент позвонил сам, не по плану"
        ),
    }


def _stage_measure(stage: Stage) -> Measure:
    rule = OUTCOME_RULES[stage.value]
    return Measure(rule.column, _OUT & Q(stage_after=stage), rule.column_help)


def measures() -> dict[str, Measure]:
    """Return the columns of the report, in their order."""
    return {"planned": PLANNED, **call_measures()}


@dataclass(frozen=True)
class ResultsPeriod:
    """What the report is asked for; days are the clinics' local ones, both included."""

    since: dt.date
    until: dt.date
    clinic: Clinic | None = None
    doctor: Doctor | None = None
    caller: User | None = None
    by: Grouping = "caller"


@dataclass(frozen=True)
class ResultsLine:
    """One line of the table: who or what, and the number of each measure."""

    key: int | None
    name: str
    numbers: dict[str, int]

    @property
    def conversion(self) -> float | None:
        """Booked of reached."""
        return self.numbers["booked"] / self.numbers["reached"] if self.numbers["reached"] else None


@dataclass(frozen=True)
class NumberLine:
    """The calls that were somebody's first, second, third…"""

    number: int
    called: int
    reached: int
    booked: int

    @property
    def conversion(self) -> float | None:
        return self.booked / self.called if self.called else None


@dataclass(frozen=True)
class Results:
    lines: list[ResultsLine]
    total: ResultsLine
    reasons: list[tuple[Reason, int]]
    numbers: list[NumberLine] = field(default_factory=list)


def calls(period: ResultsPeriod, *, user: User) -> QuerySet[RecallCall]:
    """The calls that the report counts."""
    found = RecallCall.objects.visible_to(user).filter(on__gte=period.since, on__lte=period.until)
    if period.clinic is not None:
        found = found.filter(clinic=period.clinic)
    if period.doctor is not None:
        found = found.filter(doctor=period.doctor)
    if period.caller is not None:
        found = found.filter(by=period.caller)
    return found.order_by()


def items(period: ResultsPeriod, *, user: User) -> QuerySet[PlanItem]:
    """The plan rows that the report counts."""
    found = PlanItem.objects.visible_to(user).filter(on__gte=period.since, on__lte=period.until)
    if period.clinic is not None:
        found = found.filter(clinic=period.clinic)
    if period.doctor is not None:
        found = found.filter(entry__doctor=period.doctor)
    if period.caller is not None:
        found = found.filter(assignee=period.caller)
    return found.order_by()


_CALL_KEY: Final[dict[str, str]] = {"caller": "by_id", "doctor": "doctor_id", "clinic": "clinic_id"}
_ITEM_KEY: Final[dict[str, str]] = {
    "caller": "assignee_id",
    "doctor": "entry__doctor_id",
    "clinic": "clinic_id",
}


def results(period: ResultsPeriod, *, user: User) -> Results:
    """The whole report in five queries."""
    columns = call_measures()
    grouped = (
        calls(period, user=user)
        .values(key=F(_CALL_KEY[period.by]))
        .annotate(**{name: Count("pk", filter=measure.where) for name, measure in columns.items()})
    )
    planned = dict(
        items(period, user=user)
        .values(key=F(_ITEM_KEY[period.by]))
        .annotate(count=Count("pk"))
        .values_list("key", "count")
    )
    by_key = {
        key: dict(zip(columns, numbers, strict=True))
        for key, *numbers in grouped.values_list("key", *columns)
    }
    names = _names(period.by, {*by_key, *planned})
    empty = dict.fromkeys(columns, 0)
    lines = [
        ResultsLine(key, names[key], {"planned": planned.get(key, 0), **by_key.get(key, empty)})
        for key in sorted(names, key=lambda key: names[key])
    ]
    total = ResultsLine(
        None, "Итого", {name: sum(line.numbers[name] for line in lines) for name in measures()}
    )
    return Results(lines, total, _reasons(period, user=user), _numbers(period, user=user))


def _names(by: Grouping, keys: Iterable[int]) -> dict[int, str]:
    if by == "caller":
        return {pk: user.full_name for pk, user in User.objects.in_bulk(list(keys)).items()}
    if by == "doctor":
        return {pk: doctor.full_name for pk, doctor in Doctor.objects.in_bulk(list(keys)).items()}
    return {pk: clinic.name for pk, clinic in Clinic.objects.in_bulk(list(keys)).items()}


_REASON = Coalesce("refusal_reason_id", "reason_id")


def _reasons(period: ResultsPeriod, *, user: User) -> list[tuple[Reason, int]]:
    rows = dict(
        calls(period, user=user)
        .filter(call_measures()["refused"].where)
        .values(why=_REASON)
        .annotate(count=Count("pk"))
        .values_list("why", "count")
    )
    return sorted(
        ((reason, rows[pk]) for pk, reason in Reason.objects.in_bulk(list(rows)).items()),
        key=lambda pair: (-pair[1], pair[0].name),
    )


def _numbers(period: ResultsPeriod, *, user: User) -> list[NumberLine]:
    found: dict[int, list[int]] = {}
    columns = call_measures()
    rows = (
        calls(period, user=user)
        .filter(_OUT)
        .values("number")
        .annotate(
            called=Count("pk"),
            reached=Count("pk", filter=columns["reached"].where),
            booked=Count("pk", filter=columns["booked"].where),
        )
    )
    for number, *counts in rows.values_list("number", "called", "reached", "booked"):
        sums = found.setdefault(min(number, LAST_NUMBER), [0, 0, 0])
        for place, count in enumerate(counts):
            sums[place] += count
    return [NumberLine(number, *found[number]) for number in sorted(found)]


def call_rows(
    period: ResultsPeriod,
    measure: str,
    *,
    user: User,
    key: int | None = None,
    reason: int | None = None,
    number: int | None = None,
) -> QuerySet[RecallCall]:
    """The calls behind a number of the report, newest first."""
    found = calls(period, user=user).filter(call_measures()[measure].where)
    if key is not None:
        found = found.filter(**{_CALL_KEY[period.by]: key})
    if reason is not None:
        found = found.annotate(why=_REASON).filter(why=reason)
    if number is not None:
        found = (
            found.filter(number__gte=number)
            if number >= LAST_NUMBER
            else found.filter(number=number)
        )
    return found.select_related(
        "entry__patient",
        "clinic",
        "doctor",
        "by",
        "reason",
        "refusal_reason",
        "appointment__clinic",
    ).order_by("-at", "-pk")


def item_rows(period: ResultsPeriod, *, user: User, key: int | None = None) -> QuerySet[PlanItem]:
    """The plan rows behind «По плану», newest day first."""
    found = items(period, user=user)
    if key is not None:
        found = found.filter(**{_ITEM_KEY[period.by]: key})
    return found.select_related("entry__patient", "entry__doctor", "clinic", "assignee").order_by(
        "-on", "-pk"
    )
