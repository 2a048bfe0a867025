"""Clinics with their hours, doctors, patients, appointments, free windows and the waiting list."""

import datetime as dt
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Replace, Reverse

from callcenter.clinics.search_keys import name_key
from callcenter.clinics.states import (
    OCCUPYING,
    TRANSITIONS,
    UPCOMING,
    AppointmentStatus,
    ConsentChannel,
    ConsentPurpose,
    WaitingKind,
    WaitingState,
    WindowState,
)
from callcenter.lib.localtime import local
from callcenter.lib.person_names import short_name
from callcenter.staff.models import User

ZONES = (
    ("Europe/Kaliningrad", "Калининград (МСК−1)"),
    ("Europe/Moscow", "Москва (МСК)"),
    ("Europe/Samara", "Самара (МСК+1)"),
    ("Asia/Yekaterinburg", "Екатеринбург (МСК+2)"),
    ("Asia/Omsk", "Омск (МСК+3)"),
    ("Asia/Novosibirsk", "Новосибирск (МСК+4)"),
    ("Asia/Irkutsk", "Иркутск (МСК+5)"),
    ("Asia/Yakutsk", "Якутск (МСК+6)"),
    ("Asia/Vladivostok", "Владивосток (МСК+7)"),
    ("Asia/Magadan", "Магадан (МСК+8)"),
    ("Asia/Kamchatka", "Камчатка (МСК+9)"),
)


class ClinicQuerySet(models.QuerySet["Clinic"]):
    def visible_to(self, user: User) -> Self:
        """The clinics that list the user among their staff."""
        return self.filter(staff=user)


class Clinic(models.Model):
    name = models.CharField("название", max_length=120, unique=True)
    zone = models.CharField("часовой пояс", max_length=40, choices=ZONES, default="Europe/Moscow")
    address = models.CharField("адрес", max_length=250, blank=True)
    phone = models.CharField("телефон", max_length=16, blank=True, help_text="E.164")
    site = models.URLField("сайт", blank=True)
    reception_email = models.EmailField("e-mail регистратуры", blank=True)
    responsible_emails = ArrayField(
        models.EmailField(),
        verbose_name="e-mail ответственных",
        default=list,
        blank=True,
        help_text="через запятую",
    )
    observes_holidays = models.BooleanField("не работает в праздники России", default=True)
    # Quiet hours (design §4): nobody is dialled or written to outside them, in the patient's zone.
    calls_from = models.TimeField("звонки с", default=dt.time(9))
    calls_to = models.TimeField("звонки до", default=dt.time(20))
    calls_dayoff_from = models.TimeField("звонки в выходные с", default=dt.time(10))
    calls_dayoff_to = models.TimeField("звонки в выходные до", default=dt.time(19))
    messages_from = models.TimeField("сообщения с", default=dt.time(8))
    messages_to = models.TimeField("сообщения до", default=dt.time(21))
    staff = models.ManyToManyField(
        User, related_name="clinics", blank=True, verbose_name="сотрудники"
    )
    source_id = models.CharField(max_length=60, blank=True)

    objects: ClassVar[models.Manager["Clinic"]] = ClinicQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        verbose_name = "клиника"

    def __str__(self) -> str:
        return self.name


class OpeningHours(models.Model):
    """Hours of one weekday (0 = Monday) in the clinic's zone; a weekday without a row is closed."""

    clinic = models.ForeignKey(Clinic, models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField("день недели")
    opens = models.TimeField("открывается")
    closes = models.TimeField("закрывается")

    class Meta:
        ordering: ClassVar[list[str]] = ["weekday"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["clinic", "weekday"], name="opening_hours_weekday"),
            models.CheckConstraint(
                condition=Q(weekday__lte=6), name="opening_hours_weekday_of_week"
            ),
            models.CheckConstraint(condition=Q(closes__gt=F("opens")), name="opening_hours_order"),
        ]


class SpecialDay(models.Model):
    """A day that differs from its weekday: closed (no hours) or open at other hours, holidays
    included.
    """

    clinic = models.ForeignKey(Clinic, models.CASCADE, related_name="special_days")
    on = models.DateField("день")
    opens = models.TimeField("открывается", null=True, blank=True)
    closes = models.TimeField("закрывается", null=True, blank=True)
    reason = models.CharField("почему", max_length=120, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["on"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["clinic", "on"], name="special_day_once"),
            models.CheckConstraint(
                condition=Q(opens__isnull=True, closes__isnull=True) | Q(closes__gt=F("opens")),
                name="special_day_order",
            ),
        ]


