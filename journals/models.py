"""Журнал КОС: whom to call back to the doctor, every call made, and the senior's plan of calls."""

import datetime as dt
from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from callcenter.clinics.models import Appointment, Clinic, Doctor, Patient, WaitingListEntry
from callcenter.contacts.models import Interaction, Reason
from callcenter.contacts.states import Direction
from callcenter.staff.models import User
from journals.outcome_rules import (
    OUTCOME_RULES,
    EntryProgress,
    Half,
    RecallLimits,
    Stage,
    outcome_choices,
)


class RecallPolicy(models.Model):
    """What a clinic's senior sets for the journal; a clinic without a row lives on the defaults."""

    clinic = models.OneToOneField(Clinic, models.CASCADE, related_name="recall_policy")
    calls = models.PositiveSmallIntegerField(
        "звонков без ответа до отказа",
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="«Звоним три раза»",
    )
    interval_days = models.PositiveSmallIntegerField(
        "дней между звонками",
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text="«Меняем дату три раза через неделю»",
    )
    talks_before_flag = models.PositiveSmallIntegerField(
        "разговоров без результата до пометки старшему",
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="«Думает» и «напомнить позже» недозвоном не считаются",
    )
    hold_minutes = models.PositiveSmallIntegerField(
        "минут держится открытая карточка",
        default=10,
        validators=[MinValueValidator(2), MaxValueValidator(60)],
        help_text="пока карточка открыта, бронь продлевается сама",
    )

    @classmethod
    def of(cls, clinic_id: int) -> "RecallPolicy":
        """The clinic's policy, or the defaults."""
        return cls.objects.filter(clinic_id=clinic_id).first() or cls(clinic_id=clinic_id)

    @property
    def limits(self) -> RecallLimits:
        return RecallLimits(self.calls, self.interval_days, self.talks_before_flag)


class RecallEntryQuerySet(models.QuerySet["RecallEntry"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))

    def to_call(self) -> Self:
        """«3. Звать»."""
        return self.filter(stage=Stage.CALL)


