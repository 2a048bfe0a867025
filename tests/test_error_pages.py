"""What a person sees when there is no page, no right or no luck: our words, in the product's frame."""

from collections.abc import Callable

import pytest
from django.template.loader import render_to_string
from django.test import Client

from callcenter.staff.models import User
from tests.conftest import World


def test_a_page_that_is_not_there_says_so_in_the_products_frame(
    world: World, as_user: Callable[[User], Client]
) -> None:
    answer = as_user(world.administrator).get("/no-such-page/")
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "Такой страницы нет" in page
    assert "Журнал КОС" in page  # the menu: one click away from work


@pytest.mark.django_db
def test_a_stranger_gets_no_menu_with_it() -> None:
    page = Client().get("/no-such-page/").content.decode()
    assert "Такой страницы нет" in page
    assert "Журнал КОС" not in page


def test_a_form_of_yesterday_is_told_to_look_again(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.administrator, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post("/profile/", {"email": ""})
    assert answer.status_code == 403
    assert "Ничего не записано" in answer.content.decode()


@pytest.mark.parametrize("name", ["400.html", "403.html", "404.html", "500.html"])
def test_the_page_needs_nothing_of_the_request(name: str) -> None:
    """Django shows some of them without a request: where it broke off, there may be none."""
    assert "Мой день" in render_to_string(name)
