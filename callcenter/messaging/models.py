"""The outbox, the providers it goes through, what they said, the patient's link with his answer,
and chats.
"""

import datetime as dt
import secrets
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from callcenter.clinics.models import Appointment, Clinic, Patient
from callcenter.clinics.states import ConsentPurpose as Ground
from callcenter.contacts.models import Interaction
from callcenter.contacts.states import Direction
from callcenter.messaging.gateways import KINDS
from callcenter.messaging.reply_intent import ReplyIntent
from callcenter.messaging.states import PENDING, MessageChannel, MessageState, VisitAnswer
from callcenter.staff.models import User


def _secret() -> str:
    return secrets.token_urlsafe(24)


def _token() -> str:
    return secrets.token_urlsafe(16)  # 128 bits: 22 characters of the SMS


class Provider(models.Model):
    """A configured gateway: which kind, its settings, its limit, and how it feels."""

    name = models.CharField("название", max_length=80, unique=True)
    kind = models.CharField("вид", max_length=12, choices=[(kind, kind) for kind in KINDS])
    channels = ArrayField(
        models.CharField(max_length=10, choices=MessageChannel.choices),
        verbose_name="каналы",
        default=list,
    )
    settings = models.JSONField("настройки", default=dict, blank=True)
    secret = models.CharField(max_length=64, default=_secret, editable=False)
    per_second = models.FloatField("не больше сообщений в секунду", null=True, blank=True)
    price = models.DecimalField("цена одной части, ₽", max_digits=8, decimal_places=2, default=0)
    is_active = models.BooleanField("работает", default=True)
    # The next free slot under the limit; moved on in the claiming transaction, under the row's
    # lock.
    next_slot_at = models.DateTimeField(null=True, blank=True, editable=False)
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=250, blank=True, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        verbose_name = "шлюз"

    def __str__(self) -> str:
        return self.name


class CascadeStep(models.Model):
    """One step of a clinic's cascade: after `wait_minutes` without a delivery the next step goes by
    itself.
    """

    clinic = models.ForeignKey(Clinic, models.CASCADE, related_name="cascade")
    position = models.PositiveSmallIntegerField("порядок")
    channel = models.CharField("канал", max_length=10, choices=MessageChannel.choices)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", verbose_name="шлюз")
    wait_minutes = models.PositiveSmallIntegerField("ждать доставки, минут", default=20)

    class Meta:
        ordering: ClassVar[list[str]] = ["clinic", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["clinic", "channel"], name="cascade_channel_once"),
            models.UniqueConstraint(
                fields=["clinic", "position"],
                name="cascade_position_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]


class Form(models.TextChoices):
    MESSENGER = "messenger", "для мессенджера"
    SMS = "sms", "для СМС"


class MessageTemplate(models.Model):
    """A text with fields (messaging/texts.py); a clinic's own version stands before the common one."""

    name = models.CharField("шаблон", max_length=80, default="Уведомление о приёме")
    form = models.CharField("вид", max_length=10, choices=Form.choices)
    clinic = models.ForeignKey(
        Clinic,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="templates",
        verbose_name="клиника",
    )
    text = models.TextField("текст")
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "form", "clinic"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["name", "form", "clinic"],
                name="template_version_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.get_form_display()}"


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, now: dt.datetime) -> Self:
        return self.filter(state=MessageState.QUEUED, due_at__lte=now)


