"""What the journal of deeds tells of a deed: all that was before and became, and every look at a
patient's data.
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from callcenter.assignments.actions import create_task
from callcenter.audit.models import AuditEntry
from callcenter.clinics.actions import (
    book_appointment,
    close_waiting,
    move_appointment,
    open_waiting,
    reschedule_appointment,
    set_status,
)
from callcenter.clinics.models import WaitingListEntry
from callcenter.clinics.states import AppointmentStatus
from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    record_interaction,
)
from callcenter.contacts.states import InteractionKind, InteractionState
from callcenter.staff.actions import copy_week, set_shift
from callcenter.staff.models import User
from callcenter.staff.roles import ShiftColour
from tests.conftest import World

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def _deed(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=action)


def _waiting(world: World) -> WaitingListEntry:
    return open_waiting(
        clinic=world.clinic,
        patient=world.patient(),
        call_on=world.now.date() + DAY,
        comment="ждёт окна",
        doctor=world.doctor,
        by=world.administrator,
        now=world.now,
    )


@pytest.mark.parametrize("way", ["window", "time"])
def test_a_moved_visit_tells_of_its_doctors_and_clinics(world: World, way: str) -> None:
    visit, start = world.visit(), world.now + 2 * DAY
    if way == "window":
        window = world.window(start, clinic=world.clinic_b, doctor=world.doctor_b)
        reschedule_appointment(visit, window=window, by=world.senior, now=world.now)
    else:
        move_appointment(
            visit,
            starts_at=start,
            ends_at=start + dt.timedelta(minutes=30),
            doctor=world.doctor_b,
            clinic=world.clinic_b,
            by=world.senior,
            now=world.now,
        )
    deed = _deed("clinics.moved")
    assert deed.before == {
        "starts_at": visit.starts_at.isoformat(),
        "doctor": str(world.doctor),
        "clinic": str(world.clinic),
    }
    assert deed.after == {
        "starts_at": start.isoformat(),
        "doctor": str(world.doctor_b),
        "clinic": str(world.clinic_b),
    }


def test_a_confirmed_visit_moved_within_the_day_tells_of_no_other_doctor_but_that_it_is_to_be_confirmed_anew(
    world: World,
) -> None:
    visit, start = world.visit(status=AppointmentStatus.CONFIRMED), world.now + 2 * DAY
    reschedule_appointment(visit, window=world.window(start), by=world.senior, now=world.now)
    deed = _deed("clinics.moved")
    assert deed.before == {"starts_at": visit.starts_at.isoformat(), "status": "confirmed"}
    assert deed.after == {"starts_at": start.isoformat(), "status": "scheduled"}


def test_the_money_of_a_visit_is_told(world: World) -> None:
    visit, money = world.visit(), Decimal("1500.00")
    set_status(
        visit, status=AppointmentStatus.COMPLETED, money=money, by=world.senior, now=visit.starts_at
    )
    deed = _deed("clinics.marked")
    assert deed.before == {"status": "scheduled", "money": None}
    assert deed.after == {
        "starts_at": visit.starts_at.isoformat(),
        "status": "completed",
        "money": "1500.00",
    }


def test_a_closed_entry_of_the_waiting_list_tells_how(world: World) -> None:
    close_waiting(_waiting(world), reason="передумал", by=world.administrator, now=world.now)
    deed = _deed("clinics.close_waiting")
    assert (deed.before, deed.after, deed.note) == (
        {"state": "open"},
        {"state": "closed"},
        "передумал",
    )


def test_an_entry_that_a_booking_closes_names_the_visit(world: World) -> None:
    patient = _waiting(world).patient
    visit = book_appointment(
        patient=patient, window=world.window(), by=world.administrator, now=world.now
    )
    deed = _deed("clinics.close_waiting")
    assert (deed.before, deed.after) == (
        {"state": "open"},
        {"state": "closed", "appointment": visit.pk},
    )


def test_a_new_task_tells_to_whom_and_by_when(world: World) -> None:
    due = world.now + DAY
    create_task(
        title="Позвонить",
        deadline_at=due,
        assignee=world.administrator,
        by=world.senior,
        now=world.now,
    )
    assert _deed("assignments.create_task").after == {
        "assignee": str(world.administrator),
        "department": "call_centre",
        "deadline_at": due.isoformat(),
    }


def test_a_copied_week_tells_whose_shifts(world: World) -> None:
    monday = dt.date(2026, 3, 16)
    people = [world.administrator, world.administrator2]
    for days in (0, 1):
        set_shift(
            people[0],
            on=monday + days * DAY,
            colour=ShiftColour.YELLOW,
            by=world.senior,
            now=world.now,
        )
    copy_week(people, monday=monday + 7 * DAY, by=world.senior, now=world.now)
    deed = _deed("staff.copy_week")
    assert (deed.object_kind, deed.object_id) == ("staff.user", people[0].pk)
    assert deed.after == {"week": "2026-03-23", "shifts": 2}


def test_a_contact_by_hand_and_looks_at_a_form_and_at_a_chat_are_written_down(
    world: World, as_user: Callable[[User], Client]
) -> None:
    patient, client = world.patient(), as_user(world.administrator)
    client.get(reverse("clinics:patient_edit", args=[patient.pk]))
    assert _deed("clinics.view_patient").patient_id == patient.pk

    given = {
        "kind": "comment",
        "clinic": world.clinic.pk,
        "direction": "in",
        "comment": "перезвонит",
    }
    client.post(f"{reverse('contacts:add')}?patient={patient.pk}", given)
    added = _deed("contacts.add_by_hand")
    assert (added.by, added.patient_id, added.clinic_id) == (
        world.administrator,
        patient.pk,
        world.clinic.pk,
    )
    assert added.after is not None
    assert added.after["comment"] == "перезвонит"

    now = timezone.now()
    chat = record_interaction(
        InteractionInput(
            clinic=world.clinic,
            kind=InteractionKind.CHAT,
            state=InteractionState.CLOSED,
            phases=Phases(now),
            participants=Participants(patient=patient),
            source=InteractionSource(name="chat", id="1"),
        ),
        by=None,
        now=now,
    )
    assert client.get(reverse("contacts:chat", args=[chat.pk])).status_code == 200
    read = _deed("contacts.read_chat")
    assert (read.by, read.patient_id, read.clinic_id) == (
        world.administrator,
        patient.pk,
        world.clinic.pk,
    )
