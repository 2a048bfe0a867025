"""Putting messages into the outbox: never twice by the same key."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import transaction

from callcenter.audit import actions as audit
from callcenter.clinics.models import Appointment, Clinic, Patient
from callcenter.clinics.states import UPCOMING
from callcenter.clinics.states import ConsentPurpose as Ground
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.phones import is_mobile
from callcenter.messaging.message_templates import (
    VISIT_MESSENGER,
    VISIT_SMS,
    TemplateVisit,
    fill_template,
    values_of,
)
from callcenter.messaging.models import (
    CascadeStep,
    Form,
    Message,
    MessageTemplate,
    Provider,
    VisitLink,
)
from callcenter.messaging.sms_parts import size_of
from callcenter.messaging.states import REPEATABLE, MessageChannel, MessagePurpose, MessageState
from callcenter.staff.models import User

VISIT_TEMPLATE = "Уведомление о приёме"
LEAD = dt.timedelta(hours=2)  # nobody is written to later than this before his visit


def message_key(purpose: str, subject_key: str, version: int, channel: str, repeat: int = 0) -> str:
    """The one key of a message; a long subject is shortened to a digest, since providers take 60
    characters.
    """
    again = f":r{repeat}" if repeat else ""
    key = f"{purpose}:{subject_key}:{version}:{channel}{again}"
    if len(key) <= 60 and key.isascii():
        return key
    digest = hashlib.sha256(f"{purpose}:{subject_key}".encode()).hexdigest()[:24]
    return f"{digest}:{version}:{channel}{again}"


def queue_message(
    *,
    purpose: str,
    subject_key: str,
    channel: str,
    text: str,
    to: str,
    clinic: Clinic,
    now: dt.datetime,
    by: User | None,
    version: int = 1,
    patient: Patient | None = None,
    appointment: Appointment | None = None,
    ground: Ground = Ground.SERVICE,
    subject: str = "",
    due_at: dt.datetime | None = None,
    not_after: dt.datetime | None = None,
) -> Message:
    """Queues one message to a patient: a single SMS, messenger message or e-mail outside a visit's
    cascade.

    `purpose` × `subject_key` × `version` × `channel` is its key: asked for again, the first message
    comes back unchanged. It leaves within seconds; quiet hours, refusals and a missing ground hold
    or stop it, and its `reason` says so. `to`: E.164, an e-mail address, or the messenger's id of
    the person. Raises Refused for an empty text or address.
    """
    if not text.strip():
        raise Refused("Напишите текст сообщения.", field="text")
    if not to:
        raise Refused("Не указано, куда отправить.", field="to")
    message = Message(
        key=message_key(purpose, subject_key, version, channel),
        purpose=purpose,
        subject_key=subject_key,
        version=version,
        channel=channel,
        clinic=clinic,
        patient=patient,
        appointment=appointment,
        provider=provider_for(clinic, channel),
        ground=ground,
        to=to,
        subject=subject[:200],
        text=text.strip(),
        parts=size_of(text.strip()).parts if channel == MessageChannel.SMS else 1,
        due_at=due_at or now,
        not_after=not_after,
        created_at=now,
        created_by=by,
        changed_at=now,
    )
    return _put(message)


def queue_letter(
    *,
    to: Iterable[str],
    subject: str,
    text: str,
    purpose: str,
    subject_key: str,
    now: dt.datetime,
    by: User | None,
    version: int = 1,
    clinic: Clinic | None = None,
    files: Sequence[tuple[str, str]] = (),
) -> list[Message]:
    """Queues a letter to colleagues (escalations, reports): one message an address, at any hour,
    never twice by key.

    `files`: (name, path below MEDIA_ROOT). Each returned message shows in `state` and `reason` what
    became of it. Raises Refused when there is no address.
    """
    addresses = list(dict.fromkeys(address.strip().lower() for address in to if address.strip()))
    if not addresses:
        raise Refused("Некому писать: не указан ни один адрес e-mail.", field="to")
    provider = provider_for(clinic, MessageChannel.EMAIL)
    letters = []
    for address in addresses:
        digest = hashlib.sha256(address.encode()).hexdigest()[:8]
        letters.append(
            _put(
                Message(
                    key=message_key(
                        purpose, f"{subject_key}.{digest}", version, MessageChannel.EMAIL
                    ),
                    purpose=purpose,
                    subject_key=subject_key,
                    version=version,
                    channel=MessageChannel.EMAIL,
                    clinic=clinic,
                    provider=provider,
                    to_staff=True,
                    to=address,
                    subject=subject[:200],
                    text=text,
                    files=[list(file) for file in files],
                    due_at=now,
                    created_at=now,
                    created_by=by,
                    changed_at=now,
                )
            )
        )
    return letters


def _put(message: Message) -> Message:
    if message.provider is None:
        message.state = MessageState.REFUSED
        message.reason = f"не настроен шлюз для канала «{message.get_channel_display()}»"
        message.failed_at = message.created_at
    with transaction.atomic():
        Message.objects.bulk_create([message], ignore_conflicts=True)
        kept = Message.objects.get(key=message.key)
        bump_messages([kept])
    return kept


def provider_for(clinic: Clinic | None, channel: str) -> Provider | None:
    """The gateway of the clinic's own cascade for the channel, else the first active one that knows
    the channel.
    """
    if clinic is not None:
        step = (
            CascadeStep.objects.filter(clinic=clinic, channel=channel)
            .select_related("provider")
            .first()
        )
        if step is not None:
            return step.provider
    return (
        Provider.objects.filter(is_active=True, channels__contains=[channel]).order_by("pk").first()
    )


# The cascade of a visit


def queue_visit_messages(
    appointments: Sequence[Appointment],
    *,
    now: dt.datetime,
    by: User | None,
    channel: str | None = None,
) -> int:
    """Starts the cascade «Уведомление о приёме» of each upcoming visit, or sends it on one
    `channel` alone; how many new.

    The visits come with clinic, doctor and patient (and the patient's phones prefetched): a fixed
    number of queries for any number of visits. What already stands in the outbox for the same
    version and channel stays as it is.
    """
    visits = [visit for visit in appointments if visit.status in UPCOMING and visit.starts_at > now]
    clinic_ids = {visit.clinic_id for visit in visits}
    steps = _steps(clinic_ids, channel)
    if channel is not None:
        _add_lone_providers(steps, clinic_ids, channel)
    texts = templates_of(clinic_ids)
    with transaction.atomic():
        tokens = _links(visits, now)
        messages = [
            visit_message(
                visit,
                steps[visit.clinic_id][0],
                tokens[visit.pk, visit.version],
                texts,
                now=now,
                by=by,
            )
            for visit in visits
            if steps.get(visit.clinic_id)
        ]
        if channel is not None:
            for message in messages:
                message.position = None
        keys = [message.key for message in messages]
        revived = _revive(keys, now) if channel is not None else 0
        before = Message.objects.filter(key__in=keys).count()
        Message.objects.bulk_create(messages, ignore_conflicts=True, batch_size=1000)
        bump_messages(messages)
    return len(messages) - before + revived


def _revive(keys: list[str], now: dt.datetime) -> int:
    """A person asks for a channel on which the cascade had stopped before it sent anything: that
    very row goes now.
    """
    return Message.objects.filter(
        key__in=keys, state=MessageState.CANCELLED, attempts=0, attempted_at=None
    ).update(
        state=MessageState.QUEUED,
        position=None,
        due_at=now,
        reason="",
        failed_at=None,
        changed_at=now,
    )


def _steps(clinic_ids: set[int], channel: str | None) -> dict[int, list[CascadeStep]]:
    found: dict[int, list[CascadeStep]] = {}
    rows = CascadeStep.objects.filter(
        clinic__in=clinic_ids, provider__is_active=True
    ).select_related("provider")
    for step in rows.order_by("position"):
        if channel is None or step.channel == channel:
            found.setdefault(step.clinic_id, []).append(step)
    return found


def _add_lone_providers(
    steps: dict[int, list[CascadeStep]], clinic_ids: set[int], channel: str
) -> None:
    """A clinic that has no step for the channel sends through the common gateway of the channel, if
    there is one.
    """
    provider = (
        Provider.objects.filter(is_active=True, channels__contains=[channel]).order_by("pk").first()
    )
    for clinic_id in clinic_ids - set(steps):
        if provider is not None:
            steps[clinic_id] = [
                CascadeStep(clinic_id=clinic_id, position=0, channel=channel, provider=provider)
            ]


def templates_of(clinic_ids: Iterable[int]) -> dict[tuple[int | None, str], str]:
    """Texts by (clinic or None for the common one, form)."""
    rows = MessageTemplate.objects.filter(name=VISIT_TEMPLATE)
    own = {None, *clinic_ids}
    texts: dict[tuple[int | None, str], str] = {
        (row.clinic_id, row.form): row.text for row in rows if row.clinic_id in own
    }
    texts.setdefault((None, Form.MESSENGER), VISIT_MESSENGER)
    texts.setdefault((None, Form.SMS), VISIT_SMS)
    return texts


def text_for(
    visit: Appointment, channel: str, texts: dict[tuple[int | None, str], str], token: str
) -> str:
    """The template's text of the clinic and channel, filled with the visit's values."""
    form = Form.SMS if channel == MessageChannel.SMS else Form.MESSENGER
    text = texts.get((visit.clinic_id, form)) or texts[None, form]
    return fill_template(text, values_of(visit_values(visit, token)))


def visit_values(visit: Appointment, token: str) -> TemplateVisit:
    return TemplateVisit(
        patient=visit.patient.full_name,
        first_name=visit.patient.first_name,
        middle_name=visit.patient.middle_name,
        doctor=visit.doctor.full_name,
        doctor_short=visit.doctor.short_name,
        clinic=visit.clinic.name,
        address=visit.clinic.address,
        phone=visit.clinic.phone,
        starts_at=visit.starts_at,
        zone=visit.clinic.zone,
        link=f"{settings.PUBLIC_URL}/v/{token}",
    )


def visit_message(
    visit: Appointment,
    step: CascadeStep,
    token: str,
    texts: dict[tuple[int | None, str], str],
    *,
    now: dt.datetime,
    by: User | None,
) -> Message:
    """One step of a visit's cascade as an unsaved row."""
    text = text_for(visit, step.channel, texts, token)
    return Message(
        key=message_key(MessagePurpose.VISIT, f"a{visit.pk}", visit.version, step.channel),
        purpose=MessagePurpose.VISIT,
        subject_key=f"a{visit.pk}",
        version=visit.version,
        channel=step.channel,
        position=step.position,
        clinic=visit.clinic,
        patient=visit.patient,
        appointment=visit,
        provider=step.provider,
        to=number_of(visit.patient),
        text=text,
        parts=size_of(text).parts if step.channel == MessageChannel.SMS else 1,
        due_at=now,
        not_after=visit.starts_at - LEAD,
        created_at=now,
        created_by=by,
        changed_at=now,
    )


def number_of(patient: Patient) -> str:
    """The number a message goes to: the first mobile one (the main one stands first); '' when there
    is none.
    """
    return next((phone.number for phone in patient.phones.all() if is_mobile(phone.number)), "")


def _links(visits: Sequence[Appointment], now: dt.datetime) -> dict[tuple[int, int], str]:
    """The link of each visit's present version, made where there is none."""
    VisitLink.objects.bulk_create(
        [VisitLink(appointment=visit, version=visit.version, created_at=now) for visit in visits],
        ignore_conflicts=True,
        batch_size=2000,
    )
    rows = VisitLink.objects.filter(appointment__in=[visit.pk for visit in visits])
    return {
        (appointment, version): token
        for appointment, version, token in rows.values_list("appointment", "version", "token")
    }


def send_again(message: Message, *, by: User, now: dt.datetime) -> Message:
    """A person's decision to send once more what failed, was stopped, or may not have gone.
    Audited.

    Raises Conflict when the message is on its way or arrived, or when somebody has already sent it
    again.
    """
    with transaction.atomic():
        message = Message.objects.select_for_update().get(pk=message.pk)
        if message.state not in REPEATABLE:
            raise Conflict(
                f"Отправлять снова нечего: сообщение уже «{message.get_state_display()}»."
            )
        again = Message(
            key=message_key(
                message.purpose,
                message.subject_key,
                message.version,
                message.channel,
                message.repeat + 1,
            ),
            due_at=now,
            created_at=now,
            created_by=by,
            changed_at=now,
            repeat=message.repeat + 1,
            provider=provider_for(message.clinic, message.channel),
            **{name: getattr(message, name) for name in _KEPT},
        )
        if Message.objects.filter(key=again.key).exists():
            raise Conflict("Это сообщение уже отправляют снова.")
        again.save(force_insert=True)
        audit.record("messaging.send_again", again, by=by, now=now)
        bump_messages([again])
    return again


_KEPT = (
    *(
        "purpose",
        "subject_key",
        "version",
        "channel",
        "clinic",
        "patient",
        "appointment",
        "ground",
        "to_staff",
    ),
    *("to", "subject", "text", "files", "parts", "not_after"),
)


def cancel_messages(*, purpose: str, subject_key: str, reason: str, now: dt.datetime) -> int:
    """Stops what has not left yet of a subject; what a worker holds this moment is stopped by its
    last look.
    """
    with transaction.atomic():
        rows = list(
            Message.objects.select_for_update()
            .filter(purpose=purpose, subject_key=subject_key, state=MessageState.QUEUED)
            .order_by("pk")
        )
        Message.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=MessageState.CANCELLED, reason=reason[:250], changed_at=now, fallback_at=None
        )
        Message.objects.filter(
            purpose=purpose, subject_key=subject_key, fallback_at__isnull=False
        ).update(fallback_at=None)
        bump_messages(rows)
    return len(rows)


def topic(clinic_id: int | None) -> str:
    """The live topic of a clinic's messages."""
    return f"messages:clinic:{clinic_id or 0}"


def bump_messages(messages: Iterable[Message]) -> None:
    topics = {topic(message.clinic_id) for message in messages}
    if topics:
        live_updates.bump(*topics)
