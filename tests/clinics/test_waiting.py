"""The waiting list on the patient's card: what is written down, and what a booking leaves to a
person.
"""

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from callcenter.clinics import actions
from callcenter.clinics.models import Doctor, Patient, Specialty, WaitingListEntry
from callcenter.clinics.states import WaitingState
from callcenter.staff.models import User
from tests.conftest import World

pytestmark = pytest.mark.django_db

Login = Callable[[User], Client]
DAY = dt.timedelta(days=1)


@pytest.fixture
def now(world: World) -> dt.datetime:
    world.now = timezone.now()
    return world.now


@pytest.fixture
def dentist(world: World) -> Doctor:
    doctor: Doctor = Doctor.objects.create(
        full_name="Зубов Захар Ильич", specialty=Specialty.objects.create(name="Стоматология")
    )
    doctor.clinics.add(world.clinic)
    return doctor


def wish(world: World, **more: object) -> dict[str, object]:
    on = (world.now + 3 * DAY).date().isoformat()
    return {
        "kind": "waiting_list",
        "clinic": world.clinic.pk,
        "call_on": on,
        "comment": "ждёт окна",
        **more,
    }


def put(world: World, client: Client, patient: Patient, **more: object) -> WaitingListEntry:
    url = reverse("clinics:patient_waiting", args=[patient.pk])
    assert client.post(url, wish(world, **more)).status_code == 302
    entry: WaitingListEntry = WaitingListEntry.objects.latest("pk")
    return entry


def test_waiting_for_one_doctor_outlives_a_visit_to_another(
    world: World, as_user: Login, now: dt.datetime, dentist: Doctor
) -> None:
    client, patient = as_user(world.administrator), world.patient()
    entries = [
        put(world, client, patient, doctor=world.doctor.pk),
        put(world, client, patient, specialty=world.specialty.pk),
        put(world, client, patient, kind="remind_later"),
    ]
    assert (
        "Белов О. И." in client.get(reverse("clinics:patient", args=[patient.pk])).content.decode()
    )
    actions.book_appointment(
        patient=patient,
        window=world.window(now + DAY, doctor=dentist),
        by=world.administrator,
        now=now,
    )
    assert {WaitingListEntry.objects.get(pk=entry.pk).state for entry in entries} == {
        WaitingState.OPEN
    }
    visit = actions.book_appointment(
        patient=patient, window=world.window(now + 2 * DAY), by=world.administrator, now=now
    )
    rows = [WaitingListEntry.objects.get(pk=entry.pk) for entry in entries]
    assert [row.state for row in rows] == [
        WaitingState.CLOSED,
        WaitingState.CLOSED,
        WaitingState.OPEN,
    ]
    assert rows[0].appointment == visit


def test_a_booking_that_may_be_the_answer_is_offered_to_a_person(
    world: World, as_user: Login, now: dt.datetime, dentist: Doctor
) -> None:
    client, patient = as_user(world.administrator), world.patient()
    card = reverse("clinics:patient", args=[patient.pk])
    before = actions.book_appointment(
        patient=patient, window=world.window(now + 9 * DAY), by=world.administrator, now=now - DAY
    )
    entry = put(world, client, patient)
    assert "Закрыть ожидание" not in client.get(card).content.decode(), (
        "that visit was there before"
    )
    visit = actions.book_appointment(
        patient=patient,
        window=world.window(now + DAY, doctor=dentist),
        by=world.administrator,
        now=timezone.now(),
    )
    close = reverse("assignments:waiting_close", args=[entry.pk])
    for page in (card, reverse("assignments:waiting", args=[entry.pk])):
        text = client.get(page).content.decode()
        assert ("Закрыть ожидание" in text, f'value="{visit.pk}"' in text, close in text) == (
            True,
            True,
            True,
        )
    assert "Закрыть ожидание" not in as_user(world.manager).get(card).content.decode(), (
        "whoever reads can't close"
    )
    answer = client.post(close, {"appointment": visit.pk, "back": "card"})
    assert answer.headers["Location"] == card
    entry.refresh_from_db()
    assert (entry.state, entry.appointment) == (WaitingState.CLOSED, visit)
    assert before.pk != visit.pk


def test_a_moved_visit_is_offered_to_a_person_but_answers_by_itself_who_wanted_to_come_earlier(
    world: World, as_user: Login, now: dt.datetime
) -> None:
    client, patient = as_user(world.administrator), world.patient()
    visit = actions.book_appointment(
        patient=patient, window=world.window(now + 9 * DAY), by=world.administrator, now=now - DAY
    )
    sooner = put(world, client, patient, kind="earlier", doctor=world.doctor.pk)
    put(world, client, patient, kind="waiting_list")
    card = reverse("clinics:patient", args=[patient.pk])
    assert "Закрыть ожидание" not in client.get(card).content.decode()
    actions.reschedule_appointment(
        visit, window=world.window(now + DAY), by=world.administrator, now=timezone.now()
    )
    assert client.get(card).content.decode().count("Закрыть ожидание") == 1
    sooner.refresh_from_db()
    assert (sooner.state, sooner.appointment) == (WaitingState.CLOSED, visit)


def test_a_wrong_entry_comes_back_with_what_was_typed(
    world: World, as_user: Login, now: dt.datetime, dentist: Doctor
) -> None:
    world.administrator.clinics.add(world.clinic_b)
    client = as_user(world.administrator)
    url = reverse("clinics:patient_waiting", args=[world.patient().pk])
    past = {"call_on": "2020-01-01", "comment": "длинный комментарий"}
    for wrong, word in (
        (past, "Дата звонка уже прошла"),
        ({"doctor": world.doctor_b.pk}, "не в выбранной клинике"),
        ({"doctor": dentist.pk, "specialty": world.specialty.pk}, "Стоматология: оставьте"),
        (
            {"clinic": world.clinic_b.pk, "specialty": dentist.specialty_id},
            "нет врачей этой специальности",
        ),
        ({"call_on": ""}, "Обязательное поле"),
    ):
        answer = client.post(url, wish(world, **wrong))
        page = answer.content.decode()
        assert (answer.status_code, word in page) == (422, True), wrong
        assert str(wrong.get("comment", "ждёт окна")) in page
    assert not WaitingListEntry.objects.exists()
