"""Intake over HTTP: the documented answer to everything, and never a duplicate."""

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from callcenter.contacts.api_keys import create_key, revoke_key
from callcenter.contacts.models import ChatLine, Contact, Interaction
from callcenter.lib.api import MAX_BODY
from callcenter.workbench.openapi import document
from tests.conftest import World

URL = "/api/v1/interactions"


@pytest.fixture
def key(world: World) -> str:
    return create_key(name="uis", clinic=world.clinic, by=world.senior, now=world.now)[1]


def post(key: str, body: Any, raw: bytes | None = None) -> Any:
    data = raw if raw is not None else json.dumps(body).encode()
    return Client().post(
        URL, data, content_type="application/json", headers={"Authorization": f"Bearer {key}"}
    )


def call(**more: Any) -> dict[str, Any]:
    return {
        "id": "call-1",
        "kind": "call",
        "phone": "8 (900) 000-00-77",
        "started_at": "2026-03-18T12:00:00+03:00",
    } | more


def test_the_document_is_valid_openapi_and_served() -> None:
    validate(document())
    served = Client().get("/api/v1/openapi.json").json()
    assert "/api/v1/interactions" in served["paths"]


def test_phases_out_of_order_make_one_answered_call(key: str) -> None:
    ended = post(key, call(ended_at="2026-03-18T12:03:00+03:00"))
    assert (ended.status_code, ended.json()["state"]) == (201, "missed")
    answered = post(key, call(answered_at="2026-03-18T12:00:20+03:00"))
    assert (answered.status_code, answered.json()["state"]) == (200, "answered")
    again = post(key, call())
    assert (again.status_code, again.json()["state"]) == (200, "answered")
    one = Interaction.objects.get()
    assert (one.wait_seconds, one.talk_seconds, one.number) == (20, 160, "+79000000077")


def test_a_repeated_chat_adds_only_its_new_messages(key: str) -> None:
    first = {
        "id": "m1",
        "at": "2026-03-18T12:00:01+03:00",
        "direction": "in",
        "text": "Здравствуйте",
    }
    second = {
        "id": "m2",
        "at": "2026-03-18T12:00:09+03:00",
        "direction": "out",
        "text": "Добрый день",
    }
    chat = call(id="chat-1", kind="chat", client="max:5", messages=[first])
    assert post(key, chat).status_code == 201
    assert (
        post(key, chat | {"messages": [first, second], "state": "closed"}).json()["state"]
        == "closed"
    )
    assert post(key, chat).json()["state"] == "closed", "what is known is not taken back"
    assert [line.text for line in ChatLine.objects.order_by("at")] == [
        "Здравствуйте",
        "Добрый день",
    ]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"phone": "+89110001122"}, 422, "phone"),
        ({"phone": "не знаю"}, 422, "phone"),
        ({"started_at": "2026-03-18T12:00:00"}, 422, "started_at"),
        ({"started_at": "вчера"}, 422, "started_at"),
        ({"started_at": "0001-01-01T00:00:00+14:00"}, 422, "started_at"),
        ({"started_at": "2999-01-01T00:00:00Z"}, 422, "started_at"),
        ({"answered_at": "2026-03-18T11:00:00+03:00"}, 422, "answered_at"),
        ({"state": "missed"}, 422, "state"),
        ({"kind": "chat", "state": "processed"}, 422, "state"),
        ({"kind": "fax"}, 422, "kind"),
        ({"comment": "я" * 10_001}, 422, "comment"),
        ({"surprise": 1}, 422, None),
        ({"id": ""}, 422, "id"),
        ({"comment": "a\u0000b"}, 422, None),
        ({"phone": None}, 201, None),
        ({"phone": "anonymous"}, 201, None),
        ({"employee": "нет такого"}, 201, None),
    ],
)
def test_every_odd_request_gets_the_documented_answer(
    key: str, change: dict[str, Any], status: int, field: str
) -> None:
    answer = post(key, call(**change))
    assert answer.status_code == status, answer.content.decode()
    assert str(status) in document()["paths"][URL]["post"]["responses"]
    if field:
        assert answer.json()["field"] == field
    assert Interaction.objects.count() == (1 if status == 201 else 0)


