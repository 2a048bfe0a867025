"""A person without the right to see numbers reads them nowhere, loses none, and gives the right to
nobody.
"""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from callcenter.clinics.models import Patient
from callcenter.contacts.models import Interaction
from callcenter.lib.phones import format_phone, masked_within
from callcenter.staff.models import User
from tests.conftest import PASSWORD, World
from tests.stale import shown_at

pytestmark = pytest.mark.django_db

AsUser = Callable[[User], Client]
NUMBER = "+79000101077"
SHAPES = (NUMBER, NUMBER[1:], NUMBER[2:], format_phone(NUMBER), "010-10-77")


@pytest.fixture
def blind(world: World) -> World:
    for user in (world.administrator, world.senior):
        user.sees_phones = False
        user.save()
    return world


def _shown(client: Client, url: str) -> list[str]:
    text = client.get(url).content.decode()
    assert "***" in text
    return [shape for shape in SHAPES if shape in text]


def _saved(client: Client, patient: Patient, phones: str) -> list[str]:
    page = reverse("clinics:patient_edit", args=[patient.pk])
    form = client.get(page).context["form"]
    data = {name: form[name].value() or "" for name in form.fields} | {
        "phones": phones,
        "note": "просит звонить утром",
    }
    data["shown"] = shown_at(client, page)
    answer = client.post(page, data)
    assert answer.status_code == 302, answer.context["form"].errors
    patient.refresh_from_db()
    assert patient.note == "просит звонить утром"
    return list(patient.phones.values_list("number", flat=True))


def test_an_edit_form_without_numbers_keeps_them_and_adds_new_ones(
    blind: World, as_user: AsUser
) -> None:
    patient, client = blind.patient(phones=[NUMBER]), as_user(blind.administrator)
    assert _shown(client, reverse("clinics:patient_edit", args=[patient.pk])) == []
    assert _saved(client, patient, "") == [NUMBER]
    assert _saved(client, patient, "8 900 010-10-02") == [NUMBER, "+79000101002"]


def test_a_contact_by_hand_has_the_number_that_its_writer_may_not_see(
    blind: World, as_user: AsUser
) -> None:
    patient, client = blind.patient(phones=[NUMBER]), as_user(blind.administrator)
    page = f"{reverse('contacts:add')}?patient={patient.pk}"
    assert _shown(client, page) == []
    given = {
        "kind": "comment",
        "clinic": blind.clinic.pk,
        "direction": "in",
        "number": "",
        "comment": "перезвонит",
    }
    assert client.post(page, given).status_code == 302
    assert Interaction.objects.get(comment="перезвонит").number == NUMBER


def test_the_journal_of_deeds_masks_numbers_in_cards_and_notes(
    blind: World, as_user: AsUser
) -> None:
    writer = as_user(blind.administrator2)
    given = {
        "last_name": "Новый",
        "first_name": "П",
        "clinic": blind.clinic.pk,
        "phones": "8 (900) 010-10-77",
    }
    writer.post(reverse("clinics:patient_new"), given)
    patient = Patient.objects.get(last_name="Новый")
    asked = {"value": "on", "reason": f"просил с номера {format_phone(NUMBER)}"}
    writer.post(reverse("clinics:patient_do_not_call", args=[patient.pk]), asked)
    assert _shown(as_user(blind.senior), reverse("audit:entries")) == []
    assert (
        format_phone(NUMBER)
        in as_user(blind.manager).get(reverse("audit:entries")).content.decode()
    )


def test_only_numbers_are_masked_in_a_text() -> None:
    text = "18.03.2026 12:00, 2026-03-18 12:00, 1 500 000 ₽, с 8-900-010-10-77 и +79000101077"
    hidden = masked_within(text)
    assert hidden.startswith(
        "18.03.2026 12:00, 2026-03-18 12:00, 1 500 000 ₽, с +7 (900) ***-**-77"
    )
    assert hidden.endswith("и +7 (900) ***-**-77")


def _person(world: World, user: User, **changed: object) -> dict[str, object]:
    given: dict[str, object] = {
        "full_name": user.full_name,
        "login": user.login,
        "roles": user.roles,
        "clinics": [world.clinic.pk],
        "capacity": user.capacity,
    }
    return given | changed


def test_nobody_gives_a_sight_of_numbers_that_she_does_not_have(
    blind: World, as_user: AsUser
) -> None:
    client = as_user(blind.senior)
    for user in (blind.senior, blind.administrator):
        page = reverse("staff:person", args=[user.pk])
        answer = client.post(
            page, _person(blind, user, sees_phones="on", shown=shown_at(client, page))
        )
        user.refresh_from_db()
        assert (answer.status_code, user.sees_phones) == (422, False)
        assert "не можете дать это право" in answer.content.decode()
    new = User(login="new", full_name="Новая Нина Ильинична", roles=["administrator"])
    answer = client.post(
        reverse("staff:person_new"), _person(blind, new, sees_phones="on", password=PASSWORD)
    )
    assert answer.status_code == 422
    assert (
        client.post(reverse("staff:person_new"), _person(blind, new, password=PASSWORD)).status_code
        == 302
    )


def test_nobody_gets_a_sight_of_numbers_by_a_colleagues_password(
    blind: World, as_user: AsUser
) -> None:
    page = reverse("staff:person_password", args=[blind.administrator2.pk])
    assert as_user(blind.senior).post(page, {"password": "rowan-berry-7"}).status_code == 422
    blind.administrator2.refresh_from_db()
    assert blind.administrator2.check_password(PASSWORD)


def test_a_colleague_who_sees_numbers_is_still_changed(blind: World, as_user: AsUser) -> None:
    client, page = as_user(blind.senior), reverse("staff:person", args=[blind.administrator2.pk])
    given = _person(
        blind, blind.administrator2, sees_phones="on", extension="107", shown=shown_at(client, page)
    )
    assert client.post(page, given).status_code == 302
    blind.administrator2.refresh_from_db()
    assert (blind.administrator2.extension, blind.administrator2.sees_phones) == ("107", True)
