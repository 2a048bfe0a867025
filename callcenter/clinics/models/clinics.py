"""A clinic: its hours, special days and the legal basis of its messages and calls."""

import datetime as dt
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from callcenter.clinics.states import ConsentPurpose
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
    # Calls and messages go out within these hours only, in the patient's zone.
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
    """A day that differs from its weekday, holidays included: closed (no hours) or other hours."""

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
    """The document on which the clinic's messages and calls of one purpose rest, and its dates."""

    clinic = models.ForeignKey(Clinic, models.CASCADE, related_name="grounds")
    purpose = models.CharField("цель", max_length=12, choices=ConsentPurpose.choices)
    basis = models.CharField("основание", max_length=250)
    since = models.DateField("с какого дня")
    until = models.DateField("по какой день", null=True, blank=True)
    source = models.CharField("источник", max_length=120, blank=True)
