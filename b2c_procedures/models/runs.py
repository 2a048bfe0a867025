"""Runs of procedures: what people did, in order, and what came of it."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from b2c_procedures.models.chats import Chat
from b2c_procedures.models.reference import Order
from b2c_procedures.states import LIVE_RUNS, Performer, RunSource, RunState
from callcenter.clinics.models import Clinic, Patient
from callcenter.contacts.models import Interaction
from callcenter.staff.models import User


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))

    def live(self) -> Self:
        return self.filter(state__in=LIVE_RUNS)


class Run(models.Model):
    """One client led through one procedure (and those it links to). The history is the truth; the
    rest is its shadow.

    `version` is the number of entries in the history: a press made on an older screen meets 409.
    """

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    patient = models.ForeignKey(
        Patient, models.PROTECT, null=True, blank=True, related_name="procedure_runs"
    )
    number = models.CharField("номер", max_length=16, blank=True)
    source = models.CharField(
        "откуда", max_length=6, choices=RunSource.choices, default=RunSource.CALL
    )
    interaction = models.ForeignKey(
        Interaction, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    chat = models.ForeignKey(Chat, models.SET_NULL, null=True, blank=True, related_name="runs")
    order = models.ForeignKey(Order, models.SET_NULL, null=True, blank=True, related_name="runs")
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="children"
    )
    procedure = models.PositiveSmallIntegerField("процедура")
    procedure_versions = models.JSONField(
        default=dict
    )  # procedure number → digest of the version this run keeps
    state = models.CharField(max_length=8, choices=RunState.choices, default=RunState.OPEN)
    holder = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="procedure_runs"
    )
    waits_for = models.CharField("ждёт роль", max_length=20, choices=Performer.choices, blank=True)
    version = models.PositiveIntegerField(default=0)
    facts = models.JSONField(
        default=dict
    )  # what steps learnt and later steps need, e.g. the ids of what they made
    # The shadow of the history: where the run stands now.
    at_procedure = models.PositiveSmallIntegerField()
    at_function = models.CharField(max_length=6, blank=True)
    step_started_at = models.DateTimeField()
    step_due_at = models.DateTimeField(null=True, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)
    held_seconds = models.PositiveIntegerField(default=0)  # of the present step
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)
    finish_note = models.CharField(max_length=250, blank=True)

    objects: ClassVar[models.Manager["Run"]] = RunQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-started_at", "-pk"]
        verbose_name = "выполнение процедуры"
        indexes: ClassVar[list[models.Index]] = [
            # readers: one's own open runs; those that wait for a role; the report's period; a
            # patient's card
            models.Index(
                fields=["holder"],
                name="run_mine",
                condition=Q(state__in=["open", "held", "waiting"]),
            ),
            models.Index(fields=["waits_for"], name="run_waiting", condition=Q(state="waiting")),
            models.Index(fields=["clinic", "-started_at"], name="run_period"),
            models.Index(fields=["patient", "-started_at"], name="run_patient"),
        ]

    def __str__(self) -> str:
        return f"Процедура {self.procedure} от {self.started_at:%d.%m.%Y %H:%M}"


class RunEntry(models.Model):
    """One entry of a run's history; appended only. `seq` is unique: two people can't write the same
    next entry.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="entries")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=10)
    data = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar[list[str]] = ["seq"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "seq"], name="run_entry_seq")
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"


class StepRecord(models.Model):
    """One finished step, measured: what figures are made of. `seconds` as the norm counts them,
    holds taken out.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="steps")
    seq = models.PositiveIntegerField()  # of the history entry that finished it
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    procedure = models.PositiveSmallIntegerField()
    function = models.CharField(max_length=6)
    choice = models.CharField(max_length=4)
    event = models.TextField(blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    seconds = models.PositiveIntegerField()
    norm_seconds = models.PositiveIntegerField(null=True)
    is_undone = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        indexes: ClassVar[list[models.Index]] = [
            # readers: diagram figures and the report, by procedure and period
            models.Index(fields=["procedure", "finished_at"], name="step_procedure"),
            models.Index(fields=["clinic", "finished_at"], name="step_clinic"),
        ]

    def __str__(self) -> str:
        return f"{self.function} {self.seconds} c"


class RunObject(models.Model):
    """What a step made: any object of the product, by its kind and key, with a page to open."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="objects_made")
    seq = models.PositiveIntegerField()
    function = models.CharField(max_length=6)
    kind = models.CharField(max_length=60)  # model label, 'clinics.appointment'
    object_id = models.BigIntegerField()
    title = models.CharField(max_length=250)
    link = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["kind", "object_id"], name="run_object")
        ]

    def __str__(self) -> str:
        return self.title
