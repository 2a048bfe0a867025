"""A working day: people, visits, windows, calls and tasks of every kind, around the present moment that pages ask for."""

import datetime as dt

import pytest
from django.utils import timezone

from callcenter.clinics.actions import open_waiting
from callcenter.clinics.states import AppointmentStatus
from tests.conftest import World


@pytest.fixture
def busy_world(world: World) -> World:
    world.now = now = timezone.now()
    family = "+79000007777"
    people = [
        world.patient("Аметистова", "Алла", phones=[family], birth_date=dt.date(1980, 2, 3)),
        world.patient("Аметистов", "Пётр", phones=[family, "+79000007778"]),
        world.patient("Безтелефонная", "Ия", phones=[]),
        world.patient("Неберущий", "Лев", do_not_call=True, do_not_call_reason="просил"),
    ]
    for days, status in ((1, "scheduled"), (2, "confirmed"), (-1, "completed"), (-2, "cancelled"), (-3, "no_show")):
        world.visit(people[0], now + dt.timedelta(days=days), status=AppointmentStatus(status))
    for hours in range(1, 60, 5):
        world.window(now + dt.timedelta(days=1, hours=hours))
    for patient, days in zip(people, (-1, 0, 1, 5), strict=True):
        open_waiting(
            clinic=world.clinic,
            patient=patient,
            call_on=(now + dt.timedelta(days=days)).date(),
            comment="просила напомнить",
            by=world.administrator,
            now=now - dt.timedelta(days=3),  # so the first one is overdue
        )
    return world
