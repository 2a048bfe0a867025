"""A run of reminders, its rows, and who called whom with what result."""

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from callcenter.clinics.models import Appointment, Clinic, Patient
from callcenter.contacts.models import Interaction
from callcenter.staff.models import User
from reminders.states import AttendanceAnswer, CallResult, Round


class ReminderSettings(models.Model):
    """How a clinic wants its reminders; the defaults are the instruction's."""

    clinic = models.OneToOneField(Clinic, models.CASCADE, related_name="reminder_settings")
    opens_at = models.TimeField(
        "открывать список в", default=dt.time(12), help_text="«Каждый день с 12.00»"
    )
    next_day_only = models.BooleanField(
        "только следующий день",
        default=False,
        help_text="иначе — все дни до следующей жёлтой смены",
    )
    sends_itself = models.BooleanField(
        "отправлять сразу",
        default=True,
        help_text="иначе — по кнопке «Отправить уведомление всем пациентам»",
    )
    blue_sms_at = models.TimeField(
        "СМС голубым в", null=True, blank=True, help_text="пусто — только по кнопке «СМС голубым»"
    )
    # When the next run is to open; moved on in the transaction that opens one.
    due_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=250, blank=True, editable=False)

    class Meta:
        verbose_name = "настройки напоминаний"
        indexes: ClassVar[list[models.Index]] = [
            # reader: open_due_runs
            models.Index(fields=["due_at"], name="reminder_settings_due")
        ]


class ReminderRunQuerySet(models.QuerySet["ReminderRun"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))


class ReminderRun(models.Model):
    """«Дозвон» of one clinic that opened on one local day, for the visits of the days after it."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="reminder_runs")
    on = models.DateField("день")
    until = models.DateField("по какой день приёмы")
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    sent_at = models.DateTimeField(null=True)
    sent_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    blue_sms_due_at = models.DateTimeField(null=True)
    blue_sms_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    handed_over_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    handover_note = models.TextField(blank=True)
    # When to look again for visits made, moved or cancelled; NULL when the last covered day is
    # over.
    due_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=250, blank=True)

    objects: ClassVar[models.Manager["ReminderRun"]] = ReminderRunQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-on", "clinic"]
        verbose_name = "список дозвона"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["clinic", "on"], name="run_once_a_day")
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: refresh_due_runs; send_due_blue_sms
            models.Index(fields=["due_at"], name="run_due", condition=Q(due_at__isnull=False)),
            models.Index(
                fields=["blue_sms_due_at"],
                name="run_blue_sms",
                condition=Q(blue_sms_due_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clinic} {self.on:%d.%m.%Y}"


class ReminderQuerySet(models.QuerySet["Reminder"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))

    def present(self) -> Self:
        """Those that have not left their run."""
        return self.filter(removed_at=None)


class Reminder(models.Model):
    """One visit in a run. What it shows of messages and answers is read from them, never copied."""

    run = models.ForeignKey(ReminderRun, models.CASCADE, related_name="reminders")
    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="reminders")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="reminders")
    starts_at = models.DateTimeField()
    version = models.PositiveIntegerField()
    removed_at = models.DateTimeField(null=True)
    removed_reason = models.CharField(max_length=120, blank=True)
    # The newest mark that was not undone, kept beside its story (ReminderMark) for the list.
    called_at = models.DateTimeField(null=True)
    called_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    result = models.CharField(max_length=10, choices=CallResult.choices, blank=True)
    is_settled = models.BooleanField(default=False)  # some mark says «придёт»
    comment = models.TextField(blank=True)
    calling_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    calling_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()

    objects: ClassVar[models.Manager["Reminder"]] = ReminderQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["starts_at", "pk"]
        verbose_name = "напоминание"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "appointment"], name="reminder_once_a_run"),
            # two runs whose days overlap never both remind of one visit
            models.UniqueConstraint(
                fields=["appointment"],
                condition=Q(removed_at__isnull=True),
                name="reminder_present_once",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: the list of a run in order of time; ДД of a clinic's day; a patient's card
            models.Index(fields=["run", "starts_at"], name="reminder_run_time"),
            models.Index(fields=["clinic", "starts_at"], name="reminder_clinic_time"),
            models.Index(fields=["patient", "-starts_at"], name="reminder_patient"),
        ]

    def __str__(self) -> str:
        return str(self.appointment)


class ReminderMark(models.Model):
    """One mark «позвонили»: by whom, in which round, with what result; an undone one stays in the
    story.
    """

    reminder = models.ForeignKey(Reminder, models.CASCADE, related_name="marks")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    round = models.CharField(max_length=7, choices=Round.choices)
    result = models.CharField(max_length=10, choices=CallResult.choices, blank=True)
    picked_up = models.BooleanField("взял ли трубку", null=True)
    coming = models.CharField(
        "подойдёт ли на приём", max_length=7, choices=AttendanceAnswer.choices, blank=True
    )
    comment = models.TextField("комментарий", blank=True)
    interaction = models.ForeignKey(Interaction, models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
