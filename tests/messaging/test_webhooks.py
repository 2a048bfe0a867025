"""What providers tell us: genuine or not, in any order, any number of times, never lost."""

import datetime as dt
import itertools
import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.lib.errors import Conflict
from callcenter.messaging import actions
from callcenter.messaging.gateways.base import Webhook
from callcenter.messaging.models import ChatMessage, Message, ProviderWebhook, VisitLink
from callcenter.messaging.reply_intent import ReplyIntent
from callcenter.messaging.states import (
    DeliveryStatus,
    MessageChannel,
    MessageState,
    VisitAnswer,
    after_report,
)
from tests.messaging.conftest import Post

pytestmark = pytest.mark.django_db


def tell(post: Post, client: Client, **deed: str) -> int:
    path = f"/hooks/{post.provider.pk}/{post.provider.secret}/report"
    return client.post(path, json.dumps(deed), content_type="application/json").status_code


def test_a_call_is_kept_raw_and_absorbed_afterwards(post: Post, client: Client) -> None:
    visit = post.visit()
    post.queue(visit)
    key = Message.objects.get().key
    Message.objects.update(state=MessageState.ACCEPTED)
    assert tell(post, client, do="delivered", key=key) == 200
    assert Message.objects.get().state == MessageState.ACCEPTED  # not yet
    call = ProviderWebhook.objects.get()
    assert actions.process_due_webhooks(now=call.due_at) == 1
    assert Message.objects.get().state == MessageState.DELIVERED
    assert actions.process_due_webhooks(now=call.due_at) == 0


def test_a_call_without_the_secret_leaves_no_trace(post: Post, client: Client) -> None:
    assert (
        client.post(
            f"/hooks/{post.provider.pk}/wrong/report", b"{}", content_type="application/json"
        ).status_code
        == 403
    )
    assert (
        client.post("/hooks/999/x/report", b"{}", content_type="application/json").status_code
        == 404
    )
    assert not ProviderWebhook.objects.exists()


def test_a_probe_of_the_address_is_answered_and_not_kept(post: Post, client: Client) -> None:
    path = f"/hooks/{post.provider.pk}/{post.provider.secret}/"
    assert client.head(path).status_code == 200
    assert client.get(path).status_code == 200
    assert not ProviderWebhook.objects.exists()


def test_a_body_too_big_is_turned_away(post: Post, client: Client) -> None:
    path = f"/hooks/{post.provider.pk}/{post.provider.secret}/report"
    assert client.post(path, b"x" * 300_000, content_type="application/json").status_code == 413


def test_what_nobody_understands_is_kept_with_its_trouble_and_the_others_go_on(
    post: Post, client: Client
) -> None:
    post.queue(post.visit())
    Message.objects.update(state=MessageState.ACCEPTED)
    path = f"/hooks/{post.provider.pk}/{post.provider.secret}/report"
    client.post(path, b"not json", content_type="application/json")
    tell(post, client, do="read", key="a-key-of-nobody")
    tell(post, client, do="read", key=Message.objects.get().key)
    now = ProviderWebhook.objects.latest("due_at").due_at
    assert actions.process_due_webhooks(now=now) == 3
    assert Message.objects.get().state == MessageState.READ
    errors = list(ProviderWebhook.objects.order_by("pk").values_list("last_error", flat=True))
    assert errors == ["вызов симулятора не читается", "отчёт о сообщении, которого у нас нет", ""]


def test_calls_whose_absorber_died_are_absorbed_anew(post: Post) -> None:
    post.queue(post.visit())
    Message.objects.update(state=MessageState.ACCEPTED)
    deed = json.dumps({"do": "delivered", "key": Message.objects.get().key}).encode()
    actions.store_provider_webhook(
        post.provider, Webhook("POST", "x/report", "", {}, deed), now=post.now
    )
    ProviderWebhook.objects.update(claimed_at=post.now)
    assert actions.process_due_webhooks(now=post.now) == 0
    post.now += dt.timedelta(minutes=3)
    assert actions.requeue_lost_webhooks(now=post.now) == 1
    assert actions.process_due_webhooks(now=post.now) == 1


REPORTS = list(DeliveryStatus)


