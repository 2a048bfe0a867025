"""Everything on the card of an entry: one screen, a fixed number of queries."""

import datetime as dt
import itertools
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q, Value

from callcenter.clinics.models import Appointment, AppointmentEvent, Clinic, Patient, ScheduleWindow
from callcenter.clinics.queries import (
    call_block_reason,
    family_of,
    free_windows,
    future_visits,
    hours_of,
    visits_of,
)
from callcenter.clinics.schedule import quiet_until
from callcenter.clinics.states import UPCOMING
from callcenter.contacts.models import Reason, ReasonUse
from callcenter.lib.localtime import local, local_day
from callcenter.staff.models import User
from journals.models import PlanItem, RecallCall, RecallEntry, RecallPolicy
from journals.outcome_rules import is_last_call, limit, may_grant
from journals.schedule import half_of, next_call_on, quick_dates

WINDOW_DAYS = 30  # «Прогнозное расписание»
PAST_VISITS = 6


@dataclass(frozen=True)
class WindowDay:
    """Free windows of one local day, in order."""

    on: dt.date
    windows: list["FreeWindow"]


@dataclass(frozen=True)
class FreeWindow:
    pk: int
    starts_at: dt.datetime  # local
    minutes: int
    doctor: str
    clinic: str
    fits_half: bool  # lies in the half of the day that is proposed


@dataclass(frozen=True)
class RecallCard:
    """The card of one entry as one user sees it now."""

    entry: RecallEntry
    phones: list[tuple[str, str]]  # (E.164, whose)
    quiet_until: dt.datetime | None  # local
    may_not_call: str | None
    family: list[Patient]
    past: list[Appointment]
    coming: list[Appointment]
    calls: list[RecallCall]
    item: PlanItem | None  # in whose plan it is
    number: int
    limit: int
    last_call: bool
    next_on: dt.date
    may_grant: bool
    today: dt.date
    open_to: set[int]  # clinics whose visits the user may open
    quick_dates: list[tuple[str, dt.date]]
    # Of the dictionary, by use.
    reasons: dict[str, list[Reason]] = field(default_factory=dict)
    choices: list[Appointment] = field(default_factory=list)  # «какая из записей?»


def card(entry: RecallEntry, *, user: User, now: dt.datetime) -> RecallCard:
    """All but the windows, as far as the user may see it; about a dozen queries however long the
    history is.
    """
    hours, policy = hours_of(entry.clinic), RecallPolicy.of(entry.clinic_id).limits
    today = local_day(now, entry.clinic.zone)
    quiet = quiet_until(hours, "call", now, entry.patient.zone)
    reasons = list(Reason.objects.filter(is_active=True))
    return RecallCard(
        entry=entry,
        phones=[(phone.number, phone.label) for phone in entry.patient.phones.all()],
        quiet_until=local(quiet, entry.clinic.zone) if quiet else None,
        may_not_call=call_block_reason(entry.patient),
        family=family_of(entry.patient, user=user),
        past=list(visits_of(entry.patient).filter(starts_at__lte=now)[:PAST_VISITS]),
        coming=list(future_visits(entry.patient, now)),
        calls=list(
            entry.call_log.select_related(
                "by", "reason", "refusal_reason", "appointment__clinic"
            ).order_by("-at", "-pk")
        ),
        item=PlanItem.objects.open().filter(entry=entry).select_related("assignee").first(),
        number=entry.calls + 1,
        limit=limit(entry.progress, policy),
        last_call=is_last_call(entry.progress, policy),
        next_on=next_call_on(hours, today, policy),
        may_grant=may_grant(entry.progress, policy),
        today=today,
        open_to=set(Clinic.objects.filter(staff=user).values_list("pk", flat=True)),
        quick_dates=quick_dates(hours, today, policy),
        reasons={
            use: [reason for reason in reasons if use in reason.uses] for use in ReasonUse.values
        },
        choices=matching_visits(entry, now) if entry.several_visits else [],
    )


def matching_visits(entry: RecallEntry, now: dt.datetime) -> list[Appointment]:
    """Future visits with this doctor or specialty that the patient got since the entry was opened,
    the next first.
    """
    return list(
        Appointment.objects.filter(
            Q(doctor_id=entry.doctor_id) | Q(doctor__specialty_id=entry.doctor.specialty_id),
            got_since(Value(entry.visits_from), Value(entry.doctor.specialty_id)),
            patient_id=entry.patient_id,
            status__in=UPCOMING,
            starts_at__gt=now,
        )
        .select_related("clinic", "doctor")
        .order_by("starts_at")
    )


def got_since(moment: Value | OuterRef, specialty: Value | OuterRef) -> Q:
    """Of visits: booked since the moment, or moved since then from a doctor of another specialty."""
    inner_moment, inner_specialty = (
        OuterRef(one) if isinstance(one, OuterRef) else one for one in (moment, specialty)
    )
    brought = AppointmentEvent.objects.filter(
        ~Q(doctor_before__specialty=inner_specialty),
        appointment=OuterRef("pk"),
        at__gte=inner_moment,
        doctor_before__isnull=False,
    )
    return Q(created_at__gte=moment) | Q(Exists(brought))


def windows(
    entry: RecallEntry, *, whole_specialty: bool, clinics: list[Clinic], now: dt.datetime
) -> list[WindowDay]:
    """«Прогнозное расписание»: thirty days of free windows of the doctor, or of the other doctors
    of the specialty.
    """
    found = free_windows(
        now=now,
        clinics=clinics,
        since=now,
        until=now + dt.timedelta(days=WINDOW_DAYS),
        doctor=None if whole_specialty else entry.doctor,
        specialty=entry.doctor.specialty if whole_specialty else None,
    )
    if whole_specialty:
        found = found.exclude(doctor=entry.doctor)
    hours = hours_of(entry.clinic)
    free = [
        FreeWindow(
            pk=window.pk,
            starts_at=local(window.starts_at, window.clinic.zone),
            minutes=_minutes(window),
            doctor=window.doctor.short_name,
            clinic=window.clinic.name,
            fits_half=entry.call_half == half_of(hours, window.starts_at),
        )
        for window in found
    ]
    free.sort(key=lambda window: (window.starts_at.date(), window.doctor, window.starts_at))
    return [
        WindowDay(on, list(day))
        for on, day in itertools.groupby(free, key=lambda window: window.starts_at.date())
    ]


def _minutes(window: ScheduleWindow) -> int:
    return int((window.ends_at - window.starts_at).total_seconds() // 60)
