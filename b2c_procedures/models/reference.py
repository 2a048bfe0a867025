"""Reference data the steps look at: tests, the orders journal, institutions of ОМС, couriers,
branches.
"""

import datetime as dt
from decimal import Decimal
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from b2c_procedures.states import OrderStatus
from callcenter.clinics.models import Clinic, Patient
from callcenter.clinics.search_keys import normalise
from callcenter.lib.calendar_names import weekday_abbr
from callcenter.staff.models import User


class Study(models.Model):
    """Форма «Тесты»: a test with what a manager tells about it, and who answers for its results."""

    code = models.CharField("код", max_length=30, unique=True)
    name = models.CharField("исследование", max_length=200)
    description = models.TextField("краткое описание", blank=True)
    preanalytics = models.TextField("преаналитика", blank=True)
    biomaterial = models.CharField("биоматериал", max_length=120, blank=True)
    term_days = models.PositiveSmallIntegerField("срок, рабочих дней", default=10)
    price = models.DecimalField("цена, ₽", max_digits=10, decimal_places=2)
    link = models.URLField("ссылка на сайте", blank=True)
    responsible = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="studies",
        verbose_name="ответственный",
    )
    is_active = models.BooleanField("выполняется", default=True)
    search_key = models.CharField(max_length=260, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        verbose_name = "исследование"

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def save(self, *args: object, **kwargs: object) -> None:
        self.search_key = normalise(f"{self.code} {self.name}")
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))


class Order(models.Model):
    """«Журнал заказов: Заказы»."""

    number = models.CharField("номер", max_length=30, unique=True)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="orders")
    status = models.CharField(
        "статус", max_length=12, choices=OrderStatus.choices, default=OrderStatus.REGISTERED
    )
    status_before = models.CharField(max_length=12, choices=OrderStatus.choices, blank=True)
    is_return = models.BooleanField("возврат биоматериала", default=False)
    partner = models.CharField("заказ партнёра", max_length=150, blank=True)
    biomaterial_received_on = models.DateField("биоматериал сдан", null=True, blank=True)
    result_due_on = models.DateField("срок выдачи", null=True, blank=True)
    moved_due_on = models.DateField("новый срок выдачи", null=True, blank=True)
    result_sent_on = models.DateField("результат направлен", null=True, blank=True)
    replaces = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="replaced_by"
    )
    comment = models.TextField("комментарий", blank=True)
    created_at = models.DateTimeField("оформлен")
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects: ClassVar[models.Manager["Order"]] = OrderQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "-pk"]
        verbose_name = "заказ"
        indexes: ClassVar[list[models.Index]] = [
            # readers: a patient's orders in a step; the journal of a clinic
            models.Index(fields=["patient", "-created_at"], name="order_patient"),
            models.Index(fields=["clinic", "-created_at"], name="order_clinic"),
        ]

    def __str__(self) -> str:
        return f"Заказ {self.number}"

    @property
    def due_on(self) -> dt.date | None:
        """The date told to the client: the moved one where there is one."""
        return self.moved_due_on or self.result_due_on

    @property
    def price(self) -> Decimal:
        return sum((line.price for line in self.lines.all()), Decimal())

    @property
    def readiness(self) -> str:
        """What 10.2 sees: one of its four results, in its words."""
        if self.status == OrderStatus.READY or self.result_sent_on:
            return "Результат готов, направлен"
        if self.status == OrderStatus.RESAMPLE:
            return "Назначен перезабор"
        if self.moved_due_on:
            return "Результат не готов, перенос срока выдачи"
        return "Срок выдачи результата не наступил"


class OrderStudy(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    price = models.DecimalField("цена, ₽", max_digits=10, decimal_places=2)

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]

    def __str__(self) -> str:
        return str(self.study)


class OrderEvent(models.Model):
    """One line of an order's history: status set, taken back, comment, replacement."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    text = models.CharField(max_length=250)
    status_before = models.CharField(max_length=12, blank=True)
    status_after = models.CharField(max_length=12, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-pk"]

    def __str__(self) -> str:
        return self.text


class Institution(models.Model):
    """«Учреждения»: who does which tests under ОМС."""

    name = models.CharField("учреждение", max_length=200)
    city = models.CharField("город", max_length=80)
    address = models.CharField("адрес", max_length=250, blank=True)
    phone = models.CharField("телефон", max_length=16, blank=True)
    studies = models.ManyToManyField(
        Study, related_name="institutions", blank=True, verbose_name="исследования"
    )
    note = models.CharField("условия", max_length=250, blank=True)
    is_active = models.BooleanField("принимает", default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["city", "name"]
        verbose_name = "учреждение ОМС"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["city", "name"], name="institution_once")
        ]

    def __str__(self) -> str:
        return f"{self.city}, {self.name}"


class CourierCity(models.Model):
    """A city from which the courier takes biomaterial, and on which weekdays (0 = Monday)."""

    city = models.CharField("город", max_length=80, unique=True)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(), verbose_name="дни недели", default=list
    )
    note = models.CharField("условия", max_length=250, blank=True)
    is_active = models.BooleanField("работает", default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["city"]
        verbose_name = "город курьера"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=[0, 1, 2, 3, 4, 5, 6]),
                name="courier_weekdays_of_week",
            )
        ]

    def __str__(self) -> str:
        return self.city

    @property
    def days(self) -> str:
        return ", ".join(weekday_abbr(day) for day in sorted(self.weekdays))


class Branch(models.Model):
    """«График работы МО»: a branch or a partner's point, its address and hours as they are told to
    a client.
    """

    name = models.CharField("МО", max_length=150, unique=True)
    city = models.CharField("город", max_length=80)
    address = models.CharField("адрес", max_length=250)
    hours = models.CharField("график работы", max_length=250)
    phone = models.CharField("телефон", max_length=16, blank=True)
    partner = models.BooleanField("клиника-партнёр", default=False)
    clinic = models.ForeignKey(
        Clinic,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="наша клиника",
    )
    is_active = models.BooleanField("открыто", default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["city", "name"]
        verbose_name = "филиал"

    def __str__(self) -> str:
        return f"{self.city}, {self.name}"
