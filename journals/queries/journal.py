"""The journal's list: tabs with counters, filters, sort, fifty a page — all of it in the address."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Prefetch, Q, QuerySet

from callcenter.clinics.models import Appointment, Clinic, Doctor, PatientPhone
from callcenter.clinics.queries import hours_of
from callcenter.clinics.schedule import Hours, quiet_until
from callcenter.contacts.models import Reason
from callcenter.lib import phones
from callcenter.lib.localtime import local, local_day
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from journals.machine import Policy, Stage, limit
from journals.models import PlanItem, RecallEntry, RecallPolicy

PAGE: Final = 50
# Counters above this read '10 000+': an exact number of a million closed rows helps nobody and costs a scan.
CAP: Final = 10_000

# What a line shows: reading every column of every table is half of the page's work.
SHOWN: Final = (
    *("stage", "call_on", "call_half", "doctor_comment", "unreached", "talks", "granted", "calls", "flagged"),
    *("several_visits", "last_outcome", "last_comment", "last_call_at", "touched_at", "reserved_until", "waiting_id"),
    *("clinic_id", "last_reason_id", "last_caller_id", "reserved_by_id", "appointment_id", "doctor__full_name"),
    *("patient__last_name", "patient__first_name", "patient__middle_name", "patient__zone", "patient__do_not_call"),
    "patient__sort_key",
)

TABS: Final[dict[str, str]] = {
    "all": "1. Все",
    "mine": "2. Мой план",
    "call": "3. Звать",
    "booked": "4. Записан",
    "refused": "5. Отказ",
}


@dataclass(frozen=True)
class Filters:
    """What the address of the page says."""

    tab: str = "call"
    clinic: Clinic | None = None
    doctor: Doctor | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    reason: Reason | None = None
    caller: User | None = None
    patients: tuple[int, ...] | None = None  # ids that fit the typed name or number
    only: str = ""  # 'flagged', 'several', 'free' (ready today and in nobody's plan)
    sort: str = ""
    after: str = ""
    before: str = ""


@dataclass(frozen=True)
class Sort:
    """An order that an index serves, and how a place in it is written into the address."""

    label: str
    field: str
    descending: bool
    value: Callable[[RecallEntry], str]
    read: Callable[[str], object]


SORTS: Final[dict[str, Sort]] = {
    "date": Sort("дата прозвона", "call_on", False, lambda entry: entry.call_on.isoformat(), dt.date.fromisoformat),
    "-date": Sort("дата, поздние", "call_on", True, lambda entry: entry.call_on.isoformat(), dt.date.fromisoformat),
    "-touched": Sort(
        "последнее изменение", "touched_at", True, lambda entry: entry.touched_at.isoformat(), dt.datetime.fromisoformat
    ),
    "patient": Sort("пациент", "patient__sort_key", False, lambda entry: entry.patient.sort_key, str),
}


def sort_of(filters: Filters) -> str:
    """The order asked for, or the tab's own: what is to be called by date, what is closed newest first."""
    if filters.sort in SORTS:
        return filters.sort
    return "date" if filters.tab in ("call", "mine") else "-touched"


@dataclass(frozen=True)
class Row:
    """One line of the journal as this user may see it now."""

    entry: RecallEntry
    phone: str  # E.164
    phone_text: str  # as this user may read it
    dial: bool  # the number may be dialled by a click
    quiet_until: dt.datetime | None  # local; the patient sleeps till then
    planned_for: User | None
    is_mine: bool
    held_by: User | None  # somebody else has the card open
    held_until: dt.datetime | None  # local
    number: int  # which call of ours comes next, or how many there were
    limit: int  # how many unreached calls the rule allows
    is_late: bool


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    after: str  # where the next page begins, '' when there is none
    before: str


def entries(filters: Filters, *, user: User, now: dt.datetime, tab: str | None = None) -> QuerySet[RecallEntry]:
    """The filtered entries of a tab, unordered."""
    tab = tab or filters.tab
    found = RecallEntry.objects.visible_to(user)
    if tab == "mine":
        found = found.filter(pk__in=my_items(user, now).values("entry_id"))
    elif tab != "all":
        found = found.filter(stage=tab)
    if filters.clinic is not None:
        found = found.filter(clinic=filters.clinic)
    if filters.doctor is not None:
        found = found.filter(doctor=filters.doctor)
    if filters.since is not None:
        found = found.filter(call_on__gte=filters.since)
    if filters.until is not None:
        found = found.filter(call_on__lte=filters.until)
    if filters.reason is not None:
        found = found.filter(last_reason=filters.reason)
    if filters.caller is not None:
        found = found.filter(last_caller=filters.caller)
    if filters.patients is not None:
        found = found.filter(patient_id__in=filters.patients)
    if filters.only == "flagged":
        found = found.filter(flagged=True, stage=Stage.CALL)
    elif filters.only == "several":
        found = found.filter(several_visits=True, stage=Stage.CALL)
    return found


def my_items(user: User, now: dt.datetime) -> QuerySet[PlanItem]:
    """The open rows of the user's plan whose day has come at the clinic (zones differ by less than a day: by UTC+14)."""
    latest = (now + dt.timedelta(hours=14)).date()
    return PlanItem.objects.open().filter(assignee=user, on__lte=latest)


