"""What «История обращений» reads: a fixed number of queries for each screen.

Totals and the choice of a page's contacts read only `contact_report`, the covering index of the
days asked for (an index-only scan that begins at the period and ends with it, whatever the table
holds); the 50 rows of a page are fetched by key, in `parts.py`.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from callcenter.clinics.models import Clinic
from callcenter.contacts.models import AdChannel, Contact, Interaction
from callcenter.contacts.states import MISSED, UNNOTED, ContactOutcome, ContactType, mask
from callcenter.lib.localtime import day_bounds, local_day
from callcenter.staff.models import User
from reports import db_lookups  # noqa: F401 (registers the lookup)
from reports.dimensions import DIMENSIONS, Dimension
from reports.filters import ALL, DrillDown, ReportFilter
from reports.lookups import Lookups
from reports.row_data import InteractionRow

PAGE: Final = 50
LONG: Final = 62  # days from which on the planner is helped
SMALL: Final = 10  # a group of fewer is greyed: its percentages say little
_NOTHING: Final = Decimal()
BOOKED: Final = (ContactOutcome.BOOKED, ContactOutcome.WAITING, ContactOutcome.CAME)
_BOOKED_WORDS: Final = frozenset(map(str, BOOKED))


def clinics_of(user: User) -> list[Clinic]:
    """The user's clinics with what the report needs of them: name, zone, rules."""
    rules = [
        f"contact_policy__{field}"
        for field in ("comment_minutes", "result_minutes", "overdue_days")
    ]
    found = Clinic.objects.visible_to(user).select_related("contact_policy")
    return list(found.only("name", "zone", *rules))


def zone_of(clinics: Sequence[Clinic]) -> str:
    """The zone of the user's first clinic, for what belongs to none of them."""
    return clinics[0].zone if clinics else "Europe/Moscow"


def today_of(clinics: Sequence[Clinic], now: dt.datetime) -> dt.date:
    """The local day of the user's first clinic; contacts themselves lie in the day of their own
    clinic.
    """
    return local_day(now, zone_of(clinics))


# --- Conditions
# -----------------------------------------------------------------------------------------------------


def _scope(report_filter: ReportFilter, clinics: Sequence[Clinic]) -> list[int]:
    """The clinics asked for, of those the user may see."""
    allowed = [clinic.pk for clinic in clinics]
    return (
        [pk for pk in allowed if pk in report_filter.clinics] if report_filter.clinics else allowed
    )


def _in(field: str, keys: Iterable[Any]) -> Q:
    """One of the keys, None among them meaning 'not set'."""
    keys = list(keys)
    found = Q(**{f"{field}__in": [key for key in keys if key is not None]})
    return found | Q(**{f"{field}__isnull": True}) if None in keys else found


def _with_descendants(channels: Sequence[int | None]) -> list[int | None]:
    """A channel of the tree means all below it, too."""
    children: dict[int | None, list[int]] = {}
    for pk, parent in AdChannel.objects.values_list("pk", "parent_id"):
        children.setdefault(parent, []).append(pk)
    found = list(channels)
    for key in found:
        if key is not None:
            found.extend(child for child in children.get(key, []) if child not in found)
    return found


def contacts_of(
    report_filter: ReportFilter, clinics: Sequence[Clinic], *, today: dt.date
) -> QuerySet[Contact]:
    """The contacts of the period that pass the filters."""
    found = Contact.objects.filter(
        on__gte=report_filter.since, on__lte=report_filter.until
    ).order_by()
    where = Q(clinic__among=_scope(report_filter, clinics))
    if report_filter.who:
        where &= Q(caller_type__in=report_filter.who)
    if report_filter.types:
        found = found.annotate(typed=F("contact_types").bitand(mask(list(report_filter.types))))
        where &= Q(typed__gt=0)
    if report_filter.outcomes:
        where &= Q(outcome__in=report_filter.outcomes)
    if report_filter.topics:
        where &= _in("topic", report_filter.topics)
    if report_filter.owners:
        where &= _in("owner", report_filter.owners)
    if report_filter.channels:
        where &= _in("channel", _with_descendants(report_filter.channels))
    if report_filter.lines:
        where &= Q(line__in=report_filter.lines)
    if report_filter.patient is not None:
        where &= Q(patient=report_filter.patient)
    if "first" in report_filter.flags:
        where &= Q(is_first_time=True)
    if "overdue" in report_filter.flags:
        where &= Q(overdue_on__lte=today)
    if "asking" in report_filter.flags:
        where &= Q(is_ambiguous=True)
    for flag, contact_types in (("missed", MISSED), ("unnoted", UNNOTED)):
        if flag in report_filter.flags:
            found = found.annotate(
                **{f"bits_{flag}": F("contact_types").bitand(mask(list(contact_types)))}
            )
            where &= Q(**{f"bits_{flag}__gt": 0})
    return _drilled_down(found.filter(where), report_filter)


