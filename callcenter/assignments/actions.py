"""Every meaningful write of tasks."""

import datetime as dt

from django.db import transaction

from callcenter.assignments.models import Task, TaskMessage
from callcenter.assignments.states import LIVE, Department, TaskState
from callcenter.clinics.models import Clinic, Patient
from callcenter.lib import live
from callcenter.lib.errors import Conflict, Refused
from callcenter.staff import audit
from callcenter.staff.models import User


def create_task(
    *,
    title: str,
    deadline_at: dt.datetime,
    by: User | None,
    now: dt.datetime,
    assignee: User | None = None,
    role: str = "",
    department: str = Department.CALL_CENTRE,
    clinic: Clinic | None = None,
    patient: Patient | None = None,
    body: str = "",
    origin: str = "",
    link: str = "",
) -> Task:
    """Gives a task to `assignee` or to whoever has `role`; `by=None` means the product itself.

    `origin` ('callback.callbackrequest:15 escalation') makes it once: a second call with the same origin returns the
    first task unchanged. Raises Refused when it is addressed to nobody. UTC times.
    """
    if assignee is None and not role:
        raise Refused("Кому задача? Выберите сотрудника или роль.", field="assignee")
    with transaction.atomic():
        if origin:
            task, created = Task.objects.get_or_create(
                origin=origin,
                defaults=dict(
                    title=title,
                    body=body,
                    department=department,
                    clinic=clinic,
                    patient=patient,
                    author=by,
                    assignee=assignee,
                    role=role,
                    deadline_at=deadline_at,
                    due_at=deadline_at,
                    link=link,
                    created_at=now,
                ),
            )
            if not created:
                return task
        else:
            task = Task.objects.create(
                title=title,
                body=body,
                department=department,
                clinic=clinic,
                patient=patient,
                author=by,
                assignee=assignee,
                role=role,
                deadline_at=deadline_at,
                due_at=deadline_at,
                link=link,
                created_at=now,
            )
        audit.record("assignments.create_task", task, by=by, now=now)
        live.bump("tasks")
    return task


def close_task(task: Task, *, outcome: str, by: User | None, now: dt.datetime, cancelled: bool = False) -> Task:
    """Closes a live task with what came of it; raises Conflict when somebody has closed it already."""
    with transaction.atomic():
        task = Task.objects.select_for_update().get(pk=task.pk)
        if task.state not in LIVE:
            raise Conflict(f"Задача уже закрыта: {task.get_state_display()}.")
        task.state = TaskState.CANCELLED if cancelled else TaskState.DONE
        task.outcome, task.closed_at, task.closed_by, task.due_at = outcome, now, by, None
        task.save()
        audit.record("assignments.close_task", task, by=by, now=now, after={"state": task.state, "outcome": outcome})
        live.bump("tasks")
    return task


def add_message(task: Task, *, text: str, by: User | None, now: dt.datetime) -> TaskMessage:
    """Adds a line to the dialogue; raises Refused for an empty one."""
    if not text.strip():
        raise Refused("Напишите текст сообщения.", field="text")
    with transaction.atomic():
        message = TaskMessage.objects.create(task=task, at=now, by=by, text=text.strip())
        live.bump("tasks")
    return message
