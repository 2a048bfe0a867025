"""Doctors, their specialties and the services they give."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from callcenter.clinics.models.clinics import Clinic
from callcenter.lib.person_names import short_name
from callcenter.staff.models import User


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