def interactions_of(
    report_filter: ReportFilter, clinics: Sequence[Clinic], *, today: dt.date
) -> QuerySet[Interaction]:
    """«Без группировки»: every interaction that passes the filters; a comment that joined a call is
    part of it.
    """
    scope = _scope(report_filter, clinics)
    zones: dict[str, list[int]] = {}
    for clinic in clinics:
        if clinic.pk in scope:
            zones.setdefault(clinic.zone, []).append(clinic.pk)
    when = Q(pk__in=[])
    bounds = []
    for zone, keys in zones.items():
        begin, end = (
            day_bounds(report_filter.since, zone)[0],
            day_bounds(report_filter.until, zone)[1],
        )
        bounds.append((begin, end))
        when |= Q(clinic__among=keys, at__gte=begin, at__lt=end)
    where = Q(joined_call__isnull=True)
    if bounds:
        where &= Q(at__gte=min(begin for begin, _ in bounds), at__lt=max(end for _, end in bounds))
    if report_filter.who:
        where &= Q(caller_type__in=report_filter.who)
    if report_filter.types:
        where &= Q(contact_type__in=report_filter.types)
    if report_filter.outcomes:
        where &= Q(contact__outcome__in=report_filter.outcomes)
    if report_filter.topics:
        where &= _in("shown_topic", report_filter.topics)
    if report_filter.owners:
        where &= _in("shown_employee", report_filter.owners)
    if report_filter.channels:
        where &= _in("channel", _with_descendants(report_filter.channels))
    if report_filter.lines:
        where &= Q(line__in=report_filter.lines)
    if report_filter.patient is not None:
        where &= Q(patient=report_filter.patient)
    if "first" in report_filter.flags:
        where &= Q(contact__is_first_time=True)
    if "overdue" in report_filter.flags:
        where &= Q(
            contact__overdue_on__lte=today,
            contact_type__in=[ContactType.REQUEST_NEW, ContactType.REQUEST_DIALOG_NEW],
        )
    if "missed" in report_filter.flags:
        where &= Q(contact_type__in=MISSED)
    if "unnoted" in report_filter.flags:
        where &= Q(contact_type__in=UNNOTED)
    if "asking" in report_filter.flags:
        where &= Q(contact__is_ambiguous=True)
    found = Interaction.objects.filter(when & where).order_by()
    reads_contacts = (
        report_filter.outcomes
        or {"first", "overdue", "asking"} & set(report_filter.flags)
        or report_filter.drill_downs
    )
    return _drilled_down(
        with_contacts(found, report_filter) if reads_contacts else found, report_filter
    )


def with_contacts(
    found: QuerySet[Interaction], report_filter: ReportFilter
) -> QuerySet[Interaction]:
    """Interactions whose contacts are asked for, too: those lie in the same days.

    Saying so lets the contacts be read from the covering index of the days, not from the whole
    table.
    """
    return found.filter(contact__on__gte=report_filter.since, contact__on__lte=report_filter.until)


def _drilled_down(found: QuerySet[Any], report_filter: ReportFilter) -> QuerySet[Any]:
    """Exactly the rows of the groups opened."""
    for drill_down in report_filter.drill_downs:
        name = f"in_{drill_down.dimension}"
        found = found.alias(**{name: group_by(DIMENSIONS[drill_down.dimension], report_filter)})
        found = found.filter(
            **({f"{name}__isnull": True} if drill_down.value is None else {name: drill_down.value})
        )
    return found


def group_by(dimension: Dimension, report_filter: ReportFilter) -> Combinable:
    return dimension.of_interaction if report_filter.view == ALL else dimension.of_contact


@contextmanager
def reading_the_index(report_filter: ReportFilter) -> Iterator[None]:
    """For a long period the planner takes each page of the covering index for a disk's seek and
    would read the whole table.

    Inside it is told what a seek costs on today's disks, so that the page grows with its period
    alone.
    """
    if report_filter.days <= LONG:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL random_page_cost = 1.1")
        yield


