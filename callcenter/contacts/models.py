"""Interactions (one call, chat, request…) and contacts: one person in one local day of a clinic.

Source: «История обращений».
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import ClassVar, Final, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from callcenter.assignments.models import Task
from callcenter.clinics.models import Appointment, Clinic, Patient, WaitingListEntry
from callcenter.contacts.states import (
    CallerType,
    ContactOutcome,
    ContactType,
    Direction,
    InteractionKind,
    InteractionState,
    JobState,
    Origin,
    ResultKind,
    RuleKind,
    Summary,
)
from callcenter.staff.models import User


class Topic(models.Model):
    """Тема разговора: an editable dictionary."""

    name = models.CharField("тема", max_length=100, unique=True)
    is_active = models.BooleanField("показывать", default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        verbose_name = "тема разговора"

    def __str__(self) -> str:
        return self.name


class ReasonUse(models.TextChoices):
    UNREACHED = "unreached", "не дозвонились"
    THINKING = "thinking", "думает, не знает, когда удобно"
    REFUSED = "refused", "отказался"
    NOT_BOOKED = "not_booked", "не записался (входящие)"


class Reason(models.Model):
    """Причина, почему не записался: an editable dictionary; `uses` says at which outcomes it is
    offered.
    """

    name = models.CharField("причина", max_length=100, unique=True)
    uses = ArrayField(
        models.CharField(max_length=12, choices=ReasonUse.choices),
        default=list,
        verbose_name="где предлагать",
    )
    is_active = models.BooleanField("показывать", default=True)
    position = models.PositiveSmallIntegerField("порядок", default=100)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "name"]
        verbose_name = "причина"

    def __str__(self) -> str:
        return self.name


class AdChannel(models.Model):
    """Рекламный канал: a node of the tree ('Контекстная реклама' → 'Яндекс Директ')."""

    name = models.CharField("канал", max_length=100)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name="входит в",
    )
    is_active = models.BooleanField("показывать", default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        verbose_name = "рекламный канал"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["parent", "name"], name="ad_channel_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return self.name


class ChannelRule(models.Model):
    """By what a channel is recognised; the kinds are checked in the order of `states.RULE_ORDER`,
    then by position.
    """

    channel = models.ForeignKey(
        AdChannel, models.CASCADE, related_name="rules", verbose_name="канал"
    )
    kind = models.CharField("по чему", max_length=12, choices=RuleKind.choices)
    pattern = models.CharField(
        "значение",
        max_length=200,
        help_text="UTM: utm_source=yandex&utm_campaign=*; номер: +79000000001; * — что угодно",
    )
    position = models.PositiveSmallIntegerField("порядок", default=100)
    is_active = models.BooleanField("действует", default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["kind", "position", "pk"]
        verbose_name = "правило канала"

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.pattern}"


class DirectoryNumber(models.Model):
    """A number that is no patient's: a colleague's telephone, a courier, a supplier."""

    number = models.CharField("номер", max_length=16, unique=True)
    name = models.CharField("чей", max_length=120)
    caller_type = models.CharField(
        "кто",
        max_length=14,
        choices=[(str(who), who.label) for who in (CallerType.EMPLOYEE, CallerType.OTHER)],
        default=CallerType.OTHER,
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        verbose_name = "номер справочника"

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class ContactPolicy(models.Model):
    """What a clinic may want different in «История обращений»; without a row the defaults hold."""

    clinic = models.OneToOneField(
        Clinic, models.CASCADE, primary_key=True, related_name="contact_policy"
    )
    comment_minutes = models.PositiveSmallIntegerField(
        "комментарий соединяется со звонком, ± минут",
        default=5,
        help_text="«Комментарий соединяется со звонком по трём параметрам: время (5 минут по умолчанию)…»",
    )
    result_minutes = models.PositiveSmallIntegerField(
        "действие после звонка из списка — его результат, минут",
        default=15,
        help_text="«…в течение 15 минут от звонка совершает действие»",
    )
    overdue_days = models.PositiveSmallIntegerField(
        "заявка просрочена через, полных суток",
        default=7,
        help_text="«Просроченные заявки (становятся таковыми через полные 7 суток, включая сегодня)»",
    )

    class Meta:
        verbose_name = "правила истории обращений"

    @classmethod
    def said(cls, clinics: Iterable[Clinic]) -> dict[str, str]:
        """Each rule of these clinics in words: '5', or '5; Клиника Б — 10' where one differs from
        most.

        No query where the clinics were read with `select_related("contact_policy")`.
        """
        clinics = list(clinics)
        policies = [getattr(clinic, "contact_policy", _USUAL) for clinic in clinics]
        return {
            field: _most_and_others(clinics, [getattr(policy, field) for policy in policies])
            for field in ("comment_minutes", "result_minutes", "overdue_days")
        }


_USUAL: Final = ContactPolicy()


def _most_and_others(clinics: Sequence[Clinic], values: Sequence[int]) -> str:
    if not values:
        return ""
    most = max(set(values), key=lambda value: (values.count(value), -value))
    others = [
        f"{clinic.name} — {value}"
        for clinic, value in zip(clinics, values, strict=True)
        if value != most
    ]
    return "; ".join([str(most), *others])


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))

    def due(self, now: dt.datetime) -> Self:
        """Those to be decided anew that no worker holds; a lease lasts two minutes."""
        return self.filter(
            Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - dt.timedelta(minutes=2)),
            due_at__lte=now,
        ).order_by("due_at")


class Contact(models.Model):
    """Обращение: all that one person and one clinic had with each other from 00:00 to 23:59 of the
    clinic's zone.

    Everything below `person_key` is decided by `machine.decide` from the interactions and results,
    and never edited: it stands here so that the report reads one narrow index and joins nothing.
    """

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="contacts", db_index=False)
    on = models.DateField("день")
    patient = models.ForeignKey(
        Patient, models.PROTECT, null=True, blank=True, related_name="contacts", db_index=False
    )
    number = models.CharField("номер", max_length=16, blank=True)
    # 'p<patient id>', or 'n<E.164>' while nobody is known behind the number, 'c<chat client>',
    # 'x<uuid>' without any.
    person_key = models.CharField(max_length=100)
    is_ambiguous = models.BooleanField("у номера несколько пациентов", default=False)
    caller_type = models.CharField(
        "Кто, тип", max_length=14, choices=CallerType.choices, default=CallerType.UNKNOWN
    )
    is_first_time = models.BooleanField("первичный", default=False)
    direction = models.CharField(
        "признак", max_length=3, choices=Direction.choices, default=Direction.IN
    )
    topic = models.ForeignKey(
        Topic, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    owner = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    outcome = models.CharField(
        "успешность",
        max_length=10,
        choices=ContactOutcome.choices,
        default=ContactOutcome.NOT_BOOKED,
    )
    channel = models.ForeignKey(
        AdChannel, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    line = models.CharField("наша линия", max_length=40, blank=True)
    contact_type = models.CharField(
        "с чего началось", max_length=16, choices=ContactType.choices, blank=True
    )
    contact_types = models.IntegerField(default=0, help_text="bits of states.BIT_OF")
    started_at = models.DateTimeField("начало")
    last_at = models.DateTimeField("последнее событие")
    start_hour = models.PositiveSmallIntegerField("час начала в клинике", default=0)
    interaction_count = models.PositiveIntegerField("записей", default=0)
    overdue_on = models.DateField("с какого дня просрочена заявка", null=True, blank=True)
    money = models.DecimalField(
        "сумма состоявшихся приёмов, ₽", max_digits=12, decimal_places=2, default=0
    )
    wait_seconds = models.PositiveIntegerField("ожидание, с", default=0)
    wait_count = models.PositiveIntegerField(default=0)
    talk_seconds = models.PositiveIntegerField("длительность, с", default=0)
    talk_count = models.PositiveIntegerField(default=0)
    main_result = models.ForeignKey(
        "ContactResult", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    results_count = models.PositiveSmallIntegerField("записей пациента", default=0)
    # Facts it rests on have changed: `recompute_due_contacts` decides it anew.
    due_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=250, blank=True)

    objects: ClassVar[models.Manager["Contact"]] = ContactQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-started_at", "-pk"]
        verbose_name = "обращение"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["clinic", "on", "person_key"], name="contact_person_day"
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: the report's totals and lists of a period (an index-only scan of the days it
            # asks for)
            models.Index(
                fields=["on", "started_at", "id"],
                name="contact_report",
                include=[
                    "clinic",
                    "caller_type",
                    "is_first_time",
                    "topic",
                    "owner",
                    "outcome",
                    "channel",
                    "line",
                    "contact_type",
                    "contact_types",
                    "start_hour",
                    "overdue_on",
                    "money",
                    "wait_seconds",
                    "wait_count",
                    "talk_seconds",
                    "talk_count",
                ],
            ),
            # a patient's own history; a number's contacts that may be tied to a patient
            models.Index(fields=["patient", "-started_at"], name="contact_patient_time"),
            models.Index(
                fields=["on", "number"],
                name="contact_unknown",
                condition=Q(patient__isnull=True) & ~Q(number=""),
            ),
            # `Contact.objects.due`
            models.Index(fields=["due_at"], name="contact_due", condition=Q(due_at__isnull=False)),
            # the day's card: unhandled requests of the clinic
            models.Index(
                fields=["clinic", "overdue_on"],
                name="contact_requests",
                condition=Q(overdue_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient or self.number} · {self.on:%d.%m.%Y}"


class InteractionQuerySet(models.QuerySet["Interaction"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))


class Interaction(models.Model):
    """One call, chat, request, dialog or comment."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="interactions")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=14, choices=InteractionKind.choices)
    state = models.CharField(max_length=9, choices=InteractionState.choices)
    direction = models.CharField(max_length=3, choices=Direction.choices, default=Direction.IN)
    at = models.DateTimeField("когда")
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    patient = models.ForeignKey(
        Patient, models.PROTECT, null=True, blank=True, related_name="interactions", db_index=False
    )
    # True when somebody said whose it is; False when it follows from the number.
    is_patient_given = models.BooleanField(default=False)
    number = models.CharField("номер клиента", max_length=16, blank=True)
    client = models.CharField("клиент в чате", max_length=80, blank=True)
    line = models.CharField("наша линия", max_length=40, blank=True)
    account = models.CharField("личный кабинет или сервис", max_length=80, blank=True)
    chat_channel = models.CharField("канал чата", max_length=40, blank=True)
    employee = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="interactions", db_index=False
    )
    wait_seconds = models.PositiveIntegerField("ожидание", null=True, blank=True)
    talk_seconds = models.PositiveIntegerField("длительность", null=True, blank=True)
    summary = models.CharField("итог", max_length=10, choices=Summary.choices, blank=True)
    topic = models.ForeignKey(
        Topic, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    reason = models.ForeignKey(
        Reason, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    comment = models.TextField("комментарий", blank=True)
    is_recall = models.BooleanField("КОС", default=False)
    caller_type_given = models.CharField(
        "кто (указал сотрудник)", max_length=14, choices=CallerType.choices, blank=True
    )
    origin = models.CharField("из какого списка", max_length=14, choices=Origin.choices, blank=True)
    utm = models.JSONField(default=dict, blank=True)
    referrer = models.CharField(max_length=500, blank=True)
    channel = models.ForeignKey(
        AdChannel, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    channel_rule = models.ForeignKey(
        ChannelRule, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    # Decided by the rules: the call this comment joined, and what the report shows in the row.
    joined_call = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="notes", db_index=False
    )
    contact_type = models.CharField(
        "тип обращения", max_length=16, choices=ContactType.choices, blank=True
    )
    caller_type = models.CharField(
        "Кто, тип", max_length=14, choices=CallerType.choices, default=CallerType.UNKNOWN
    )
    shown_employee = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    shown_topic = models.ForeignKey(
        Topic, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    # Of a request: the call that answered it; of a missed call: when and from which side the talk
    # came about.
    handled_by = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="handled"
    )
    returned_at = models.DateTimeField(null=True, blank=True)
    returned_by = models.CharField(max_length=3, choices=Direction.choices, blank=True)
    # The source's own id makes intake idempotent.
    source = models.CharField("откуда", max_length=40, default="hand")
    source_id = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    objects: ClassVar[models.Manager["Interaction"]] = InteractionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
        verbose_name = "запись обращения"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["source", "source_id"],
                condition=~Q(source_id=""),
                name="interaction_source",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # «Без группировки»: newest first, of one clinic or of the whole chain
            models.Index(fields=["clinic", "-at", "-id"], name="interaction_clinic_time"),
            # … and its totals and counts of a period, by an index-only scan
            models.Index(
                fields=["at", "id"],
                name="interaction_report",
                condition=Q(joined_call__isnull=True),
                include=[
                    "clinic",
                    "contact",
                    "caller_type",
                    "contact_type",
                    "shown_employee",
                    "shown_topic",
                    "channel",
                    "wait_seconds",
                    "talk_seconds",
                ],
            ),
            # who turned to us by this number; a patient's own history
            models.Index(
                fields=["number", "-at"], name="interaction_number", condition=~Q(number="")
            ),
            models.Index(
                fields=["patient", "-at"],
                name="interaction_patient",
                condition=Q(patient__isnull=False),
            ),
            # comments of a call
            models.Index(
                fields=["joined_call"],
                name="interaction_bound",
                condition=Q(joined_call__isnull=False),
            ),
            # «Пропущенные» of a period
            models.Index(
                fields=["clinic", "-at"],
                name="interaction_missed",
                condition=Q(kind="call", state="missed"),
            ),
            # unhandled requests that a call may answer; live calls and chats
            models.Index(
                fields=["clinic", "at"],
                name="interaction_open",
                condition=Q(state__in=["new", "ringing", "talking", "active"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%d.%m.%Y %H:%M}"


class ContactResult(models.Model):
    """What came of a contact: a booking, a move, a waiting-list entry… bound to the contact it
    belongs to.

    `contact` is empty while nothing fits: an action without a call, shown on «Связать».
    """

    contact = models.ForeignKey(
        Contact, models.CASCADE, null=True, blank=True, related_name="results"
    )
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+", db_index=False)
    interaction = models.ForeignKey(
        Interaction, models.SET_NULL, null=True, blank=True, related_name="results"
    )
    kind = models.CharField(max_length=14, choices=ResultKind.choices)
    patient = models.ForeignKey(
        Patient, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    appointment = models.ForeignKey(
        Appointment,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="contact_results",
        db_index=False,
    )
    waiting = models.ForeignKey(
        WaitingListEntry,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="contact_results",
        db_index=False,
    )
    task = models.ForeignKey(
        Task, models.CASCADE, null=True, blank=True, related_name="contact_results", db_index=False
    )
    origin = models.CharField("из какого списка", max_length=14, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    note = models.CharField(max_length=250, blank=True)
    # 'booked:a15:1': one act is one result, whether the card attached it or the ticker found it.
    source_key = models.CharField(max_length=60, blank=True)
    # The state in which the contact was last decided, to see that it has changed since.
    subject_changed_at = models.DateTimeField(null=True, blank=True)
    # A person bound it or put it aside on «Связать»: the ticker does not move it any more.
    is_by_hand = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["source_key"], condition=~Q(source_key=""), name="result_source_key"
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["appointment"],
                name="result_appointment",
                condition=Q(appointment__isnull=False),
            ),
            models.Index(
                fields=["waiting"], name="result_waiting", condition=Q(waiting__isnull=False)
            ),
            models.Index(fields=["task"], name="result_task", condition=Q(task__isnull=False)),
            # «Связать» and the settling of a contact: deeds that fitted nowhere yet
            models.Index(
                fields=["patient", "at"], name="result_loose", condition=Q(contact__isnull=True)
            ),
            models.Index(
                fields=["clinic", "-at"],
                name="result_loose_clinic",
                condition=Q(contact__isnull=True),
            ),
        ]


def recording_path(recording: "Recording", filename: str) -> str:
    """By day, under a name nobody can guess; the extension is kept."""
    extension = filename.rsplit(".", 1)[-1].lower() if "." in filename else "wav"
    return f"recordings/{recording.created_at:%Y/%m/%d}/{uuid.uuid4().hex}.{extension}"


class Recording(models.Model):
    """The sound of one call, and what was said in it. `transcript` is [{"at": 3.2, "side":
    "client", "text": "…"}].
    """

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="recordings")
    file = models.FileField(upload_to=recording_path, max_length=200)
    mime = models.CharField(max_length=40, default="audio/wav")
    seconds = models.FloatField("длительность, с", default=0)
    transcript = models.JSONField(default=list, blank=True)
    source_id = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["interaction", "source_id"],
                condition=~Q(source_id=""),
                name="recording_source",
            )
        ]


class ChatLine(models.Model):
    """One message of a conversation, as the messenger told it."""

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="chat_lines")
    at = models.DateTimeField()
    direction = models.CharField(max_length=3, choices=Direction.choices)
    author = models.CharField(max_length=120, blank=True)
    text = models.TextField()
    source_id = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["interaction", "source_id"],
                condition=~Q(source_id=""),
                name="chat_line_source",
            )
        ]


