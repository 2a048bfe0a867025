"""Free windows of the schedule."""

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from callcenter.clinics.models.appointments import Appointment
from callcenter.clinics.models.clinics import Clinic
from callcenter.clinics.models.doctors import Doctor
from callcenter.clinics.states import WindowState
from callcenter.lib.localtime import local


class WindowQuerySet(models.QuerySet["ScheduleWindow"]):
    def bookable(self, now: dt.datetime) -> Self:
        """Windows after `now` that are free, or whose hold has expired."""
        return self.filter(
            Q(state=WindowState.FREE) | Q(state=WindowState.HELD, held_until__lte=now),
            starts_at__gt=now,
        )


class ScheduleWindow(models.Model):
    """A window of a doctor's schedule that can be booked («прогнозное расписание»)."""

    clinic = models.ForeignKey(Clinic, models.CASCADE, related_name="windows")
    doctor = models.ForeignKey(Doctor, models.CASCADE, related_name="windows")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=6, choices=WindowState.choices, default=WindowState.FREE)
    held_until = models.DateTimeField(null=True, blank=True)
    # The owner of the hold: both a key and a text for people.
    held_for = models.CharField(max_length=120, blank=True)
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
