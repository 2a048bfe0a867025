"""Interactions (one call, chat, request…) and contacts: one person in one local day of a clinic (seed 002)."""

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from callcenter.assignments.models import Task
from callcenter.clinics.models import Appointment, Clinic, Patient, WaitingListEntry
from callcenter.contacts.states import Direction, Kind, Outcome, ResultKind, State, Summary, WhoType
from callcenter.staff.models import User


class Topic(models.Model):
    """Тема разговора: an editable dictionary."""

    name = models.CharField("тема", max_length=100, unique=True)
    is_active = models.BooleanField("показывать", default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class ReasonUse(models.TextChoices):
    UNREACHED = "unreached", "не дозвонились"
    THINKING = "thinking", "думает, не знает, когда удобно"
    REFUSED = "refused", "отказался"
    NOT_BOOKED = "not_booked", "не записался (входящие)"


class Reason(models.Model):
    """Причина, почему не записался: an editable dictionary; `uses` says at which outcomes it is offered."""

    name = models.CharField("причина", max_length=100, unique=True)
    uses = ArrayField(
        models.CharField(max_length=12, choices=ReasonUse.choices), default=list, verbose_name="где предлагать"
    )
    is_active = models.BooleanField("показывать", default=True)
    position = models.PositiveSmallIntegerField("порядок", default=100)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))


class Contact(models.Model):
    """Обращение: all that one person and one clinic had with each other from 00:00 to 23:59 of the clinic's zone."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="contacts")
    on = models.DateField("день")
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, blank=True, related_name="contacts")
    number = models.CharField("номер", max_length=16, blank=True)
    # 'p<patient id>', or 'n<E.164>' while nobody is known behind the number, or 'x<interaction id>' without either.
    person_key = models.CharField(max_length=40)
    who_type = models.CharField("Кто, тип", max_length=14, choices=WhoType.choices, default=WhoType.UNKNOWN)
    is_first_time = models.BooleanField("первичный", default=False)
    direction = models.CharField("признак", max_length=3, choices=Direction.choices, default=Direction.IN)
    topic = models.ForeignKey(Topic, models.PROTECT, null=True, blank=True, related_name="+")
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField("успешность", max_length=10, choices=Outcome.choices, default=Outcome.NOT_BOOKED)
    started_at = models.DateTimeField("начало")
    last_at = models.DateTimeField("последнее событие")

    objects: ClassVar[models.Manager["Contact"]] = ContactQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-started_at", "-pk"]
        verbose_name = "обращение"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["clinic", "on", "person_key"], name="contact_person_day")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["clinic", "-started_at"], name="contact_clinic_time"),
            models.Index(fields=["patient", "-started_at"], name="contact_patient_time"),
        ]

    def __str__(self) -> str:
        return f"{self.patient or self.number} · {self.on:%d.%m.%Y}"


class Interaction(models.Model):
    """One call, chat, request, dialog or comment."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="interactions")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=14, choices=Kind.choices)
    state = models.CharField(max_length=9, choices=State.choices)
    direction = models.CharField(max_length=3, choices=Direction.choices, default=Direction.IN)
    at = models.DateTimeField("когда")
    ended_at = models.DateTimeField(null=True, blank=True)
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, blank=True, related_name="interactions")
    number = models.CharField("номер клиента", max_length=16, blank=True)
    line = models.CharField("наша линия", max_length=40, blank=True)
    employee = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="interactions")
    wait_seconds = models.PositiveIntegerField("ожидание", null=True, blank=True)
    talk_seconds = models.PositiveIntegerField("длительность", null=True, blank=True)
    summary = models.CharField("итог", max_length=10, choices=Summary.choices, blank=True)
    topic = models.ForeignKey(Topic, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.ForeignKey(Reason, models.PROTECT, null=True, blank=True, related_name="+")
    comment = models.TextField("комментарий", blank=True)
    is_recall = models.BooleanField("КОС", default=False)
    utm = models.JSONField(default=dict, blank=True)
    referrer = models.CharField(max_length=500, blank=True)
    # The source's own id makes intake idempotent.
    source = models.CharField("откуда", max_length=40, default="hand")
    source_id = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
        verbose_name = "запись обращения"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["source", "source_id"], condition=~Q(source_id=""), name="interaction_source"
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["clinic", "-at"], name="interaction_clinic_time"),
            models.Index(fields=["number", "-at"], name="interaction_number", condition=~Q(number="")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%d.%m.%Y %H:%M}"


class ContactResult(models.Model):
    """What came of a contact: a booking, a move, a waiting-list entry… bound to the contact it belongs to."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="results")
    interaction = models.ForeignKey(Interaction, models.SET_NULL, null=True, blank=True, related_name="results")
    kind = models.CharField(max_length=14, choices=ResultKind.choices)
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, blank=True, related_name="+")
    appointment = models.ForeignKey(Appointment, models.CASCADE, null=True, blank=True, related_name="contact_results")
    waiting = models.ForeignKey(WaitingListEntry, models.CASCADE, null=True, blank=True, related_name="contact_results")
    task = models.ForeignKey(Task, models.CASCADE, null=True, blank=True, related_name="contact_results")
    origin = models.CharField("из какого списка", max_length=14, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["appointment"], name="result_appointment", condition=Q(appointment__isnull=False)),
            models.Index(fields=["waiting"], name="result_waiting", condition=Q(waiting__isnull=False)),
        ]
