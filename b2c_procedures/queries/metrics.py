"""Metrics of the procedures: for diagrams, and for the report by procedure, function, employee and
period.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet

from b2c_procedures.definition import Book
from b2c_procedures.diagrams import DiagramShapes
from b2c_procedures.engine import repeated as repeated_in
from b2c_procedures.models import Run, StepRecord
from b2c_procedures.states import RunState


@dataclass(frozen=True)
class MetricsPeriod:
    """[since, until) of the instants at which steps were finished, in the clinics the reader sees."""

    since: dt.datetime
    until: dt.datetime
    clinics: tuple[int, ...]


def steps(period: MetricsPeriod) -> QuerySet[StepRecord]:
    return StepRecord.objects.filter(
        clinic__in=period.clinics,
        finished_at__gte=period.since,
        finished_at__lt=period.until,
        is_undone=False,
    )


def figures_of(procedure: int, period: MetricsPeriod) -> DiagramShapes:
    """Branches, medians and shares over the norm of one procedure; two queries."""
    taken: dict[tuple[str, str], int] = {}
    totals: dict[str, int] = defaultdict(int)
    rows = steps(period).filter(procedure=procedure)
    for function, choice, count in rows.values_list("function", "choice").annotate(n=Count("pk")):
        taken[function, choice] = count
        totals[function] += count
    share = {key: count / totals[key[0]] for key, count in taken.items()}
    median: dict[str, int] = {}
    over: dict[str, float] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT function, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds),
                   avg((seconds > norm_seconds)::int) FILTER (WHERE norm_seconds IS NOT NULL)
              FROM b2c_procedures_steprecord
             WHERE procedure = %s AND clinic_id = ANY(%s) AND finished_at >= %s AND finished_at < %s AND NOT is_undone
             GROUP BY function
            """,
            [procedure, list(period.clinics), period.since, period.until],
        )
        for function, middle, late in cursor.fetchall():
            median[function], over[function] = int(middle or 0), float(late or 0)
    return DiagramShapes(taken=taken, share=share, median=median, count=dict(totals), over=over)


@dataclass(frozen=True)
class MetricsRow:
    """One line of the report: who or what, and its figures."""

    key: str
    title: str
    runs: int
    finished: int
    stopped: int
    live: int
    steps: int
    kept: float | None  # share of steps within their norm
    median: int | None  # seconds
    repeated: int


def by_procedure(period: MetricsPeriod, book: Book) -> list[MetricsRow]:
    """Runs by the procedure they began with, and the steps of each procedure."""
    runs = {
        row["procedure"]: row
        for row in Run.objects.filter(
            clinic__in=period.clinics, started_at__gte=period.since, started_at__lt=period.until
        )
        .values("procedure")
        .annotate(
            n=Count("pk"),
            finished=Count("pk", filter=Q(state=RunState.FINISHED)),
            stopped=Count("pk", filter=Q(state=RunState.STOPPED)),
        )
    }
    measured = _measured(period, book, "procedure")
    rows = []
    for number, procedure in sorted(book.items()):
        run = runs.get(number, {"n": 0, "finished": 0, "stopped": 0})
        rows.append(
            _row(
                str(number),
                f"{number}. {procedure.title}",
                run["n"],
                run["finished"],
                run["stopped"],
                measured.get(number),
            )
        )
    return rows


def by_function(period: MetricsPeriod, book: Book, procedure: int) -> list[MetricsRow]:
    """Steps of one procedure, and where its broken-off runs stopped."""
    measured = _measured(period, book, "function", procedure)
    ended = Run.objects.filter(
        clinic__in=period.clinics,
        started_at__gte=period.since,
        started_at__lt=period.until,
        state=RunState.STOPPED,
        at_procedure=procedure,
    )
    stopped = dict(ended.values_list("at_function").annotate(n=Count("pk")))
    standing = dict(
        Run.objects.live()
        .filter(clinic__in=period.clinics, at_procedure=procedure)
        .values_list("at_function")
        .annotate(n=Count("pk"))
    )
    rows = []
    for function in book[procedure].functions:
        row = _row(
            function.id,
            f"{function.id} {function.name}",
            0,
            0,
            stopped.get(function.id, 0),
            measured.get(function.id),
        )
        rows.append(MetricsRow(**{**row.__dict__, "live": standing.get(function.id, 0)}))
    return rows


def by_employee(period: MetricsPeriod, book: Book) -> list[MetricsRow]:
    """Steps by who did them."""
    measured = _measured(period, book, "by_id")
    names = dict(
        steps(period)
        .filter(by__isnull=False)
        .values_list("by_id", "by__full_name")
        .distinct()
        .order_by("by__full_name")
    )
    runs = {
        row["holder"]: row
        for row in Run.objects.filter(
            clinic__in=period.clinics, started_at__gte=period.since, started_at__lt=period.until
        )
        .values("holder")
        .annotate(
            n=Count("pk"),
            finished=Count("pk", filter=Q(state=RunState.FINISHED)),
            stopped=Count("pk", filter=Q(state=RunState.STOPPED)),
        )
    }
    rows = []
    for pk, name in names.items():
        run = runs.get(pk, {"n": 0, "finished": 0, "stopped": 0})
        rows.append(
            _row(str(pk), name, run["n"], run["finished"], run["stopped"], measured.get(pk))
        )
    return rows


@dataclass(frozen=True)
class _Measure:
    steps: int
    kept: float | None
    median: int | None
    repeated: int


def _measured(
    period: MetricsPeriod, book: Book, column: str, procedure: int | None = None
) -> dict[object, _Measure]:
    """Steps, norm kept, median and repeated questions, grouped by one of our own columns; one
    query.
    """
    if column not in {"procedure", "function", "by_id"}:
        raise ValueError(column)
    query = f"""
        SELECT {column}, count(*),
               avg((seconds <= norm_seconds)::int) FILTER (WHERE norm_seconds IS NOT NULL),
               percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds),
               count(*) FILTER (WHERE (function || ':' || choice) = ANY(%s))
          FROM b2c_procedures_steprecord
         WHERE clinic_id = ANY(%s) AND finished_at >= %s AND finished_at < %s AND NOT is_undone
               AND (%s::int IS NULL OR procedure = %s)
         GROUP BY {column}
    """  # noqa: S608 (the column is one of three words above)
    repeated = [f"{function}:{key}" for function, key in repeated_in(book)]
    values: list[Any] = [
        repeated,
        list(period.clinics),
        period.since,
        period.until,
        procedure,
        procedure,
    ]
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return {
            key: _Measure(
                count,
                float(kept) if kept is not None else None,
                int(median) if median is not None else None,
                again,
            )
            for key, count, kept, median, again in cursor.fetchall()
        }


def _row(
    key: str, title: str, runs: int, finished: int, stopped: int, measured: _Measure | None
) -> MetricsRow:
    found = measured or _Measure(0, None, None, 0)
    live = max(0, runs - finished - stopped)
    return MetricsRow(
        key,
        title,
        runs,
        finished,
        stopped,
        live,
        found.steps,
        found.kept,
        found.median,
        found.repeated,
    )
