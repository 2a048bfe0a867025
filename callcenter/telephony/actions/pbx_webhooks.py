"""Notices of cloud PBXs: kept as they came, read at once, and again by the ticker when that failed."""

import datetime as dt
import logging
from typing import Any, Final

from django.db import DatabaseError, transaction

from callcenter.clinics.models import Clinic
from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    record_interaction,
)
from callcenter.contacts.states import Direction, InteractionKind, InteractionState
from callcenter.lib import phones
from callcenter.lib.errors import DomainError
from callcenter.lib.leases import claim
from callcenter.staff.models import User
from callcenter.telephony.actions import recordings
from callcenter.telephony.models import PbxWebhook
from callcenter.telephony.webhooks import CallEvent, read

log = logging.getLogger(__name__)
LEASE: Final = dt.timedelta(minutes=1)


def store_pbx_webhook(
    *, vendor: str, body: dict[str, Any], clinic: Clinic, now: dt.datetime
) -> PbxWebhook:
    """Keeps one notice, without its secret; delivered again it changes nothing. Raises ValueError
    for nonsense.
    """
    told = read(vendor, body)
    shown = {name: value for name, value in body.items() if name != "secret"}
    notice, _ = PbxWebhook.objects.get_or_create(
        vendor=vendor,
        session=told.session[:80],
        event=told.event[:40],
        happened=told.at.isoformat()[:40],
        defaults={"body": shown, "clinic": clinic, "received_at": now},
    )
    return notice


def process_pbx_webhook(notice: PbxWebhook, *, now: dt.datetime) -> None:
    """Takes the notice into the contact history: phases of one session make one call, in whatever
    order they come.
    """
    told = read(notice.vendor, notice.body)
    if notice.clinic is None:
        return
    with transaction.atomic():
        interaction = record_interaction(
            InteractionInput(
                clinic=notice.clinic,
                kind=InteractionKind.CALL,
                state=InteractionState.RINGING,
                phases=Phases(
                    told.started_at or min(filter(None, (told.answered_at, told.at))),
                    answered_at=told.answered_at,
                    ended_at=told.ended_at,
                ),
                direction=Direction(told.direction),
                participants=Participants(
                    number=_number(told), employee=_employee(told, notice.clinic), line=told.line
                ),
                source=InteractionSource(name=notice.vendor, id=told.session),
            ),
            by=None,
            now=now,
        )
        if told.record_url:
            recordings.keep_link(
                interaction, url=told.record_url[:1000], seconds=told.record_seconds, now=now
            )
        PbxWebhook.objects.filter(pk=notice.pk).update(done_at=now, claimed_at=None, last_error="")


def read_due_notices(*, now: dt.datetime, limit: int = 100) -> int:
    """Takes up what could not be read at once (a killed worker, a database away)."""
    due = PbxWebhook.objects.filter(
        done_at__isnull=True, claimed_at__isnull=True, received_at__lte=now - LEASE
    )
    claimed: list[PbxWebhook] = claim(due.order_by("received_at"), now=now, limit=limit)
    for notice in claimed:
        try:
            process_pbx_webhook(notice, now=now)
        except (ValueError, DomainError, DatabaseError) as error:
            log.exception("notice %s", notice.pk)
            PbxWebhook.objects.filter(pk=notice.pk).update(last_error=str(error)[:250], done_at=now)
    PbxWebhook.objects.filter(done_at__isnull=True, claimed_at__lt=now - LEASE).update(
        claimed_at=None
    )
    return len(claimed)


def _number(told: CallEvent) -> str:
    try:
        return phones.parse(told.client)
    except phones.BadPhone:
        return ""  # a hidden number


def _employee(told: CallEvent, clinic: Clinic) -> User | None:
    if not told.extension:
        return None
    return clinic.staff.filter(extension=told.extension).first()