def counters(filters: Filters, *, user: User, now: dt.datetime) -> dict[str, int]:
    """How many entries each tab has under the present filters; CAP + 1 means 'more than CAP'. Five short queries."""
    found = {
        tab: entries(filters, user=user, now=now, tab=tab).order_by()[: CAP + 1].count()
        for tab in ("mine", "call", "booked", "refused")
    }
    found["all"] = min(CAP + 1, sum(found[tab] for tab in ("call", "booked", "refused")))
    return found


def page(filters: Filters, *, user: User, now: dt.datetime) -> Page:
    """Fifty rows after (or before) a place in the order; no OFFSET, no count."""
    sort = SORTS[sort_of(filters)]
    backwards = bool(filters.before)
    found = _from(entries(filters, user=user, now=now), sort, filters.before or filters.after, backwards=backwards)
    # Two joins and short look-ups by key: with all its relations joined, planning the query took longer than the page.
    picked = list(
        found.select_related("patient", "doctor")
        .only(*SHOWN)
        .prefetch_related(
            Prefetch("clinic", Clinic.objects.prefetch_related("opening_hours", "special_days")),
            Prefetch("patient__phones", PatientPhone.objects.only("patient_id", "number", "is_main")),
            Prefetch("last_reason", Reason.objects.only("name")),
            Prefetch("last_caller", User.objects.only("full_name")),
            Prefetch("reserved_by", User.objects.only("full_name")),
            Prefetch("appointment", Appointment.objects.select_related("clinic").only("starts_at", "clinic__zone")),
            Prefetch(
                "plan_items",
                PlanItem.objects.open().select_related("assignee").only("entry_id", "assignee__full_name"),
                to_attr="open_items",
            ),
        )[: PAGE + 1]
    )
    more = len(picked) > PAGE
    picked = picked[:PAGE]
    if backwards:
        picked.reverse()
    has_before = more if backwards else bool(filters.after)
    has_after = bool(picked) if backwards else more
    return Page(
        rows=rows(picked, user=user, now=now),
        after=_place(picked[-1], sort) if picked and has_after else "",
        before=_place(picked[0], sort) if picked and has_before else "",
    )


def _place(entry: RecallEntry, sort: Sort) -> str:
    return f"{sort.value(entry)}~{entry.pk}"


def _from(found: QuerySet[RecallEntry], sort: Sort, place: str, *, backwards: bool) -> QuerySet[RecallEntry]:
    descending = sort.descending != backwards
    sign = "-" if descending else ""
    found = found.order_by(f"{sign}{sort.field}", f"{sign}pk")
    text, _tilde, pk = place.rpartition("~")
    if not pk.isdecimal():
        return found
    try:
        value = sort.read(text)
    except ValueError:
        return found  # an address somebody typed: begin at the beginning
    word = "lt" if descending else "gt"
    # The outer condition is what the index can seek to; the inner one drops the rows of the same value already seen.
    return found.filter(**{f"{sort.field}__{word}e": value}).filter(
        Q(**{f"{sort.field}__{word}": value}) | Q(**{f"pk__{word}": int(pk)})
    )


def rows(picked: Sequence[RecallEntry], *, user: User, now: dt.datetime) -> list[Row]:
    """The lines for entries fetched with `open_items` and their clinics with hours; one query more, for the policies."""
    clinics = {entry.clinic_id: entry.clinic for entry in picked}
    hours = {pk: hours_of(clinic) for pk, clinic in clinics.items()}
    policies = {policy.clinic_id: policy.rule for policy in RecallPolicy.objects.filter(clinic__in=clinics)}
    return [
        _row(entry, hours[entry.clinic_id], policies.get(entry.clinic_id, Policy()), user=user, now=now)
        for entry in picked
    ]


def _row(entry: RecallEntry, hours: Hours, policy: Policy, *, user: User, now: dt.datetime) -> Row:
    to_call = entry.stage == Stage.CALL
    phone = next(iter(entry.patient.phones.all()), None)
    zone = entry.patient.zone or hours.zone
    quiet = quiet_until(hours, "call", now, zone) if to_call else None
    items: list[PlanItem] = getattr(entry, "open_items", [])
    held = entry.is_held_by_other(user, now)
    is_mine = bool(items) and items[0].assignee_id == user.pk
    # Administrators call only what is in their plan.
    may_dial = (is_mine or user.has(Role.SENIOR)) and not held
    return Row(
        entry=entry,
        phone=phone.number if phone else "",
        phone_text=(phones.pretty if user.sees_phones else phones.masked)(phone.number) if phone else "",
        dial=bool(phone) and user.sees_phones and may_dial and not entry.patient.do_not_call and quiet is None,
        quiet_until=local(quiet, hours.zone) if quiet else None,
        planned_for=items[0].assignee if items else None,
        is_mine=is_mine,
        held_by=entry.reserved_by if held else None,
        held_until=local(entry.reserved_until, hours.zone) if held and entry.reserved_until else None,
        number=entry.calls + 1 if to_call else entry.calls,
        limit=limit(entry.position, policy),
        is_late=to_call and entry.call_on < local_day(now, hours.zone),
    )


def next_in_plan(user: User, now: dt.datetime, *, but: int | None = None) -> int | None:
    """The id of the next entry of the user's plan that nobody else holds; the order of «2. Мой план»."""
    items = (
        my_items(user, now).exclude(entry=but).exclude(Q(entry__reserved_until__gt=now) & ~Q(entry__reserved_by=user))
    )
    found: int | None = items.order_by("entry__call_on", "entry_id").values_list("entry_id", flat=True).first()
    return found
