"""The settings' lists: a fixed number of queries, and a journal that tells what went and what was
hidden.
"""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from callcenter.audit.models import AuditEntry
from callcenter.contacts.actions import (
    InteractionInput,
    Participants,
    Phases,
    WrapUp,
    record_interaction,
)
from callcenter.contacts.models import AdChannel, ChannelRule, Topic
from callcenter.contacts.states import InteractionKind, InteractionState
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
            above = AdChannel.objects.create(
                name=f"Канал {rows}-{number}", parent=above if number % 3 else None
            )
            ChannelRule.objects.create(channel=above, kind="account", pattern=f"{rows}-{number}")
        counts.append(_queries(client, slug))
    assert counts[0] == counts[1]
    assert (
        "Канал 27-0 / Канал 27-1 / Канал 27-2"
        in client.get(reverse("contacts:dictionary", args=[slug])).content.decode()
    )


def test_a_row_in_use_is_hidden_and_the_journal_says_so(world: World, as_user: AsUser) -> None:
    topic = Topic.objects.create(name="Имплантация")
    record_interaction(
        InteractionInput(
            clinic=world.clinic,
            kind=InteractionKind.COMMENT,
            state=InteractionState.FINISHED,
            phases=Phases(world.now),
            participants=Participants(patient=world.patient()),
            wrap_up=WrapUp(topic=topic, comment="спросила о цене"),
        ),
        by=world.senior,
        now=world.now,
    )
    client, page = (
        as_user(world.senior),
        reverse("contacts:dictionary_delete", args=["topics", topic.pk]),
    )
    for _ in range(2):  # the second press finds nothing to change
        assert client.post(page).status_code == 302
    topic.refresh_from_db()
    deed = AuditEntry.objects.get(object_kind="contacts.topic")
    assert (topic.is_active, deed.action) == (False, "contacts.save_topic")
    assert (deed.before, deed.after) == ({"is_active": True}, {"is_active": False})


def test_the_journal_keeps_what_was_deleted_and_what_went_with_it(
    world: World, as_user: AsUser
) -> None:
    channel = AdChannel.objects.create(name="Радио")
    rule = ChannelRule.objects.create(channel=channel, kind="account", pattern="radio")
    as_user(world.senior).post(reverse("contacts:dictionary_delete", args=["channels", channel.pk]))
    assert not ChannelRule.objects.filter(pk=rule.pk).exists()
    gone = {entry.action: entry.before or {} for entry in AuditEntry.objects.all()}
    assert gone["contacts.delete_adchannel"] == {"name": "Радио", "parent": None, "is_active": True}
    assert gone["contacts.delete_channelrule"]["pattern"] == "radio"
    assert gone["contacts.delete_channelrule"]["channel"] == "Радио"


def test_a_change_of_a_clinics_rules_tells_what_was_before(world: World, as_user: AsUser) -> None:
    page = reverse("contacts:policy", args=[world.clinic.pk])
    client = as_user(world.senior)
    given = {name: field.initial for name, field in client.get(page).context["form"].fields.items()}
    given = {name: client.get(page).context["form"][name].value() for name in given} | {
        "comment_minutes": 9
    }
    assert client.post(page, given).status_code == 302
    deed = AuditEntry.objects.get(action="contacts.save_policy")
    assert deed.after == {"comment_minutes": 9}
    assert deed.before is not None
    assert deed.before["comment_minutes"] != 9