def test_ten_megabytes_of_comment_are_answered_413_unread(key: str) -> None:
    answer = post(key, call(comment="я" * 10_000_000))
    assert answer.status_code == 413
    assert str(MAX_BODY // 1024) in answer.json()["error"]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff\xfe", b"[]", b'"text"', b"[" * 50_000, b'{"id":"\\ud800"}']
)
def test_what_is_no_object_of_json_is_refused(key: str, raw: bytes) -> None:
    assert post(key, None, raw=raw).status_code in (400, 422)


@pytest.mark.parametrize("depth", [100, 300, 600, 800, 900, 950, 1_000, 5_000])
def test_however_deep_a_body_is_nested_it_is_refused_in_json(key: str, depth: int) -> None:
    """The reader, the schema and the words of the refusal each have a depth of their own."""
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        raw = f'{{"id": "x", "kind": "call", "utm": {opening * depth}1{closing * depth}}}'.encode()
        answer = post(key, None, raw=raw)
        assert answer.status_code in (400, 422)
        assert answer.json()["error"]


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"],
)
def test_the_body_is_json_whatever_the_header_calls_it(key: str, kind: str) -> None:
    """As documented: exchanges send what their scripts send by default."""
    headers = {"Authorization": f"Bearer {key}"}
    answer = Client().post(URL, json.dumps(call()).encode(), content_type=kind, headers=headers)
    assert answer.status_code == 201
    assert "whatever Content-Type" in document()["info"]["description"]


def test_a_key_of_another_clinic_writes_to_its_own(world: World, key: str) -> None:
    """The same call told by two clinics' sources is one contact of each; neither key reaches the
    other's rows.
    """
    _, other = create_key(name="uis-b", clinic=world.clinic_b, by=world.senior_b, now=world.now)
    one = post(key, call(employee="admin_b")).json()
    two = post(other, call(employee="admin_b", comment="чужой")).json()
    assert one["interaction"] != two["interaction"]
    ours = Interaction.objects.get(pk=one["interaction"])
    assert (ours.clinic, ours.comment, ours.employee) == (world.clinic, "", None)
    assert Interaction.objects.get(pk=two["interaction"]).employee == world.administrator_b


def test_without_a_key_or_with_a_revoked_one_nothing_is_written(world: World, key: str) -> None:
    assert Client().post(URL, "{}", content_type="application/json").status_code == 401
    assert post("dz_wrong", call()).status_code == 401
    other, text = create_key(name="site", clinic=world.clinic, by=world.senior, now=world.now)
    assert key not in other.digest
    revoke_key(other, by=world.senior, now=world.now)
    assert post(text, call()).status_code == 401
    assert not Interaction.objects.exists()


def test_two_sources_may_use_the_same_id(world: World, key: str) -> None:
    _, other = create_key(name="site", clinic=world.clinic, by=world.senior, now=world.now)
    assert post(key, call()).status_code == 201
    assert post(other, call(kind="request")).status_code == 201
    assert Contact.objects.get().interaction_count == 2, "one person, one day, one contact"


def test_from_the_future_by_a_few_minutes_is_a_clock_that_differs(key: str) -> None:
    soon = (timezone.now() + dt.timedelta(minutes=2)).isoformat()
    assert post(key, call(started_at=soon)).status_code == 201


@settings(max_examples=60)
@given(
    body=st.dictionaries(
        st.sampled_from(
            [
                "id",
                "kind",
                "phone",
                "started_at",
                "ended_at",
                "utm",
                "messages",
                "comment",
                "direction",
            ]
        ),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.text(max_size=20)
            | st.sampled_from(["call", "in", "chat"]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    )
)
def test_no_body_whatever_makes_a_500(key: str, body: dict[str, Any]) -> None:
    assert post(key, call() | body).status_code in (200, 201, 400, 422)