class SourceKey(models.Model):
    """The key by which an outside source writes contacts of one clinic. Only a hash of it is kept."""

    name = models.CharField(
        "источник", max_length=40, unique=True, help_text="латиницей: site, uis, max-bot"
    )
    clinic = models.ForeignKey(
        Clinic, models.PROTECT, related_name="source_keys", verbose_name="клиника"
    )
    digest = models.CharField(max_length=64, unique=True)
    tail = models.CharField("конец ключа", max_length=6)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField("отозван", null=True, blank=True)
    last_used_on = models.DateField("последний день работы", null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        verbose_name = "ключ источника"

    def __str__(self) -> str:
        return self.name


class ChannelRecount(models.Model):
    """An order to find the channels of a period anew by today's rules: «changing rules recomputes
    only on request».
    """

    clinic = models.ForeignKey(Clinic, models.CASCADE, related_name="+", verbose_name="клиника")
    since = models.DateField("с")
    until = models.DateField("по")
    state = models.CharField(max_length=8, choices=JobState.choices, default=JobState.WAITING)
    done = models.PositiveIntegerField("проверено", default=0)
    total = models.PositiveIntegerField("всего", default=0)
    changed = models.PositiveIntegerField("изменилось", default=0)
    reached_id = models.BigIntegerField(default=0)  # it goes on from here after a killed worker
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    due_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        indexes: ClassVar[list[models.Index]] = [
            # reader: `recount_due_channels`
            models.Index(fields=["due_at"], name="recount_due", condition=Q(due_at__isnull=False)),
        ]