@pytest.mark.parametrize(
    "order",
    list(
        itertools.permutations(
            [DeliveryStatus.ACCEPTED, DeliveryStatus.DELIVERED, DeliveryStatus.READ]
        )
    ),
)
def test_reports_in_any_order_end_in_read(order: tuple[DeliveryStatus, ...]) -> None:
    state = MessageState.SENDING
    for report in order:
        state = after_report(state, report)
    assert state == MessageState.READ


@given(
    st.sampled_from([*MessageState]), st.lists(st.sampled_from(REPORTS), max_size=8), st.randoms()
)
def test_the_order_and_the_repetition_of_reports_change_nothing(
    start: MessageState, reports: list[DeliveryStatus], chance: Any
) -> None:
    def end(heard: list[DeliveryStatus]) -> MessageState:
        state = start
        for report in heard:
            state = after_report(state, report)
        return state

    mixed = reports * 2
    chance.shuffle(mixed)
    assert end(reports) == end(mixed)


@settings(max_examples=25)
@given(body=st.binary(max_size=200))
def test_any_bytes_are_survived(post: Post, body: bytes) -> None:
    actions.store_provider_webhook(
        post.provider, Webhook("POST", "x/report", "", {}, body), now=post.now
    )
    actions.process_due_webhooks(now=post.now)
    assert not ProviderWebhook.objects.filter(absorbed_at=None).exists()


# Replies


def say(post: Post, number: str, text: str, name: str, key: str = "") -> None:
    deed = {
        "do": "say",
        "id": name,
        "from": number,
        "text": text,
        "key": key,
        "channel": MessageChannel.MAX.value,
    }
    actions.store_provider_webhook(
        post.provider, Webhook("POST", "x/report", "", {}, json.dumps(deed).encode()), now=post.now
    )
    actions.process_due_webhooks(now=post.now)


def test_a_reply_becomes_a_chat_of_the_patients_contact_with_a_proposed_meaning(post: Post) -> None:
    visit = post.visit("75")
    post.queue(visit)
    post.tick()
    message = Message.objects.get()
    say(post, message.to, "Да, приду", "1", message.key)
    say(post, message.to, "Только опоздаю минут на 10", "2", message.key)
    say(post, message.to, "Да, приду", "1", message.key)  # the provider repeats itself
    lines = list(ChatMessage.objects.order_by("pk"))
    assert [(line.text, line.intent) for line in lines] == [
        ("Да, приду", "coming"),
        ("Только опоздаю минут на 10", "late"),
    ]
    assert len({line.interaction_id for line in lines}) == 1
    interaction = lines[0].interaction
    assert (interaction.kind, interaction.state, interaction.patient) == (
        "chat",
        "active",
        visit.patient,
    )
    visit.refresh_from_db()
    assert visit.status == "scheduled"
    assert post.link(visit).answer == ""


def test_a_familys_number_stays_open_until_a_person_chooses(post: Post) -> None:
    number = "+79000000177"
    for first in ("Анна", "Пётр"):
        post.world.patient(first=first, phones=[number])
    say(post, number, "Не придём", "1")
    assert ChatMessage.objects.get().patient is None


def test_an_accepted_meaning_colours_the_visit_and_a_second_decision_is_too_late(
    post: Post,
) -> None:
    visit = post.visit("75")
    post.queue(visit)
    post.tick()
    say(post, Message.objects.get().to, "Отмените, пожалуйста", "1")
    line = ChatMessage.objects.get()
    intent = ReplyIntent(line.intent)
    actions.accept_reply_intent(
        line, intent=intent, appointment=visit, by=post.world.administrator, now=post.now
    )
    assert VisitLink.objects.get().answer == VisitAnswer.CANCEL
    visit.refresh_from_db()
    assert visit.status == "scheduled"  # a person calls back; nothing is cancelled by a text
    with pytest.raises(Conflict, match="уже разобран"):
        actions.accept_reply_intent(
            line, intent=intent, appointment=visit, by=post.world.administrator, now=post.now
        )


def test_an_answer_in_the_chat_goes_through_the_outbox(post: Post) -> None:
    visit = post.visit("75")
    post.queue(visit)
    post.tick()
    say(post, Message.objects.get().to, "Кто это?", "1")
    interaction = ChatMessage.objects.get().interaction
    line = actions.say_in_chat(
        interaction, text="Клиника А", by=post.world.administrator, now=post.now
    )
    post.tick()
    line.refresh_from_db()
    assert line.message is not None
    assert line.message.state == MessageState.ACCEPTED
