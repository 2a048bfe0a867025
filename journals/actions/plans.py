"""The senior's plan: given out, shared out again, and what was not called goes back at the clinic's
closing.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import F

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.clinics.queries import hours_of
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.lib.localtime import local, local_day
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_CALL_PATIENTS, Role
from journals import plan_split
from journals.actions.entries import topic
from journals.models import CallPlan, PlanItem, PlanState, RecallPolicy
from journals.queries import segments
from journals.queries.segments import Segment
from journals.schedule import plan_ends_at


def give_plan(
    segment: Segment, *, shares: Mapping[User, int], by: User, now: dt.datetime
) -> CallPlan:
    """Gives each person her number of the segment's ready entries for the day `segment.on` (local
    day of the clinic).

    Entries go first to whoever called the patient last. Raises NotAllowed for anybody but the
    senior, Refused when nobody gets anything, the day is over or a person does not work in the
    clinic, Conflict when nothing is ready any more. Fewer ready entries than asked: what there is
    is given, in proportion (`sharing.deal`).
    """
    _only_senior(by)
    people = {person.pk: person for person, count in shares.items() if count > 0}
    if not people:
        raise Refused("Выберите, кому и сколько записей дать.", field="total")
    _refuse_strangers(segment.clinic, list(people.values()))
    ends_at = _end_of_day(segment.clinic, segment.on, now)
    with transaction.atomic():
        # One giver at a time in a clinic: two plans at once must not both see an entry as ready.
        _lock_giving(segment.clinic)
        wanted = {person.pk: count for person, count in shares.items() if count > 0}
        rows = list(
            segments.ready(segment, now=now)
            .select_for_update(of=("self",))
            .values_list("pk", "last_caller_id")[: sum(wanted.values())]
        )
        if not rows:
            raise Conflict("Готовых записей в этом отборе уже нет.")
        if len(rows) < sum(wanted.values()):
            wanted = plan_split.by_capacity(len(rows), wanted)
        given = plan_split.deal(rows, wanted)
        plan = CallPlan.objects.create(
            clinic=segment.clinic,
            on=segment.on,
            segment=segment.as_json(),
            given_at=now,
            given_by=by,
        )
        PlanItem.objects.bulk_create(
            PlanItem(
                plan=plan,
                entry_id=entry,
                clinic=segment.clinic,
                on=segment.on,
                assignee=people[person],
                due_at=ends_at,
            )
            for entry, _last in rows
            if (person := given.get(entry)) is not None
        )
        audit.record(
            "journals.give_plan",
            plan,
            by=by,
            now=now,
            after={
                people[pk].full_name: sum(person == pk for person in given.values())
                for pk in people
            },
        )
        live_updates.bump(topic(segment.clinic.pk))
    return plan


def redistribute(
    *, clinic: Clinic, on: dt.date, person: User, to: Sequence[User], by: User, now: dt.datetime
) -> int:
    """Shares a person's remaining rows of a day out among others, evenly; returns how many were
    moved.

    Rows whose card she has open now stay with her. Raises NotAllowed, Refused for nobody to give
    to, Conflict when nothing remains.
    """
    _only_senior(by)
    others = [user for user in to if user.pk != person.pk]
    if not others:
        raise Refused("Выберите, кому передать записи.", field="to")
    _refuse_strangers(clinic, others)
    with transaction.atomic():
        items = list(
            PlanItem.objects.open()
            .filter(clinic=clinic, on=on, assignee=person)
            .exclude(entry__reserved_by=person, entry__reserved_until__gt=now)
            .select_for_update(of=("self",))
            .order_by("pk")
            .values_list("pk", "entry__last_caller_id")
        )
        if not items:
            raise Conflict(f"У {person.short_name} не осталось записей, которые можно передать.")
        given = plan_split.deal(items, plan_split.evenly(len(items), [user.pk for user in others]))
        for user in others:
            PlanItem.objects.filter(
                pk__in=[pk for pk, owner in given.items() if owner == user.pk]
            ).update(assignee=user)
        audit.record(
            "journals.redistribute",
            by=by,
            now=now,
            clinic_id=clinic.pk,
            before={person.full_name: len(items)},
            after={
                user.full_name: sum(owner == user.pk for owner in given.values()) for user in others
            },
            note=f"план на {on:%d.%m.%Y}",
        )
        live_updates.bump(topic(clinic.pk))
    return len(items)


def return_uncalled(*, now: dt.datetime, limit: int = 500) -> int:
    """Sends the rows whose day is over back to ready; returns how many. A card that is open now is
    left to its call.

    One short transaction that claims and writes (SKIP LOCKED), so two workers share the rows and
    nothing stays claimed by a killed one.
    """
    with transaction.atomic():
        rows = list(
            PlanItem.objects.due(now)
            .exclude(entry__reserved_until__gt=now, entry__reserved_by=F("assignee"))
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("due_at")
            .values_list("pk", "clinic_id")[:limit]
        )
        PlanItem.objects.filter(pk__in=[pk for pk, _clinic in rows]).update(
            state=PlanState.RETURNED, done_at=now
        )
        live_updates.bump(*(topic(clinic) for clinic in {clinic for _pk, clinic in rows}))
    return len(rows)


def _only_senior(by: User) -> None:
    if not by.has(Role.SENIOR):
        raise NotAllowed("План даёт старший администратор.")


def _refuse_strangers(clinic: Clinic, people: list[User]) -> None:
    ours = set(clinic.staff.filter(is_active=True).values_list("pk", flat=True))
    for person in people:
        if person.pk not in ours or not person.has(*CAN_CALL_PATIENTS):
            raise Refused(
                f"{person.short_name} не звонит пациентам клиники «{clinic}».", field="people"
            )


def _end_of_day(clinic: Clinic, on: dt.date, now: dt.datetime) -> dt.datetime:
    if on < local_day(now, clinic.zone):
        raise Refused("Этот день уже прошёл.", field="on")
    ends_at = plan_ends_at(hours_of(clinic), on)
    if ends_at <= now:
        raise Refused(
            f"Рабочий день клиники закончился в {local(ends_at, clinic.zone):%H:%M}: дайте план на завтра.",
            field="on",
        )
    return ends_at


def _lock_giving(clinic: Clinic) -> None:
    RecallPolicy.objects.get_or_create(clinic=clinic)
    RecallPolicy.objects.select_for_update().get(clinic=clinic)
