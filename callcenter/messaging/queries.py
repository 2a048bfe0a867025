"""What the outbox and the screens ask of messages, each with a fixed number of queries."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db.models import QuerySet

from callcenter.clinics.models import Appointment, Clinic, Patient
from callcenter.clinics.queries import hours_of, may_message_many
from callcenter.clinics.schedule import Hours, quiet_until
from callcenter.lib.phones import is_mobile
from callcenter.messaging.models import ChatMessage, Message, VisitLink
from callcenter.messaging.send_policy import SendFacts
from callcenter.messaging.states import ARRIVED, MessageChannel, MessagePurpose, consent_channel


def facts_of(messages: Sequence[Message], *, now: dt.datetime) -> list[SendFacts]:
    """The facts on which each message may go or not, in their order; eight queries for any number
    of messages, whether they stand in the outbox or are only thought of.
    """
    clinics = _clinics({message.clinic_id for message in messages if message.clinic_id})
    hours = {pk: hours_of(clinic) for pk, clinic in clinics.items()}
    visits = {
        pk: (version, status)
        for pk, version, status in Appointment.objects.filter(
            pk__in={message.appointment_id for message in messages if message.appointment_id}
        ).values_list("pk", "version", "status")
    }
    zones = dict(
        Patient.objects.filter(
            pk__in={message.patient_id for message in messages if message.patient_id}
        )
        .exclude(zone="")
        .values_list("pk", "zone")
    )
    answers = _answers(visits)
    arrived = _arrived(messages)
    obstacles = may_message_many(
        [
            (
                message.patient_id,
                clinics.get(message.clinic_id or 0),
                message.ground,
                consent_channel(message.channel),
            )
            for message in messages
        ],
        now=now,
    )
    return [
        _facts(
            message,
            obstacle,
            now=now,
            hours=hours.get(message.clinic_id or 0),
            zone=zones.get(message.patient_id or 0, ""),
            visit=visits.get(message.appointment_id or 0),
            answer=answers.get((message.appointment_id or 0, message.version), ""),
            arrived=arrived.get((message.subject_key, message.version), ""),
        )
        for message, obstacle in zip(messages, obstacles, strict=True)
    ]


def _facts(
    message: Message,
    obstacle: str | None,
    *,
    now: dt.datetime,
    hours: Hours | None,
    zone: str,
    visit: tuple[int, str] | None,
    answer: str,
    arrived: str,
) -> SendFacts:
    is_visit = message.purpose == MessagePurpose.VISIT
    quiet = None
    if not message.to_staff and hours is not None and message.purpose != MessagePurpose.CHAT:
        quiet = quiet_until(hours, "message", now, zone)
    return SendFacts(
        now=now,
        zone=zone or (hours.zone if hours else "UTC"),
        version=message.version,
        address_is_good=address_is_good(message),
        appointment_status=visit[1] if visit and is_visit else None,
        appointment_version=visit[0] if visit and is_visit else None,
        not_after=message.not_after,
        answer=answer if is_visit else "",
        arrived_elsewhere=arrived if is_visit and message.position is not None else "",
        obstacle=None if message.to_staff or message.purpose == MessagePurpose.CHAT else obstacle,
        quiet_until=quiet,
    )


def address_is_good(message: Message) -> bool:
    if message.channel == MessageChannel.EMAIL:
        return "@" in message.to
    if message.channel == MessageChannel.SMS or message.purpose == MessagePurpose.VISIT:
        return is_mobile(message.to)
    return bool(message.to)


def _clinics(ids: set[int]) -> dict[int, Clinic]:
    found = Clinic.objects.filter(pk__in=ids).prefetch_related("opening_hours", "special_days")
    return {clinic.pk: clinic for clinic in found}


def _answers(visits: Iterable[int]) -> dict[tuple[int, int], str]:
    rows = VisitLink.objects.filter(appointment__in=list(visits)).exclude(answer="")
    return {
        (visit, version): answer
        for visit, version, answer in rows.values_list("appointment", "version", "answer")
    }


def _arrived(messages: Sequence[Message]) -> dict[tuple[str, int], str]:
    """Which messenger has already delivered a visit's message, by (subject, version)."""
    visits = {
        message.appointment_id for message in messages if message.purpose == MessagePurpose.VISIT
    }
    rows = Message.objects.filter(
        appointment__in=visits,
        purpose=MessagePurpose.VISIT,
        state__in=ARRIVED,
        position__isnull=False,
    )
    return {
        (subject, version): MessageChannel(channel).label
        for subject, version, channel in rows.values_list("subject_key", "version", "channel")
    }


def conversation(number: str, *, since: dt.datetime) -> QuerySet[ChatMessage]:
    """The lines exchanged with a number, oldest first."""
    lines: QuerySet[ChatMessage] = (
        ChatMessage.objects.filter(number=number, at__gte=since)
        .select_related("by", "message")
        .order_by("at", "pk")
    )
    return lines