# --- Totals
# ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Measures:
    """What is counted of a group. Sums only, so that groups add up; shares and means follow from
    them.
    """

    count: int = 0
    missed: int = 0
    money: Decimal = _NOTHING
    wait_seconds: int = 0
    waits: int = 0
    talk_seconds: int = 0
    talks: int = 0
    booked: int = 0
    came: int = 0

    def add(self, other: "Measures") -> None:
        self.count += other.count
        self.booked += other.booked
        self.came += other.came
        self.missed += other.missed
        self.money += other.money
        self.wait_seconds += other.wait_seconds
        self.waits += other.waits
        self.talk_seconds += other.talk_seconds
        self.talks += other.talks

    @property
    def booked_share(self) -> float | None:
        return self.booked / self.count if self.count else None

    @property
    def mean_wait(self) -> int | None:
        return round(self.wait_seconds / self.waits) if self.waits else None

    @property
    def mean_talk(self) -> int | None:
        return round(self.talk_seconds / self.talks) if self.talks else None

    @property
    def small(self) -> bool:
        return self.count < SMALL


@dataclass(slots=True)
class TotalsGroup:
    """One row of totals; `children` are the second level, their sums being this row.

    `path` holds the value at each level down to this one, `dimensions` what they are values of.
    """

    dimensions: tuple[Dimension, ...]
    path: tuple[Any, ...]
    now: Measures = field(default_factory=Measures)
    before: Measures = field(default_factory=Measures)
    children: "list[TotalsGroup]" = field(default_factory=list)
    label: str = ""
    share: float = 0

    @property
    def dimension(self) -> Dimension:
        return self.dimensions[-1]

    @property
    def value(self) -> Any:
        return self.path[-1]

    @property
    def drill_downs(self) -> tuple[DrillDown, ...]:
        return tuple(
            DrillDown(one.slug, value)
            for one, value in zip(self.dimensions, self.path, strict=True)
        )

    @property
    def key(self) -> str:
        return DrillDown(self.dimension.slug, self.value).text


@dataclass(slots=True)
class Totals:
    groups: list[TotalsGroup] = field(default_factory=list)
    now: Measures = field(default_factory=Measures)
    before: Measures = field(default_factory=Measures)


# In the order of the fields of Measures. Money belongs to a contact: summed over its interactions
# it would count twice.
_OF_CONTACTS: Final[dict[str, Any]] = {
    "n_missed": Value(0),
    "n_money": Coalesce(Sum("money"), Value(_NOTHING)),
    "n_wait_seconds": Coalesce(Sum("wait_seconds"), 0),
    "n_waits": Coalesce(Sum("wait_count"), 0),
    "n_talk_seconds": Coalesce(Sum("talk_seconds"), 0),
    "n_talks": Coalesce(Sum("talk_count"), 0),
}
_OF_INTERACTIONS: Final[dict[str, Any]] = {
    "n_missed": Count("pk", filter=Q(contact_type__in=MISSED)),
    "n_money": Value(_NOTHING),
    "n_wait_seconds": Coalesce(Sum("wait_seconds"), 0),
    "n_waits": Count("wait_seconds"),
    "n_talk_seconds": Coalesce(Sum("talk_seconds"), 0),
    "n_talks": Count("talk_seconds"),
}


def totals(
    report_filter: ReportFilter, clinics: Sequence[Clinic], lookups: Lookups, *, today: dt.date
) -> Totals:
    """One or two levels of totals, the previous period beside: a scan of each, the earlier one only
    counting.
    """
    dimensions = tuple(DIMENSIONS[slug] for slug in (report_filter.by1, report_filter.by2) if slug)
    result = Totals()
    leaves: dict[tuple[Any, ...], TotalsGroup] = {}
    before = dataclasses.replace(
        report_filter, since=report_filter.previous[0], until=report_filter.previous[1]
    )
    with reading_the_index(report_filter):
        for period in (report_filter, before):
            for path, sums in _summed(
                period, clinics, dimensions, today=today, whole=period is report_filter
            ):
                if not dimensions:
                    (result.now if period is report_filter else result.before).add(sums)
                    continue
                leaf = leaves.get(path)
                if leaf is None:
                    leaf = leaves[path] = TotalsGroup(dimensions, path)
                (leaf.now if period is report_filter else leaf.before).add(sums)
    result.groups = _gathered(leaves) if len(dimensions) == 2 else list(leaves.values())
    for group in result.groups:
        result.now.add(group.now)
        result.before.add(group.before)
        group.children = _arranged(group.children, group.now.count)
    result.groups = _arranged(result.groups, result.now.count)
    _name(result.groups, lookups)
    _name([child for group in result.groups for child in group.children], lookups)
    return result


