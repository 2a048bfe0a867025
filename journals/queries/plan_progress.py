"""The senior's live board: how far each person's plan of a day is, and who has which card open."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Max, Min, Q

from callcenter.clinics.models import Clinic
from callcenter.lib.localtime import local
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_CALL_PATIENTS
from journals.models import PlanItem, PlanState, RecallEntry
from journals.outcome_rules import Stage

_ENOUGH = 3  # calls before a pace means anything


@dataclass(frozen=True)
class Progress:
    """One person's plan of the day. `given = called + left + returned + closed`."""

    person: User
    given: int
    called: int
    booked: int
    refused: int
    left: int
    returned: int
    closed: int
    done_by: dt.datetime | None  # local: when it will be done at this pace
    talking_to: RecallEntry | None

    @property
    def share(self) -> int:
        """Percent done, of what is not given back."""
        kept = self.given - self.returned
        return round(100 * (kept - self.left) / kept) if kept else 0


def board(clinic: Clinic, on: dt.date, *, now: dt.datetime) -> list[Progress]:
    """Three queries, one line a person who has or had something in the plan of the day, by name."""
    called = Q(state=PlanState.CALLED)
    rows = {
        row["assignee_id"]: row
        for row in PlanItem.objects.filter(clinic=clinic, on=on)
        .order_by()
        .values("assignee_id")
        .annotate(
            given=Count("pk"),
            called=Count("pk", filter=called),
            booked=Count("pk", filter=called & Q(stage_after=Stage.BOOKED)),
            refused=Count("pk", filter=called & Q(stage_after=Stage.REFUSED)),
            left=Count("pk", filter=Q(state=PlanState.OPEN)),
            returned=Count("pk", filter=Q(state=PlanState.RETURNED)),
            closed=Count("pk", filter=Q(state=PlanState.CLOSED)),
            first=Min("done_at", filter=called),
            last=Max("done_at", filter=called),
        )
    }
    people = User.objects.in_bulk(rows)
    open_cards = {
        entry.reserved_by_id: entry
        for entry in RecallEntry.objects.filter(
            clinic=clinic, stage=Stage.CALL, reserved_by__in=rows, reserved_until__gt=now
        ).select_related("patient", "doctor")
    }
    return [
        Progress(
            person=person,
            **{
                name: row[name]
                for name in ("given", "called", "booked", "refused", "left", "returned", "closed")
            },
            done_by=_done_by(row, clinic.zone, now),
            talking_to=open_cards.get(person.pk),
        )
        for person in sorted(people.values(), key=lambda person: person.full_name)
        if (row := rows[person.pk])
    ]


def _done_by(row: Mapping[str, object], zone: str, now: dt.datetime) -> dt.datetime | None:
    called, left, first, last = row["called"], row["left"], row["first"], row["last"]
    if not isinstance(called, int) or not isinstance(left, int) or called < _ENOUGH or left == 0:
        return None
    if not isinstance(first, dt.datetime) or not isinstance(last, dt.datetime):
        return None
    return local(now + (last - first) / (called - 1) * left, zone)


@dataclass(frozen=True)
class CallerProgress:
    """Somebody who can be given entries: how many the day already holds, and the room that is left."""

    person: User
    given: int

    @property
    def room(self) -> int:
        return max(0, self.person.capacity - self.given)


def callers(clinic: Clinic, on: dt.date) -> list[CallerProgress]:
    """Who calls the clinic's patients, with what they have in the day's plans of all clinics; two
    queries.
    """
    people = list(
        User.objects.with_role(*CAN_CALL_PATIENTS)
        .filter(clinics=clinic)
        .distinct()
        .order_by("full_name")
    )
    given = dict(
        PlanItem.objects.filter(assignee__in=people, on=on)
        .exclude(state__in=[PlanState.RETURNED, PlanState.CLOSED])
        .order_by()
        .values_list("assignee_id")
        .annotate(count=Count("pk"))
    )
    return [CallerProgress(person, given.get(person.pk, 0)) for person in people]
