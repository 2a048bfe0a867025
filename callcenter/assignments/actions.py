"""Every meaningful write of tasks."""

import datetime as dt
import logging

from django.db import transaction

from callcenter.assignments.models import Task, TaskMessage
from callcenter.assignments.schedule import SERVICE_HOURS, next_step
from callcenter.assignments.states import LADDERS, Department, TaskState
from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic, Patient
from callcenter.clinics.queries import hours_of
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_MANAGE_TASKS, Role

log = logging.getLogger(__name__)


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

    `origin` ('callback.callbackrequest:15 escalation') makes it once: a second call with the same
    origin returns the first task unchanged. Raises Refused when it is addressed to nobody. UTC
    times.
    """
    if assignee is None and not role:
        raise Refused("Кому задача? Выберите сотрудника или роль.", field="assignee")
    values = dict(
        title=title.strip(),
        body=body.strip(),
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
    with transaction.atomic():
        if origin:
            task, created = Task.objects.get_or_create(origin=origin, defaults=values)
            if not created:
                return task
        else:
            task = Task.objects.create(**values)
        given = audit.values(task, "assignee", "role", "department", "deadline_at")
        audit.record(
            "assignments.create_task",
            task,
            by=by,
            now=now,
            after={key: one for key, one in given.items() if one},
        )
        _bump(task)
    return task


def take_task(task: Task, *, by: User, now: dt.datetime) -> Task:
    """Makes an open task one's own and puts it into work; raises Conflict when a colleague has
    taken it.

    The second click of the same person changes nothing.
    """
    with transaction.atomic():
        task = _lock_live(task)
        holder = task.assignee
        if holder == by and task.state == TaskState.IN_WORK:
            return task
        if holder is not None and holder != by and holder.works_in(task.clinic_id):
            raise Conflict(f"Задача уже у сотрудника: {holder.full_name}.")
        if not can_take(task, by):
            raise NotAllowed(f"Эту задачу берёт {task.get_role_display()}.")
        task.assignee, task.state = by, TaskState.IN_WORK
        task.save(update_fields=["assignee", "state"])
        audit.record(
            "assignments.take_task",
            task,
            by=by,
            now=now,
            before={"assignee": _name(holder)},
            after={"assignee": str(by)},
        )
        _bump(task)
    return task


def hand_over_task(
    task: Task,
    *,
    by: User,
    now: dt.datetime,
    assignee: User | None = None,
    role: str = "",
    department: str = "",
    text: str = "",
) -> Task:
    """Gives a live task to another person, or to whoever has `role`; `text` goes into the dialogue.

    The deadline stays. Raises Conflict when it is closed, Refused without an addressee, NotAllowed
    for a stranger.
    """
    if assignee is None and not role:
        raise Refused("Кому передать? Выберите сотрудника или роль.", field="assignee")
    if assignee is not None and not assignee.is_active:
        raise Refused(
            f"{assignee.full_name} больше не работает. Выберите другого.", field="assignee"
        )
    with transaction.atomic():
        task = _lock_live(task)
        _check_can_handle(task, by)
        was = audit.values(task, "assignee", "role", "department")
        task.assignee, task.role, task.state = assignee, role, TaskState.OPEN
        task.department = department or task.department
        task.save(update_fields=["assignee", "role", "state", "department"])
        before, after = audit.changes(was, audit.values(task, "assignee", "role", "department"))
        audit.record("assignments.hand_over_task", task, by=by, now=now, before=before, after=after)
        to = assignee.full_name if assignee is not None else task.get_role_display()
        _add_line(task, f"Передано: {to}. {text.strip()}".strip(), by=by, now=now)
        _bump(task)
    return task


def move_task(
    task: Task, *, deadline_at: dt.datetime, by: User, now: dt.datetime, reason: str = ""
) -> Task:
    """Puts the deadline off (or nearer); steps of the ladder already made stay made, the next waits
    for the new deadline.

    Raises Refused for a deadline that has passed, Conflict when the task is closed, NotAllowed for
    a stranger.
    """
    if deadline_at <= now:
        raise Refused("Этот срок уже прошёл. Выберите время позже.", field="deadline_at")
    with transaction.atomic():
        task = _lock_live(task)
        _check_can_handle(task, by)
        before = audit.values(task, "deadline_at")
        task.deadline_at = task.due_at = deadline_at
        task.save(update_fields=["deadline_at", "due_at"])
        audit.record(
            "assignments.move_task",
            task,
            by=by,
            now=now,
            before=before,
            after=audit.values(task, "deadline_at"),
            note=reason.strip(),
        )
        if reason.strip():
            _add_line(task, f"Срок перенесён: {reason.strip()}", by=by, now=now)
        _bump(task)
    return task


def close_task(
    task: Task, *, outcome: str, by: User | None, now: dt.datetime, cancelled: bool = False
) -> Task:
    """Closes a live task with what came of it; `by=None` is the product itself, which may close
    any.

    Raises Conflict when somebody has closed it already, Refused without an outcome, NotAllowed for
    a stranger.
    """
    if not outcome.strip():
        raise Refused("Напишите, чем закончилось.", field="outcome")
    with transaction.atomic():
        task = _lock_live(task)
        if by is not None:
            _check_can_handle(task, by)
        task.state = TaskState.CANCELLED if cancelled else TaskState.DONE
        task.outcome, task.closed_at, task.closed_by, task.due_at = outcome.strip(), now, by, None
        task.save(update_fields=["state", "outcome", "closed_at", "closed_by", "due_at"])
        audit.record(
            "assignments.close_task",
            task,
            by=by,
            now=now,
            after={"state": task.state, "outcome": task.outcome},
        )
        _bump(task)
    return task


def add_message(task: Task, *, text: str, by: User | None, now: dt.datetime) -> TaskMessage:
    """Adds a line to the dialogue, of a closed task too; raises Refused for an empty one."""
    if not text.strip():
        raise Refused("Напишите текст сообщения.", field="text")
    with transaction.atomic():
        message = _add_line(task, text.strip(), by=by, now=now)
        _bump(task)
    return message


def escalate_due_tasks(*, now: dt.datetime, limit: int = 100) -> int:
    """One step of the ladder for every task that is overdue in working hours; returns how many
    steps were made.

    A row's step is one short transaction under the row's lock (SKIP LOCKED), and moves `due_at` on,
    so any number of tickers make each step once; there is no outside call, hence no lease and no
    reaper. A row that fails says why in `last_error` and is looked at again in ten minutes.
    """
    steps = 0
    for pk in Task.objects.overdue(now).order_by("due_at").values_list("pk", flat=True)[:limit]:
        try:
            steps += _escalate(pk, now)
        except Exception as error:
            log.exception("escalation of task %s", pk)
            Task.objects.filter(pk=pk).update(
                last_error=f"{type(error).__name__}: {error}"[:250],
                due_at=now + dt.timedelta(minutes=10),
            )
    return steps


def _escalate(pk: int, now: dt.datetime) -> bool:
    with transaction.atomic():
        due = Task.objects.overdue(now).select_related("clinic")
        task: Task | None = (
            due.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
        )
        if task is None:  # another ticker has it, or it was closed or moved meanwhile
            return False
        step = next_step(
            ladder=LADDERS[Department(task.department)],
            escalated=task.escalated,
            hours=SERVICE_HOURS if task.clinic is None else hours_of(task.clinic),
            now=now,
        )
        task.due_at, task.last_error = step.look_again, ""
        if step.role is not None:
            task.escalated += 1
            _add_line(task, f"Срок вышел. Задачу видит {step.role.label}.", by=None, now=now)
            audit.record(
                "assignments.escalate_task", task, by=None, now=now, after={"role": str(step.role)}
            )
            _bump(task)
        task.save(update_fields=["due_at", "last_error", "escalated"])
    return step.role is not None


def can_handle(task: Task, user: User) -> bool:
    """Whether the user may close, move or hand over the task: its two sides, a holder of its role,
    a leader.
    """
    if user.pk in (task.assignee_id, task.author_id) or user.has(*CAN_MANAGE_TASKS):
        return True
    if task.assignee is not None and task.assignee.works_in(task.clinic_id):
        return False
    return not task.role or user.has(Role(task.role))


def can_take(task: Task, user: User) -> bool:
    """Whether `take_task` would give the task to the user now."""
    if task.assignee is not None and task.assignee.works_in(task.clinic_id):
        return task.assignee == user and task.state == TaskState.OPEN
    return not task.role or user.has(Role(task.role), *CAN_MANAGE_TASKS)


def _check_can_handle(task: Task, by: User) -> None:
    if not can_handle(task, by):
        raise NotAllowed(
            f"Это задача сотрудника: {_name(task.assignee) or task.get_role_display()}."
        )


def _lock_live(task: Task) -> Task:
    fresh = Task.objects.select_for_update(of=("self",)).select_related("assignee").get(pk=task.pk)
    if not fresh.is_live:
        raise Conflict(f"Задача уже закрыта: {fresh.get_state_display()}.")
    return fresh


def _add_line(task: Task, text: str, *, by: User | None, now: dt.datetime) -> TaskMessage:
    return TaskMessage.objects.create(task=task, at=now, by=by, text=text)


def _bump(task: Task) -> None:
    live_updates.bump(f"tasks:clinic:{task.clinic_id}" if task.clinic_id else "tasks")


def _name(user: User | None) -> str | None:
    return user.full_name if user is not None else None
