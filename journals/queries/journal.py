"""The journal's list: tabs with counters, filters, sort, fifty a page — all of it in the address."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import DateField, DateTimeField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Cast

from callcenter.clinics.models import Appointment, Clinic, Doctor, Patient, PatientPhone
from callcenter.clinics.schedule import Hours, Span, quiet_until
from callcenter.contacts.models import Reason
from callcenter.lib import phones
from callcenter.lib.localtime import local, local_day
from callcenter.lib.person_names import short_name
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from journals.models import PlanItem, RecallEntry, RecallPolicy
from journals.outcome_rules import EntryProgress, RecallLimits, Stage, limit

PAGE: Final = 50
# Counters above this read '10 000+': an exact number of a million closed rows helps nobody and
# costs a scan.
CAP: Final = 10_000

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
    patients: QuerySet[Patient] | None = None  # those that fit the typed name or number
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
    value: "Callable[[EntryLine], str]"
    read: Callable[[str], object]


SORTS: Final[dict[str, Sort]] = {
    "date": Sort(
        "дата прозвона",
        "call_on",
        False,
        lambda line: line.call_on.isoformat(),
        dt.date.fromisoformat,
    ),
    "-date": Sort(
        "дата, поздние",
        "call_on",
        True,
        lambda line: line.call_on.isoformat(),
        dt.date.fromisoformat,
    ),
    "-touched": Sort(
        "последнее изменение",
        "touched_at",
        True,
        lambda line: line.touched_at.isoformat(),
        dt.datetime.fromisoformat,
    ),
    "patient": Sort("пациент", "patient__sort_key", False, lambda line: line.sort_key, str),
}


def sort_of(filters: Filters) -> str:
    """The order asked for, or the tab's own: what is to be called by date, what is closed newest
    first.
    """
    if filters.sort in SORTS:
        return filters.sort
    return "date" if filters.tab in ("call", "mine") else "-touched"


@dataclass(frozen=True, slots=True)
class EntryLine:
    """What a line needs of the tables of entries, patients and doctors, in the order of LINE: no
    whole rows are read.
    """

    pk: int
    clinic: int
    patient: int
    stage: str
    call_on: dt.date
    call_half: str
    doctor_comment: str
    unreached: int
    talks: int
    granted: int
    calls: int
    flagged: bool
    several_visits: bool
    outcome: str
    comment: str
    called_at: dt.datetime | None
    touched_at: dt.datetime
    reserved_until: dt.datetime | None
    waiting: int | None
    reason: int | None
    caller: int | None
    holder: int | None
    visit: int | None
    doctor: str
    last_name: str
    first_name: str
    middle_name: str
    sort_key: str
    zone: str
    do_not_call: bool


LINE: Final = (
    *(
        "pk",
        "clinic_id",
        "patient_id",
        "stage",
        "call_on",
        "call_half",
        "doctor_comment",
        "unreached",
        "talks",
    ),
    *(
        "granted",
        "calls",
        "flagged",
        "several_visits",
        "last_outcome",
        "last_comment",
        "last_call_at",
        "touched_at",
    ),
    *(
        "reserved_until",
        "waiting_id",
        "last_reason_id",
        "last_caller_id",
        "reserved_by_id",
        "appointment_id",
    ),
    *(
        "doctor__full_name",
        "patient__last_name",
        "patient__first_name",
        "patient__middle_name",
        "patient__sort_key",
    ),
    *("patient__zone", "patient__do_not_call"),
)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One line of the journal as this user may see it now; names, dates and times are ready words."""

    line: EntryLine
    patient: str
    doctor: str
    phone: str  # E.164
    phone_text: str  # as this user may read it
    dial: bool  # the number may be dialled by a click
    quiet_until: str  # '09:00' when the patient sleeps till then
    call_on: str
    is_late: bool
    number: int  # which call of ours comes next, or how many there were
    limit: int  # how many unreached calls the rule allows
    planned_for: str
    is_mine: bool
    held_by: str  # somebody else has the card open
    held_until: str
    visit: str
    reason: str
    caller: str
    called_at: str


@dataclass(frozen=True)
class JournalPage:
    rows: list[JournalRow]
    after: str  # where the next page begins, '' when there is none
    before: str


def entries(filters: Filters, *, user: User) -> QuerySet[RecallEntry]:
    """The filtered entries of all tabs, unordered."""
    found = RecallEntry.objects.visible_to(user)
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
        found = found.filter(patient__in=filters.patients)
    if filters.only == "flagged":
        found = found.filter(flagged=True, stage=Stage.CALL)
    elif filters.only == "several":
        found = found.filter(several_visits=True, stage=Stage.CALL)
    return found


