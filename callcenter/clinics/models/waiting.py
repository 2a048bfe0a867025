"""The waiting list."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from callcenter.clinics.models.appointments import Appointment
from callcenter.clinics.models.clinics import Clinic
from callcenter.clinics.models.doctors import Doctor, Specialty
from callcenter.clinics.models.patients import Patient
from callcenter.clinics.states import WaitingKind, WaitingState
from callcenter.staff.models import User


class WaitingListQuerySet(models.QuerySet["WaitingListEntry"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))

    def open(self) -> Self:
        return self.filter(state=WaitingState.OPEN)


class WaitingListEntry(models.Model):
    """A patient who waits for a window, or asked for a call on a date («напомнить позже»)."""

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