class LegalBasis(models.Model):
    """On what the clinic's messages and calls of a purpose rest: the document, its date, who
    recorded it (design §4).
    """

    clinic = models.ForeignKey(Clinic, models.CASCADE, related_name="grounds")
    purpose = models.CharField("цель", max_length=12, choices=ConsentPurpose.choices)
    basis = models.CharField("основание", max_length=250)
    since = models.DateField("с какого дня")
    until = models.DateField("по какой день", null=True, blank=True)
    source = models.CharField("источник", max_length=120, blank=True)


class Specialty(models.Model):
    name = models.CharField("специальность", max_length=100, unique=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class Doctor(models.Model):
    full_name = models.CharField("ФИО", max_length=150)
    specialty = models.ForeignKey(
        Specialty, models.PROTECT, related_name="doctors", verbose_name="специальность"
    )
    clinics = models.ManyToManyField(Clinic, related_name="doctors", verbose_name="клиники")
    user = models.OneToOneField(
        User, models.SET_NULL, null=True, blank=True, related_name="doctor", verbose_name="логин"
    )
    source_id = models.CharField("код в системе расписания", max_length=60, blank=True)
    is_active = models.BooleanField("принимает", default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["full_name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["source_id"], condition=~Q(source_id=""), name="doctor_source"
            )
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def short_name(self) -> str:
        return short_name(self.full_name)


class Service(models.Model):
    name = models.CharField("услуга", max_length=150, unique=True)
    specialty = models.ForeignKey(
        Specialty, models.SET_NULL, null=True, blank=True, related_name="services"
    )
    minutes = models.PositiveSmallIntegerField("минут", default=30)
    price = models.DecimalField("цена, ₽", max_digits=10, decimal_places=2, null=True, blank=True)
    is_active = models.BooleanField("оказывается", default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, user: User) -> Self:
        """A patient belongs to the chain; his phone and history are seen by the clinics he visits
        (design §4).
        """
        return self.filter(clinics__in=Clinic.objects.filter(staff=user)).distinct()


class Patient(models.Model):
    last_name = models.CharField("фамилия", max_length=80)
    first_name = models.CharField("имя", max_length=80, blank=True)
    middle_name = models.CharField("отчество", max_length=80, blank=True)
    birth_date = models.DateField("дата рождения", null=True, blank=True)
    email = models.EmailField("e-mail", blank=True)
    zone = models.CharField(
        "часовой пояс", max_length=40, blank=True, choices=ZONES, help_text="если известен"
    )
    clinics = models.ManyToManyField(Clinic, related_name="patients", verbose_name="посещает")
    do_not_call = models.BooleanField("не звонить", default=False)
    do_not_call_since = models.DateTimeField(null=True, blank=True)
    do_not_call_reason = models.CharField("почему не звонить", max_length=250, blank=True)
    note = models.TextField("заметка", blank=True)
    source_id = models.CharField("код в картотеке", max_length=60, blank=True)
    # Keys kept by the database itself, whoever writes the row: ё → е, lower case, one space between
    # words; each begins with another field of the name, so that the beginning of its first word is
    # the beginning of a key; the words further on are `PatientWord`s (readers: `clinics.search`).
    sort_key = name_key("last_name", "first_name", "middle_name")
    first_name_key = name_key("first_name", "last_name", "middle_name")
    middle_name_key = name_key("middle_name", "last_name", "first_name")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Patient"]] = PatientQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["sort_key"]
        verbose_name = "пациент"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["source_id"], condition=~Q(source_id=""), name="patient_source"
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["birth_date"], name="patient_birth", condition=Q(birth_date__isnull=False)
            ),
            # readers: patient search; the id rides along so that the index alone answers
            models.Index(fields=["sort_key", "id"], name="patient_last"),
            models.Index(fields=["first_name_key", "id"], name="patient_first"),
            models.Index(fields=["middle_name_key", "id"], name="patient_middle"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return " ".join(
            part for part in (self.last_name, self.first_name, self.middle_name) if part
        )

    @property
    def short_name(self) -> str:
        """'Иванова О. П.'"""
        return " ".join(
            [
                self.last_name,
                *(f"{part[0]}." for part in (self.first_name, self.middle_name) if part),
            ]
        )


class NamePart(models.IntegerChoices):
    """The field of the name, in the order in which a search shows what it has found."""

    LAST = 1, "фамилия"
    FIRST = 2, "имя"
    MIDDLE = 3, "отчество"


class PatientNameWord(models.Model):
    """A word of a name that no key of the card begins with: 'оглы', the 'Мария' of 'Анна-Мария',
    the 'Круз' of 'де ла Круз'.

    Written by triggers of the database (migration 0006), whoever writes the card; most cards have
    none.
    """

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="words")
    part = models.PositiveSmallIntegerField(choices=NamePart.choices)
    key = models.CharField(max_length=330, help_text="the word, then the card's sort_key")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # reader: patient search; the patient rides along so that the index alone answers
            models.Index(fields=["part", "key", "patient"], name="patient_word")
        ]

    def __str__(self) -> str:
        return self.key


