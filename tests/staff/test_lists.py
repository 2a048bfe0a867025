"""Every list of the workbench: sorting, columns, saved views and Excel, shown on «Сотрудники»."""

import io
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from python_calamine import CalamineWorkbook

from callcenter.audit.models import AuditEntry
from callcenter.staff.models import SavedView, TableColumns
from callcenter.staff.roles import Role
from tests.conftest import World, make_user

Login = Callable[..., Client]
PEOPLE = "/people/"


def _headings(page: str) -> list[str]:
    head = page.split("<thead>")[1].split("</thead>")[0]
    return [
        part.split("</th>")[0].split(">", 1)[1].split("</a>")[0].rpartition(">")[2].strip()
        if "<a" in part.split("</th>")[0]
        else part.split("</th>")[0].split(">", 1)[1].strip()
        for part in head.split("<th")[1:]
    ]


def _logins(page: str) -> list[str]:
    return [part.split("<")[0] for part in page.split('data-label="Логин" >')[1:]] or [
        part.split("<")[0] for part in page.split('data-label="Логин">')[1:]
    ]


def _sheet(client: Client, query: str = "") -> list[list[object]]:
    answer = client.get(f"{PEOPLE}?format=xlsx{query}")
    assert answer["Content-Type"].endswith("spreadsheetml.sheet")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    return [list(row) for row in book.get_sheet_by_index(0).to_python()]


def test_a_list_is_sorted_by_a_column_of_the_address_both_ways(
    world: World, as_user: Login
) -> None:
    client = as_user(world.senior)
    up = _logins(client.get(f"{PEOPLE}?sort=login").content.decode())
    down = _logins(client.get(f"{PEOPLE}?sort=-login").content.decode())
    assert len(up) > 2
    assert up == sorted(up)
    assert down == up[::-1]


@pytest.mark.parametrize("sort", ["password", "-pk", "roles", "login__x", "", "ж", "-"])
def test_what_cannot_be_sorted_by_is_as_good_as_absent(
    world: World, as_user: Login, sort: str
) -> None:
    client = as_user(world.senior)
    usual = _logins(client.get(PEOPLE).content.decode())
    assert _logins(client.get(PEOPLE, {"sort": sort}).content.decode()) == usual


def test_chosen_columns_are_remembered_for_the_person_alone(world: World, as_user: Login) -> None:
    client = as_user(world.senior)
    form = {"page": "staff:people", "query": "?sort=login", "table": "staff.people"}
    answer = client.post(reverse("staff:list_columns"), {**form, "column": ["login", "full_name"]})
    assert answer["Location"] == "/people/?sort=login"
    assert _headings(client.get(PEOPLE).content.decode()) == ["Логин", "ФИО"]
    assert _sheet(client)[0] == ["Логин", "ФИО"]
    other = make_user("second", "Вторая Вера Ильинична", Role.SENIOR, clinics=[world.clinic])
    assert _headings(as_user(other).get(PEOPLE).content.decode())[:2] == ["ФИО", "Логин"]
    client.post(reverse("staff:list_columns"), {**form, "reset": "1"})
    assert _headings(client.get(PEOPLE).content.decode())[:2] == ["ФИО", "Логин"]


def test_a_column_moves_by_its_button(world: World, as_user: Login) -> None:
    client = as_user(world.senior)
    form = {"page": "staff:people", "query": "", "table": "staff.people"}
    client.post(
        reverse("staff:list_columns"),
        {**form, "column": ["full_name", "login", "capacity"], "up": "capacity"},
    )
    kept = TableColumns.objects.get(user=world.senior)
    assert kept.columns == ["full_name", "capacity", "login"]
    client.post(
        reverse("staff:list_columns"), {**form, "column": kept.columns, "down": "full_name"}
    )
    kept.refresh_from_db()
    assert kept.columns == ["capacity", "full_name", "login"]


def test_names_of_columns_that_a_list_has_no_longer_are_passed_over(
    world: World, as_user: Login
) -> None:
    TableColumns.objects.create(
        user=world.senior, table="staff.people", columns=["gone", "login", "password"]
    )
    assert _headings(as_user(world.senior).get(PEOPLE).content.decode()) == ["Логин"]


def test_excel_holds_every_row_of_the_conditions_in_the_shown_order(
    world: World, as_user: Login
) -> None:
    make_user("formula", "=1+1 Формулова", Role.ADMINISTRATOR, clinics=[world.clinic])
    client = as_user(world.senior)
    shown = _logins(client.get(f"{PEOPLE}?sort=-login&role=administrator").content.decode())
    rows = _sheet(client, "&sort=-login&role=administrator")
    assert [row[1] for row in rows[1:]] == shown
    assert "=1+1 Формулова" in [row[0] for row in rows]
    entry = AuditEntry.objects.get(action="staff.export_list")
    assert entry.note == "Сотрудники"
    assert entry.after == {"rows": len(shown), "query": "sort=-login&role=administrator"}


def test_a_view_is_saved_shared_and_deleted_by_its_owner_only(world: World, as_user: Login) -> None:
    mine = as_user(world.senior)
    form = {"page": "staff:people", "query": "role=doctor", "name": " Наши  врачи "}
    mine.post(reverse("staff:list_view_save"), {**form, "is_shared": "on"})
    view = SavedView.objects.get()
    assert (view.name, view.query, view.is_shared) == ("Наши врачи", "role=doctor", True)
    colleague = as_user(
        make_user("second", "Вторая Вера Ильинична", Role.SENIOR, clinics=[world.clinic])
    )
    page = colleague.get(PEOPLE).content.decode()
    assert "Наши врачи" in page
    assert 'href="?role=doctor"' in page
    delete = reverse("staff:list_view_delete", args=[view.pk])
    assert delete not in page
    assert colleague.post(delete, {"page": "staff:people"}).status_code == 404
    stranger = as_user(world.senior_b)
    assert "Наши врачи" not in stranger.get(PEOPLE).content.decode()
    assert mine.post(delete, {"page": "staff:people"}).status_code == 302
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "я" * 81])
def test_a_view_needs_a_name_that_fits(world: World, as_user: Login, name: str) -> None:
    answer = as_user(world.senior).post(
        reverse("staff:list_view_save"), {"page": "staff:people", "query": "", "name": name}
    )
    assert answer.status_code == 422
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("page", ["https://elsewhere.example/", "no:such", "", "staff:person"])
def test_a_form_leads_back_to_a_page_of_our_own_only(
    world: World, as_user: Login, page: str
) -> None:
    answer = as_user(world.senior).post(
        reverse("staff:list_columns"), {"page": page, "table": "staff.people", "column": ["login"]}
    )
    assert answer.status_code == 422


def test_the_line_above_counts_and_pages_follow_each_other(world: World, as_user: Login) -> None:
    for number in range(60):
        make_user(
            f"many{number:02}", f"Много {number:02}", Role.ADMINISTRATOR, clinics=[world.clinic]
        )
    client = as_user(world.senior)
    first = client.get(f"{PEOPLE}?sort=login&q=many").content.decode()
    second = client.get(f"{PEOPLE}?sort=login&q=many&page=2").content.decode()
    assert "60 сотрудников" in first
    assert _logins(first) + _logins(second) == [f"many{number:02}" for number in range(60)]
    assert _logins(client.get(f"{PEOPLE}?q=many&sort=login&page=99").content.decode()) == _logins(
        second
    )
    assert len(_sheet(client, "&q=many")) == 61
