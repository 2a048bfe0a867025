"""Describe what a step's action is given and what it returns, with the helpers that all actions
share.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Model
from django.urls import reverse

from b2c_procedures.definition import Function
from b2c_procedures.models import Order, Run, RunObject, StepRecord
from b2c_procedures.schedule import norm
from callcenter.assignments.actions import close_task, create_task
from callcenter.assignments.models import Task
from callcenter.assignments.states import LIVE
from callcenter.clinics.models import Patient
from callcenter.lib.errors import Refused
from callcenter.staff.models import User

Kind = TypeVar("Kind", bound=Model)


@dataclass
class StepContext:
    """One function being done in one run. `events` are the results chosen, `turn` how often it was
    done before.
    """

    run: Run
    function: Function
    events: tuple[str, ...]
    data: Mapping[str, Any]
    by: User
    now: dt.datetime
    turn: int

    @property
    def event(self) -> str:
        return self.events[0]

    @property
    def origin(self) -> str:
        """The same for the same step done again after going back, so that nothing is made twice."""
        return f"b2c_procedures.run:{self.run.pk}:{self.function.id}:{self.turn}"

    def option(self, name: str) -> str:
        return self.function.options.get(name, "")

    def need(self, field: str, message: str) -> Any:
        """The form's value, or Refused at that field."""
        value = self.data.get(field)
        if value in (None, "", []):
            raise Refused(message, field=field)
        return value

    def patient(self) -> Patient:
        if self.run.patient is None:
            raise Refused("Сначала выберите клиента: кнопка «Клиент» вверху.", field="patient")
        return self.run.patient

    def order(self) -> Order:
        """The order of the run, chosen in this step or before."""
        chosen = self.data.get("order")
        if isinstance(chosen, Order):
            if self.run.patient_id is None:
                self.run.patient = chosen.patient
            self.run.order = chosen
        if self.run.order is None:
            raise Refused("Выберите заказ.", field="order")
        return self.run.order

    def made_before(self, model: type[Kind]) -> Kind | None:
        """What this very step made before somebody went back from it."""
        made = RunObject.objects.filter(
            run=self.run,
            function=self.function.id,
            kind=model._meta.label_lower,
            seq__in=StepRecord.objects.filter(run=self.run, is_undone=True).values("seq"),
        ).last()
        return (
            model._default_manager.filter(pk=made.object_id).first() if made is not None else None
        )

    def common(self) -> dict[str, Any]:
        """Fields that every case made in a run has."""
        return dict(
            run=self.run,
            clinic=self.run.clinic,
            patient=self.run.patient,
            order=self.run.order,
            created_at=self.now,
            created_by=self.by,
        )


@dataclass(frozen=True)
class CreatedObject:
    """An object that a step made, how the run speaks of it, and where it opens."""

    obj: Model
    title: str
    link: str = ""


@dataclass(frozen=True)
class StepAction:
    """What a function does. `fields` name the parts of the step's form (steps/forms.py)."""

    perform: Callable[[StepContext], list[CreatedObject]]
    fields: tuple[str, ...] = ()


def give_task(
    step: StepContext,
    *,
    title: str,
    department: str,
    role: str,
    body: str = "",
    deadline: str = "",
    deadline_at: dt.datetime | None = None,
    assignee: User | None = None,
    link: str = "",
) -> CreatedObject:
    """A task from the run, once for each time the step is done: its client, its order with the
    order's address, and a link to the run (or `link`). The deadline is a norm in working time ('2
    hours') or an instant (UTC).
    """
    run = step.run
    due = deadline_at or norm(deadline or "2 hours").deadline(step.now)
    lines = [body]
    if run.patient is not None:
        lines.append(f"Клиент: {run.patient.full_name}")
    if run.order is not None:
        page = reverse("b2c_procedures:order", args=[run.order.pk])
        lines.append(f"Заказ: {run.order.number} {settings.PUBLIC_URL}{page}")
    task: Task = create_task(
        title=title[:200],
        body="\n".join(line for line in lines if line),
        department=department,
        role=role,
        assignee=assignee,
        clinic=run.clinic,
        patient=run.patient,
        deadline_at=due,
        origin=step.origin,
        link=link or reverse("b2c_procedures:run", args=[run.pk]),
        by=step.by,
        now=step.now,
    )
    return CreatedObject(task, f"Задача: {title}", reverse("assignments:task", args=[task.pk]))


def close_given(step: StepContext, fact: str, outcome: str) -> None:
    """Closes the task that an earlier step gave and remembered as `fact`, unless somebody has
    closed it already.
    """
    task = Task.objects.filter(pk=step.run.facts.get(fact), state__in=LIVE).first()
    if task is not None:
        close_task(task, outcome=outcome, by=None, now=step.now)
