"""Appointments and the events of their history."""

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from callcenter.clinics.models.clinics import Clinic
from callcenter.clinics.models.doctors import Doctor, Service
from callcenter.clinics.models.patients import Patient
from callcenter.clinics.states import OCCUPYING, TRANSITIONS, UPCOMING, AppointmentStatus
from callcenter.lib.localtime import local
from callcenter.staff.models import User


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))

    def occupying(self) -> Self:
        """Appointments that take the doctor's time."""
        return self.filter(status__in=OCCUPYING)

    def upcoming(self, now: dt.datetime) -> Self:
        """Appointments after `now` that can be moved or cancelled."""
        return self.filter(status__in=UPCOMING, starts_at__gt=now)


class Appointment(models.Model):
    """A patient's appointment with a doctor.

    `version` grows with every move or cancellation: messages and reminders are keyed by it.
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
    # When the status, time or money last changed. Readers: the timers that follow appointments
    # (results of contacts, closing of КОС entries).
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
            # readers, in order: overlap check and the doctor's day; the clinic's day (Дозвон); the
            # patient's card; timers that follow changes
            models.Index(fields=["doctor", "starts_at"], name="appointment_doctor_time"),
            models.Index(fields=["clinic", "starts_at"], name="appointment_clinic_time"),
            models.Index(fields=["patient", "-starts_at"], name="appointment_patient_time"),
            models.Index(fields=["changed_at"], name="appointment_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.patient} {local(self.starts_at, self.clinic.zone):%d.%m.%Y %H:%M}"

    @property
    def next_statuses(self) -> tuple[AppointmentStatus, ...]:
        """The statuses that the appointment may get next."""
        return TRANSITIONS[AppointmentStatus(self.status)]

    @property
    def local_start(self) -> dt.datetime:
        return local(self.starts_at, self.clinic.zone)


class AppointmentEvent(models.Model):
    """One event of an appointment's history (booked, moved, cancelled, confirmed…)."""

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=20)
    version = models.PositiveIntegerField()
    starts_at_before = models.DateTimeField(null=True)
    starts_at_after = models.DateTimeField(null=True)
    # Set only by a move from one doctor to another.
    doctor_before = models.ForeignKey(
        Doctor, models.PROTECT, null=True, related_name="+", db_index=False
    )
    status_before = models.CharField(max_length=10, blank=True)
    status_after = models.CharField(max_length=10, blank=True, choices=AppointmentStatus.choices)
    reason = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
