"""The senior's segment: which entries of «3. Звать» are ready, planned, resting or blocked — and
why.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final, cast

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from callcenter.clinics.models import Appointment, Clinic, Consent, Doctor, PatientPhone
from callcenter.clinics.states import UPCOMING, ConsentChannel, ConsentPurpose
from journals.models import PlanItem, PlanState, RecallEntry
from journals.outcome_rules import Stage

# Why an entry can't be given out; in the order in which they are asked, so that each entry has one.
BLOCKED: Final[dict[str, str]] = {
    "do_not_call": "просил не звонить",
    "no_phone": "нет телефона",
    "refused_purpose": "отказался от приглашений",
    "future_visit": "уже есть будущий приём",
    "held": "карточка открыта у коллеги",
}


PLACES: Final[dict[str, str]] = {
    "ready": "готовы",
    "planned": "в плане",
    "resting": "отдыхают до даты",
    **BLOCKED,
}


@dataclass(frozen=True)
class Segment:
    """What the senior chose: entries of one clinic, for a local day, narrowed by doctor, call
    number and date.
    """

    clinic: Clinic
    on: dt.date
    doctor: Doctor | None = None
    number: int | None = None  # which call it will be: 1, 2, 3 (3 = the third and later)
    since: dt.date | None = None  # call date from … to
    until: dt.date | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "doctor": self.doctor.pk if self.doctor else None,
            "number": self.number,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
        }


@dataclass(frozen=True)
class Counts:
    """How the segment divides; `ready + planned + resting + sum(blocked)` is the segment."""

    ready: int
    planned: int
    resting: int
    blocked: dict[str, int]
    next_rest_ends: dt.date | None

    @property
    def total(self) -> int:
        return self.ready + self.planned + self.resting + self.blocked_total

    @property
    def blocked_total(self) -> int:
        return sum(self.blocked.values())

    @property
    def blocked_lines(self) -> list[tuple[str, str, int]]:
        return [(key, BLOCKED[key], count) for key, count in self.blocked.items() if count]


def entries_of(segment: Segment) -> QuerySet[RecallEntry]:
    """The whole segment, whatever state its entries are in."""
    entries = RecallEntry.objects.filter(clinic=segment.clinic, stage=Stage.CALL)
    if segment.doctor is not None:
        entries = entries.filter(doctor=segment.doctor)
    if segment.number is not None:
        entries = (
            entries.filter(calls__gte=2)
            if segment.number >= 3
            else entries.filter(calls=segment.number - 1)
        )
    if segment.since is not None:
        entries = entries.filter(call_on__gte=segment.since)
    if segment.until is not None:
        entries = entries.filter(call_on__lte=segment.until)
    return entries


def classified(segment: Segment, *, now: dt.datetime) -> QuerySet[RecallEntry]:
    """The segment with `place` on each entry: 'planned', a key of BLOCKED, 'resting' or 'ready';
    the first that holds.
    """
    patient = OuterRef("patient_id")
    newest_consent = (
        Consent.objects.filter(
            patient=patient, purpose=ConsentPurpose.ADVERTISING, channel=ConsentChannel.CALL
        )
        .order_by("-at", "-pk")
        .values("granted")[:1]
    )
    planned = Exists(PlanItem.objects.filter(entry=OuterRef("pk"), state=PlanState.OPEN))
    phone = Exists(PatientPhone.objects.filter(patient=patient))
    visit = Exists(
        Appointment.objects.filter(patient=patient, status__in=UPCOMING, starts_at__gt=now)
    )
    place = Case(
        When(planned, then=Value("planned")),
        When(patient__do_not_call=True, then=Value("do_not_call")),
        When(~phone, then=Value("no_phone")),
        When(Q(refused_purpose=False), then=Value("refused_purpose")),
        When(visit, then=Value("future_visit")),
        When(reserved_until__gt=now, then=Value("held")),
        When(call_on__gt=segment.on, then=Value("resting")),
        default=Value("ready"),
        output_field=CharField(),
    )
    found = entries_of(segment).annotate(refused_purpose=Subquery(newest_consent))
    return cast("QuerySet[RecallEntry]", found.annotate(place=place))


def counts(segment: Segment, *, now: dt.datetime) -> Counts:
    """How many of the segment are where; one query."""
    rows = (
        classified(segment, now=now)
        .order_by()
        .values_list(F("place"))
        .annotate(count=Count("pk"), first_date=Min("call_on"))
    )
    found = {place: (count, first) for place, count, first in rows}
    return Counts(
        ready=found.get("ready", (0, None))[0],
        planned=found.get("planned", (0, None))[0],
        resting=found.get("resting", (0, None))[0],
        blocked={key: found.get(key, (0, None))[0] for key in BLOCKED},
        next_rest_ends=found.get("resting", (0, None))[1],
    )


def ready(segment: Segment, *, now: dt.datetime) -> QuerySet[RecallEntry]:
    """Those that can be given out, the longest waiting first."""
    return classified(segment, now=now).filter(Q(place="ready")).order_by("call_on", "pk")


def rows(segment: Segment, place: str, *, now: dt.datetime) -> QuerySet[RecallEntry]:
    """The entries behind one of the counts, the longest waiting first, with what a line shows."""
    found = classified(segment, now=now).filter(Q(place=place))
    return found.select_related("patient", "doctor", "last_caller", "last_reason").order_by(
        "call_on", "pk"
    )
