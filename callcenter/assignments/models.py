"""Tasks for people. Celery's tasks are in files named tasks.py; these are the ones with a name and a deadline on them."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from callcenter.assignments.states import LIVE, Department, TaskState
from callcenter.clinics.models import Clinic, Patient
from callcenter.staff.models import User
from callcenter.staff.roles import Role


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, user: User) -> Self:
        """Tasks of the user's clinics, and those he wrote or got himself."""
        return self.filter(Q(clinic__in=Clinic.objects.filter(staff=user)) | Q(author=user) | Q(assignee=user))

    def open(self) -> Self:
        return self.filter(state__in=LIVE)


class Task(models.Model):
    """Something that somebody must do by a time, given to a person or to whoever has a role in a department."""

    title = models.CharField("задача", max_length=200)
    body = models.TextField("подробности", blank=True)
    department = models.CharField("отдел", max_length=20, choices=Department.choices, default=Department.CALL_CENTRE)
    clinic = models.ForeignKey(Clinic, models.PROTECT, null=True, blank=True, related_name="tasks")
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, blank=True, related_name="tasks")
    author = models.ForeignKey(User, models.PROTECT, null=True, related_name="tasks_given", verbose_name="кто поставил")
    assignee = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="tasks_got", verbose_name="исполнитель"
    )
    role = models.CharField("кому (роль)", max_length=20, choices=Role.choices, blank=True)
    state = models.CharField(max_length=10, choices=TaskState.choices, default=TaskState.OPEN)
    deadline_at = models.DateTimeField("срок")
    # Where it came from, e.g. 'callback.callbackrequest:15', and the page to open; once per origin and purpose.
    origin = models.CharField(max_length=120, blank=True)
    link = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.TextField("чем закончилось", blank=True)
    # Escalation ladder: when to look again, and how far it has gone.
    due_at = models.DateTimeField(null=True, blank=True)
    escalated = models.PositiveSmallIntegerField(default=0)

    objects: ClassVar[models.Manager["Task"]] = TaskQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["deadline_at", "pk"]
        verbose_name = "задача"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["origin"], condition=~Q(origin=""), name="task_once_per_origin"),
            models.CheckConstraint(condition=~Q(role="") | Q(assignee__isnull=False), name="task_has_addressee"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: «Активные задачи» by deadline; one's own; the escalation ticker; a patient's card
            models.Index(fields=["deadline_at"], name="task_open", condition=Q(state__in=["open", "in_work"])),
            models.Index(
                fields=["assignee", "deadline_at"], name="task_mine", condition=Q(state__in=["open", "in_work"])
            ),
            models.Index(fields=["due_at"], name="task_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["patient"], name="task_patient"),
        ]

    def __str__(self) -> str:
        return self.title


class TaskMessage(models.Model):
    """One line of the dialogue on a task."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="messages")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    text = models.TextField()

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
