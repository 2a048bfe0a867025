"""Reports that got lost: the provider is asked after a while, a few times, and what it does not
know stays as it is.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from callcenter.messaging import actions
from callcenter.messaging.models import CascadeStep, Message, Provider
from callcenter.messaging.send_policy import ASKS
from callcenter.messaging.states import MessageChannel, MessageState
from tests.messaging import standins
from tests.messaging.conftest import Post
from tests.messaging.standins import Standin

pytestmark = pytest.mark.django_db


@pytest.fixture
def edna(post: Post, settings: Any) -> Iterator[Standin]:
    """The clinic's MAX goes through edna, whose reports never reach us."""
    settings.DEMO = False
    with standins.edna() as standin:
        channels = {"cascade_max": "1", "content_max": "maxContent"}
        provider = Provider.objects.create(
            name="edna",
            kind="edna",
            channels=["max"],
            settings={"url": standin.url, "api_key": "right", **channels},
        )
        CascadeStep.objects.filter(channel=MessageChannel.MAX).update(
            provider=provider, wait_minutes=600
        )
        yield standin


def sent(post: Post) -> Message:
    visit = post.visit(hours=50)
    post.queue(visit)
    post.tick()
    return post.of(visit)[MessageChannel.MAX]


def test_a_delivery_whose_report_was_lost_is_asked_for(post: Post, edna: Standin) -> None:
    message = sent(post)
    assert message.state == MessageState.ACCEPTED
    edna.became[message.key] = "DELIVERED"
    assert actions.ask_due_messages(now=post.now + dt.timedelta(minutes=14)) == 0
    assert actions.ask_due_messages(now=post.now + dt.timedelta(minutes=16)) == 1
    message.refresh_from_db()
    assert message.state == MessageState.DELIVERED
    assert message.fallback_at is None


def test_an_unknown_message_becomes_what_the_provider_says_of_it(post: Post, edna: Standin) -> None:
    message = sent(post)
    Message.objects.update(state=MessageState.UNKNOWN)
    edna.became[message.key] = "UNDELIVERED"
    assert actions.ask_due_messages(now=post.now + dt.timedelta(minutes=16)) == 1
    message.refresh_from_db()
    assert message.state == MessageState.UNDELIVERED
    assert message.fallback_at is not None  # the next channel takes over


def test_what_the_provider_does_not_know_stays_and_is_asked_about_only_so_often(
    post: Post, edna: Standin
) -> None:
    message = sent(post)
    Message.objects.update(state=MessageState.UNKNOWN)
    edna.taken.clear()
    for hours in range(1, 60):
        assert actions.ask_due_messages(now=post.now + dt.timedelta(hours=hours)) == 0
    message.refresh_from_db()
    assert (message.state, message.asks) == (MessageState.UNKNOWN, len(ASKS))


def test_a_provider_that_is_away_is_asked_at_the_next_turn(post: Post, edna: Standin) -> None:
    message = sent(post)
    edna.became[message.key], edna.mode = "READ", "busy"
    assert actions.ask_due_messages(now=post.now + dt.timedelta(minutes=16)) == 0
    edna.mode = ""
    assert (
        actions.ask_due_messages(now=post.now + dt.timedelta(minutes=17)) == 0
    )  # the turn is over
    assert actions.ask_due_messages(now=post.now + dt.timedelta(minutes=61)) == 1


def test_the_demo_and_gateways_without_a_memory_are_never_asked(
    post: Post, edna: Standin, settings: Any
) -> None:
    message = sent(post)
    edna.became[message.key] = "DELIVERED"
    settings.DEMO = True
    assert actions.ask_due_messages(now=post.now + dt.timedelta(days=1)) == 0
    settings.DEMO = False
    Message.objects.update(provider=post.provider)  # the simulator
    assert actions.ask_due_messages(now=post.now + dt.timedelta(days=1)) == 0
    message.refresh_from_db()
    assert message.asks == 0
