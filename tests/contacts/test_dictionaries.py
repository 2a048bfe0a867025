"""The settings' lists: a fixed number of queries, and a journal that tells what went and what was hidden."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from callcenter.contacts.models import AdChannel, ChannelRule
from callcenter.staff.models import User
from tests.conftest import World

pytestmark = pytest.mark.django_db

AsUser = Callable[[User], Client]


def _queries(client: Client, slug: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(reverse("contacts:dictionary", args=[slug])).status_code == 200
    return len(asked)


@pytest.mark.parametrize("slug", ["channels", "channel_rules"])
def test_a_tree_of_channels_is_read_at_once(slug: str, world: World, as_user: AsUser) -> None:
    client, counts = as_user(world.senior), []
    above = AdChannel.objects.create(name="Реклама")
    for rows in (3, 27):
        for number in range(rows):
            above = AdChannel.objects.create(name=f"Канал {rows}-{number}", parent=above if number % 3 else None)
            ChannelRule.objects.create(channel=above, kind="account", pattern=f"{rows}-{number}")
        counts.append(_queries(client, slug))
    assert counts[0] == counts[1]
    assert (
        "Канал 27-0 / Канал 27-1 / Канал 27-2"
        in client.get(reverse("contacts:dictionary", args=[slug])).content.decode()
    )
