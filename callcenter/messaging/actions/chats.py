"""Conversations: incoming words land on the contact of the day with a proposed intent; answers go
through the outbox.
"""

import datetime as dt

from django.db import transaction

from callcenter.audit import actions as audit
from callcenter.clinics.models import Appointment, Clinic, Patient
from callcenter.clinics.queries import patients_by_number
from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    record_interaction,
)
from callcenter.contacts.models import Interaction
from callcenter.contacts.states import Direction, InteractionKind, InteractionState
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.localtime import day_bounds, local_day
from callcenter.messaging.actions.appointment_links import answer_visit
from callcenter.messaging.actions.enqueue import queue_message, topic
from callcenter.messaging.gateways.base import Reply
from callcenter.messaging.models import ChatMessage, Message, Provider, VisitLink
from callcenter.messaging.reply_intent import ReplyIntent, reply_intent_of
from callcenter.messaging.states import MessagePurpose, VisitAnswer
from callcenter.staff.models import User

# «Приду» in words makes no green number: green is the link alone; a desk marks such a row as it
# likes.
_ANSWER_OF = {ReplyIntent.MOVE: VisitAnswer.MOVE, ReplyIntent.CANCEL: VisitAnswer.CANCEL}


def receive_reply(reply: Reply, *, provider: Provider, now: dt.datetime) -> ChatMessage | None:
    """One incoming line: kept once by the provider's id, on the open chat of that person and day (a
    new one else).

    The patient is the one whose message is answered, or the only one with this number; a family's
    number stays open until a person chooses. None when no clinic can be found for it (nobody was
    ever written to from there).
    """
    with transaction.atomic():
        if reply.id:
            known = ChatMessage.objects.filter(provider=provider, external_id=reply.id).first()
            if known is not None:
                return known
        sent = _answered_message(reply, provider)
        people = patients_by_number(reply.sender) if reply.sender.startswith("+") else []
        patient = (sent.patient if sent is not None and reply.key else None) or (
            people[0] if len(people) == 1 else None
        )
        clinic = (sent.clinic if sent else None) or _clinic_of(
            patient or (people[0] if people else None), provider
        )
        if clinic is None:
            return None
        at = reply.at or now
        interaction = _open_chat(clinic, patient, reply.sender, reply.channel, at=at, now=now)
        line = ChatMessage.objects.create(
            interaction=interaction,
            clinic=clinic,
            patient=patient,
            number=reply.sender[:60],
            name=reply.name,
            channel=reply.channel,
            provider=provider,
            direction=Direction.IN,
            text=reply.text.replace("\0", ""),  # PostgreSQL keeps no NUL
            at=at,
            message=sent,
            external_id=reply.id[:120],
            intent=reply_intent_of(reply.text),
        )
        live_updates.bump(topic(clinic.pk), chat_topic(interaction))
    return line


def chat_topic(interaction: Interaction) -> str:
    """The live topic of one conversation."""
    return f"chat:{interaction.pk}"


def _answered_message(reply: Reply, provider: Provider) -> Message | None:
    messages = Message.objects.select_related("clinic", "patient")
    if reply.key:
        return messages.filter(key=reply.key).first()
    return messages.filter(to=reply.sender, provider=provider).order_by("-created_at").first()


def _clinic_of(patient: Patient | None, provider: Provider) -> Clinic | None:
    if patient is not None:
        return patient.clinics.order_by("pk").first()
    return Clinic.objects.filter(cascade__provider=provider).order_by("pk").first()


def _open_chat(
    clinic: Clinic,
    patient: Patient | None,
    number: str,
    channel: str,
    *,
    at: dt.datetime,
    now: dt.datetime,
) -> Interaction:
    start, end = day_bounds(local_day(at, clinic.zone), clinic.zone)
    known = (
        ChatMessage.objects.filter(
            clinic=clinic, number=number, channel=channel, at__gte=start, at__lt=end
        )
        .filter(interaction__state=InteractionState.ACTIVE, interaction__patient=patient)
        .select_related("interaction")
        .first()
    )
    if known is not None:
        return known.interaction
    return record_interaction(
        InteractionInput(
            clinic=clinic,
            kind=InteractionKind.CHAT,
            state=InteractionState.ACTIVE,
            phases=Phases(at),
            participants=Participants(
                patient=patient, number=number if number.startswith("+") else "", line=channel
            ),
            source=InteractionSource(name="chat"),
        ),
        by=None,
        now=now,
    )


def say_in_chat(interaction: Interaction, *, text: str, by: User, now: dt.datetime) -> ChatMessage:
    """A colleague's answer in the conversation: queued like any message, shown in the conversation
    with its state.

    Raises Refused for an empty text or when nobody has written in this conversation yet.
    """
    with transaction.atomic():
        last = (
            ChatMessage.objects.select_related("clinic", "patient", "provider")
            .filter(interaction=interaction, direction=Direction.IN)
            .order_by("-at", "-pk")
            .first()
        )
        if last is None:
            raise Refused("В этом чате некому отвечать: пациент ещё не писал.")
        if not text.strip():
            raise Refused("Напишите ответ.", field="text")
        line = ChatMessage.objects.create(
            interaction=interaction,
            clinic=last.clinic,
            patient=last.patient,
            number=last.number,
            channel=last.channel,
            provider=last.provider,
            direction=Direction.OUT,
            text=text.strip(),
            at=now,
            by=by,
        )
        line.message = queue_message(
            purpose=MessagePurpose.CHAT,
            subject_key=f"chat{line.pk}",
            channel=last.channel,
            text=text,
            to=last.number,
            clinic=last.clinic,
            patient=last.patient,
            by=by,
            now=now,
        )
        line.save(update_fields=["message"])
        live_updates.bump(chat_topic(interaction))
    return line


def accept_reply_intent(
    line: ChatMessage,
    *,
    intent: ReplyIntent,
    appointment: Appointment | None,
    by: User,
    now: dt.datetime,
) -> ChatMessage:
    """Record what an employee takes a reply to mean, for this visit. Audited.

    The visit itself stays: «отмените» and «перенесите» only make its row red or orange, so that
    somebody calls. Raises Conflict when a colleague has decided it already.
    """
    with transaction.atomic():
        line = (
            ChatMessage.objects.select_for_update(of=("self",))
            .select_related("clinic")
            .get(pk=line.pk)
        )
        if line.direction != Direction.IN:
            raise Refused("Это не ответ пациента.")
        if line.accepted:
            who = f": {line.accepted_by.short_name}" if line.accepted_by else ""
            raise Conflict(f"Ответ уже разобран — «{line.get_accepted_display()}»{who}.")
        line.accepted, line.accepted_at, line.accepted_by, line.accepted_for = (
            intent,
            now,
            by,
            appointment,
        )
        line.save(update_fields=["accepted", "accepted_at", "accepted_by", "accepted_for"])
        if appointment is not None and intent in _ANSWER_OF:
            link, _ = VisitLink.objects.get_or_create(
                appointment=appointment, version=appointment.version, defaults={"created_at": now}
            )
            answer_visit(token=link.token, answer=_ANSWER_OF[intent], via="words", now=now, by=by)
        audit.record(
            "messaging.accept_reply_intent",
            line.interaction,
            by=by,
            now=now,
            clinic_id=line.clinic_id,
            patient_id=appointment.patient_id if appointment else line.patient_id,
            after={"intent": str(intent), "proposed": line.intent},
        )
        live_updates.bump(topic(line.clinic_id), chat_topic(line.interaction))
    return line
