"""Ours is the only cascade: messengers in the clinic's order, then SMS, each step a row of its own
with its own key.
"""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from callcenter.clinics.models import Appointment
from callcenter.clinics.states import UPCOMING
from callcenter.lib.bulk_sql import update_rows
from callcenter.messaging.actions.enqueue import bump_messages, templates_of, visit_message
from callcenter.messaging.models import CascadeStep, Message, VisitLink
from callcenter.messaging.states import ARRIVED


def advance_due_cascades(*, now: dt.datetime, limit: int = 200) -> int:
    """Lets the next channel take over where a messenger failed or said nothing for its minutes; how
    many were queued.

    The step that gives up and the step that takes over are written together; the new one's key
    keeps it single.
    """
    with transaction.atomic():
        rows = list(
            Message.objects.filter(fallback_at__lte=now)
            .exclude(state__in=ARRIVED)
            .order_by("fallback_at")
            .select_for_update(skip_locked=True, of=("self",))[:limit]
        )
        if not rows:
            return 0
        steps = _later_steps(rows)
        visits = {
            visit.pk: visit
            for visit in Appointment.objects.filter(pk__in={row.appointment_id for row in rows})
            .select_related("clinic", "doctor", "patient")
            .prefetch_related("patient__phones")
        }
        texts = templates_of({visit.clinic_id for visit in visits.values()})
        tokens = {
            (link.appointment_id, link.version): link.token
            for link in VisitLink.objects.filter(appointment__in=list(visits))
        }
        new = []
        for row in rows:
            step = steps.get(row.pk)
            visit = visits.get(row.appointment_id or 0)
            row.given_up, row.fallback_at, row.changed_at = step is not None, None, now
            if (
                step is None
                or visit is None
                or visit.version != row.version
                or visit.status not in UPCOMING
            ):
                continue
            new.append(
                visit_message(visit, step, tokens[visit.pk, visit.version], texts, now=now, by=None)
            )
        update_rows(rows, ["given_up", "fallback_at", "changed_at"])
        Message.objects.bulk_create(new, ignore_conflicts=True)
        bump_messages(rows)
    return len(new)


def _later_steps(rows: Iterable[Message]) -> dict[int, CascadeStep]:
    """The step that follows each message in its clinic's cascade as it stands now."""
    rows = list(rows)
    by_clinic: dict[int, list[CascadeStep]] = {}
    found = CascadeStep.objects.filter(
        clinic__in={row.clinic_id for row in rows}, provider__is_active=True
    )
    for step in found.select_related("provider").order_by("position"):
        by_clinic.setdefault(step.clinic_id, []).append(step)
    later = {}
    for row in rows:
        following = (
            step
            for step in by_clinic.get(row.clinic_id or 0, [])
            if step.position > (row.position or 0)
        )
        found_step = next(following, None)
        if found_step is not None:
            later[row.pk] = found_step
    return later
