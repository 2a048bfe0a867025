"""Chats with B2C clients (appendix 1, «Правила работы в чатах B2C»)."""

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from b2c_procedures.states import ChatState, ClockKind
from callcenter.assignments.models import Task
from callcenter.clinics.models import Clinic, Patient
from callcenter.contacts.models import Topic
from callcenter.messaging.models import ChatMessage
from callcenter.staff.models import User


class ChatQuerySet(models.QuerySet["Chat"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))

    def live(self) -> Self:
        return self.filter(state__in=[ChatState.WAITING, ChatState.ACTIVE])


class Chat(models.Model):
    """A conversation in a messenger, from the first message to its closing; at most one live with
    one address.
    """

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    channel = models.CharField("мессенджер", max_length=10)
    address = models.CharField("адрес клиента", max_length=120)
    client_name = models.CharField("имя", max_length=120, blank=True)
    patient = models.ForeignKey(
        Patient, models.PROTECT, null=True, blank=True, related_name="chats"
    )
    topic = models.ForeignKey(
        Topic, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="тема"
    )
    state = models.CharField(max_length=8, choices=ChatState.choices, default=ChatState.WAITING)
    manager = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="chats")
    opened_at = models.DateTimeField()
    shared_at = models.DateTimeField(null=True, blank=True)
    first_answer_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField()
    unread = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["Chat"]] = ChatQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-last_at", "-pk"]
        verbose_name = "чат"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["clinic", "channel", "address"],
                condition=Q(state__in=["waiting", "active"]),
                name="chat_one_live",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: a manager's chats and everybody's load; chats that wait to be shared out
            models.Index(
                fields=["manager", "-last_at"], name="chat_manager", condition=Q(state="active")
            ),
            models.Index(fields=["opened_at"], name="chat_waiting", condition=Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.client or 'Клиент'} · {self.channel}"

    @property
    def client(self) -> str:
        """Who writes: the patient, else the name he gave himself; '' when only his address is
        known.
        """
        return self.patient.full_name if self.patient is not None else self.client_name


class FailedChatMessageQuerySet(models.QuerySet["FailedChatMessage"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(
            message__clinic__in=Clinic.objects.filter(staff=user), message__chat_line=None
        )


class ChatMessageLink(models.Model):
    """Which conversation a message of the messenger belongs to; a lead's leave for a forbidden
    wording stands here.
    """

    chat = models.ForeignKey(Chat, models.CASCADE, related_name="lines")
    message = models.OneToOneField(ChatMessage, models.CASCADE, related_name="chat_line")
    overridden = models.CharField("разрешённая запретная формулировка", max_length=250, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["message__at", "message_id"]

    def __str__(self) -> str:
        return str(self.message_id)


class FailedChatMessage(models.Model):
    """A client's message that could not be put into a conversation: why, and when it is tried again
    (UTC).
    """

    message = models.OneToOneField(ChatMessage, models.CASCADE, related_name="chat_trouble")
    last_error = models.CharField(max_length=250)
    due_at = models.DateTimeField()

    objects: ClassVar[models.Manager["FailedChatMessage"]] = FailedChatMessageQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["message__at"]

    def __str__(self) -> str:
        return self.last_error


class ChatTimer(models.Model):
    """One running time of a chat: what must happen by when, and whether it did."""

    chat = models.ForeignKey(Chat, models.CASCADE, related_name="clocks")
    kind = models.CharField(max_length=11, choices=ClockKind.choices)
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    met_at = models.DateTimeField(null=True, blank=True)
    task = models.ForeignKey(Task, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["due_at"]
        indexes: ClassVar[list[models.Index]] = [
            # reader: the chat's page and the list of late chats
            models.Index(
                fields=["due_at"], name="chat_clock_running", condition=Q(met_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} до {self.due_at:%H:%M}"

    @property
    def done_at(self) -> dt.datetime | None:
        """When it was met: by our answer, or by the answer to the task it waits for."""
        return self.met_at or (self.task.closed_at if self.task is not None else None)


class ChatPause(models.Model):
    """A manager who takes no chats now (a break, the end of his shift); his chats went to the
    others.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="chat_absence")
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user} с {self.since:%H:%M}"


class ForbiddenPhrase(models.Model):
    """A wording that must not reach a client («передал информацию в отдел логистики»), with what to
    say instead.
    """

    phrase = models.CharField(
        "формулировка",
        max_length=150,
        unique=True,
        help_text="слова через пробел; * — любое окончание",
    )
    why = models.CharField("почему нельзя", max_length=200)
    instead = models.CharField("как сказать", max_length=200, blank=True)
    is_active = models.BooleanField("проверять", default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["phrase"]
        verbose_name = "запрещённая формулировка"

    def __str__(self) -> str:
        return self.phrase
