"""What a page of the report is asked for, read from its address. Nonsense in an address is left
out, never a 500.
"""

import calendar
import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from django.http import QueryDict

from callcenter.contacts.states import CallerType, ContactOutcome, ContactType
from callcenter.lib import phones
from callcenter.lib.query_params import date, moment, number
from reports.dimensions import DIMENSIONS, NONE

PRESETS: Final[dict[str, str]] = {
    "today": "Сегодня",
    "yesterday": "Вчера",
    "week": "7 дней",
    "month": "Этот месяц",
    "last_month": "Прошлый месяц",
    "quarter": "Квартал",
    "year": "Год",
}
CONTACTS: Final = "contacts"
ALL: Final = "all"
VIEWS: Final[dict[str, str]] = {ALL: "Без группировки", CONTACTS: "По обращениям"}
FLAGS: Final[dict[str, str]] = {
    "first": "Первичные пациенты",
    "overdue": "Просроченные заявки",
    "missed": "С пропущенными",
    "unnoted": "Без комментария",
    "asking": "Неясно, чей номер",
}


@dataclass(frozen=True)
class DrillDown:
    """One opened group: «в группе Сотрудник = Орлова»."""

    dimension: str
    value: Any

    @property
    def text(self) -> str:
        return f"{self.dimension}:{DIMENSIONS[self.dimension].text(self.value)}"


@dataclass(frozen=True)
class ReportFilter:
    """Everything that decides what the report shows; two equal ones show the same."""

    since: dt.date
    until: dt.date
    preset: str = ""
    view: str = ALL
    by1: str = ""
    by2: str = ""
    who: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    topics: tuple[int | None, ...] = ()
    owners: tuple[int | None, ...] = ()
    channels: tuple[int | None, ...] = ()
    clinics: tuple[int, ...] = ()
    lines: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    drill_downs: tuple[DrillDown, ...] = ()
    patient: int | None = None
    opened: tuple[str, ...] = ()
    chart: str = ""
    before: tuple[dt.date, dt.datetime, int] | None = field(default=None)

    @property
    def grouped(self) -> bool:
        return bool(self.by1)

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    @property
    def previous(self) -> tuple[dt.date, dt.date]:
        """The period of the same length right before; the month before for a whole month."""
        end = self.since - dt.timedelta(days=1)
        month = calendar.monthrange(self.since.year, self.since.month)[1]
        if self.since.day == 1 and self.until == self.since.replace(day=month):
            return end.replace(day=1), end
        return self.since - dt.timedelta(days=self.days), end


def read_filter(params: QueryDict, today: dt.date) -> ReportFilter:
    """The Ask of an address; without a period it is today's."""
    preset = params.get("period", "")
    since, until = date(params.get("since")), date(params.get("until"))
    if since or until:
        since, until = since or until or today, until or since or today
        since, until = min(since, until), max(since, until)
        # The form sends both: dates that nobody has changed leave the period its name, and
        # «Сегодня» follows the day.
        if preset not in PRESETS or (since, until) != period_of(preset, today):
            preset = ""
    else:
        preset = preset if preset in PRESETS else "today"
        since, until = period_of(preset, today)
    by1, by2 = (params.get(name, "") for name in ("by1", "by2"))
    by1, by2 = (slug if slug in DIMENSIONS else "" for slug in (by1, by2))
    if not by1 or by1 == by2:
        by1, by2 = (by1 or by2), ""
    view = params.get("view", "")
    return ReportFilter(
        since=since,
        until=until,
        preset=preset,
        view=view if view in VIEWS else CONTACTS if by1 else ALL,
        by1=by1,
        by2=by2,
        who=_words(params, "who", set(CallerType.values)),
        types=_words(params, "type", set(ContactType.values)),
        outcomes=_words(params, "outcome", set(ContactOutcome.values)),
        topics=_keys(params, "topic"),
        owners=_keys(params, "owner"),
        channels=_keys(params, "channel"),
        clinics=tuple(key for key in _keys(params, "clinic") if key is not None),
        lines=_lines(params),
        flags=tuple(flag for flag in FLAGS if params.get(flag) == "1"),
        drill_downs=tuple(_drill_downs(params.getlist("in"))),
        patient=next(iter(_keys(params, "patient")), None),
        opened=tuple(dict.fromkeys(params.getlist("open")))[:200],
        chart=params.get("chart", "")
        if params.get("chart", "") in ("day", "funnel", "heat")
        else "",
        before=_before(params.get("before", "")),
    )


