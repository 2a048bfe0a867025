"""The report of «Дозвон»: what was sent, answered, reached and what came of it. One query for any
period.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db.models import (
    Count,
    DecimalField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce

from callcenter.clinics.models import Clinic
from callcenter.clinics.states import AppointmentStatus
from callcenter.messaging.models import Message, VisitLink
from callcenter.messaging.states import ARRIVED, MessageChannel, VisitAnswer
from reminders.models import Reminder
from reminders.states import CallResult


class ReminderReportGroup(NamedTuple):
    key: str  # the column that tells lines apart
    name: str  # the column that names them
    word: str


GROUPS: Final = {
    "day": ReminderReportGroup("run__on", "run__on", "день"),
    "clinic": ReminderReportGroup("clinic", "clinic__name", "клиника"),
    "administrator": ReminderReportGroup("called_by", "called_by__full_name", "администратор"),
}
CHANNELS: Final = tuple(channel for channel in MessageChannel if channel != MessageChannel.EMAIL)

# (name, heading): the columns in the order of the screen and of the Excel sheet.
COLUMNS: Final = (
    ("total", "приёмов"),
    *((f"by_{channel.value}", f"ушло: {channel.label}") for channel in CHANNELS),
    ("delivered", "доставлено"),
    ("opened", "открыли"),
    ("confirmed", "подтвердили"),
    ("moved", "просили перенести"),
    ("cancelled", "отменяли"),
    ("reached", "дозвонились"),
    ("unreached", "не дозвонились"),
    ("came", "пришли"),
    ("missed", "не пришли"),
)
# (no-shows, of how many, heading)
SHARES: Final = (
    ("missed_confirmed", "of_confirmed", "неявка подтвердивших"),
    ("missed_unconfirmed", "of_unconfirmed", "неявка неподтвердивших"),
    ("missed_unreached", "of_unreached", "неявка тех, кому не дозвонились"),
)
# Every number that can be opened, in words.
WORDS: Final[dict[str, str]] = {
    **dict(COLUMNS),
    **{missed: word for missed, _, word in SHARES},
    "of_confirmed": "подтвердили, и приём прошёл",
    "of_unconfirmed": "не подтвердили, и приём прошёл",
    "of_unreached": "не дозвонились, и приём прошёл",
    "at_risk": "деньги под риском",
}


@dataclass(frozen=True)
class ReminderReportLine:
    """One line: its key and name, the counts, the shares of no-shows (None where nobody was),
    roubles at risk.
    """

    key: str | None  # of `report_rows`; None for the total
    name: object
    counts: dict[str, int]
    shares: dict[str, tuple[int, int]]  # no-shows of how many
    money: Decimal

    def share(self, name: str) -> float | None:
        missed, of = self.shares[name]
        return missed / of if of else None


def report_lines(
    *, clinics: Sequence[Clinic], since: dt.date, until: dt.date, group: str
) -> tuple[list[ReminderReportLine], ReminderReportLine]:
    """The lines by `group` (day, clinic, administrator) over runs of since…until, both included,
    and their total.
    """
    columns = GROUPS[group]
    rows = list(
        _counted(clinics, since, until)
        .values(line_key=F(columns.key), line_name=F(columns.name))
        .annotate(**_aggregates())
        .order_by("line_name", "line_key")
    )
    lines = [_line(_text(row["line_key"]), row["line_name"], [row]) for row in rows]
    return lines, _line(None, "Итого", rows)


def _text(key: object) -> str:
    return "" if key is None else str(key)


def columns_of(lines: Iterable[ReminderReportLine]) -> list[tuple[str, str]]:
    """The columns to show: of the channels only those by which anything went."""
    lines = list(lines)
    return [
        (name, word)
        for name, word in COLUMNS
        if not name.startswith("by_") or any(line.counts[name] for line in lines)
    ]


def _counted(clinics: Sequence[Clinic], since: dt.date, until: dt.date) -> Any:
    link = VisitLink.objects.filter(
        appointment=OuterRef("appointment"), version=OuterRef("version")
    )
    went = Message.objects.filter(
        appointment=OuterRef("appointment"), version=OuterRef("version"), attempted_at__isnull=False
    )
    return (
        Reminder.objects.filter(clinic__in=clinics, run__on__gte=since, run__on__lte=until)
        .filter(Q(removed_at=None) | Q(removed_reason="приём отменён"))
        .annotate(
            answer=Coalesce(Subquery(link.values("answer")[:1]), Value("")),
            is_opened=Exists(link.filter(opened_at__isnull=False)),
            **{
                f"went_{channel.value}": Exists(went.filter(channel=channel))
                for channel in CHANNELS
            },
            is_delivered=Exists(went.filter(state__in=ARRIVED)),
            price=Coalesce(
                F("appointment__money"),
                F("appointment__service__price"),
                Value(0),
                output_field=DecimalField(max_digits=12, decimal_places=2),
            ),
        )
    )


_CAME: Final = Q(appointment__status__in=[AppointmentStatus.ARRIVED, AppointmentStatus.COMPLETED])
_MISSED: Final = Q(appointment__status=AppointmentStatus.NO_SHOW)
_CONFIRMED, _UNREACHED = Q(answer=VisitAnswer.CONFIRM), Q(result=CallResult.UNREACHED)
# What each number of the report counts; the same condition opens its rows.
CONDITIONS: Final[dict[str, Q]] = {
    "total": Q(),
    **{f"by_{channel.value}": Q(**{f"went_{channel.value}": True}) for channel in CHANNELS},
    "delivered": Q(is_delivered=True),
    "opened": Q(is_opened=True),
    "confirmed": _CONFIRMED,
    "moved": Q(answer=VisitAnswer.MOVE),
    "cancelled": Q(answer=VisitAnswer.CANCEL),
    "reached": Q(result__in=[CallResult.COMING, CallResult.NOT_COMING]),
    "unreached": _UNREACHED,
    "came": _CAME,
    "missed": _MISSED,
    "missed_confirmed": _MISSED & _CONFIRMED,
    "of_confirmed": (_CAME | _MISSED) & _CONFIRMED,
    "missed_unconfirmed": _MISSED & ~_CONFIRMED,
    "of_unconfirmed": (_CAME | _MISSED) & ~_CONFIRMED,
    "missed_unreached": _MISSED & _UNREACHED,
    "of_unreached": (_CAME | _MISSED) & _UNREACHED,
    "at_risk": ~_CONFIRMED & Q(is_settled=False) & ~_CAME,
}


def _aggregates() -> dict[str, Any]:
    counts: dict[str, Any] = {
        name: Count("pk", filter=condition) for name, condition in CONDITIONS.items()
    }
    return counts | {"money": Sum("price", filter=CONDITIONS["at_risk"], default=Decimal(0))}


def report_rows(
    *,
    clinics: Sequence[Clinic],
    since: dt.date,
    until: dt.date,
    group: str,
    name: str | None,
    what: str,
) -> QuerySet[Reminder]:
    """The reminders behind one number: those of the line `name` (None: of all lines) that `what`
    counts, in order of time.

    `name` is the line's key as the report gives it: a day, an id of a clinic or an administrator,
    '' for nobody's.
    """
    rows = _counted(clinics, since, until).filter(CONDITIONS[what])
    if name is not None:
        rows = rows.filter(**{GROUPS[group].key: name or None})
    found: QuerySet[Reminder] = rows.select_related(
        "patient", "clinic", "appointment__doctor", "called_by", "run"
    ).order_by("starts_at", "pk")
    return found


def _line(key: str | None, name: object, rows: Sequence[dict[str, Any]]) -> ReminderReportLine:
    def total(column: str) -> int:
        return sum(row[column] for row in rows)

    return ReminderReportLine(
        key,
        name if name is not None else "никто не звонил",
        {column: total(column) for column, _ in COLUMNS},
        {share: (total(share), total(of)) for share, of, _ in SHARES},
        sum((row["money"] for row in rows), Decimal(0)),
    )


def sheet_rows(lines: Sequence[ReminderReportLine]) -> Iterator[list[object]]:
    """The lines as the cells of a sheet, in the order of the screen."""
    columns = columns_of(lines)
    for line in lines:
        yield [
            line.name,
            *(line.counts[column] for column, _ in columns),
            *(line.share(share) for share, *_ in SHARES),
            line.money,
        ]
