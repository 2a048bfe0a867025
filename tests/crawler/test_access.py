"""Who may open what, for every address there is: default deny, roles at the door, clinic B sees
nothing of clinic A.
"""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from callcenter.lib.phones import format_phone, masked
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from tests.conftest import World, make_user
from tests.crawler.crawler import Crawl, text_of
from tests.crawler.routes import Route, routes

pytestmark = pytest.mark.django_db

AsUser = Callable[[User], Client]


def _doors() -> list[Route]:
    return [route for route in routes() if route.roles is not None]


def test_every_address_names_its_roles_or_is_public() -> None:
    undecided = [
        route.name
        for route in routes()
        if not getattr(route.view, "is_public", False)
        and not getattr(route.view, "allowed_roles", ())
    ]
    assert undecided == []


def test_a_stranger_is_sent_to_the_log_in_from_every_address() -> None:
    client = Client()
    wrong = []
    for route in _doors():
        answers = (client.get(route.url), client.post(route.url))
        if not all(answer.headers.get("Location", "").startswith("/login/") for answer in answers):
            wrong.append(f"{route.name}: {[answer.status_code for answer in answers]}")
        part = client.get(route.url, headers={"HX-Request": "true"})
        if "/login/" not in part.headers.get("HX-Redirect", ""):
            wrong.append(f"{route.name} for htmx: {part.status_code}")
    assert wrong == []


@pytest.mark.parametrize("role", list(Role))
def test_a_role_that_is_not_named_is_refused_everywhere(
    role: Role, world: World, as_user: AsUser
) -> None:
    client = as_user(make_user("walker", "Чужаков Пётр Ильич", role, clinics=[world.clinic]))
    wrong = []
    for route in _doors():
        if role.value in (route.roles or ()):
            continue
        statuses = {client.get(route.url).status_code, client.post(route.url).status_code} - {405}
        if statuses != {403}:
            wrong.append(f"{route.name}: {statuses}")
    assert wrong == []


def test_a_user_without_any_role_opens_nothing(world: World, as_user: AsUser) -> None:
    client = as_user(make_user("walker", "Ничейный Пётр Ильич", clinics=[world.clinic]))
    opened = [
        route.name for route in _doors() if client.get(route.url).status_code not in {403, 405}
    ]
    assert opened == []


@pytest.mark.timeout(900)
def test_the_other_clinic_sees_nothing_of_this_one(busy_world: World, as_user: AsUser) -> None:
    """First everything that its own people reach; then every address that clinic A's people reach,
    object by object.
    """
    printed, secrets = _secrets(busy_world)
    shown: set[str] = set()
    addresses = {
        f"{reverse('clinics:search')}?q={asked}" for asked in ("аметист", "7777", "03.02.1980")
    }
    for user in (
        busy_world.senior,
        busy_world.administrator,
        busy_world.manager,
        busy_world.doctor_user,
    ):
        own = Crawl(
            as_user(user),
            user.login,
            only_reads=True,
            hears=lambda _, text: shown.update(word for word in secrets if word in text),
        ).walk("/")
        addresses |= {url.removeprefix("GET ") for url in own.urls}
    assert {*printed} <= shown, "the words do not even stand on clinic A's own pages"

    for user in (busy_world.administrator_b, busy_world.senior_b):
        leaks: list[str] = []

        def read(url: str, text: str, who: str = user.login, leaks: list[str] = leaks) -> None:
            leaks += [f"{who} reads «{word}» at {url}" for word in secrets if word in text]

        client = as_user(user)
        Crawl(client, user.login, only_reads=True, hears=read).walk("/")
        for url in sorted(addresses):
            read(url, text_of(client.get(url)))
        assert leaks == []


def _secrets(world: World) -> tuple[list[str], list[str]]:
    """What only clinic A's people may read: its patients' names and numbers, its doctor, its
    visits' words; first those that its own pages print, then these with every other way to write
    the numbers.
    """
    numbers = ["+79000007777", "+79000007778"]
    words = [
        "Аметистов",
        "Безтелефонн",
        "Неберущ",
        "просила напомнить",
        world.doctor.full_name.split()[0],
    ]
    printed = [*words, *map(format_phone, numbers)]
    return printed, [*printed, *numbers, *map(masked, numbers)]
