"""Accounts: who may change whom, and what can't be undone by mistake."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from callcenter.audit.models import AuditEntry
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.staff import actions
from callcenter.staff.actions import PersonFacts
from callcenter.staff.models import User
from callcenter.staff.queries import colleagues, manages
from callcenter.staff.roles import GRANTS, Role, grantable
from tests.concurrency.race import overlapping
from tests.conftest import PASSWORD, World, make_user
from tests.stale import shown_at

Login = Callable[[User], Client]


def facts_of(person: User, **changes: Any) -> PersonFacts:
    facts = PersonFacts(
        login=person.login,
        full_name=person.full_name,
        roles=tuple(person.roles),
        clinic_ids=frozenset(person.clinics.values_list("pk", flat=True)),
    )
    return replace(facts, **changes)


@pytest.fixture
def newcomer(world: World) -> PersonFacts:
    return PersonFacts(
        "novikova", "Новикова Нина Олеговна", (Role.ADMINISTRATOR,), frozenset({world.clinic.pk})
    )


def test_the_ladder_never_lets_a_holder_give_what_is_above_him() -> None:
    assert Role.MANAGER not in grantable([Role.SENIOR])
    assert Role.HEAD not in grantable([Role.SENIOR])
    assert set(grantable([Role.MANAGER])) == set(Role)
    assert all(grantable([role]) == () for role in Role if role not in GRANTS)


def test_the_senior_opens_an_account_that_can_log_in(
    world: World, newcomer: PersonFacts, client: Client
) -> None:
    person = actions.create_user(
        facts=newcomer, password="rowan-berry-7", by=world.senior, now=world.now
    )
    assert list(person.clinics.all()) == [world.clinic]
    answer = client.post("/login/", {"username": "novikova", "password": "rowan-berry-7"})
    assert answer.headers["Location"] == "/"
    entry = AuditEntry.objects.get(action="staff.create_user")
    assert entry.after is not None
    assert entry.after["clinics"] == [world.clinic.name]
    assert "password" not in entry.after


@pytest.mark.parametrize(
    ("changes", "password", "field"),
    [
        ({"login": "ADMIN_A"}, "rowan-berry-7", "login"),
        ({"roles": ()}, "rowan-berry-7", "roles"),
        ({"roles": ("king",)}, "rowan-berry-7", "roles"),
        ({"clinic_ids": frozenset()}, "rowan-berry-7", "clinics"),
        ({}, "12345678", "password"),
        ({"login": "rowan-berry"}, "rowan-berry", "password"),
    ],
)
def test_a_bad_account_is_refused_at_its_field(
    world: World, newcomer: PersonFacts, changes: dict[str, Any], password: str, field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        actions.create_user(
            facts=replace(newcomer, **changes),
            password=password,
            by=world.senior,
            now=world.now,
        )
    assert refusal.value.field == field
    assert not User.objects.filter(full_name=newcomer.full_name).exists()


@pytest.mark.parametrize("role", [role for role in Role if role not in GRANTS[Role.SENIOR]])
def test_the_senior_gives_no_role_above_her_own(
    world: World, newcomer: PersonFacts, role: Role
) -> None:
    with pytest.raises(NotAllowed):
        actions.create_user(
            facts=replace(newcomer, roles=(role,)),
            password="rowan-berry-7",
            by=world.senior,
            now=world.now,
        )


def test_the_senior_gives_no_clinic_that_is_not_hers(world: World, newcomer: PersonFacts) -> None:
    foreign = replace(newcomer, clinic_ids=frozenset({world.clinic_b.pk}))
    with pytest.raises(NotAllowed):
        actions.create_user(facts=foreign, password="rowan-berry-7", by=world.senior, now=world.now)


def test_a_colleague_with_a_higher_role_is_not_hers_to_change(world: World) -> None:
    assert not manages(world.senior, world.manager)
    deeds: tuple[Callable[[], object], ...] = (
        lambda: actions.set_password(
            world.manager, password="rowan-berry-7", by=world.senior, now=world.now
        ),
        lambda: actions.change_user(
            world.manager, facts=facts_of(world.manager), by=world.senior, now=world.now
        ),
        lambda: actions.dismiss_user(world.manager, by=world.senior, now=world.now),
        lambda: actions.place_user(world.manager, clinic_ids=[], by=world.senior, now=world.now),
    )
    for deed in deeds:
        with pytest.raises(NotAllowed):
            deed()


def test_people_of_another_clinic_are_neither_seen_nor_touched(world: World) -> None:
    assert not colleagues(world.senior).filter(pk=world.administrator_b.pk).exists()
    deeds: tuple[Callable[[], object], ...] = (
        lambda: actions.set_password(
            world.administrator_b, password="rowan-berry-7", by=world.senior, now=world.now
        ),
        lambda: actions.set_shift(
            world.administrator_b,
            on=world.now.date(),
            colour="yellow",
            by=world.senior,
            now=world.now,
        ),
        lambda: actions.place_user(
            world.administrator_b, clinic_ids=[world.clinic.pk], by=world.senior, now=world.now
        ),
    )
    for deed in deeds:
        with pytest.raises(NotAllowed):
            deed()


def test_of_a_colleague_shared_with_another_clinic_she_changes_only_the_place(world: World) -> None:
    shared = make_user(
        "both", "Общая Ольга Ильинична", Role.ADMINISTRATOR, clinics=[world.clinic, world.clinic_b]
    )
    with pytest.raises(NotAllowed):
        actions.set_password(shared, password="rowan-berry-7", by=world.senior, now=world.now)
    actions.place_user(shared, clinic_ids=[], by=world.senior, now=world.now)
    assert list(shared.clinics.all()) == [world.clinic_b]
    with pytest.raises(
        NotAllowed
    ):  # she has left: no way to take her back without those who see her
        actions.place_user(shared, clinic_ids=[world.clinic.pk], by=world.senior, now=world.now)


def test_a_person_is_never_left_without_a_clinic(world: World) -> None:
    with pytest.raises(Refused):
        actions.place_user(world.administrator, clinic_ids=[], by=world.senior, now=world.now)


def test_the_last_senior_of_a_clinic_stays(world: World) -> None:
    with pytest.raises(Refused, match="последний старший"):
        actions.dismiss_user(world.senior, by=world.manager, now=world.now)
    demoted = facts_of(world.senior, roles=(Role.ADMINISTRATOR,))
    with pytest.raises(Refused, match="последний старший"):
        actions.change_user(world.senior, facts=demoted, by=world.manager, now=world.now)
    make_user("senior_a2", "Вторая Вера Павловна", Role.SENIOR, clinics=[world.clinic])
    actions.dismiss_user(world.senior, by=world.manager, now=world.now)
    assert not User.objects.get(pk=world.senior.pk).is_active


def test_nobody_dismisses_himself(world: World) -> None:
    make_user("senior_a2", "Вторая Вера Павловна", Role.SENIOR, clinics=[world.clinic])
    with pytest.raises(Refused):
        actions.dismiss_user(world.senior, by=world.senior, now=world.now)


def test_a_dismissed_person_is_out_at_the_next_click_and_may_come_back(
    world: World, as_user: Login
) -> None:
    client = as_user(world.administrator)
    assert client.get("/profile/").status_code == 200
    actions.dismiss_user(world.administrator, by=world.senior, now=world.now)
    assert client.get("/profile/").status_code == 302
    with pytest.raises(Conflict):
        actions.dismiss_user(world.administrator, by=world.senior, now=world.now)
    actions.return_user(world.administrator, by=world.senior, now=world.now)
    assert User.objects.get(pk=world.administrator.pk).is_active


def test_an_unchanged_form_leaves_no_trace(world: World) -> None:
    actions.change_user(
        world.administrator, facts=facts_of(world.administrator), by=world.senior, now=world.now
    )
    assert not AuditEntry.objects.exists()
    actions.change_user(
        world.administrator,
        facts=facts_of(world.administrator, extension="107"),
        by=world.senior,
        now=world.now,
    )
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"extension": ""}, {"extension": "107"})


def _two_seniors_take_each_other_off(world: World) -> list[User]:
    """Both at once, from two connections; returns who is still a working senior of the clinic."""
    other = User.objects.get(login="senior_a2")
    overlapping(
        [
            lambda: actions.dismiss_user(other, by=world.senior, now=world.now),
            lambda: actions.dismiss_user(world.senior, by=other, now=world.now),
        ]
    )
    return list(User.objects.with_role(Role.SENIOR).filter(clinics=world.clinic))


@pytest.mark.django_db(transaction=True)
def test_two_seniors_who_dismiss_each_other_leave_one(world: World) -> None:
    make_user("senior_a2", "Вторая Вера Павловна", Role.SENIOR, clinics=[world.clinic])
    assert len(_two_seniors_take_each_other_off(world)) == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_on_the_clinics_they_leave_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user("senior_a2", "Вторая Вера Павловна", Role.SENIOR, clinics=[world.clinic])

    def unlocked(person: User, leaves: frozenset[int]) -> list[tuple[int, str]]:
        return list(person.clinics.filter(pk__in=leaves).values_list("pk", "name"))

    monkeypatch.setattr(actions, "_clinics_in_turn", unlocked)
    assert _two_seniors_take_each_other_off(world) == []


# --- pages


def test_the_people_page_shows_ones_own_clinics_only(world: World, as_user: Login) -> None:
    page = as_user(world.senior).get(reverse("staff:people")).content.decode()
    assert "Орлова" in page
    assert "Дальняя" not in page
    assert (
        as_user(world.senior)
        .get(reverse("staff:person", args=[world.administrator_b.pk]))
        .status_code
        == 404
    )


@pytest.mark.parametrize("name", ["staff:people", "staff:person_new"])
def test_the_people_pages_are_not_for_an_administrator(
    world: World, as_user: Login, name: str
) -> None:
    assert as_user(world.administrator).get(reverse(name)).status_code == 403


def test_filters_find_by_name_role_and_state(world: World, as_user: Login) -> None:
    client = as_user(world.senior)
    assert "Зимина" not in client.get(reverse("staff:people"), {"q": "орл"}).content.decode()
    assert (
        "Орлова"
        not in client.get(reverse("staff:people"), {"role": "doctor"})
        .content.decode()
        .split("<table")[1]
    )
    actions.dismiss_user(world.administrator, by=world.senior, now=world.now)
    assert "Орлова" not in client.get(reverse("staff:people")).content.decode()
    assert "Орлова" in client.get(reverse("staff:people"), {"dismissed": "on"}).content.decode()


def test_the_people_page_asks_the_same_for_three_and_for_thirty(
    world: World, as_user: Login
) -> None:
    client = as_user(world.senior)
    counts = []
    for more in (0, 30):
        for number in range(more):
            make_user(
                f"u{number}", f"Житов Пётр {number}", Role.ADMINISTRATOR, clinics=[world.clinic]
            )
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse("staff:people"))
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_new_person_through_the_form(world: World, as_user: Login) -> None:
    client = as_user(world.senior)
    data = {
        "full_name": "Новикова  Нина Олеговна",
        "login": "novikova",
        "password": "rowan-berry-7",
        "roles": ["administrator"],
        "clinics": [world.clinic.pk],
        "capacity": "30",
        "sees_phones": "on",
    }
    assert client.post(reverse("staff:person_new"), data).status_code == 302
    person = User.objects.get(login="novikova")
    assert person.full_name == "Новикова Нина Олеговна"
    again = client.post(reverse("staff:person_new"), data)
    assert again.status_code == 422
    assert "уже занят" in again.content.decode()
    assert (
        client.post(
            reverse("staff:person_new"), {**data, "login": "x", "roles": ["manager"]}
        ).status_code
        == 422
    )


def test_the_page_of_a_person_saves_sets_a_password_and_dismisses(
    world: World, as_user: Login
) -> None:
    client, person = as_user(world.senior), world.administrator
    url = reverse("staff:person", args=[person.pk])
    data = {
        "full_name": person.full_name,
        "login": person.login,
        "roles": ["administrator", "branch"],
        "capacity": "25",
        "clinics": [world.clinic.pk],
        "extension": "112",
    }
    assert client.post(url, data | {"shown": shown_at(client, url)}).status_code == 302
    person.refresh_from_db()
    assert (person.roles, person.extension, person.sees_phones) == (
        ["administrator", "branch"],
        "112",
        False,
    )
    password = reverse("staff:person_password", args=[person.pk])
    assert client.post(password, {"password": "1"}).status_code == 422
    assert client.post(password, {"password": "rowan-berry-7"}).status_code == 302
    assert (
        Client()
        .post("/login/", {"username": person.login, "password": "rowan-berry-7"})
        .status_code
        == 302
    )
    assert client.post(reverse("staff:person_dismiss", args=[person.pk])).status_code == 302
    assert client.post(reverse("staff:person_dismiss", args=[person.pk])).status_code == 409
    assert client.post(reverse("staff:person_return", args=[person.pk])).status_code == 302


def test_the_page_of_a_manager_is_read_only_for_the_senior(world: World, as_user: Login) -> None:
    url = reverse("staff:person", args=[world.manager.pk])
    page = as_user(world.senior).get(url)
    assert "только управляющий" in page.content.decode()
    as_user(world.senior).post(url, {"full_name": "Х", "login": "x", "roles": ["administrator"]})
    world.manager.refresh_from_db()
    assert world.manager.full_name == "Главный Глеб Юрьевич"


# --- one's own account


def test_ones_own_profile_and_password(world: World) -> None:
    client = Client()
    client.post("/login/", {"username": "admin_a", "password": PASSWORD})
    assert (
        client.post("/profile/", {"email": "o@clinic.example", "extension": "105"}).status_code
        == 302
    )
    assert client.post("/profile/", {"email": "nonsense"}).status_code == 422
    new = {
        "old_password": PASSWORD,
        "new_password1": "rowan-berry-7",
        "new_password2": "rowan-berry-7",
    }
    assert client.post("/profile/password/", {**new, "old_password": "wrong"}).status_code == 422
    assert client.post("/profile/password/", new).status_code == 302
    assert client.get("/profile/").status_code == 200  # this session goes on
    world.administrator.refresh_from_db()
    assert world.administrator.extension == "105"
    assert (
        AuditEntry.objects.filter(action="staff.change_password", by=world.administrator).count()
        == 1
    )


def test_log_out_needs_a_post(world: World, as_user: Login) -> None:
    client = as_user(world.administrator)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").status_code == 302
    assert client.get("/profile/").status_code == 302
