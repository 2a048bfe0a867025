"""The settings of a clinic: what the senior changes, what stands in the journal of deeds, what is
not hers.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from callcenter.audit.models import AuditEntry
from callcenter.clinics.actions import settings as actions
from callcenter.clinics.models import (
    Clinic,
    Doctor,
    LegalBasis,
    OpeningHours,
    Service,
    SpecialDay,
    Specialty,
)
from callcenter.clinics.queries import hours_of, message_block_reason
from callcenter.clinics.schedule import opening
from callcenter.clinics.states import ConsentChannel, ConsentPurpose
from callcenter.lib.errors import NotAllowed
from callcenter.staff.models import User
from tests.conftest import World
from tests.stale import shown_at

Login = Callable[[User], Client]
GETS = ["clinics", "clinic_new", "doctors", "doctor_new", "services", "service_new", "specialties"]


def typed(clinic: Clinic, **changes: str) -> dict[str, str]:
    """What the form of the clinic holds, with changes."""
    data = {
        "name": clinic.name,
        "zone": clinic.zone,
        "address": clinic.address,
        "phone": clinic.phone,
        "reception_email": clinic.reception_email,
        "responsible_emails": ",".join(clinic.responsible_emails),
        "observes_holidays": "on",
        "calls_from": "09:00",
        "calls_to": "20:00",
        "calls_dayoff_from": "10:00",
        "calls_dayoff_to": "19:00",
        "messages_from": "08:00",
        "messages_to": "21:00",
    }
    for row in OpeningHours.objects.filter(clinic=clinic):
        data |= {
            f"opens_{row.weekday}": f"{row.opens:%H:%M}",
            f"closes_{row.weekday}": f"{row.closes:%H:%M}",
        }
    return {**data, **changes}


def test_an_untouched_form_writes_nothing(world: World, as_user: Login) -> None:
    url = reverse("clinics:settings_clinic", args=[world.clinic.pk])
    senior = as_user(world.senior)
    assert senior.post(url, typed(world.clinic, shown=shown_at(senior, url))).status_code == 302
    assert not AuditEntry.objects.exists()


def test_changed_hours_count_at_once_and_stand_in_the_journal(world: World, as_user: Login) -> None:
    url = reverse("clinics:settings_clinic", args=[world.clinic.pk])
    data = typed(world.clinic, opens_0="10:30", opens_5="", closes_5="", phone="8 (900) 000-12-34")
    senior = as_user(world.senior)
    assert senior.post(url, data | {"shown": shown_at(senior, url)}).status_code == 302
    clinic = Clinic.objects.get(pk=world.clinic.pk)
    assert clinic.phone == "+79000001234"
    hours = hours_of(clinic)
    assert opening(hours, dt.date(2026, 3, 16)) == (dt.time(10, 30), dt.time(20))
    assert opening(hours, dt.date(2026, 3, 21)) is None
    entry = AuditEntry.objects.get()
    assert entry.action == "clinics.change_clinic"
    assert entry.clinic_id == clinic.pk
    assert entry.before == {
        "phone": "+79000009999",
        "weekday_0": "08:00–20:00",
        "weekday_5": "08:00–20:00",
    }
    assert entry.after == {"phone": "+79000001234", "weekday_0": "10:30–20:00", "weekday_5": None}


@pytest.mark.parametrize(
    "changes",
    [
        {"opens_0": "21:00"},
        {"closes_0": ""},
        {"calls_to": "08:00"},
        {"phone": "010-10-01"},
        {"responsible_emails": "nobody"},
        {"zone": "Mars/Olympus"},
        {"name": "Клиника Б"},
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_written(
    world: World, as_user: Login, changes: dict[str, str]
) -> None:
    url = reverse("clinics:settings_clinic", args=[world.clinic.pk])
    senior = as_user(world.senior)
    answer = senior.post(url, typed(world.clinic, shown=shown_at(senior, url), **changes))
    assert answer.status_code == 422
    assert "invalid-feedback" in answer.content.decode()
    assert not AuditEntry.objects.exists()


def test_a_new_clinic_is_her_own(world: World, as_user: Login) -> None:
    data = typed(world.clinic, name="Клиника В")
    answer = as_user(world.senior).post(reverse("clinics:settings_clinic_new"), data)
    made = Clinic.objects.get(name="Клиника В")
    assert answer.headers["Location"] == reverse("clinics:settings_clinic", args=[made.pk])
    assert list(made.staff.all()) == [world.senior]
    assert made.opening_hours.count() == 6


def test_a_day_off_and_a_working_holiday(world: World, as_user: Login) -> None:
    client, url = as_user(world.senior), reverse("clinics:settings_day", args=[world.clinic.pk])
    assert client.post(url, {"on": "2026-03-20", "reason": "Ремонт"}).status_code == 302
    assert (
        client.post(url, {"on": "2026-05-01", "opens": "10:00", "closes": "15:00"}).status_code
        == 302
    )
    hours = hours_of(Clinic.objects.get(pk=world.clinic.pk))
    assert opening(hours, dt.date(2026, 3, 20)) is None
    assert opening(hours, dt.date(2026, 5, 1)) == (dt.time(10), dt.time(15))
    assert (
        client.post(url, {"on": "2026-03-20", "opens": "10:00", "closes": "15:00"}).status_code
        == 302
    )  # changed
    assert SpecialDay.objects.filter(clinic=world.clinic).count() == 2
    assert client.post(url, {"on": "2026-03-21", "opens": "10:00"}).status_code == 422
    assert (
        client.post(url, {"on": "2026-03-21", "opens": "10:00", "closes": "09:00"}).status_code
        == 422
    )
    day = SpecialDay.objects.get(on="2026-03-20")
    assert client.post(reverse("clinics:settings_day_remove", args=[day.pk])).status_code == 302
    assert AuditEntry.objects.filter(action="clinics.set_special_day").count() == 3
    assert AuditEntry.objects.filter(action="clinics.remove_special_day").count() == 1


def test_a_recorded_ground_lets_messages_out_until_it_ends(world: World, as_user: Login) -> None:
    client, patient = as_user(world.senior), world.patient()

    def asked() -> str | None:
        return message_block_reason(
            patient,
            world.clinic,
            purpose=ConsentPurpose.SERVICE,
            channel=ConsentChannel.SMS,
            now=world.now,
        )

    assert asked() is not None
    data = {"purpose": "service", "basis": "Договор", "since": "2026-03-01"}
    assert (
        client.post(reverse("clinics:settings_ground", args=[world.clinic.pk]), data).status_code
        == 302
    )
    assert asked() is None
    ground = LegalBasis.objects.get()
    end = reverse("clinics:settings_ground_end", args=[ground.pk])
    assert client.post(end, {"until": "2026-02-01"}).status_code == 422
    assert client.post(end, {"until": "2026-03-17"}).status_code == 302
    assert asked() is not None
    wrong = {**data, "until": "2026-02-01"}
    assert (
        client.post(reverse("clinics:settings_ground", args=[world.clinic.pk]), wrong).status_code
        == 422
    )


def test_a_doctor_keeps_his_places_in_clinics_that_are_not_hers(
    world: World, as_user: Login
) -> None:
    world.doctor.clinics.add(world.clinic_b)
    url = reverse("clinics:settings_doctor", args=[world.doctor.pk])
    data = {
        "full_name": "Белов Олег Ильич",
        "specialty": world.specialty.pk,
        "is_active": "on",
        "source_id": "77",
    }
    senior, senior_b = as_user(world.senior), as_user(world.senior_b)
    assert senior.post(url, data | {"shown": shown_at(senior, url)}).status_code == 302
    assert list(world.doctor.clinics.all()) == [world.clinic_b]
    assert as_user(world.senior).get(url).status_code == 404
    assert (
        senior_b.post(url, data | {"shown": shown_at(senior_b, url)}).status_code == 422
    )  # his last clinic


def test_a_new_doctor_with_a_login_of_his_own(world: World, as_user: Login) -> None:
    Doctor.objects.filter(pk=world.doctor.pk).update(user=None)
    data = {
        "full_name": "Новый Нил Олегович",
        "specialty": world.specialty.pk,
        "clinics": [world.clinic.pk],
        "user": world.doctor_user.pk,
        "is_active": "on",
    }
    url = reverse("clinics:settings_doctor_new")
    assert (
        as_user(world.senior).post(url, {**data, "clinics": [world.clinic_b.pk]}).status_code == 422
    )
    assert as_user(world.senior).post(url, data).status_code == 302
    assert Doctor.objects.get(full_name="Новый Нил Олегович").user == world.doctor_user


def test_services_and_specialties_of_the_chain(world: World, as_user: Login) -> None:
    client = as_user(world.senior)
    specialties = reverse("clinics:settings_specialties")
    assert client.post(specialties, {"name": "Хирургия"}).status_code == 302
    assert client.post(specialties, {"name": "хирургия"}).status_code == 422
    surgery = Specialty.objects.get(name="Хирургия")
    assert (
        client.post(
            reverse("clinics:settings_specialty", args=[surgery.pk]), {"name": "Хирург"}
        ).status_code
        == 302
    )
    assert (
        client.post(
            reverse("clinics:settings_specialty_remove", args=[world.specialty.pk])
        ).status_code
        == 422
    )
    assert Specialty.objects.filter(pk=world.specialty.pk).exists()
    service = {
        "name": "Осмотр",
        "specialty": surgery.pk,
        "minutes": "20",
        "price": "1500",
        "is_active": "on",
    }
    assert client.post(reverse("clinics:settings_service_new"), service).status_code == 302
    made = Service.objects.get()
    url = reverse("clinics:settings_service", args=[made.pk])
    assert client.post(url, {**service, "minutes": "1"}).status_code == 422
    assert (
        client.post(url, {**service, "price": "1700", "shown": shown_at(client, url)}).status_code
        == 302
    )
    entry = AuditEntry.objects.get(action="clinics.change_service")
    assert (entry.before, entry.after) == ({"price": "1500.00"}, {"price": "1700"})
    assert (
        client.post(reverse("clinics:settings_specialty_remove", args=[surgery.pk])).status_code
        == 302
    )


def test_the_settings_are_the_seniors_alone(world: World, as_user: Login) -> None:
    names = [reverse(f"clinics:settings_{name}") for name in GETS] + [reverse("settings")]
    for user in (world.administrator, world.manager, world.doctor_user):
        assert {as_user(user).get(url).status_code for url in names} == {403}
    assert {as_user(world.senior).get(url).status_code for url in names} == {200}


def test_another_seniors_clinic_is_not_there(world: World, as_user: Login) -> None:
    client = as_user(world.senior_b)
    day = SpecialDay.objects.create(clinic=world.clinic, on="2026-03-20")
    ground = LegalBasis.objects.create(
        clinic=world.clinic, purpose="service", basis="Договор", since="2026-01-01"
    )
    assert client.get(reverse("clinics:settings_clinic", args=[world.clinic.pk])).status_code == 404
    for name, pk in (("clinic", world.clinic.pk), ("day", world.clinic.pk), ("ground", world.clinic.pk),
                     ("day_remove", day.pk), ("ground_end", ground.pk)):  # fmt: skip
        assert client.post(reverse(f"clinics:settings_{name}", args=[pk])).status_code == 404
    with pytest.raises(NotAllowed):
        actions.set_special_day(
            world.clinic,
            on=dt.date(2026, 3, 20),
            hours=None,
            reason="",
            by=world.senior_b,
            now=world.now,
        )


@pytest.mark.parametrize("name", ["clinics", "doctors", "services", "specialties"])
def test_lists_ask_the_same_for_three_and_for_thirty(
    world: World, as_user: Login, name: str
) -> None:
    client, counts = as_user(world.senior), []
    for count in (3, 27):
        for number in range(count):
            label = f"{name} {count} {number}"
            specialty = Specialty.objects.create(name=label)
            doctor: Any = Doctor.objects.create(full_name=label, specialty=specialty)
            doctor.clinics.add(world.clinic)
            Service.objects.create(name=label, specialty=specialty)
            Clinic.objects.create(name=label).staff.add(world.senior)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(reverse(f"clinics:settings_{name}")).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
