"""What «История обращений» reads: a fixed number of queries for each screen.

Totals and the choice of a page's rows read only `contact_report`, the covering index of the days asked for (an index-only
scan that begins at the period and ends with it, whatever the table holds); the 50 rows of a page are fetched by key.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from django.db.models import BooleanField, Case, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from callcenter.clinics.models import Clinic, Patient
from callcenter.contacts.models import AdChannel, Contact, ContactResult, Interaction, Reason, Recording, Topic
from callcenter.contacts.states import MISSED, UNNOTED, Outcome, Shape, mask
from callcenter.lib.localtime import day_bounds, local_day
from callcenter.staff.models import User
from reports.ask import Ask, Drill
from reports.dimensions import DIMENSIONS, Dimension

PAGE: Final = 50
SMALL: Final = 10  # a group of fewer is greyed: its percentages say little
BOOKED: Final = (Outcome.BOOKED, Outcome.WAITING, Outcome.CAME)


def clinics_of(user: User) -> list[Clinic]:
    return list(Clinic.objects.visible_to(user))


def today_of(clinics: Sequence[Clinic], now: dt.datetime) -> dt.date:
    """The local day of the user's first clinic; contacts themselves lie in the day of their own clinic."""
    return local_day(now, clinics[0].zone if clinics else "Europe/Moscow")


# --- Conditions -----------------------------------------------------------------------------------------------------


def _scope(ask: Ask, clinics: Sequence[Clinic]) -> list[int]:
    """The clinics asked for, of those the user may see."""
    allowed = [clinic.pk for clinic in clinics]
    return [pk for pk in allowed if pk in ask.clinics] if ask.clinics else allowed


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
    ask: Ask, clinics: Sequence[Clinic], *, today: dt.date, since: dt.date | None = None
) -> QuerySet[Contact]:
    """The contacts that pass the filters, from `since` (the period's own beginning by default)."""
    found = Contact.objects.filter(
        on__gte=since or ask.since, on__lte=ask.until, clinic__in=_scope(ask, clinics)
    ).order_by()
    where = Q()
    if ask.who:
        where &= Q(who_type__in=ask.who)
    if ask.types:
        found = found.annotate(typed=F("shapes").bitand(mask(list(ask.types))))
        where &= Q(typed__gt=0)
    if ask.outcomes:
        where &= Q(outcome__in=ask.outcomes)
    if ask.topics:
        where &= _in("topic", ask.topics)
    if ask.owners:
        where &= _in("owner", ask.owners)
    if ask.channels:
        where &= _in("channel", _with_descendants(ask.channels))
    if ask.lines:
        where &= Q(line__in=ask.lines)
    if ask.patient is not None:
        where &= Q(patient=ask.patient)
    if "first" in ask.flags:
        where &= Q(is_first_time=True)
    if "overdue" in ask.flags:
        where &= Q(overdue_on__lte=today)
    if "asking" in ask.flags:
        where &= Q(is_asking=True)
    for flag, shapes in (("missed", MISSED), ("unnoted", UNNOTED)):
        if flag in ask.flags:
            found = found.annotate(**{f"bits_{flag}": F("shapes").bitand(mask(list(shapes)))})
            where &= Q(**{f"bits_{flag}__gt": 0})
    for drill in ask.drills:
        where &= DIMENSIONS[drill.dimension].where(drill.value)
    return found.filter(where)


def interactions_of(ask: Ask, clinics: Sequence[Clinic], *, today: dt.date) -> QuerySet[Interaction]:
    """«Без группировки»: every interaction that passes the filters; a comment that joined a call is part of it."""
    scope = _scope(ask, clinics)
    zones: dict[str, list[int]] = {}
    for clinic in clinics:
        if clinic.pk in scope:
            zones.setdefault(clinic.zone, []).append(clinic.pk)
    when = Q(pk__in=[])
    bounds = []
    for zone, keys in zones.items():
        begin, end = day_bounds(ask.since, zone)[0], day_bounds(ask.until, zone)[1]
        bounds.append((begin, end))
        when |= Q(clinic__in=keys, at__gte=begin, at__lt=end)
    where = Q(bound_to__isnull=True)
    if bounds:
        where &= Q(at__gte=min(begin for begin, _ in bounds), at__lt=max(end for _, end in bounds))
    if ask.who:
        where &= Q(who_type__in=ask.who)
    if ask.types:
        where &= Q(shape__in=ask.types)
    if ask.outcomes:
        where &= Q(contact__outcome__in=ask.outcomes)
    if ask.topics:
        where &= _in("shown_topic", ask.topics)
    if ask.owners:
        where &= _in("shown_employee", ask.owners)
    if ask.channels:
        where &= _in("channel", _with_descendants(ask.channels))
    if ask.lines:
        where &= Q(line__in=ask.lines)
    if ask.patient is not None:
        where &= Q(patient=ask.patient)
    if "first" in ask.flags:
        where &= Q(contact__is_first_time=True)
    if "overdue" in ask.flags:
        where &= Q(contact__overdue_on__lte=today, shape__in=[Shape.REQUEST_NEW, Shape.REQUEST_DIALOG_NEW])
    if "missed" in ask.flags:
        where &= Q(shape__in=MISSED)
    if "unnoted" in ask.flags:
        where &= Q(shape__in=UNNOTED)
    if "asking" in ask.flags:
        where &= Q(contact__is_asking=True)
    for drill in ask.drills:
        where &= DIMENSIONS[drill.dimension].where(drill.value, of="contact__")
    return Interaction.objects.filter(when & where).order_by()