class PatientPhone(models.Model):
    """A number by which the patient is reached; the same number may stand with several patients: a
    family.
    """

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="phones")
    number = models.CharField("телефон", max_length=16, help_text="E.164")
    # The digits backwards: '4+ last digits' becomes a beginning, which an index can find.
    reversed_digits = models.GeneratedField(
        expression=Reverse(Replace(F("number"), Value("+"))),
        output_field=models.CharField(max_length=16),
        db_persist=True,
    )
    label = models.CharField("чей", max_length=60, blank=True)
    is_main = models.BooleanField("основной", default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["-is_main", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["patient", "number"], name="patient_phone_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["number"], name="phone_number"),
            models.Index(fields=["reversed_digits"], name="phone_reversed"),
        ]

    def __str__(self) -> str:
        return self.number


class Consent(models.Model):
    """A consent or a refusal of one purpose through one channel; the newest row counts, none is
    ever changed.
    """

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="consents")
    purpose = models.CharField("цель", max_length=12, choices=ConsentPurpose.choices)
    channel = models.CharField("канал", max_length=10, choices=ConsentChannel.choices)
    granted = models.BooleanField("согласен")
    at = models.DateTimeField("когда")
    source = models.CharField("источник", max_length=200)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-pk"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient", "purpose", "channel", "-at"], name="consent_newest")
        ]


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))

    def occupying(self) -> Self:
        """Those that take the doctor's time."""
        return self.filter(status__in=OCCUPYING)

    def upcoming(self, now: dt.datetime) -> Self:
        """Those still to come that can be moved or cancelled."""
        return self.filter(status__in=UPCOMING, starts_at__gt=now)


class Appointment(models.Model):
    """A visit. `version` grows with every move or cancellation: messages and reminders are keyed by
    it.
    """

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="appointments")
    doctor = models.ForeignKey(Doctor, models.PROTECT, related_name="appointments")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="appointments")
    service = models.ForeignKey(
        Service, models.PROTECT, null=True, blank=True, related_name="appointments"
    )
    starts_at = models.DateTimeField("начало")
    ends_at = models.DateTimeField("конец")
    status = models.CharField(
        max_length=10, choices=AppointmentStatus.choices, default=AppointmentStatus.SCHEDULED
    )
    version = models.PositiveIntegerField(default=1)
    money = models.DecimalField("сумма, ₽", max_digits=12, decimal_places=2, null=True, blank=True)
    comment = models.TextField("комментарий", blank=True)
    cancel_reason = models.CharField("причина отмены", max_length=250, blank=True)
    created_at = models.DateTimeField("записан")
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    # When its state, time or money last changed: read by tickers that pull facts (outcome of
    # contacts, КОС closing).
    changed_at = models.DateTimeField()
    source = models.CharField("откуда", max_length=40, default="dozvon")
    source_id = models.CharField(max_length=60, blank=True)

    objects: ClassVar[models.Manager["Appointment"]] = AppointmentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["starts_at"]
        verbose_name = "приём"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["source", "source_id"],
                condition=~Q(source_id=""),
                name="appointment_source",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="appointment_order"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: overlap check and the doctor's day; the clinic's day (Дозвон); a patient's
            # card; pulling tickers
            models.Index(fields=["doctor", "starts_at"], name="appointment_doctor_time"),
            models.Index(fields=["clinic", "starts_at"], name="appointment_clinic_time"),
            models.Index(fields=["patient", "-starts_at"], name="appointment_patient_time"),
            models.Index(fields=["changed_at"], name="appointment_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.patient} {local(self.starts_at, self.clinic.zone):%d.%m.%Y %H:%M}"

    @property
    def next_statuses(self) -> tuple[AppointmentStatus, ...]:
        """What may become of the visit."""
        return TRANSITIONS[AppointmentStatus(self.status)]

    @property
    def local_start(self) -> dt.datetime:
        return local(self.starts_at, self.clinic.zone)


class AppointmentEvent(models.Model):
    """One line of a visit's history: booked, moved, cancelled, confirmed… with the former time."""

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=20)
    version = models.PositiveIntegerField()
    starts_at_before = models.DateTimeField(null=True)
    starts_at_after = models.DateTimeField(null=True)
    # Only of a move from one doctor to another.
    doctor_before = models.ForeignKey(
        Doctor, models.PROTECT, null=True, related_name="+", db_index=False
    )
    status_before = models.CharField(max_length=10, blank=True)
    status_after = models.CharField(max_length=10, blank=True, choices=AppointmentStatus.choices)
    reason = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]