def period_of(preset: str, today: dt.date) -> tuple[dt.date, dt.date]:
    """The local days of a preset, both included."""
    if preset == "yesterday":
        return today - dt.timedelta(days=1), today - dt.timedelta(days=1)
    if preset == "week":
        return today - dt.timedelta(days=6), today
    if preset == "month":
        return today.replace(day=1), today
    if preset == "last_month":
        end = today.replace(day=1) - dt.timedelta(days=1)
        return end.replace(day=1), end
    if preset == "quarter":
        return today - dt.timedelta(days=91), today
    if preset == "year":
        return today - dt.timedelta(days=364), today
    return today, today


def _words(params: QueryDict, name: str, known: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in params.getlist(name) if word in known))


def _lines(params: QueryDict) -> tuple[str, ...]:
    typed = (
        phones.e164_or_text(line.replace("\x00", "").strip()[:40])
        for line in params.getlist("line")
    )
    return tuple(dict.fromkeys(line for line in typed if line))[:20]


def _keys(params: QueryDict, name: str) -> tuple[int | None, ...]:
    keys: list[int | None] = []
    for text in params.getlist(name)[:200]:
        if text == NONE:
            keys.append(None)
        elif text.isascii() and text.isdigit() and len(text) < 10:
            keys.append(int(text))
    return tuple(dict.fromkeys(keys))


def _drill_downs(texts: list[str]) -> Iterable[DrillDown]:
    for text in texts[:4]:
        slug, _, value = text.partition(":")
        if slug in DIMENSIONS:
            try:
                yield DrillDown(slug, DIMENSIONS[slug].read(value))
            except ValueError:
                continue


def _before(text: str) -> tuple[dt.date, dt.datetime, int] | None:
    """Where the page before ended: 'day_instant_id'."""
    parts = text.split("_")
    if len(parts) != 3:
        return None
    day, at, key = date(parts[0]), moment(parts[1]), number(parts[2])
    return (day, at, key) if day is not None and at is not None and key is not None else None


def narrowed(report_filter: ReportFilter, *drill_downs: DrillDown) -> ReportFilter:
    """The rows of one group: the same filters, the group's own conditions, no grouping."""
    return dataclasses.replace(
        report_filter,
        by1="",
        by2="",
        drill_downs=(*report_filter.drill_downs, *drill_downs),
        opened=(),
        before=None,
    )


def address(report_filter: ReportFilter, **changes: Any) -> str:
    """The query string of an Ask, defaults left out: `read_ask` of it gives the same Ask."""
    report_filter = dataclasses.replace(report_filter, **changes)
    pairs = (
        [("period", report_filter.preset)]
        if report_filter.preset
        else [
            ("since", report_filter.since.isoformat()),
            ("until", report_filter.until.isoformat()),
        ]
    )
    words = (
        ("view", report_filter.view),
        ("by1", report_filter.by1),
        ("by2", report_filter.by2),
        ("chart", report_filter.chart),
    )
    pairs += [(name, value) for name, value in words if value]
    lists: tuple[tuple[str, tuple[Any, ...], Callable[[Any], str]], ...] = (
        ("who", report_filter.who, str),
        ("type", report_filter.types, str),
        ("outcome", report_filter.outcomes, str),
        ("topic", report_filter.topics, _key_text),
        ("owner", report_filter.owners, _key_text),
        ("channel", report_filter.channels, _key_text),
        ("clinic", report_filter.clinics, _key_text),
        ("line", report_filter.lines, str),
        ("in", report_filter.drill_downs, lambda drill_down: drill_down.text),
        ("open", report_filter.opened, str),
    )
    pairs += [(name, text(value)) for name, values, text in lists for value in values]
    pairs += [(flag, "1") for flag in report_filter.flags]
    if report_filter.patient is not None:
        pairs.append(("patient", str(report_filter.patient)))
    if report_filter.before is not None:
        day, moment, key = report_filter.before
        pairs.append(("before", f"{day.isoformat()}_{moment.isoformat()}_{key}"))
    return "?" + "&".join(f"{name}={quote(value, safe=':_')}" for name, value in pairs)


def _key_text(key: int | None) -> str:
    return NONE if key is None else str(key)
