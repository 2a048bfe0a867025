"""«Мой день» by role, the menu with its groups, the settings' front page."""

import datetime as dt
from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from callcenter.assignments.actions import create_task
from callcenter.lib.localtime import local_day
from callcenter.staff.models import Shift, User
from callcenter.staff.roles import Role
from callcenter.workbench import registry
from callcenter.workbench.menu import MenuGroup, menu_for
from tests.conftest import World, make_user

Login = Callable[[User], Client]
HOUR = dt.timedelta(hours=1)


def test_the_yellow_shift_is_the_first_thing_one_sees(world: World, as_user: Login) -> None:
    today = local_day(timezone.now(), world.clinic.zone)
    Shift.objects.create(user=world.administrator, on=today, colour="yellow")
    Shift.objects.create(user=world.administrator, on=today + dt.timedelta(days=1), colour="blue")
    page = as_user(world.administrator).get("/").content.decode()
    assert "Сегодня вы на жёлтой смене" in page
    assert "Завтра — на синей" in page
    assert "смене" not in as_user(world.administrator2).get("/").content.decode()
    assert "Орлова" in as_user(world.senior).get("/").content.decode().split("Сегодня в смене")[1]


def test_counts_lead_to_lists_that_hold_as_many_rows(world: World, as_user: Login) -> None:
    now = timezone.now()
    for number in range(3):
        create_task(
            title=f"Просрочена {number}", assignee=world.administrator, clinic=world.clinic, by=None, now=now,
            deadline_at=now - HOUR,
        )  # fmt: skip
    create_task(
        title="Кому-нибудь",
        role=Role.ADMINISTRATOR,
        clinic=world.clinic,
        by=None,
        now=now,
        deadline_at=now,
    )
    client = as_user(world.administrator)
    cards = {card.title: card for card in client.get("/").context["cards"]}
    assert {title: card.count for title, card in cards.items()} == {
        "Просрочено у вас": 3,
        "Ничьи задачи и звонки": 1,
    }
    for card in cards.values():
        assert client.get(card.url).context["found"].total == card.count


def test_who_has_nothing_is_told_why(world: World, as_user: Login) -> None:
    assert "ничего не назначено" in as_user(world.doctor_user).get("/").content.decode()
    lonely = make_user("lonely", "Одинокова Ольга", Role.ADMINISTRATOR)
    assert "ни одна клиника" in as_user(lonely).get("/").content.decode()
    first = make_user("first", "Первая Полина", Role.SENIOR)
    assert reverse("clinics:settings_clinic_new") in as_user(first).get("/").content.decode()


def test_my_day_asks_the_same_for_three_and_for_thirty(world: World, as_user: Login) -> None:
    client, now, counts = as_user(world.senior), timezone.now(), []
    for count in (3, 27):
        for number in range(count):
            create_task(
                title=f"t{number}", assignee=world.senior, clinic=world.clinic, patient=world.patient(), by=None,
                now=now, deadline_at=now + HOUR,
            )  # fmt: skip
        with CaptureQueriesContext(connection) as seen:
            client.get("/")
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_menu_group_holds_what_the_role_may_open_and_a_lonely_item_stands_by_itself(
    world: World,
) -> None:
    def groups(user: User, path: str = "/") -> dict[str, list[str]]:
        menu = menu_for(user, path)
        return {
            item.label: [one.label for one in item.items]
            for item in menu
            if isinstance(item, MenuGroup)
        }

    assert "Настройки" in groups(world.senior)["Управление"]
    assert "Настройки" not in groups(world.manager)["Управление"]
    assert "Управление" not in groups(make_user("auditor", "Аудитова Анна", Role.AUDITOR))
    here = next(
        item for item in menu_for(world.senior, "/people/7/") if isinstance(item, MenuGroup)
    )
    assert here.active
    assert [one.label for one in here.items if one.active] == ["Сотрудники"]


def test_the_settings_page_names_what_one_may_open_and_each_of_it_opens(
    world: World, as_user: Login
) -> None:
    lead = make_user("lead", "Ведущая Ева Олеговна", Role.LEAD, clinics=[world.clinic])
    named = set()
    for user in (world.senior, lead):
        client = as_user(user)
        pages = client.get(reverse("settings")).context["pages"]
        named |= {page.url_name for page in pages}
        assert {client.get(reverse(page.url_name)).status_code for page in pages} == {200}
    assert named == {page.url_name for page in registry.SETTINGS_PAGES}
