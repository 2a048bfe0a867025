"""Webhooks of cloud PBXs: stored as they came, processed at once, and by the timer when that
failed.
"""

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
from callcenter.telephony.webhooks import FORMATS, CallEvent, PbxWebhookFormat

log = logging.getLogger(__name__)
LEASE: Final = dt.timedelta(minutes=1)


def store_pbx_webhook(
    *, webhook_format: PbxWebhookFormat, body: dict[str, Any], clinic: Clinic, now: dt.datetime
) -> PbxWebhook:
    """Store one webhook without its key; delivered again it changes nothing.

    Raises ValueError, with the format's own words, for a body that makes no sense.
    """
    event = webhook_format.parse(body)
    kept = {name: value for name, value in body.items() if name != webhook_format.key_field}
    webhook, _ = PbxWebhook.objects.get_or_create(
        vendor=webhook_format.name,
        session=event.session[:80],
        event=event.event[:40],
        happened=event.at.isoformat()[:40],
        defaults={"body": kept, "clinic": clinic, "received_at": now},
    )
    return webhook


def process_pbx_webhook(webhook: PbxWebhook, *, now: dt.datetime) -> None:
    """Record the webhook's call in the contact history: the phases of one session make one call, in
    whatever order they come. Raises ValueError for a body that its format cannot parse.
    """
    event = _parsed(webhook)
    if webhook.clinic is None:
        return
    with transaction.atomic():
        interaction = record_interaction(
            InteractionInput(
                clinic=webhook.clinic,
                kind=InteractionKind.CALL,
                state=InteractionState.RINGING,
                phases=Phases(
                    event.started_at or min(filter(None, (event.answered_at, event.at))),
                    answered_at=event.answered_at,
                    ended_at=event.ended_at,
                ),
                direction=Direction(event.direction),
                participants=Participants(
                    number=_number(event),
                    employee=_employee(event, webhook.clinic),
                    line=event.line,
                ),
                source=InteractionSource(name=webhook.vendor, id=event.session),
            ),
            by=None,
            now=now,
        )
        if event.record_url:
            recordings.keep_link(
                interaction, url=event.record_url[:1000], seconds=event.record_seconds, now=now
            )
        PbxWebhook.objects.filter(pk=webhook.pk).update(done_at=now, claimed_at=None, last_error="")


def process_due_pbx_webhooks(*, now: dt.datetime, limit: int = 100) -> int:
    """Process the webhooks that could not be processed at once (a killed worker, a database that
    was down). Returns how many were claimed.
    """
    due = PbxWebhook.objects.filter(
        done_at__isnull=True, claimed_at__isnull=True, received_at__lte=now - LEASE
    )
    claimed: list[PbxWebhook] = claim(due.order_by("received_at"), now=now, limit=limit)
    for webhook in claimed:
        try:
            process_pbx_webhook(webhook, now=now)
        except (ValueError, DomainError, DatabaseError) as error:
            log.exception("webhook %s", webhook.pk)
            PbxWebhook.objects.filter(pk=webhook.pk).update(
                last_error=str(error)[:250], done_at=now
            )
    PbxWebhook.objects.filter(done_at__isnull=True, claimed_at__lt=now - LEASE).update(
        claimed_at=None
    )
    return len(claimed)


def _parsed(webhook: PbxWebhook) -> CallEvent:
    webhook_format = FORMATS.get(webhook.vendor)
    if webhook_format is None:
        # It was stored by a version that knew this PBX: the reason goes into `last_error`.
        raise ValueError(f"АТС «{webhook.vendor}» не знакома")
    return webhook_format.parse(webhook.body)


def _number(event: CallEvent) -> str:
    """Return the client's number in E.164, '' for a hidden one."""
    try:
        return phones.parse(event.client)
    except phones.BadPhone:
        return ""


def _employee(event: CallEvent, clinic: Clinic) -> User | None:
    if not event.extension:
        return None
    return clinic.staff.filter(extension=event.extension).first()