class RecallEntry(models.Model):
    """One patient to be invited back by one doctor. `version` grows with every change a card must
    not overwrite.
    """

    clinic = models.ForeignKey(
        Clinic,
        models.PROTECT,
        related_name="recall_entries",
        verbose_name="клиника",
        db_index=False,
    )
    patient = models.ForeignKey(
        Patient,
        models.PROTECT,
        related_name="recall_entries",
        verbose_name="пациент",
        db_index=False,
    )
    doctor = models.ForeignKey(
        Doctor, models.PROTECT, related_name="recall_entries", verbose_name="врач", db_index=False
    )
    doctor_comment = models.TextField("комментарий врача")
    stage = models.CharField("статус", max_length=7, choices=Stage.choices, default=Stage.CALL)
    # The clinic's local day of the next call. While `waiting` stands, that row's date rules and
    # this one follows it.
    call_on = models.DateField("дата прозвона")
    call_half = models.CharField("когда лучше", max_length=7, choices=Half.choices, blank=True)
    waiting = models.ForeignKey(
        WaitingListEntry,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="recall_entries",
        db_index=False,
    )
    # The counters of journals.outcome_rules.EntryProgress, and all calls of ours.
    unreached = models.PositiveSmallIntegerField("звонков без ответа", default=0)
    talks = models.PositiveSmallIntegerField("разговоров без результата", default=0)
    granted = models.PositiveSmallIntegerField("разрешено сверх правила", default=0)
    calls = models.PositiveSmallIntegerField("звонков", default=0)
    flagged = models.BooleanField("пометка старшему", default=False)
    # The newest call again, so that a page of the journal is one query.
    last_outcome = models.CharField("итог", max_length=20, choices=outcome_choices, blank=True)
    last_reason = models.ForeignKey(
        Reason, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="причина"
    )
    last_comment = models.TextField("комментарий", blank=True)
    last_caller = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="кто"
    )
    last_call_at = models.DateTimeField("последний звонок", null=True, blank=True)
    touched_at = models.DateTimeField("последнее изменение")
    # «Записан»: with which visit; `several_visits`: more than one fits, a person is asked.
    appointment = models.ForeignKey(
        Appointment,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="recall_entries",
        db_index=False,
    )
    several_visits = models.BooleanField("какая из записей?", default=False)
    # Visits made since then are looked at by the closing timer; a person's «ни одна из них» moves
    # it on.
    visits_from = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    # Reservation of the open card: a lease that runs out by itself. The key tells one opening from
    # the next.
    reserved_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    reserved_until = models.DateTimeField(null=True, blank=True)
    reserved_key = models.CharField(max_length=32, blank=True)
    version = models.PositiveIntegerField(default=1)
    # Why the closing timer could not close it; it tries again when one of the patient's visits
    # changes.
    last_error = models.CharField(max_length=250, blank=True)
    created_at = models.DateTimeField("внесена")
    created_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    source = models.CharField("откуда", max_length=40, default="hand")
    source_id = models.CharField(max_length=60, blank=True)

    objects: ClassVar[models.Manager["RecallEntry"]] = RecallEntryQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["call_on", "pk"]
        verbose_name = "запись журнала КОС"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~Q(doctor_comment=""), name="recall_has_doctor_comment"
            ),
            # One patient is not called twice for one doctor at the same time.
            models.UniqueConstraint(
                fields=["clinic", "patient", "doctor"],
                condition=Q(stage="call"),
                name="recall_one_open",
            ),
            models.UniqueConstraint(
                fields=["source", "source_id"], condition=~Q(source_id=""), name="recall_source"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: a tab of the journal by date, of one clinic or of the chain, and its counter
            # (index-only)
            models.Index(
                fields=["clinic", "stage", "call_on", "id"],
                include=["doctor", "last_reason", "last_caller"],
                name="recall_clinic_stage",
            ),
            models.Index(fields=["stage", "call_on", "id"], name="recall_stage"),
            models.Index(fields=["call_on", "id"], name="recall_all"),
            # readers: the tabs sorted by the last change
            models.Index(fields=["stage", "-touched_at", "-id"], name="recall_stage_touched"),
            models.Index(fields=["-touched_at", "-id"], name="recall_touched"),
            # readers: a patient's card; the closing timer, which comes from the changed
            # appointments
            models.Index(fields=["patient"], name="recall_patient"),
            # readers: a doctor's own entries
            models.Index(fields=["doctor", "stage", "call_on", "id"], name="recall_doctor"),
            # readers: the timer that follows the waiting list; the senior's flags; «Мой день»
            models.Index(
                fields=["waiting"],
                name="recall_waiting",
                condition=Q(waiting__isnull=False, stage="call"),
            ),
            models.Index(
                fields=["clinic"],
                name="recall_asks",
                condition=Q(stage="call") & (Q(flagged=True) | Q(several_visits=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient} · {self.doctor.short_name}"

    @classmethod
    def locked(cls, pk: int) -> "RecallEntry":
        """Locks the row till the end of the transaction and reads it, with the clinic, patient and
        doctor it is for.

        Nothing else is joined: after waiting for the lock a joined relation would be shown as it
        was before (a colleague who has just opened the card would not be seen); these three never
        change.
        """
        entries = cls.objects.select_for_update(of=("self",)).select_related(
            "clinic", "patient", "doctor"
        )
        return entries.get(pk=pk)

    @property
    def progress(self) -> EntryProgress:
        last = OUTCOME_RULES.get(self.last_outcome)
        said_no = last is not None and last.is_patients_refusal
        return EntryProgress(Stage(self.stage), self.unreached, self.talks, self.granted, said_no)

    def is_held(self, now: dt.datetime) -> bool:
        """Whether somebody has the card open now."""
        return self.reserved_until is not None and self.reserved_until > now

    def is_held_by_other(self, user: User, now: dt.datetime) -> bool:
        return self.is_held(now) and self.reserved_by_id != user.pk


class PlanState(models.TextChoices):
    OPEN = "open", "осталось"
    CALLED = "called", "позвонили"
    RETURNED = "returned", "не позвонили, вернулась"
    CLOSED = "closed", "закрыта без звонка"


class CallPlan(models.Model):
    """One giving-out: so many entries of a clinic for a local day, chosen by a segment."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="call_plans")
    on = models.DateField("на какой день")
    segment = models.JSONField("по какому отбору", default=dict)
    given_at = models.DateTimeField()
    given_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["-given_at"]

    def __str__(self) -> str:
        return f"План {self.clinic} на {self.on:%d.%m.%Y}"


class PlanItemQuerySet(models.QuerySet["PlanItem"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))

    def open(self) -> Self:
        return self.filter(state=PlanState.OPEN)

    def due(self, now: dt.datetime) -> Self:
        """Not called by the clinic's closing."""
        return self.filter(state=PlanState.OPEN, due_at__lte=now)


class PlanItem(models.Model):
    """One entry in one person's plan of a day. `due_at` is the clinic's closing: then it goes back
    to ready.
    """

    plan = models.ForeignKey(CallPlan, models.CASCADE, related_name="items")
    entry = models.ForeignKey(
        RecallEntry, models.CASCADE, related_name="plan_items", db_index=False
    )
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+", db_index=False)
    on = models.DateField()
    assignee = models.ForeignKey(User, models.PROTECT, related_name="plan_items")
    state = models.CharField(max_length=8, choices=PlanState.choices, default=PlanState.OPEN)
    outcome = models.CharField(max_length=20, choices=outcome_choices, blank=True)
    stage_after = models.CharField(max_length=7, choices=Stage.choices, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField()

    objects: ClassVar[models.Manager["PlanItem"]] = PlanItemQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["entry"], condition=Q(state="open"), name="plan_item_one_open"
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: «2. Мой план»; the timer at the clinic's closing; the senior's board and the
            # report
            models.Index(
                fields=["assignee", "on"], name="plan_item_mine", condition=Q(state="open")
            ),
            models.Index(fields=["due_at"], name="plan_item_due", condition=Q(state="open")),
            models.Index(fields=["clinic", "on"], name="plan_item_day"),
            models.Index(fields=["entry"], name="plan_item_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} → {self.assignee}"


class RecallCallQuerySet(models.QuerySet["RecallCall"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))


class RecallCall(models.Model):
    """One call of an entry and what came of it; never changed. `token` makes a second click the
    same call.
    """

    entry = models.ForeignKey(RecallEntry, models.PROTECT, related_name="call_log", db_index=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+", db_index=False)
    doctor = models.ForeignKey(Doctor, models.PROTECT, related_name="+")
    # Which call of ours it was (1, 2, 3 …); 0: the patient called in himself.
    number = models.PositiveSmallIntegerField("который звонок")
    direction = models.CharField(max_length=3, choices=Direction.choices, default=Direction.OUT)
    at = models.DateTimeField()
    on = models.DateField("местный день")
    half = models.CharField(max_length=7, choices=Half.choices)
    by = models.ForeignKey(User, models.PROTECT, related_name="recall_calls")
    outcome = models.CharField("итог", max_length=20, choices=outcome_choices)
    stage_after = models.CharField("статус", max_length=7, choices=Stage.choices)
    reason = models.ForeignKey(
        Reason, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    refusal_reason = models.ForeignKey(
        Reason, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    comment = models.TextField("комментарий")
    next_on = models.DateField("следующая дата", null=True, blank=True)
    appointment = models.ForeignKey(
        Appointment, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    waiting = models.ForeignKey(
        WaitingListEntry, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    interaction = models.OneToOneField(Interaction, models.PROTECT, related_name="recall_call")
    plan_item = models.OneToOneField(
        PlanItem, models.SET_NULL, null=True, blank=True, related_name="call"
    )
    token = models.UUIDField(unique=True)

    objects: ClassVar[models.Manager["RecallCall"]] = RecallCallQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
        verbose_name = "звонок по КОС"
        indexes: ClassVar[list[models.Index]] = [
            # readers: «Результаты прозвона КОСы»; the entry's earlier calls
            models.Index(fields=["clinic", "on"], name="recall_call_day"),
            models.Index(fields=["entry", "at"], name="recall_call_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.entry} · {self.get_outcome_display()}"


class SyncCursor(models.Model):
    """How far a timer has read the changes of a table of the floor (appointments by `changed_at`)."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
