"""Makers of tasks and waiting-list entries in the world of the suite."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from callcenter.assignments import actions
from callcenter.assignments.models import Task
from callcenter.clinics.models import WaitingListEntry
from callcenter.clinics.states import WaitingKind
from callcenter.staff.roles import Role
from tests.conftest import World

MakeTask = Callable[..., Task]
MakeWait = Callable[..., WaitingListEntry]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def task(world: World) -> MakeTask:
    """A task of clinic A for whoever is an administrator, due in an hour."""

    def make(**fields: Any) -> Task:
        fields = {
            "title": "Перезвонить в лабораторию",
            "clinic": world.clinic,
            "by": world.senior,
            **fields,
        }
        fields = {"deadline_at": world.now + HOUR, "now": world.now, **fields}
        if "assignee" not in fields:
            fields.setdefault("role", Role.ADMINISTRATOR)
        return actions.create_task(**fields)

    return make


@pytest.fixture
def wait(world: World) -> MakeWait:
    """An open entry of clinic A to be called on the suite's today, nobody's."""

    def make(**fields: Any) -> WaitingListEntry:
        fields = {
            "clinic": world.clinic,
            "kind": WaitingKind.REMIND_LATER,
            "comment": "Просил напомнить",
            **fields,
        }
        fields = {"call_on": world.now.date(), "opened_at": world.now, **fields}
        fields.setdefault("patient", world.patient())
        return WaitingListEntry.objects.create(**fields)

    return make