def _of_tab(
    found: QuerySet[RecallEntry], tab: str, *, user: User, now: dt.datetime
) -> QuerySet[RecallEntry]:
    if tab == "mine":
        return found.filter(pk__in=my_items(user, now).values("entry_id"))
    return found if tab == "all" else found.filter(stage=tab)


def my_items(user: User, now: dt.datetime) -> QuerySet[PlanItem]:
    """The open rows of the user's plan whose day has come at their clinic."""
    latest = (
        now + dt.timedelta(hours=14)
    ).date()  # no zone is further ahead: what the index can seek to
    return PlanItem.objects.open().filter(assignee=user, on__lte=latest).filter(on__lte=_today(now))


def _today(now: dt.datetime) -> Cast:
    """The local day of the row's clinic, in SQL."""
    here: Func = Func(
        F("clinic__zone"), Value(now), function="timezone", output_field=DateTimeField()
    )
    return Cast(here, DateField())


def counters(filters: Filters, *, user: User, now: dt.datetime) -> dict[str, int]:
    """How many entries each tab has under the present filters; CAP + 1 means 'more than CAP'. One
    query.
    """
    tabs = ("mine", "call", "booked", "refused")
    asked: list[str] = []
    params: list[Any] = []
    every = entries(filters, user=user).order_by()
    for tab in tabs:
        found = _of_tab(every, tab, user=user, now=now).values_list("pk")[: CAP + 1]
        try:
            sql, values = found.query.sql_with_params()
        except EmptyResultSet:  # nothing can fit, and Django knows it without asking
            asked.append("0")
            continue
        # Django's own SQL, values are parameters
        asked.append(f"(SELECT count(*) FROM ({sql}) AS counted)")  # noqa: S608
        params += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(asked)}", params)
        counts: dict[str, int] = dict(zip(tabs, cursor.fetchone(), strict=True))
    return counts | {"all": min(CAP + 1, counts["call"] + counts["booked"] + counts["refused"])}


def page(filters: Filters, *, user: User, now: dt.datetime) -> JournalPage:
    """Fifty rows after (or before) a place in the order; no OFFSET, no count."""
    sort = SORTS[sort_of(filters)]
    backwards = bool(filters.before)
    wanted = _of_tab(entries(filters, user=user), filters.tab, user=user, now=now)
    found = _from(wanted, sort, filters.before or filters.after, backwards=backwards)
    # Two joins and short look-ups by key: with all its relations joined, planning the query took
    # longer than the page.
    picked = [EntryLine(*values) for values in found.values_list(*LINE)[: PAGE + 1]]
    more = len(picked) > PAGE
    picked = picked[:PAGE]
    if backwards:
        picked.reverse()
    has_before = more if backwards else bool(filters.after)
    has_after = bool(picked) if backwards else more
    return JournalPage(
        rows=rows(picked, user=user, now=now) if picked else [],
        after=_place(picked[-1], sort) if picked and has_after else "",
        before=_place(picked[0], sort) if picked and has_before else "",
    )


def _place(line: EntryLine, sort: Sort) -> str:
    return f"{sort.value(line)}~{line.pk}"


def _from(
    found: QuerySet[RecallEntry], sort: Sort, place: str, *, backwards: bool
) -> QuerySet[RecallEntry]:
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
    # The outer condition is what the index can seek to; the inner one drops the rows of the same
    # value already seen.
    return found.filter(**{f"{sort.field}__{word}e": value}).filter(
        Q(**{f"{sort.field}__{word}": value}) | Q(**{f"pk__{word}": int(pk)})
    )


@dataclass(slots=True)
class _Beside:
    """What stands beside the lines in other tables, by its key."""

    hours: dict[int, Hours]
    policies: dict[int, RecallLimits]
    phones: dict[int, str]
    reasons: dict[int, str]
    names: dict[int, str]  # short ones
    planned: dict[int, int]  # entry → in whose plan
    visits: dict[int, str] = field(default_factory=dict)


def rows(lines: Sequence[EntryLine], *, user: User, now: dt.datetime) -> list[JournalRow]:
    """The lines with what stands beside them: at most seven short queries, however many lines."""
    beside = _beside(lines)
    return [_row(line, beside, user=user, now=now) for line in lines]


