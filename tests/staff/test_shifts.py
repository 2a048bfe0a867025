"""Shifts: a click paints a day, the same colour once more wipes it off, a second click of one press
changes nothing.
"""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from callcenter.audit.models import AuditEntry
from callcenter.lib.errors import Refused
from callcenter.staff import actions
from callcenter.staff.models import Shift, User
from callcenter.staff.queries import on_shift
from callcenter.staff.roles import Role, ShiftColour
from tests.conftest import World, make_user

Login = Callable[[User], Client]
MONDAY = dt.date(2026, 3, 16)


def paint(client: Client, person: User, on: dt.date, shown: str, brush: str, **headers: str) -> int:
    data = {
        "cell": f"{person.pk}:{on.isoformat()}:{shown}",
        "brush": brush,
        "from": on.isoformat(),
        "span": "week",
    }
    return client.post(reverse("staff:shift_paint"), data, headers=headers).status_code


def colours(person: User) -> list[str]:
    return list(Shift.objects.filter(user=person).order_by("on").values_list("colour", flat=True))


def test_a_click_paints_and_the_same_colour_again_wipes_off(world: World, as_user: Login) -> None:
    client = as_user(world.senior)
    assert paint(client, world.administrator, MONDAY, "", "yellow") == 302
    assert colours(world.administrator) == ["yellow"]
    assert paint(client, world.administrator, MONDAY, "yellow", "green") == 302
    assert colours(world.administrator) == ["green"]
    assert paint(client, world.administrator, MONDAY, "green", "green") == 302
    assert colours(world.administrator) == []
    assert [
        entry.after and entry.after["colour"] for entry in AuditEntry.objects.order_by("pk")
    ] == [
        "yellow",
        "green",
        None,
    ]


def test_a_second_click_of_the_same_press_changes_nothing(world: World, as_user: Login) -> None:
    client = as_user(world.senior)
    for _ in range(2):
        paint(client, world.administrator, MONDAY, "", "yellow")
    assert colours(world.administrator) == ["yellow"]
    assert AuditEntry.objects.filter(action="staff.set_shift").count() == 1


def test_htmx_gets_the_grid_alone(world: World, as_user: Login) -> None:
    client = as_user(world.senior)
    data = {
        "cell": f"{world.administrator.pk}:{MONDAY}:",
        "brush": "yellow",
        "from": str(MONDAY),
        "span": "week",
    }
    part = client.post(
        reverse("staff:shift_paint"), data, headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" not in part
    assert 'class="shift shift-yellow"' in part


def test_only_the_senior_paints_and_only_her_people(world: World, as_user: Login) -> None:
    assert paint(as_user(world.administrator), world.administrator, MONDAY, "", "yellow") == 403
    assert paint(as_user(world.senior), world.administrator_b, MONDAY, "", "yellow") == 404
    assert not Shift.objects.exists()


@pytest.mark.parametrize("cell", ["", "x:2026-03-16:", "1:nonsense:"])
def test_nonsense_is_a_bad_request(world: World, as_user: Login, cell: str) -> None:
    assert (
        as_user(world.senior).post(reverse("staff:shift_paint"), {"cell": cell}).status_code == 400
    )


def test_an_unknown_colour_is_refused(world: World) -> None:
    with pytest.raises(Refused):
        actions.set_shift(
            world.administrator, on=MONDAY, colour="pink", by=world.senior, now=world.now
        )


def test_an_administrator_reads_the_grid_without_buttons(world: World, as_user: Login) -> None:
    page = as_user(world.administrator).get(reverse("staff:shifts")).content.decode()
    assert "Орлова" in page
    assert 'name="cell"' not in page


def test_the_week_before_is_repeated_where_days_are_free(world: World, as_user: Login) -> None:
    week = dt.timedelta(days=7)
    for person, colour in ((world.administrator, "yellow"), (world.administrator2, "green")):
        actions.set_shift(person, on=MONDAY, colour=colour, by=world.senior, now=world.now)
    actions.set_shift(
        world.administrator, on=MONDAY + week, colour="red", by=world.senior, now=world.now
    )
    data = {"from": (MONDAY + week).isoformat()}
    for _ in range(2):
        assert as_user(world.senior).post(reverse("staff:shift_copy"), data).status_code == 302
    assert colours(world.administrator) == ["yellow", "red"]
    assert colours(world.administrator2) == ["green", "green"]


def test_who_is_on_the_yellow_shift(world: World) -> None:
    actions.set_shift(
        world.administrator, on=MONDAY, colour="yellow", by=world.senior, now=world.now
    )
    assert on_shift(colour=ShiftColour.YELLOW, on=MONDAY, clinic_ids=[world.clinic.pk]) == [
        world.administrator
    ]
    assert on_shift(colour=ShiftColour.YELLOW, on=MONDAY, clinic_ids=[world.clinic_b.pk]) == []


@pytest.mark.parametrize("span", ["week", "month"])
def test_the_grid_asks_the_same_for_three_and_for_thirty(
    world: World, as_user: Login, span: str
) -> None:
    client = as_user(world.senior)
    counts = []
    for more in (0, 30):
        for number in range(more):
            person = make_user(
                f"u{number}", f"Житов Пётр {number}", Role.ADMINISTRATOR, clinics=[world.clinic]
            )
            Shift.objects.create(user=person, on=timezone.now().date(), colour="yellow")
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse("staff:shifts"), {"span": span})
        counts.append(len(seen))
    assert counts[0] == counts[1]
