"""The pages of the floor that core owns: search, card, booking, visit, schedule."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from callcenter.audit.models import AuditEntry
from callcenter.clinics.models import Appointment, Patient
from callcenter.staff.models import User
from tests.conftest import World

Login = Callable[[User], Client]


@pytest.fixture
def soon(world: World) -> dt.datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0) + dt.timedelta(days=1)


def test_home_opens_for_every_role(world: World, as_user: Login) -> None:
    for user in (world.administrator, world.senior, world.manager, world.doctor_user):
        assert as_user(user).get("/").status_code == 200


def test_anonymous_is_led_to_the_log_in_and_htmx_is_told_so(client: Client, db: None) -> None:
    assert client.get("/patients/").headers["Location"].startswith("/login/")
    answer = client.get("/patients/", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith("/login/")


def test_search_answers_with_the_list_alone_to_htmx(world: World, as_user: Login) -> None:
    world.patient("Иванова")
    client = as_user(world.administrator)
    assert "<html" in client.get("/patients/?q=иван").content.decode()
    part = client.get("/patients/?q=иван", headers={"HX-Request": "true"}).content.decode()
    assert "Иванова" in part
    assert "<html" not in part


def test_the_card_opens_and_the_look_is_written_down(world: World, as_user: Login) -> None:
    patient = world.patient()
    world.visit(patient)
    assert (
        as_user(world.administrator).get(reverse("clinics:patient", args=[patient.pk])).status_code
        == 200
    )
    assert AuditEntry.objects.get(action="clinics.view_patient").patient_id == patient.pk


def test_another_clinics_patient_is_not_there(world: World, as_user: Login) -> None:
    patient = world.patient()
    visit = world.visit(patient)
    client = as_user(world.administrator_b)
    for url in (
        reverse("clinics:patient", args=[patient.pk]),
        reverse("clinics:patient_edit", args=[patient.pk]),
        reverse("clinics:book", args=[patient.pk]),
        reverse("clinics:visit", args=[visit.pk]),
        reverse("clinics:move", args=[visit.pk]),
    ):
        assert client.get(url).status_code == 404


def test_phones_are_masked_for_those_without_the_right(world: World, as_user: Login) -> None:
    patient = world.patient(phones=["+79000101001"])
    world.administrator.sees_phones = False
    world.administrator.save()
    client = as_user(world.administrator)
    for url in (reverse("clinics:patient", args=[patient.pk]), "/patients/?q=1001"):
        page = client.get(url).content.decode()
        assert "010-10-01" not in page
        assert "79000101001" not in page


def test_a_new_card_takes_phones_in_any_shape_and_says_what_is_wrong(
    world: World, as_user: Login
) -> None:
    client = as_user(world.administrator)
    form = {
        "last_name": "Новый",
        "first_name": "Пётр",
        "clinic": world.clinic.pk,
        "phones": "8 (900) 010-10-01",
    }
    assert client.post(reverse("clinics:patient_new"), form).status_code == 302
    assert Patient.objects.get(last_name="Новый").phones.get().number == "+79000101001"
    answer = client.post(reverse("clinics:patient_new"), form | {"phones": "010-10-01"})
    assert answer.status_code == 422
    assert "не хватает цифр" in answer.content.decode()


def test_booking_a_window_and_what_is_left_when_it_is_gone(
    world: World, as_user: Login, soon: dt.datetime
) -> None:
    window = world.window(soon)
    left = world.window(soon + dt.timedelta(hours=1))
    mine, other = world.patient("Первый"), world.patient("Второй")
    client = as_user(world.administrator)
    assert (
        client.post(reverse("clinics:book", args=[mine.pk]), {"window": window.pk}).status_code
        == 302
    )
    answer = client.post(reverse("clinics:book", args=[other.pk]), {"window": window.pk})
    assert answer.status_code == 409
    assert f'value="{left.pk}"' in answer.content.decode()
    assert Appointment.objects.get().patient == mine


def test_from_a_free_window_of_the_schedule_to_a_booked_patient(
    world: World, as_user: Login, soon: dt.datetime
) -> None:
    window, patient = world.window(soon), world.patient("Окошкина")
    client = as_user(world.administrator)
    on = soon.astimezone(ZoneInfo(world.clinic.zone)).date()
    day = client.get(f"{reverse('clinics:schedule')}?on={on}").content.decode()
    search = f"{reverse('clinics:search')}?window={window.pk}"
    assert search in day
    found = client.get(f"{search}&q=окош").content.decode()
    book = f"{reverse('clinics:book', args=[patient.pk])}?window={window.pk}"
    assert book in found
    assert "Записать на" in client.get(book).content.decode()
    client.post(book, {"window": window.pk})
    assert Appointment.objects.get().patient == patient


def test_a_visit_is_moved_marked_and_cancelled(
    world: World, as_user: Login, soon: dt.datetime
) -> None:
    visit = world.visit(starts_at=soon)
    window = world.window(soon + dt.timedelta(hours=2))
    client = as_user(world.administrator)
    client.post(
        reverse("clinics:move", args=[visit.pk]), {"window": window.pk, "comment": "попросил"}
    )
    visit.refresh_from_db()
    assert (visit.starts_at, visit.version) == (window.starts_at, 2)
    client.post(reverse("clinics:mark", args=[visit.pk]), {"status": "confirmed"})
    assert (
        client.post(reverse("clinics:cancel", args=[visit.pk]), {"reason": ""}).status_code == 422
    )
    client.post(reverse("clinics:cancel", args=[visit.pk]), {"reason": "заболел"})
    visit.refresh_from_db()
    assert (visit.status, visit.version) == ("cancelled", 3)
    page = client.get(reverse("clinics:visit", args=[visit.pk])).content.decode()
    assert "заболел" in page


def test_the_schedule_of_a_day_has_a_fixed_number_of_queries(
    world: World, as_user: Login, soon: dt.datetime, django_assert_max_num_queries: object
) -> None:
    client = as_user(world.administrator)
    url = f"{reverse('clinics:schedule')}?on={(soon + dt.timedelta(hours=3)).date()}"
    counts = []
    for amount in (3, 27):
        for _ in range(amount):
            world.visit(
                world.patient(), soon + dt.timedelta(minutes=7 * Appointment.objects.count())
            )
        with django_assert_max_num_queries(9) as seen:  # type: ignore[operator]
            assert client.get(url).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_manager_reads_but_does_not_book(world: World, as_user: Login) -> None:
    patient = world.patient()
    client = as_user(world.manager)
    assert client.get(reverse("clinics:patient", args=[patient.pk])).status_code == 200
    assert client.get(reverse("clinics:book", args=[patient.pk])).status_code == 403


def test_a_visit_in_a_clinic_that_is_not_hers_is_told_but_leads_nowhere(
    world: World, as_user: Login
) -> None:
    patient = world.patient(clinics=[world.clinic, world.clinic_b])
    here = world.visit(patient)
    there = world.visit(
        patient, world.now + dt.timedelta(days=3), clinic=world.clinic_b, doctor=world.doctor_b
    )
    client = as_user(world.administrator)
    page = client.get(reverse("clinics:patient", args=[patient.pk])).content.decode()
    links = [reverse("clinics:visit", args=[visit.pk]) for visit in (here, there)]
    assert [f'"{link}"' in page for link in links] == [True, False]
    assert [client.get(link).status_code for link in links] == [200, 404]
    assert "Чернова И. Л." in page
    assert (
        f'{there.local_start:%d.%m.%Y %H:%M} <span class="text-secondary">Клиника Б</span>' in page
    )


def test_a_new_card_begins_with_the_number_it_was_asked_for(world: World, as_user: Login) -> None:
    client, url = as_user(world.administrator), reverse("clinics:patient_new")
    page = client.get(url, {"phone": "+79000101001"}).content.decode()
    assert "+7 (900) 010-10-01</textarea>" in page
    assert "invalid-feedback" not in page
    page = client.get(url, {"phone": "010-10-01"}).content.decode()
    assert ">\n010-10-01</textarea>" in page
    assert "не хватает цифр" in page
    assert client.get(url, {"phone": "\x00"}).status_code == 200
