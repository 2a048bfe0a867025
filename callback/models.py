"""Requests for a call, what the robot tried, the sources they come from, each clinic's settings."""

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from callback.state_machine import FOR_PEOPLE, LIVE, RequestEvent, RequestState
from callcenter.clinics.models import Clinic, Doctor, Patient, ScheduleWindow, Service
from callcenter.contacts.models import Interaction
from callcenter.staff.models import User
from callcenter.telephony.models import Call


class RequestSource(models.Model):
    """An aggregator or a site that may send requests: how the robot names it, its key and its
    signing secret.
    """

    name = models.CharField("название", max_length=60, unique=True)
    code = models.SlugField("код", max_length=30, unique=True)
    spoken = models.CharField(
        "как произносит робот", max_length=80, help_text="«Заявка на запись с …»"
    )
    clinics = models.ManyToManyField(Clinic, related_name="request_sources", verbose_name="клиники")
    key_digest = models.CharField(max_length=64, unique=True)
    key_tail = models.CharField("конец ключа", max_length=6)
    secret = models.CharField(
        max_length=64
    )  # both sides must have it to sign (HMAC), so it cannot be a hash
    is_active = models.BooleanField("принимаем", default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class CallbackSettings(models.Model):
    """How a clinic works with requests; the defaults are those of «Обратный звонок»."""

    class NightStart(models.TextChoices):
        OPENING = "opening", "в час открытия клиники"
        NINE = "nine", "в 9:00"

    clinic = models.OneToOneField(Clinic, models.CASCADE, related_name="callback_settings")
    is_on = models.BooleanField("робот звонит", default=True)
    night_start = models.CharField(
        "ночные заявки — когда звонить",
        max_length=8,
        choices=NightStart.choices,
        default=NightStart.OPENING,
        help_text=(
            "«обратный звонок сработает на следующий рабочий день с 9 утра или в час открытия"
            " клиники»"
        ),
    )
    redial_minutes = models.PositiveSmallIntegerField(
        "пауза между попытками, минут", default=5, help_text="«с периодичностью каждые 5 минут»"
    )
    window_minutes = models.PositiveSmallIntegerField(
        "сколько пробовать, минут рабочего времени", default=150, help_text="«в течение 2,5 часов»"
    )
    ring_seconds = models.PositiveSmallIntegerField(
        "звоним одному администратору, секунд", default=25
    )
    key_seconds = models.PositiveSmallIntegerField("ждём клавишу, секунд", default=15)
    patient_seconds = models.PositiveSmallIntegerField("звоним пациенту, секунд", default=40)
    talk_seconds = models.PositiveSmallIntegerField(
        "разговор состоялся, если длиннее, секунд",
        default=10,
        help_text="«разговор должен длиться больше 10 секунд»",
    )
    patient_tries = models.PositiveSmallIntegerField("не больше попыток пациенту", default=4)
    is_dialling_after_sms = models.BooleanField(
        "звонить пациенту и после СМС",
        default=False,
        help_text="Как в инструкции: «продолжает дозваниваться в течение нескольких часов»",
    )
    has_second_key = models.BooleanField(
        "вторая клавиша: 2 уже записан, 3 позже, 4 не наш", default=True
    )
    choice_seconds = models.PositiveSmallIntegerField("ждём вторую клавишу, секунд", default=3)
    hold_minutes = models.PositiveSmallIntegerField("придерживать окно РТЗ, минут", default=180)
    is_recording_on = models.BooleanField("записывать разговоры", default=False)
    recording_notice = models.CharField(
        "предупреждение о записи", max_length=200, blank=True, default="Разговор записывается."
    )
    prompt = models.CharField(
        "просьба нажать клавишу",
        max_length=200,
        default=(
            "Здравствуйте. Есть заявка на обратный звонок. Нажмите любую клавишу, если готовы"
            " говорить с пациентом."
        ),
    )
    sms_text = models.CharField(
        "СМС пациенту",
        max_length=300,
        default="Клиника не смогла до вас дозвониться по заявке с сайта {источник}. "
        "Пожалуйста, перезвоните по номеру: {телефон}",
        help_text="Слова инструкции; {источник} и {телефон} подставятся",
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(redial_minutes__gte=1), name="callback_redial_min"),
            models.CheckConstraint(
                condition=Q(window_minutes__gte=F("redial_minutes")), name="callback_window_min"
            ),
        ]

    def __str__(self) -> str:
        return f"Обратный звонок · {self.clinic}"


class RequestQuerySet(models.QuerySet["CallbackRequest"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))

    def due(self, now: dt.datetime) -> Self:
        """Those to look at, nobody looking yet; the longest overdue first."""
        return self.filter(due_at__lte=now, claimed_at__isnull=True).order_by("due_at", "pk")


