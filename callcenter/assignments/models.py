"""Tasks for people. Celery's tasks are in files named tasks.py; these are the ones with a name and
a deadline on them.
"""

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from callcenter.assignments.states import LADDERS, LIVE, Department, TaskState
from callcenter.clinics.models import Clinic, Patient
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_SEE_ALL_TASKS, Role


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, user: User) -> Self:
        """Of his clinics and of none: what he gave or got, what waits for a role of his or has gone
        up to it; overseers all of their clinics. Whoever leaves a clinic leaves its tasks, and its
        patients in them, behind.
        """
        clinics = Clinic.objects.filter(staff=user)
        here = Q(clinic__in=clinics) | Q(clinic__isnull=True)
        seen = here & (
            Q(author=user) | Q(assignee=user) | Q(role__in=user.roles) | gone_up_to(user)
        )
        if user.has(*CAN_SEE_ALL_TASKS):
            seen |= Q(clinic__in=clinics)
        return self.filter(seen)

    def open(self) -> Self:
        return self.filter(state__in=LIVE)

    def overdue(self, now: dt.datetime) -> Self:
        """Live and not done in time: what the escalation ticker looks at."""
        return self.filter(state__in=LIVE, due_at__lte=now)


def gone_up_to(user: User) -> Q:
    """Tasks that the escalation ladder has brought to one of the user's roles."""
    found = Q(pk__in=[])
    for department, ladder in LADDERS.items():
        steps = [step for step, role in enumerate(ladder, 1) if user.has(role)]
        if steps:
            found |= Q(department=department, escalated__gte=min(steps))
    return found


class Task(models.Model):
    """Something that somebody must do by a time, given to a person or to whoever has a role in a
    department.
    """

    title = models.CharField("задача", max_length=200)
    body = models.TextField("подробности", blank=True)
    department = models.CharField(
        "отдел", max_length=20, choices=Department.choices, default=Department.CALL_CENTRE
    )
    clinic = models.ForeignKey(Clinic, models.PROTECT, null=True, blank=True, related_name="tasks")
    patient = models.ForeignKey(
        Patient, models.PROTECT, null=True, blank=True, related_name="tasks"
    )
    author = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="tasks_given", verbose_name="кто поставил"
    )
    assignee = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="tasks_got",
        verbose_name="исполнитель",
    )
    role = models.CharField("кому (роль)", max_length=20, choices=Role.choices, blank=True)
    state = models.CharField(max_length=10, choices=TaskState.choices, default=TaskState.OPEN)
    deadline_at = models.DateTimeField("срок")
    # Where it came from, e.g. 'callback.callbackrequest:15', and the page to open; once per origin
    # and purpose.
    origin = models.CharField(max_length=120, blank=True)
    link = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.TextField("чем закончилось", blank=True)
    # Escalation ladder: when to look again, and how far it has gone.
    due_at = models.DateTimeField(null=True, blank=True)
    escalated = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(
        max_length=250, blank=True
    )  # why the ticker could not look at this row last time

    objects: ClassVar[models.Manager["Task"]] = TaskQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["deadline_at", "pk"]
        verbose_name = "задача"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["origin"], condition=~Q(origin=""), name="task_once_per_origin"
            ),
            models.CheckConstraint(
                condition=~Q(role="") | Q(assignee__isnull=False), name="task_has_addressee"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: «Активные задачи» by deadline; one's own; the escalation ticker; a patient's
            # card
            models.Index(
                fields=["deadline_at"], name="task_open", condition=Q(state__in=["open", "in_work"])
            ),
            models.Index(
                fields=["assignee", "deadline_at"],
                name="task_mine",
                condition=Q(state__in=["open", "in_work"]),
            ),
            models.Index(fields=["due_at"], name="task_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["patient"], name="task_patient"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


class TaskMessage(models.Model):
    """One line of the dialogue on a task."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="messages")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    text = models.TextField()

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
