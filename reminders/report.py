"""The report of «Дозвон»: what was sent, answered, reached and what came of it. One query for any period."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, DecimalField, Exists, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from callcenter.clinics.models import Clinic
from callcenter.clinics.states import AppointmentStatus
from callcenter.messaging.models import Message, VisitLink
from callcenter.messaging.states import ARRIVED, MESSENGERS, Answer, Channel
from reminders.models import Reminder
from reminders.states import Result

GROUPS: Final = {
    "day": ("run__on", "день"),
    "clinic": ("clinic__name", "клиника"),
    "administrator": ("called_by__full_name", "администратор"),
}

# (name, heading): the columns in the order of the screen and of the Excel sheet.
COLUMNS: Final = (
    ("total", "приёмов"),
    ("messenger", "в мессенджер"),
    ("sms", "СМС"),
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
SHARES: Final = (
    ("missed_confirmed", "неявка подтвердивших"),
    ("missed_unconfirmed", "неявка неподтвердивших"),
    ("missed_unreached", "неявка недозвонившихся"),
)


@dataclass(frozen=True)
class Line:
    """One line: its name, the counts, the shares of no-shows (None where nobody was), roubles at risk."""

    name: object
    counts: dict[str, int]
    shares: dict[str, tuple[int, int]]  # no-shows of how many
    money: Decimal

    def share(self, name: str) -> float | None:
        missed, of = self.shares[name]
        return missed / of if of else None


def report_lines(*, clinics: Sequence[Clinic], since: dt.date, until: dt.date, group: str) -> tuple[list[Line], Line]:
    """The lines by `group` (day, clinic, administrator) over runs of since…until, both included, and their total."""
    field = GROUPS[group][0]
    rows = list(_counted(clinics, since, until).values(name=F(field)).annotate(**_aggregates()).order_by("name"))
    lines = [_line(row["name"], [row]) for row in rows]
    return lines, _line("Итого", rows)


def _counted(clinics: Sequence[Clinic], since: dt.date, until: dt.date) -> Any:
    link = VisitLink.objects.filter(appointment=OuterRef("appointment"), version=OuterRef("version"))
    went = Message.objects.filter(
        appointment=OuterRef("appointment"), version=OuterRef("version"), attempted_at__isnull=False
    )
    return (
        Reminder.objects.filter(clinic__in=clinics, run__on__gte=since, run__on__lte=until)
        .filter(Q(left_at=None) | Q(left_reason="приём отменён"))
        .annotate(
            answer=Coalesce(Subquery(link.values("answer")[:1]), Value("")),
            is_opened=Exists(link.filter(opened_at__isnull=False)),
            by_messenger=Exists(went.filter(channel__in=MESSENGERS)),
            by_sms=Exists(went.filter(channel=Channel.SMS)),
            is_delivered=Exists(went.filter(state__in=ARRIVED)),
            price=Coalesce(
                F("appointment__money"),
                F("appointment__service__price"),
                Value(0),
                output_field=DecimalField(max_digits=12, decimal_places=2),
            ),
        )
    )


def _aggregates() -> dict[str, Any]:
    came = Q(appointment__status__in=[AppointmentStatus.ARRIVED, AppointmentStatus.COMPLETED])
    missed = Q(appointment__status=AppointmentStatus.NO_SHOW)
    over = came | missed
    confirmed, unreached = Q(answer=Answer.CONFIRM), Q(result=Result.UNREACHED)
    at_risk = ~confirmed & Q(is_settled=False) & ~came
    return {
        "total": Count("pk"),
        "messenger": Count("pk", filter=Q(by_messenger=True)),
        "sms": Count("pk", filter=Q(by_sms=True)),
        "delivered": Count("pk", filter=Q(is_delivered=True)),
        "opened": Count("pk", filter=Q(is_opened=True)),
        "confirmed": Count("pk", filter=confirmed),
        "moved": Count("pk", filter=Q(answer=Answer.MOVE)),
        "cancelled": Count("pk", filter=Q(answer=Answer.CANCEL)),
        "reached": Count("pk", filter=Q(result__in=[Result.COMING, Result.NOT_COMING])),
        "unreached": Count("pk", filter=unreached),
        "came": Count("pk", filter=came),
        "missed": Count("pk", filter=missed),
        "missed_confirmed": Count("pk", filter=missed & confirmed),
        "of_confirmed": Count("pk", filter=over & confirmed),
        "missed_unconfirmed": Count("pk", filter=missed & ~confirmed),
        "of_unconfirmed": Count("pk", filter=over & ~confirmed),
        "missed_unreached": Count("pk", filter=missed & unreached),
        "of_unreached": Count("pk", filter=over & unreached),
        "money": Sum("price", filter=at_risk, default=Decimal(0)),
    }


def _line(name: object, rows: Sequence[dict[str, Any]]) -> Line:
    def total(column: str) -> int:
        return sum(row[column] for row in rows)

    return Line(
        name if name is not None else "никто не звонил",
        {column: total(column) for column, _ in COLUMNS},
        {share: (total(share), total("of_" + share.removeprefix("missed_"))) for share, _ in SHARES},
        sum((row["money"] for row in rows), Decimal(0)),
    )


def sheet_rows(lines: Iterable[Line]) -> Iterator[list[object]]:
    """The lines as the cells of a sheet, in the order of the screen."""
    for line in lines:
        yield [
            line.name,
            *(line.counts[column] for column, _ in COLUMNS),
            *(line.share(share) for share, _ in SHARES),
            line.money,
        ]