class CallbackRequest(models.Model):
    """«Заявка»: somebody asked on a site to be called. `due_at` is when to look at it again,
    whatever its state.
    """

    source = models.ForeignKey(
        RequestSource, models.PROTECT, null=True, blank=True, related_name="requests"
    )
    external_id = models.CharField("номер у источника", max_length=120, blank=True)
    clinic = models.ForeignKey(
        Clinic, models.PROTECT, related_name="callback_requests", verbose_name="клиника"
    )
    name = models.CharField("как зовут пациента", max_length=150)
    number = models.CharField("телефон", max_length=16)
    patient = models.ForeignKey(
        Patient,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="callback_requests",
        verbose_name="пациент",
    )
    doctor = models.ForeignKey(
        Doctor, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="врач"
    )
    service = models.ForeignKey(
        Service, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="услуга"
    )
    # As the source wrote them, when the floor has no such doctor or service: the robot reads them
    # all the same.
    doctor_words = models.CharField(max_length=150, blank=True)
    service_words = models.CharField(max_length=150, blank=True)
    window = models.ForeignKey(
        ScheduleWindow, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    window_lost = models.BooleanField("выбранное время занято", default=False)
    wished = models.CharField("когда удобно", max_length=120, blank=True)
    comment = models.TextField("комментарий", blank=True)
    state = models.CharField(
        max_length=10, choices=RequestState.choices, default=RequestState.WAITING
    )
    asked_at = models.DateTimeField("пришла")
    due_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    first_try_at = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField("робот пробует до", null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField("чем закончилась", max_length=250, blank=True)
    is_closed_by_key = models.BooleanField(default=False)
    is_closed_automatically = models.BooleanField(
        default=False
    )  # a call saved: the patient was booked already
    pause_reason = models.CharField(max_length=250, blank=True)
    ignore_talks_before = models.DateTimeField(
        null=True, blank=True
    )  # the newest talk a person has decided about
    dials = models.PositiveSmallIntegerField("звонков пациенту", default=0)
    holder = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="у кого"
    )
    joined_to = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="joined"
    )
    sms_at = models.DateTimeField(null=True, blank=True)
    details_at = models.DateTimeField(null=True, blank=True)
    letter_at = models.DateTimeField(null=True, blank=True)
    connected_on = models.PositiveSmallIntegerField("поговорили с попытки", null=True, blank=True)
    connected_at = models.DateTimeField(null=True, blank=True)
    interaction = models.OneToOneField(
        Interaction, models.SET_NULL, null=True, blank=True, related_name="callback_request"
    )
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    last_error = models.CharField(max_length=250, blank=True)

    objects: ClassVar[models.Manager["CallbackRequest"]] = RequestQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-asked_at", "-pk"]
        verbose_name = "заявка на обратный звонок"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=~Q(external_id=""),
                name="callback_request_source",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: the ticker; its reaper; the board's open rows; a second request of a number;
            # the report
            models.Index(
                fields=["due_at"],
                name="callback_due",
                condition=Q(due_at__isnull=False, claimed_at__isnull=True),
            ),
            models.Index(
                fields=["claimed_at"],
                name="callback_claimed",
                condition=Q(claimed_at__isnull=False),
            ),
            models.Index(
                fields=["clinic", "due_at"],
                name="callback_open",
                condition=Q(state__in=[*LIVE, *FOR_PEOPLE]),
            ),
            models.Index(fields=["number", "-asked_at"], name="callback_number"),
            models.Index(fields=["clinic", "-asked_at"], name="callback_clinic_time"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def for_people(self) -> bool:
        return self.state in FOR_PEOPLE

    @property
    def doctor_name(self) -> str:
        return self.doctor.full_name if self.doctor is not None else self.doctor_words

    @property
    def service_name(self) -> str:
        return self.service.name if self.service is not None else self.service_words

    @property
    def from_where(self) -> str:
        """' с НаПоправку', ' с сайта клиники': what follows the word «Заявка»; '' for one written
        down by hand.
        """
        return f" с {self.source.spoken}" if self.source is not None else ""

    @property
    def source_name(self) -> str:
        return self.source.name if self.source is not None else "вручную"


class CallbackAttempt(models.Model):
    """One try: from the first administrator rung to the last telephone put down. Its legs are lines
    of its call.
    """

    request = models.ForeignKey(CallbackRequest, models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    call = models.OneToOneField(Call, models.PROTECT, null=True, related_name="callback_attempt")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    employee = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    result = models.CharField(max_length=20, choices=RequestEvent.choices, blank=True)
    note = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["request", "number"], name="callback_attempt_number"),
            # at most one live attempt per request
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(ended_at__isnull=True),
                name="callback_attempt_one_live",
            ),
        ]


class RequestLine(models.Model):
    """One line of a request's story: what happened, who did it, what it became."""

    request = models.ForeignKey(CallbackRequest, models.CASCADE, related_name="lines")
    at = models.DateTimeField()
    event = models.CharField(max_length=20, choices=RequestEvent.choices, blank=True)
    before = models.CharField(max_length=10, choices=RequestState.choices, blank=True)
    after = models.CharField(max_length=10, choices=RequestState.choices, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    text = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
