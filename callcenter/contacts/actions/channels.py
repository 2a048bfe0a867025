"""Advertising channels found anew for a period, on request and in the background."""

import datetime as dt
from typing import Final

from django.db import DatabaseError, transaction
from django.db.models import Q

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.contacts.actions.recompute import recompute_contacts
from callcenter.contacts.attribution import matching_rule
from callcenter.contacts.models import ChannelRecount, Interaction
from callcenter.contacts.queries import channel_rules, marks_of
from callcenter.contacts.states import Direction, JobState
from callcenter.lib.errors import Refused
from callcenter.lib.leases import claim
from callcenter.lib.localtime import day_bounds
from callcenter.staff.models import User

_BATCH: Final = 500
_LEASE: Final = dt.timedelta(minutes=5)


def order_recount(
    *, clinic: Clinic, since: dt.date, until: dt.date, by: User, now: dt.datetime
) -> ChannelRecount:
    """Orders the channels of a period to be found anew by today's rules; a changed rule never does
    so by itself.

    Local days of the clinic, both included. Raises Refused for a period turned round.
    """
    if until < since:
        raise Refused("Конец периода раньше начала.", field="until")
    begin, end = day_bounds(since, clinic.zone)[0], day_bounds(until, clinic.zone)[1]
    with transaction.atomic():
        order = ChannelRecount.objects.create(
            clinic=clinic,
            since=since,
            until=until,
            total=Interaction.objects.filter(
                clinic=clinic, at__gte=begin, at__lt=end, direction=Direction.IN
            ).count(),
            created_at=now,
            created_by=by,
            due_at=now,
        )
        audit.record(
            "contacts.order_recount",
            order,
            by=by,
            now=now,
            after={"since": since.isoformat(), "until": until.isoformat()},
        )
    return order


def recount_due_channels(*, now: dt.datetime) -> int:
    """Carries one order a batch on, and on until it is done; a killed worker's order is taken up
    where it stood.
    """
    due = ChannelRecount.objects.filter(
        Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - _LEASE), due_at__lte=now
    ).order_by("due_at")
    orders = claim(due, now=now, limit=1, state=JobState.RUNNING)
    for order in orders:
        try:
            while _recount_batch(order):
                pass
        except DatabaseError as error:
            ChannelRecount.objects.filter(pk=order.pk).update(
                last_error=str(error)[:250], claimed_at=None, due_at=now + dt.timedelta(minutes=1)
            )
    return len(orders)


def _recount_batch(order: ChannelRecount) -> bool:
    """The next rows of the order, saved with how far it got; False when there are no more."""
    begin, end = (
        day_bounds(order.since, order.clinic.zone)[0],
        day_bounds(order.until, order.clinic.zone)[1],
    )
    with transaction.atomic():
        rows = list(
            Interaction.objects.select_for_update()
            .filter(
                clinic=order.clinic_id,
                at__gte=begin,
                at__lt=end,
                direction=Direction.IN,
                pk__gt=order.reached_id,
            )
            .order_by("pk")[:_BATCH]
        )
        rules = channel_rules()
        changed = []
        for row in rows:
            rule = matching_rule(marks_of(row), rules)
            found = (rule.channel, rule.id) if rule else (None, None)
            if (row.channel_id, row.channel_rule_id) != found:
                row.channel_id, row.channel_rule_id = found
                changed.append(row)
        Interaction.objects.bulk_update(changed, ["channel", "channel_rule"])
        recompute_contacts({row.contact_id for row in changed})
        order.done += len(rows)
        order.changed += len(changed)
        if rows:
            order.reached_id = rows[-1].pk
        else:
            order.state, order.due_at, order.claimed_at = JobState.DONE, None, None
        order.save(update_fields=["done", "changed", "reached_id", "state", "due_at", "claimed_at"])
    return bool(rows)