def _beside(lines: Sequence[EntryLine]) -> _Beside:
    clinics = {line.clinic for line in lines}
    hours = {
        pk: Hours(zone, {}, calls=week, calls_day_off=off)
        for pk, zone, week, off in _clinics(clinics)
    }
    planned = dict(
        PlanItem.objects.open()
        .filter(entry__in=[line.pk for line in lines])
        .values_list("entry_id", "assignee_id")
    )
    people = {pk for line in lines for pk in (line.caller, line.holder) if pk} | set(
        planned.values()
    )
    reasons = {line.reason for line in lines if line.reason}
    numbers = PatientPhone.objects.filter(patient__in={line.patient for line in lines}).order_by(
        "is_main", "-pk"
    )
    visits = {line.visit for line in lines if line.visit}
    starts = (
        Appointment.objects.filter(pk__in=visits)
        .order_by()
        .values_list("pk", "starts_at", "clinic__zone")
    )
    return _Beside(
        hours,
        {
            pk: RecallLimits(calls)
            for pk, calls in RecallPolicy.objects.filter(clinic__in=clinics).values_list(
                "clinic", "calls"
            )
        },
        dict(numbers.values_list("patient_id", "number")),  # the last one stays: the main number
        dict(Reason.objects.filter(pk__in=reasons).values_list("pk", "name")) if reasons else {},
        {
            pk: short_name(name)
            for pk, name in User.objects.filter(pk__in=people).values_list("pk", "full_name")
        },
        planned,
        {pk: _words(local(start, zone)) for pk, start, zone in starts} if visits else {},
    )


def _clinics(pks: Iterable[int]) -> list[tuple[int, str, Span, Span]]:
    """Zone and quiet hours of calls: opening hours play no part in a line."""
    fields = ("pk", "zone", "calls_from", "calls_to", "calls_dayoff_from", "calls_dayoff_to")
    found = Clinic.objects.filter(pk__in=pks).order_by().values_list(*fields)
    return [(pk, zone, (since, until), (off, till)) for pk, zone, since, until, off, till in found]


def _row(line: EntryLine, beside: _Beside, *, user: User, now: dt.datetime) -> JournalRow:
    to_call = line.stage == Stage.CALL
    hours = beside.hours[line.clinic]
    number = beside.phones.get(line.patient, "")
    quiet = quiet_until(hours, "call", now, line.zone) if to_call else None
    owner = beside.planned.get(line.pk)
    held_until = line.reserved_until
    held = held_until is not None and held_until > now and line.holder != user.pk
    # Administrators call only what is in their plan.
    may_dial = (owner == user.pk or user.has(Role.SENIOR)) and not held
    progress = EntryProgress(Stage(line.stage), line.unreached, line.talks, line.granted)
    return JournalRow(
        line=line,
        patient=" ".join(
            part for part in (line.last_name, line.first_name, line.middle_name) if part
        ),
        doctor=short_name(line.doctor),
        phone=number,
        phone_text=(phones.format_phone if user.sees_phones else phones.masked)(number)
        if number
        else "",
        dial=bool(number)
        and user.sees_phones
        and may_dial
        and not line.do_not_call
        and quiet is None,
        quiet_until=f"{local(quiet, hours.zone):%H:%M}" if quiet else "",
        call_on=f"{line.call_on:%d.%m.%Y}",
        is_late=to_call and line.call_on < local_day(now, hours.zone),
        number=line.calls + 1 if to_call else line.calls,
        limit=limit(progress, beside.policies.get(line.clinic, RecallLimits())),
        planned_for=beside.names[owner] if owner else "",
        is_mine=owner == user.pk,
        held_by=beside.names.get(line.holder or 0, "") if held else "",
        held_until=f"{local(held_until, hours.zone):%H:%M}" if held and held_until else "",
        visit=beside.visits.get(line.visit or 0, ""),
        reason=beside.reasons.get(line.reason or 0, ""),
        caller=beside.names.get(line.caller or 0, ""),
        called_at=_words(local(line.called_at, hours.zone)) if line.called_at else "",
    )


def _words(moment: dt.datetime) -> str:
    return f"{moment:%d.%m.%Y %H:%M}"


def next_in_plan(user: User, now: dt.datetime, *, but: int | None = None) -> int | None:
    """The id of the next entry of the user's plan that may be called and nobody else holds; the
    order of «2. Мой план».
    """
    items = (
        my_items(user, now)
        .exclude(entry=but)
        .exclude(Q(entry__reserved_until__gt=now) & ~Q(entry__reserved_by=user))
        .filter(entry__patient__do_not_call=False, entry__call_on__lte=_today(now))
    )
    found: int | None = (
        items.order_by("entry__call_on", "entry_id").values_list("entry_id", flat=True).first()
    )
    return found