# --- Totals ---------------------------------------------------------------------------------------------------------


@dataclass
class Measures:
    """What is counted of a group. Sums only, so that groups add up; shares and means follow from them."""

    count: int = 0
    booked: int = 0
    came: int = 0
    money: Decimal = Decimal()
    wait_seconds: int = 0
    waits: int = 0
    talk_seconds: int = 0
    talks: int = 0

    def add(self, other: "Measures") -> None:
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

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


_SUMS: Final[dict[str, Any]] = {
    "n_count": Count("*"),
    "n_booked": Count("pk", filter=Q(outcome__in=BOOKED)),
    "n_came": Count("pk", filter=Q(outcome=Outcome.CAME)),
    "n_money": Coalesce(Sum("money"), Value(Decimal())),
    "n_wait_seconds": Coalesce(Sum("wait_seconds"), 0),
    "n_waits": Coalesce(Sum("waits"), 0),
    "n_talk_seconds": Coalesce(Sum("talk_seconds"), 0),
    "n_talks": Coalesce(Sum("talks"), 0),
}


def _measures(row: dict[str, Any]) -> Measures:
    return Measures(**{name: row[f"n_{name}"] for name in Measures.__dataclass_fields__})


@dataclass
class Group:
    """One row of totals; `children` are the second level, their sums being this row."""

    dimension: Dimension
    value: Any
    label: str
    drills: tuple[Drill, ...]
    now: Measures = field(default_factory=Measures)
    before: Measures = field(default_factory=Measures)
    children: "list[Group]" = field(default_factory=list)
    share: float = 0

    @property
    def key(self) -> str:
        return Drill(self.dimension.slug, self.value).text


@dataclass
class Totals:
    groups: list[Group]
    now: Measures
    before: Measures


def _summed(found: QuerySet[Contact], keys: dict[str, Any], ask: Ask) -> list[dict[str, Any]]:
    is_now = Case(When(on__gte=ask.since, then=Value(True)), default=Value(False), output_field=BooleanField())
    return list(found.annotate(is_now=is_now, **keys).values("is_now", *keys).annotate(**_SUMS))


def totals(ask: Ask, clinics: Sequence[Clinic], *, today: dt.date) -> Totals:
    """One or two levels of totals, the previous period beside, in one query over both periods."""
    dimensions = [DIMENSIONS[slug] for slug in (ask.by1, ask.by2) if slug]
    keys = {f"k{place}": dimension.expression() for place, dimension in enumerate(dimensions)}
    found = contacts_of(ask, clinics, today=today, since=ask.previous[0])
    result = Totals([], Measures(), Measures())
    top: dict[Any, Group] = {}
    below: dict[tuple[Any, Any], Group] = {}
    for row in _summed(found, keys, ask):
        sums = _measures(row)
        (result.now if row["is_now"] else result.before).add(sums)
        if not dimensions:
            continue
        value = row["k0"]
        group = top.get(value)
        if group is None:
            group = top[value] = Group(dimensions[0], value, "", (Drill(dimensions[0].slug, value),))
        (group.now if row["is_now"] else group.before).add(sums)
        if len(dimensions) == 2:
            inner = below.get((value, row["k1"]))
            if inner is None:
                drills = (*group.drills, Drill(dimensions[1].slug, row["k1"]))
                inner = below[value, row["k1"]] = Group(dimensions[1], row["k1"], "", drills)
                group.children.append(inner)
            (inner.now if row["is_now"] else inner.before).add(sums)
    result.groups = _arranged(list(top.values()), result.now.count)
    for group in result.groups:
        group.children = _arranged(group.children, group.now.count)
    _name(result.groups)
    _name([child for group in result.groups for child in group.children])
    return result


def _arranged(groups: list[Group], whole: int) -> list[Group]:
    """Those of this period, the most first (days and hours by their order), each with its share of the whole."""
    shown = [group for group in groups if group.now.count]
    for group in shown:
        group.share = group.now.count / whole if whole else 0
    if shown and shown[0].dimension.in_order:
        return sorted(shown, key=lambda group: group.value)
    return sorted(shown, key=lambda group: (-group.now.count, group.dimension.text(group.value)))


def _name(groups: Sequence[Group]) -> None:
    if not groups:
        return
    dimension = groups[0].dimension
    labels = dimension.labels({group.value for group in groups if group.value is not None})
    for group in groups:
        group.label = labels.get(group.value, dimension.empty) if group.value is not None else dimension.empty