def _summed(
    report_filter: ReportFilter,
    clinics: Sequence[Clinic],
    dimensions: Sequence[Dimension],
    *,
    today: dt.date,
    whole: bool,
) -> Iterator[tuple[tuple[Any, ...], Measures]]:
    """The sums of each group of a period; `whole`=False counts only.

    The outcome is a key: to tell 'booked' by the handful of groups costs less than to compare words
    in a million rows. Interactions without groups are only counted: nobody shows how many of them
    were booked, and their contacts stay unread.
    """
    is_by_interaction = report_filter.view == ALL
    found: QuerySet[Any] = (
        interactions_of(report_filter, clinics, today=today)
        if is_by_interaction
        else contacts_of(report_filter, clinics, today=today)
    )
    keys: dict[str, Any] = {
        f"k{place}": group_by(one, report_filter) for place, one in enumerate(dimensions)
    }
    by_outcome = next(
        (place for place, one in enumerate(dimensions) if one.slug == "outcome"), len(dimensions)
    )
    if by_outcome == len(dimensions):
        keys["result"] = (
            group_by(DIMENSIONS["outcome"], report_filter)
            if dimensions or not is_by_interaction
            else Value("")
        )
    if is_by_interaction and dimensions:
        found = with_contacts(found, report_filter)
    sums = {
        "n_count": Count("*"),
        **((_OF_INTERACTIONS if is_by_interaction else _OF_CONTACTS) if whole else {}),
    }
    depth, width = len(dimensions), len(keys)
    for row in found.annotate(**keys).values(*keys).annotate(**sums).values_list(*keys, *sums):
        measures = Measures(*row[width:])
        if row[by_outcome] in _BOOKED_WORDS:
            measures.booked = measures.count
            if row[by_outcome] == ContactOutcome.CAME:
                measures.came = measures.count
        yield row[:depth], measures


def _gathered(leaves: dict[tuple[Any, ...], TotalsGroup]) -> list[TotalsGroup]:
    """The first level over the second: each its children's sum."""
    top: dict[Any, TotalsGroup] = {}
    for path, leaf in leaves.items():
        group = top.get(path[0])
        if group is None:
            group = top[path[0]] = TotalsGroup(leaf.dimensions[:1], path[:1])
        group.now.add(leaf.now)
        group.before.add(leaf.before)
        group.children.append(leaf)
    return list(top.values())


def _arranged(groups: list[TotalsGroup], whole: int) -> list[TotalsGroup]:
    """Those of this period, the most first (days and hours by their order), each with its share of
    the whole.
    """
    shown = [group for group in groups if group.now.count]
    for group in shown:
        group.share = group.now.count / whole if whole else 0
    if shown and shown[0].dimension.in_order:
        return sorted(shown, key=lambda group: group.value)
    return sorted(shown, key=lambda group: (-group.now.count, group.dimension.text(group.value)))


def _name(groups: Sequence[TotalsGroup], lookups: Lookups) -> None:
    if not groups:
        return
    dimension = groups[0].dimension
    labels = dimension.labels(lookups, {group.value for group in groups if group.value is not None})
    for group in groups:
        group.label = (
            labels.get(group.value, dimension.empty) if group.value is not None else dimension.empty
        )


# --- Pages of rows
# --------------------------------------------------------------------------------------------------


@dataclass
class HistoryPage:
    """Keys of contacts, or rows of interactions, and where the next page begins."""

    rows: list[Any]
    next: tuple[dt.date, dt.datetime, int] | None


def contacts_page(
    report_filter: ReportFilter, clinics: Sequence[Clinic], *, today: dt.date, limit: int = PAGE
) -> HistoryPage:
    """The keys of the next contacts, newest first."""
    found = contacts_of(report_filter, clinics, today=today)
    if report_filter.before is not None:
        day, moment, key = report_filter.before
        found = found.filter(
            Q(on__lt=day)
            | Q(on=day, started_at__lt=moment)
            | Q(on=day, started_at=moment, pk__lt=key),
            on__lte=day,
        )
    keys = list(
        found.order_by("-on", "-started_at", "-pk").values_list("on", "started_at", "pk")[
            : limit + 1
        ]
    )
    return HistoryPage(
        [pk for _, _, pk in keys[:limit]], keys[limit - 1] if len(keys) > limit else None
    )


def interactions_page(
    report_filter: ReportFilter, clinics: Sequence[Clinic], *, today: dt.date, limit: int = PAGE
) -> HistoryPage:
    """The next interactions, newest first."""
    found = interactions_of(report_filter, clinics, today=today)
    if report_filter.before is not None:
        _, moment, key = report_filter.before
        found = found.filter(Q(at__lt=moment) | Q(at=moment, pk__lt=key), at__lte=moment)
    newest = found.order_by("-at", "-pk").values_list(*InteractionRow._fields)[: limit + 1]
    rows = [InteractionRow._make(row) for row in newest]
    last = rows[limit - 1] if len(rows) > limit else None
    return HistoryPage(rows[:limit], (report_filter.until, last.at, last.pk) if last else None)
