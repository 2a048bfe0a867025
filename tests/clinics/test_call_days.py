"""Days to call and deadlines: neither past nor at the end of the calendar, and refused in words."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from callcenter.assignments.actions import create_task
from callcenter.clinics.actions import open_waiting
from callcenter.clinics.models import WaitingListEntry
from callcenter.lib.errors import Refused
from callcenter.staff.models import User
from journals.actions.entries import open_entry
from tests.conftest import NOON, World

pytestmark = pytest.mark.django_db

AsUser = Callable[[User], Client]
DAY = dt.timedelta(days=1)


def _entry(world: World) -> WaitingListEntry:
    now = timezone.now()
    return open_waiting(
        clinic=world.clinic,
        patient=world.patient(),
        call_on=now.date() + DAY,
        comment="ждёт окна",
        owner=world.administrator,
        by=world.administrator,
        now=now,
    )


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2099-01-01"])
def test_a_call_is_put_off_by_two_years_at_most(day: str, world: World, as_user: AsUser) -> None:
    entry, client = _entry(world), as_user(world.administrator)
    answer = client.post(reverse("assignments:waiting_move", args=[entry.pk]), {"call_on": day})
    assert answer.status_code == 422
    assert answer.context["move_form"].errors["call_on"]
    assert client.get("/").status_code == 200
    assert client.get(reverse("assignments:active")).status_code == 200


def test_the_waiting_list_takes_a_day_within_two_years(world: World, as_user: AsUser) -> None:
    today, page = (
        timezone.now().date(),
        reverse("clinics:patient_waiting", args=[world.patient().pk]),
    )
    client = as_user(world.administrator)
    given = {"kind": "waiting_list", "clinic": world.clinic.pk, "comment": "ждёт окна"}
    near = client.post(page, given | {"call_on": (today + dt.timedelta(days=700)).isoformat()})
    far = client.post(page, given | {"call_on": (today + dt.timedelta(days=740)).isoformat()})
    assert near.status_code == 302
    assert far.status_code == 422
    assert "слишком далеко" in far.content.decode()


def test_a_recall_is_opened_for_a_day_within_two_years(world: World) -> None:
    with pytest.raises(Refused, match="слишком далеко"):
        open_entry(
            clinic=world.clinic,
            patient=world.patient(),
            doctor=world.doctor,
            doctor_comment="продолжить лечение",
            call_on=dt.date(9999, 12, 31),
            by=world.senior,
            now=NOON,
        )


def test_a_deadline_at_the_end_of_the_calendar_is_told_of_at_its_field(
    world: World, as_user: AsUser
) -> None:
    now = timezone.now()
    task = create_task(
        title="Позвонить",
        deadline_at=now + DAY,
        by=world.senior,
        now=now,
        assignee=world.administrator,
    )
    client = as_user(world.administrator)
    for moment in ("0001-01-01T00:00", "9999-12-31T23:59"):
        answer = client.post(reverse("assignments:move", args=[task.pk]), {"deadline_at": moment})
        assert answer.status_code == 422
        assert "Проверьте год" in answer.content.decode()