# --- Pages of rows --------------------------------------------------------------------------------------------------


@dataclass
class Page:
    rows: list[Any]
    next: tuple[dt.date, dt.datetime, int] | None


def contacts_page(ask: Ask, clinics: Sequence[Clinic], *, today: dt.date, limit: int = PAGE) -> Page:
    """The next contacts, newest first: their keys from the covering index, then the rows themselves."""
    found = contacts_of(ask, clinics, today=today)
    if ask.before is not None:
        day, moment, key = ask.before
        found = found.filter(
            Q(on__lt=day) | Q(on=day, started_at__lt=moment) | Q(on=day, started_at=moment, pk__lt=key), on__lte=day
        )
    keys = list(found.order_by("-on", "-started_at", "-pk").values_list("on", "started_at", "pk")[: limit + 1])
    rows = Contact.objects.filter(pk__in=[pk for _, _, pk in keys[:limit]]).order_by("-on", "-started_at", "-pk")
    return Page(list(rows), keys[limit - 1] if len(keys) > limit else None)


def interactions_page(ask: Ask, clinics: Sequence[Clinic], *, today: dt.date, limit: int = PAGE) -> Page:
    """The next interactions, newest first."""
    found = interactions_of(ask, clinics, today=today)
    if ask.before is not None:
        _, moment, key = ask.before
        found = found.filter(Q(at__lt=moment) | Q(at=moment, pk__lt=key), at__lte=moment)
    rows = list(found.order_by("-at", "-pk")[: limit + 1])
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], (ask.until, last.at, last.pk) if last else None)


def interactions_sums(ask: Ask, clinics: Sequence[Clinic], *, today: dt.date) -> dict[str, int | None]:
    """The line above «Без группировки»: how many, how many missed, seconds waited and talked."""
    row = interactions_of(ask, clinics, today=today).aggregate(
        count=Count("*"),
        missed=Count("pk", filter=Q(shape__in=MISSED)),
        wait=Sum("wait_seconds"),
        waits=Count("wait_seconds"),
        talk=Sum("talk_seconds"),
        talks=Count("talk_seconds"),
    )
    return {
        "count": row["count"],
        "missed": row["missed"],
        "mean_wait": round(row["wait"] / row["waits"]) if row["waits"] else None,
        "mean_talk": round(row["talk"] / row["talks"]) if row["talks"] else None,
    }


@dataclass
class Parts:
    """The contacts of a page with all their interactions and results, every name already joined."""

    contacts: dict[int, Contact]
    said: dict[int, list[Interaction]]
    gave: dict[int, list[ContactResult]]


def parts_of(keys: Iterable[int], clinics: Sequence[Clinic]) -> Parts:
    """Everything about some contacts in a fixed number of queries.

    Fifty rows name the same few employees, topics and channels over and over: each is read once and set on the rows, where
    a join would build its object anew for every one of them.
    """
    contacts = Contact.objects.in_bulk(set(keys))
    rows = list(Interaction.objects.filter(contact__in=contacts).order_by("at", "pk"))
    results = list(
        ContactResult.objects.filter(contact__in=contacts)
        .select_related("appointment__doctor", "appointment__clinic", "waiting__appointment__clinic", "task")
        .order_by("at", "pk")
    )
    everything: list[Any] = [*contacts.values(), *rows, *results]
    _join(everything, ("owner", "shown_employee", "employee", "by"), User.objects.only("full_name"))
    _join(everything, ("patient",), Patient.objects.only("last_name", "first_name", "middle_name"))
    _join(everything, ("topic", "shown_topic"), Topic.objects.all())
    _join(everything, ("channel",), AdChannel.objects.select_related("parent"))
    _join(rows, ("reason",), Reason.objects.all())
    known = {clinic.pk: clinic for clinic in clinics}
    recordings: dict[int, list[Recording]] = {}
    for recording in Recording.objects.filter(interaction__in=[row.pk for row in rows]).defer("transcript"):
        recordings.setdefault(recording.interaction_id, []).append(recording)
    parts = Parts(contacts, {}, {})
    for contact in contacts.values():
        contact.clinic = known[contact.clinic_id]
    for row in rows:
        row.clinic, row.contact = known[row.clinic_id], contacts[row.contact_id]
        row.sounds = recordings.get(row.pk, [])  # type: ignore[attr-defined]
        parts.said.setdefault(row.contact_id, []).append(row)
    for result in results:
        if result.contact_id is not None:
            parts.gave.setdefault(result.contact_id, []).append(result)
    return parts


def _join(rows: Iterable[Any], names: tuple[str, ...], found: QuerySet[Any]) -> None:
    """Sets these foreign keys of the rows from one query for all of them."""
    pairs = [(row, name) for row in rows for name in names if getattr(row, f"{name}_id", None) is not None]
    objects = found.in_bulk({getattr(row, f"{name}_id") for row, name in pairs})
    for row, name in pairs:
        setattr(row, name, objects[getattr(row, f"{name}_id")])
