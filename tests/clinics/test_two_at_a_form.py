"""Two colleagues at one form: what the first one saved is never undone by the older page of the
second.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from callcenter.audit.models import AuditEntry
from callcenter.clinics.models import Clinic, Doctor, Service
from callcenter.staff import actions as staff
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from tests.clinics.test_settings import typed
from tests.conftest import World, make_user
from tests.stale import shown_at

pytestmark = pytest.mark.django_db

Login = Callable[[User], Client]


def test_a_number_that_a_colleague_added_is_not_wiped_out_by_an_older_card(
    world: World, as_user: Login
) -> None:
    patient = world.patient(phones=["+79000101001"])
    url = reverse("clinics:patient_edit", args=[patient.pk])
    first, second = as_user(world.administrator2), as_user(world.administrator)
    card = {
        "last_name": "Иванова",
        "first_name": "Анна",
        "middle_name": "Петровна",
        "clinic": world.clinic.pk,
    }
    older = shown_at(second, url)
    both = card | {"phones": "+7 900 010-10-01\n+7 900 010-10-02", "shown": shown_at(first, url)}
    assert first.post(url, both).status_code == 302

    mine = card | {"phones": "+7 900 010-10-01", "note": "перезвонить вечером", "shown": older}
    answer = second.post(url, mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    # the present state, at the field
    assert "Сейчас: +7 (900) 010-10-01 +7 (900) 010-10-02" in page
    assert "перезвонить вечером" in page  # what was typed
    assert patient.phones.count() == 2
    assert AuditEntry.objects.filter(action="clinics.change_patient").count() == 1

    again = mine | {
        "phones": "+7 900 010-10-01\r\n+7 900 010-10-02",
        "shown": answer.context["shown"],
    }
    assert second.post(url, again).status_code == 302
    patient.refresh_from_db()
    assert (patient.note, patient.phones.count()) == ("перезвонить вечером", 2)


def test_a_wrong_field_does_not_make_an_old_card_young(world: World, as_user: Login) -> None:
    patient = world.patient(phones=["+79000101001"])
    url = reverse("clinics:patient_edit", args=[patient.pk])
    client = as_user(world.administrator)
    older = shown_at(client, url)
    patient.note = "новое"
    patient.save()
    answer = client.post(url, {"last_name": "", "clinic": world.clinic.pk, "shown": older})
    assert answer.status_code == 422
    assert answer.context["shown"] == older


def test_a_form_that_gives_nothing_back_has_shown_nothing(world: World, as_user: Login) -> None:
    patient = world.patient()
    url = reverse("clinics:patient_edit", args=[patient.pk])
    answer = as_user(world.administrator).post(
        url, {"last_name": "Другая", "clinic": world.clinic.pk}
    )
    assert answer.status_code == 409


def test_a_role_taken_away_does_not_come_back_with_an_older_page(
    world: World, as_user: Login
) -> None:
    person = make_user(
        "x", "Икс Игорь Ильич", Role.ADMINISTRATOR, Role.SENIOR, clinics=[world.clinic]
    )
    url = reverse("staff:person", args=[person.pk])
    senior, manager = as_user(world.senior), as_user(world.manager)
    data: dict[str, Any] = {
        "full_name": person.full_name,
        "login": "x",
        "clinics": [world.clinic.pk],
        "sees_phones": "on",
        "capacity": 40,
    }
    older = shown_at(senior, url)
    assert (
        manager.post(
            url, data | {"roles": ["administrator"], "shown": shown_at(manager, url)}
        ).status_code
        == 302
    )
    answer = senior.post(
        url, data | {"roles": ["administrator", "senior"], "extension": "107", "shown": older}
    )
    assert answer.status_code == 409
    assert "Сейчас: администратор<" in answer.content.decode()
    person.refresh_from_db()
    assert (person.roles, person.extension) == (["administrator"], "")


def test_a_place_given_meanwhile_is_not_taken_back_by_an_older_page(
    world: World, as_user: Login
) -> None:
    third = Clinic.objects.create(name="Клиника В", zone=world.clinic.zone)
    third.staff.add(world.senior)
    person = make_user(
        "x", "Икс Игорь Ильич", Role.ADMINISTRATOR, clinics=[world.clinic, world.clinic_b]
    )
    url = reverse("staff:person", args=[person.pk])
    senior = as_user(world.senior)
    older = shown_at(senior, url)
    staff.place_user(person, clinic_ids=[world.clinic.pk, third.pk], by=world.senior, now=world.now)
    answer = senior.post(url, {"clinics": [world.clinic.pk], "shown": older})
    assert answer.status_code == 409
    assert "Сейчас: Клиника А, Клиника В" in answer.content.decode()
    assert person.clinics.filter(pk=third.pk).exists()


def test_a_place_in_a_clinic_that_is_not_hers_is_no_news_to_her_page(
    world: World, as_user: Login
) -> None:
    person = make_user(
        "x", "Икс Игорь Ильич", Role.ADMINISTRATOR, clinics=[world.clinic, world.clinic_b]
    )
    senior, url = as_user(world.senior), reverse("staff:person", args=[person.pk])
    older = shown_at(senior, url)
    person.clinics.add(Clinic.objects.create(name="Клиника Г", zone=world.clinic.zone))
    assert senior.post(url, {"clinics": [world.clinic.pk], "shown": older}).status_code == 302


def test_hours_set_by_another_senior_outlive_an_older_page_of_the_clinic(
    world: World, as_user: Login
) -> None:
    url = reverse("clinics:settings_clinic", args=[world.clinic.pk])
    other = make_user("senior_2", "Вторая Вера Петровна", Role.SENIOR, clinics=[world.clinic])
    first, second = as_user(other), as_user(world.senior)
    older = typed(world.clinic, shown=shown_at(second, url), address="ул. Новая, 2")
    changed = typed(world.clinic, shown=shown_at(first, url), opens_0="10:30")
    assert first.post(url, changed).status_code == 302
    answer = second.post(url, older)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Сейчас: 10:30" in page
    assert "ул. Новая, 2" in page
    assert "Сейчас: ул. Примерная, 1" in page
    world.clinic.refresh_from_db()
    assert world.clinic.address == "ул. Примерная, 1"
    assert f"{world.clinic.opening_hours.get(weekday=0).opens:%H:%M}" == "10:30"


def test_a_wrong_special_day_leaves_the_form_of_the_clinic_as_young_as_it_is(
    world: World, as_user: Login
) -> None:
    client = as_user(world.senior)
    url = reverse("clinics:settings_clinic", args=[world.clinic.pk])
    answer = client.post(
        reverse("clinics:settings_day", args=[world.clinic.pk]),
        {"on": "2026-03-21", "opens": "10:00"},
    )
    assert answer.status_code == 422
    assert answer.context["shown"] == shown_at(client, url)


def test_a_doctor_and_a_service_changed_meanwhile_stay_so(world: World, as_user: Login) -> None:
    client = as_user(world.senior)
    doctor = reverse("clinics:settings_doctor", args=[world.doctor.pk])
    service_row = Service.objects.create(name="Осмотр", minutes=30, price=1000)
    service = reverse("clinics:settings_service", args=[service_row.pk])
    world.doctor.clinics.add(world.clinic_b)  # not hers, so not on her page
    older = shown_at(client, doctor), shown_at(client, service)
    Doctor.objects.filter(pk=world.doctor.pk).update(source_id="77")
    Service.objects.filter(pk=service_row.pk).update(price=2000)

    data = {
        "full_name": "Белов О. И.",
        "specialty": world.specialty.pk,
        "is_active": "on",
        "user": world.doctor_user.pk,
    }
    answer = client.post(doctor, data | {"clinics": [world.clinic.pk], "shown": older[0]})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert ("Сейчас: 77" in page, "Сейчас: Клиника" in page) == (True, False)
    data = {"name": "Осмотр", "minutes": 20, "price": "1000", "is_active": "on"}
    answer = client.post(service, data | {"shown": older[1]})
    assert answer.status_code == 409
    assert "Сейчас: 2000" in answer.content.decode()
    assert Doctor.objects.get(pk=world.doctor.pk).source_id == "77"
    assert Service.objects.get(pk=service_row.pk).price == 2000


def test_saving_a_card_does_not_give_the_patient_to_another_clinic(
    world: World, as_user: Login
) -> None:
    world.administrator.clinics.add(
        world.clinic_b
    )  # her first clinic by name is A, the patient's is B
    patient = world.patient(clinics=[world.clinic_b], phones=["+79000101001"])
    client, url = as_user(world.administrator), reverse("clinics:patient_edit", args=[patient.pk])
    form = client.get(url).context["form"]
    assert form["clinic"].value() == world.clinic_b.pk
    card = {
        "last_name": "Иванова",
        "first_name": "Анна",
        "middle_name": "Петровна",
        "phones": form["phones"].value(),
    }
    saved = card | {"note": "x", "clinic": form["clinic"].value(), "shown": shown_at(client, url)}
    assert client.post(url, saved).status_code == 302
    assert list(patient.clinics.all()) == [world.clinic_b]
    entry = AuditEntry.objects.get(action="clinics.change_patient")
    assert (entry.clinic_id, entry.before, entry.after) == (
        world.clinic_b.pk,
        {"note": ""},
        {"note": "x"},
    )
    waiting = client.get(reverse("clinics:patient", args=[patient.pk])).context["waiting_form"]
    assert waiting["clinic"].value() == world.clinic_b.pk

    asked = saved | {"clinic": world.clinic.pk, "shown": shown_at(client, url)}
    assert client.post(url, asked).status_code == 302
    entry = AuditEntry.objects.filter(action="clinics.change_patient").latest("pk")
    assert entry.before == {"clinics": ["Клиника Б"]}
    assert entry.after == {"clinics": ["Клиника А", "Клиника Б"]}
