"""Templates, cascades and gateways as the senior sets them."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from callcenter.audit.models import AuditEntry
from callcenter.lib.errors import Refused
from callcenter.messaging import actions
from callcenter.messaging.message_templates import (
    FIELDS,
    VISIT_MESSENGER,
    VISIT_SMS,
    fill_template,
    unknown_fields,
)
from callcenter.messaging.models import CascadeStep, Message, MessageTemplate, Provider
from callcenter.messaging.states import MessageChannel
from callcenter.staff.models import User
from tests.messaging.conftest import Post

AsUser = Callable[[User], Client]
NAME = "Уведомление о приёме"
GOOD = "{{ клиника }}: {{ дата }} {{время}} {{ ссылка }}"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (GOOD, []),
        ("{{ диагноз }} {{ время }}", ["диагноз"]),
        ("{{ имя|upper }}", ["имя|upper"]),
        ("{{}}", ["{{ }}"]),
        ("{{ имя", ["{{"]),
        ("имя }}", ["}}"]),
        ("{% load x %}", []),  # no template language here: these are just letters
        ("{{ имя.__class__ }}", ["имя.__class__"]),
    ],
)
def test_unknown_fields_are_found(text: str, wrong: list[str]) -> None:
    assert unknown_fields(text) == wrong


@given(st.text(max_size=200))
def test_a_text_without_unknown_fields_can_always_be_filled(text: str) -> None:
    if not unknown_fields(text):
        fill_template(text, dict.fromkeys(FIELDS, "x"))


@pytest.mark.parametrize("text", [VISIT_MESSENGER, VISIT_SMS])
def test_the_common_texts_are_themselves_in_order(text: str) -> None:
    assert unknown_fields(text) == []


@pytest.mark.django_db
class TestTemplates:
    def save(self, post: Post, text: str, clinic: bool = False) -> MessageTemplate:
        return actions.save_template(
            name=NAME,
            form="sms",
            clinic=post.world.clinic if clinic else None,
            text=text,
            by=post.world.senior,
            now=post.now,
        )

    @pytest.mark.parametrize(
        "text", ["", "  ", "{{ диагноз }} {{ время }} {{ ссылка }}", "{{ время }}", "x" * 1001]
    )
    def test_a_text_that_would_be_no_reminder_is_refused(self, post: Post, text: str) -> None:
        with pytest.raises(Refused) as refusal:
            self.save(post, text)
        assert refusal.value.field == "text"

    def test_a_clinics_own_text_stands_before_the_common_one(self, post: Post) -> None:
        self.save(post, f"общий {GOOD}")
        self.save(post, f"свой {GOOD}", clinic=True)
        visit = post.visit()
        post.queue(visit, channel=MessageChannel.SMS)
        assert Message.objects.get().text.startswith("свой Клиника А: 19.03.2026 12:00 ")

    def test_saving_again_changes_the_same_row_and_is_audited(self, post: Post) -> None:
        self.save(post, GOOD)
        self.save(post, f"{GOOD}!")
        assert MessageTemplate.objects.get().text == f"{GOOD}!"
        assert AuditEntry.objects.filter(action="messaging.save_template").count() == 2

    def test_the_page_previews_with_a_real_visit_and_counts_parts_and_price(
        self, post: Post, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("callcenter.messaging.views.settings.timezone.now", post.clock)
        Provider.objects.update(price=Decimal("4.50"))
        post.visit()
        client = as_user(post.world.senior)
        part = client.post(
            "/settings/messages/",
            {"form": "sms", "text": GOOD, "preview": "1"},
            headers={"HX-Request": "true"},
        ).content.decode()
        assert "Клиника А" in part
        assert "часть" in part or "части" in part
        assert "₽" in part
        assert "<html" not in part
        assert not MessageTemplate.objects.exists()
        answer = client.post("/settings/messages/", {"form": "sms", "text": "{{ диагноз }}"})
        assert answer.status_code == 422
        assert "диагноз" in answer.content.decode()


@pytest.mark.django_db
def test_only_the_senior_opens_the_settings(post: Post, as_user: AsUser) -> None:
    for path in (
        "/settings/messages/",
        "/settings/channels/",
        f"/settings/channels/{post.provider.pk}/",
    ):
        assert as_user(post.world.administrator).get(path).status_code == 403
        assert as_user(post.world.senior).get(path).status_code == 200


@pytest.mark.django_db
def test_the_cascade_is_saved_in_order_and_a_channel_stands_once(
    post: Post, as_user: AsUser
) -> None:
    provider, clinic = post.provider, post.world.clinic
    client = as_user(post.world.senior)
    client.post(
        "/settings/channels/",
        {
            "clinic": clinic.pk,
            **{"channel0": "sms", "provider0": provider.pk, "wait0": "5"},
            **{"channel1": "max", "provider1": provider.pk, "wait1": "30"},
        },
    )
    assert list(
        CascadeStep.objects.order_by("position").values_list("channel", "wait_minutes")
    ) == [
        ("sms", 5),
        ("max", 30),
    ]
    with pytest.raises(Refused, match="дважды"):
        actions.save_cascade(
            clinic,
            steps=[("sms", provider, 5), ("sms", provider, 5)],
            by=post.world.senior,
            now=post.now,
        )
    with pytest.raises(Refused, match="не работает"):
        actions.save_cascade(
            clinic, steps=[("vk", provider, 5)], by=post.world.senior, now=post.now
        )


@pytest.mark.django_db
def test_a_secret_is_never_shown_and_an_empty_field_keeps_it(post: Post, as_user: AsUser) -> None:
    row = Provider.objects.create(
        name="Kannel",
        kind="kannel",
        channels=["sms"],
        settings={"url": "http://k/", "username": "u", "password": "hush-hush", "sender": "CLINIC"},
    )
    client, path = as_user(post.world.senior), f"/settings/channels/{row.pk}/"
    assert "hush-hush" not in client.get(path).content.decode()
    given = {
        "url": "http://k2/",
        "username": "u",
        "password": "",
        "sender": "CLINIC",
        "channels": ["sms"],
        "price": "4,50",
        "is_active": "on",
    }
    assert client.post(path, given).status_code == 302
    row.refresh_from_db()
    assert row.settings == {
        **{"url": "http://k2/", "username": "u", "password": "hush-hush", "sender": "CLINIC"}
    }
    assert row.price == Decimal("4.50")
    assert client.post(path, {**given, "url": ""}).status_code == 422
    assert not AuditEntry.objects.filter(after__icontains="hush-hush").exists()
