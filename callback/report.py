"""The figures of callback requests, in three queries for any period."""

import datetime as dt
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q

from callback.models import CallbackRequest, RequestLine
from callback.state_machine import RequestState
from callcenter.clinics.models import Appointment, Clinic
from callcenter.lib.localtime import day_bounds, local

HEAD = (
    "Источник",
    "Заявок",
    "Соединены",
    "С первой попытки",
    "Медиана до соединения, мин",
    "Дубли остановлены",
    "Переданы людям",
    "Записаны",
)


@dataclass(frozen=True)
class CallbackReport:
    since: dt.date
    until: dt.date
    sources: list[str]
    source_rows: list[list[Any]]  # the last one is the total
    hour_rows: list[list[Any]]
    try_rows: list[list[Any]]

    @property
    def source_head(self) -> list[str]:
        return list(HEAD)

    @property
    def total(self) -> list[Any]:
        return self.source_rows[-1]


def report_of(clinics: Sequence[Clinic], *, since: dt.date, until: dt.date) -> CallbackReport:
    """Requests that came in the local days [since, until] of each clinic. A joined request is not
    counted twice.
    """
    period = Q(pk__in=[])
    for clinic in clinics:
        period |= Q(
            clinic=clinic,
            asked_at__gte=day_bounds(since, clinic.zone)[0],
            asked_at__lt=day_bounds(until, clinic.zone)[1],
        )
    booked = Appointment.objects.filter(
        patient=OuterRef("patient"), created_at__gt=OuterRef("asked_at")
    )
    escalated = RequestLine.objects.filter(request=OuterRef("pk"), after=RequestState.ESCALATED)
    rows = list(
        CallbackRequest.objects.filter(period)
        .exclude(state=RequestState.JOINED)
        .select_related("source", "clinic")
        .annotate(is_booked=Exists(booked), was_escalated=Exists(escalated))
    )
    by_source: dict[str, list[Any]] = defaultdict(list)
    by_hour: dict[int, Counter[str]] = defaultdict(Counter)
    for row in rows:
        by_source[row.source_name].append(row)
        by_hour[local(row.asked_at, row.clinic.zone).hour][row.source_name] += 1
    sources = sorted(by_source)
    tries = Counter(row.connected_on for row in rows if row.connected_on)
    return CallbackReport(
        since=since,
        until=until,
        sources=sources,
        source_rows=[
            *([name, *_figures(by_source[name])] for name in sources),
            ["Всего", *_figures(rows)],
        ],
        hour_rows=[
            [f"{hour:02}:00", *(by_hour[hour][name] for name in sources), by_hour[hour].total()]
            for hour in sorted(by_hour)
        ],
        try_rows=[[number, tries[number]] for number in sorted(tries)],
    )


def _figures(rows: list[Any]) -> list[Any]:
    waits = [
        (row.connected_at - row.asked_at).total_seconds() / 60 for row in rows if row.connected_at
    ]
    return [
        len(rows),
        sum(1 for row in rows if row.connected_on),
        sum(1 for row in rows if row.connected_on == 1),
        round(statistics.median(waits), 1) if waits else "",
        sum(1 for row in rows if row.is_closed_automatically),
        sum(1 for row in rows if row.was_escalated),
        sum(1 for row in rows if row.is_booked),
    ]