class WindowQuerySet(models.QuerySet["ScheduleWindow"]):
    def bookable(self, now: dt.datetime) -> Self:
        """Free and still to come, or held by a hold that has run out."""
        return self.filter(
            Q(state=WindowState.FREE) | Q(state=WindowState.HELD, held_until__lte=now),
            starts_at__gt=now,
        )


class ScheduleWindow(models.Model):
    """A free window of a doctor («прогнозное расписание»)."""

    clinic = models.ForeignKey(Clinic, models.CASCADE, related_name="windows")
    doctor = models.ForeignKey(Doctor, models.CASCADE, related_name="windows")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=6, choices=WindowState.choices, default=WindowState.FREE)
    held_until = models.DateTimeField(null=True, blank=True)
    held_for = models.CharField(
        max_length=120, blank=True
    )  # whose hold it is, in words and as a key
    appointment = models.ForeignKey(
        Appointment, models.SET_NULL, null=True, blank=True, related_name="windows"
    )
    source_id = models.CharField(max_length=60, blank=True)

    objects: ClassVar[models.Manager["ScheduleWindow"]] = WindowQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["starts_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["doctor", "starts_at", "clinic"], name="window_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="window_order"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["doctor", "starts_at"],
                name="window_open",
                condition=Q(state__in=["free", "held"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.doctor.short_name} {local(self.starts_at, self.clinic.zone):%d.%m %H:%M}"


class WaitingListQuerySet(models.QuerySet["WaitingListEntry"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))

    def open(self) -> Self:
        return self.filter(state=WaitingState.OPEN)


class WaitingListEntry(models.Model):
    """Лист ожидания: the patient waits for a window, or asked to be called on a date («напомнить
    позже»).
    """

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="waiting_list")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="waiting_list")
    kind = models.CharField(
        "вид", max_length=12, choices=WaitingKind.choices, default=WaitingKind.WAITING_LIST
    )
    doctor = models.ForeignKey(Doctor, models.SET_NULL, null=True, blank=True, related_name="+")
    specialty = models.ForeignKey(
        Specialty, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    call_on = models.DateField("когда позвонить")
    comment = models.TextField("комментарий")
    owner = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="кто позвонит"
    )
    state = models.CharField(max_length=6, choices=WaitingState.choices, default=WaitingState.OPEN)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    close_reason = models.CharField("чем закончилось", max_length=250, blank=True)
    appointment = models.ForeignKey(
        Appointment, models.SET_NULL, null=True, blank=True, related_name="waiting_list"
    )

    objects: ClassVar[models.Manager["WaitingListEntry"]] = WaitingListQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["call_on", "pk"]
        verbose_name = "запись листа ожидания"
        indexes: ClassVar[list[models.Index]] = [
            # reader: «Активные задачи», overdue first
            models.Index(
                fields=["clinic", "call_on"], name="waiting_open", condition=Q(state="open")
            ),
            models.Index(fields=["patient"], name="waiting_patient"),
        ]

    def __str__(self) -> str:
        return f"{self.patient} · {self.get_kind_display()} · {self.call_on:%d.%m.%Y}"