class Message(models.Model):
    """One message to one address on one channel. Its key makes it single: purpose × subject ×
    version × channel.

    A person may send once more after a failure (`repeat` = 1, 2, …); the product itself never does.
    """

    key = models.CharField(max_length=60, unique=True)
    purpose = models.CharField(max_length=20)
    subject_key = models.CharField(max_length=40)
    version = models.PositiveIntegerField(default=1)
    channel = models.CharField(max_length=10, choices=MessageChannel.choices)
    repeat = models.PositiveSmallIntegerField(default=0)

    clinic = models.ForeignKey(Clinic, models.PROTECT, null=True, related_name="messages")
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, related_name="messages")
    appointment = models.ForeignKey(Appointment, models.PROTECT, null=True, related_name="messages")
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, related_name="+")
    ground = models.CharField(max_length=12, choices=Ground.choices, default=Ground.SERVICE)
    to_staff = models.BooleanField(
        default=False
    )  # a letter to a colleague: no quiet hours, no consents
    to = models.CharField("кому", max_length=254)
    subject = models.CharField("тема", max_length=200, blank=True)
    text = models.TextField("текст")
    files = models.JSONField(default=list, blank=True)  # [[name, path below MEDIA_ROOT], …]
    parts = models.PositiveSmallIntegerField(default=1)

    state = models.CharField(
        max_length=11, choices=MessageState.choices, default=MessageState.QUEUED
    )
    reason = models.CharField("почему", max_length=250, blank=True)
    due_at = models.DateTimeField()
    not_after = models.DateTimeField(null=True)  # later it is of no use
    claimed_at = models.DateTimeField(null=True)
    attempted_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # How often the provider was asked what became of it; `due_at` of an accepted or unknown message
    # is when to ask next.
    asks = models.PositiveSmallIntegerField(default=0)
    # When the next channel takes over by itself; NULL when it has, or will not.
    fallback_at = models.DateTimeField(null=True)
    given_up = models.BooleanField(default=False)  # the next channel has taken over
    position = models.PositiveSmallIntegerField(
        null=True
    )  # its step of the cascade; NULL outside one

    provider_ref = models.CharField(max_length=120, blank=True)
    accepted_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField()

    objects: ClassVar[models.Manager["Message"]] = MessageQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        verbose_name = "сообщение"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~Q(state=MessageState.SENDING) | Q(claimed_at__isnull=False),
                name="message_sending_is_claimed",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: send_due; reap; advance_due_cascades; a visit's row; a conversation by number
            models.Index(
                fields=["provider", "due_at"], name="message_due", condition=Q(state="queued")
            ),
            models.Index(
                fields=["claimed_at"], name="message_leased", condition=Q(state="sending")
            ),
            # reader: ask_due_messages
            models.Index(
                fields=["provider", "due_at"],
                name="message_ask",
                condition=Q(state__in=["accepted", "unknown"], asks__lt=5),
            ),
            models.Index(
                fields=["fallback_at"],
                name="message_fallback",
                condition=Q(fallback_at__isnull=False),
            ),
            models.Index(fields=["appointment"], name="message_appointment"),
            models.Index(fields=["to", "-created_at"], name="message_to"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.to} {self.get_state_display()}"

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING


class ProviderWebhook(models.Model):
    """A call of a provider to us, kept raw before anybody thinks about it, absorbed afterwards."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="calls")
    received_at = models.DateTimeField()
    due_at = models.DateTimeField()
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=300)
    query = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(blank=True)
    claimed_at = models.DateTimeField(null=True)
    absorbed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=250, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # readers: absorb_due_calls, and its reaper; the sweeping of old ones
            models.Index(fields=["due_at"], name="call_due", condition=Q(absorbed_at__isnull=True)),
            models.Index(
                fields=["absorbed_at"], name="call_absorbed", condition=Q(absorbed_at__isnull=False)
            ),
        ]


class VisitLink(models.Model):
    """The patient's page for one version of a visit: its token, whether it was opened, what he
    chose last.
    """

    token = models.CharField(max_length=32, unique=True, default=_token)
    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="links")
    version = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=8, choices=VisitAnswer.choices, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_via = models.CharField(max_length=8, blank=True)  # page, button, words

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["appointment", "version"], name="link_version_once")
        ]


class VisitEvent(models.Model):
    """One line of a link's story: opened, or an answer; none is ever changed."""

    link = models.ForeignKey(VisitLink, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    answer = models.CharField(max_length=8, choices=VisitAnswer.choices, blank=True)  # '' = opened
    via = models.CharField(max_length=8)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["link", "at"], name="visit_event_link")
        ]


class ChatMessage(models.Model):
    """One message of a conversation by messenger or SMS, on its chat interaction of the day.

    `intent` is what the rules propose for an incoming one; `accepted` is what an employee decided,
    `accepted_for` the visit it is about. A text never changes a visit by itself.
    """

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="chat_messages")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, related_name="chat_messages")
    number = models.CharField(max_length=60)  # E.164, or the messenger's own id of the person
    name = models.CharField(max_length=80, blank=True)
    channel = models.CharField(max_length=10, choices=MessageChannel.choices)
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, related_name="+")
    direction = models.CharField(max_length=3, choices=Direction.choices)
    text = models.TextField()
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="chat_messages")
    external_id = models.CharField(max_length=120, blank=True)
    intent = models.CharField(max_length=8, choices=ReplyIntent.choices, blank=True)
    accepted = models.CharField(max_length=8, choices=ReplyIntent.choices, blank=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    accepted_for = models.ForeignKey(Appointment, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["provider", "external_id"],
                condition=~Q(external_id=""),
                name="chat_external_once",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: the conversation's screen; the rows of a number in «Дозвон»
            models.Index(fields=["interaction", "at"], name="chat_interaction"),
            models.Index(fields=["number", "-at"], name="chat_number"),
        ]
