"""Five wrong passwords close the door for a quarter of an hour; the page says until when."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client, RequestFactory

from callcenter.staff import actions
from callcenter.staff.access import client_address
from tests.conftest import PASSWORD, World

WRONG = {"username": "admin_a", "password": "guess"}
RIGHT = {"username": "admin_a", "password": PASSWORD}


def test_five_failures_lock_and_the_page_says_when_to_try_again(
    world: World, client: Client
) -> None:
    with time_machine.travel(world.now, tick=False) as clock:
        for _ in range(4):
            assert client.post("/login/", WRONG).status_code == 200
        locked = client.post("/login/", WRONG)
        assert locked.status_code == 429
        assert "через 15 минут" in locked.content.decode()
        assert "12:15 по Москве" in locked.content.decode()
        clock.shift(dt.timedelta(minutes=10))
        still = client.post(
            "/login/", RIGHT
        )  # the right password does not help, and does not lengthen the wait
        assert still.status_code == 429
        assert "через 5 минут" in still.content.decode()
        clock.shift(dt.timedelta(minutes=5, seconds=1))
        assert client.post("/login/", RIGHT).status_code == 302


def test_a_lock_is_of_one_login_from_one_address(world: World, client: Client) -> None:
    for _ in range(5):
        client.post("/login/", WRONG)
    assert client.post("/login/", RIGHT).status_code == 429
    assert client.post("/login/", RIGHT, REMOTE_ADDR="203.0.113.7").status_code == 302
    assert client.post("/login/", {"username": "admin_a2", "password": PASSWORD}).status_code == 302


def test_success_forgets_the_failures(world: World) -> None:
    for _ in range(3):
        client = Client()
        for _ in range(3):
            client.post("/login/", WRONG)
        assert client.post("/login/", RIGHT).status_code == 302


def test_a_new_password_from_the_senior_opens_the_door(world: World, client: Client) -> None:
    for _ in range(5):
        client.post("/login/", WRONG)
    actions.set_password(
        world.administrator, password="rowan-berry-7", by=world.senior, now=world.now
    )
    assert client.post("/login/", {**RIGHT, "password": "rowan-berry-7"}).status_code == 302


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, "198.51.100.1", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
    ],
)
def test_an_invented_forwarded_address_does_not_count(
    settings: Any, proxies: int, forwarded: str, seen: str
) -> None:
    settings.PROXIES = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded} if forwarded else {})
    assert client_address(request) == seen
