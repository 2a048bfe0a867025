"""`POST /api/v1/callback-requests`: signed, in time, once; whatever is wrong leaves nothing
behind.
"""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from callback.models import CallbackRequest, RequestSource
from callback.signing import create_source, signature
from callback.state_machine import RequestState
from callcenter.contacts.models import Interaction
from tests.conftest import World

URL = "/api/v1/callback-requests"
Send = Callable[..., HttpResponse]


@pytest.fixture
def source(world: World) -> tuple[RequestSource, str]:
    return create_source(
        name="НаПоправку",
        code="napopravku",
        spoken="НаПоправку",
        clinics=[world.clinic],
        by=world.senior,
        now=world.now,
    )


@pytest.fixture
def send(source: tuple[RequestSource, str]) -> Send:
    def post(
        body: dict[str, Any] | bytes, *, method: str = "post", url: str = URL, **changed: str
    ) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        stamp = changed.get("timestamp", str(int(timezone.now().timestamp())))
        headers = {
            "Authorization": changed.get("key", f"Bearer {source[1]}"),
            "X-Timestamp": stamp,
            "X-Signature": changed.get("signature", signature(source[0].secret, stamp, raw)),
        }
        return getattr(Client(), method)(
            url, data=raw, content_type="application/json", headers=headers
        )

    return post


def body(**changes: Any) -> dict[str, Any]:
    return {
        "id": "42",
        "name": "Вера Лунина",
        "phone": "8 900 000-77-01",
        "doctor": "Белов Олег Ильич",
        **changes,
    }


def test_a_signed_request_is_taken_and_stands_in_the_history(send: Send, world: World) -> None:
    answer = send(body(service="лечение", comment="после шести", utm={"utm_source": "site"}))
    assert answer.status_code == 201
    made = CallbackRequest.objects.get()
    assert (made.number, made.doctor, made.service_words) == (
        "+79000007701",
        world.doctor,
        "лечение",
    )
    assert answer.json()["request"] == made.pk  # type: ignore[attr-defined]
    assert Interaction.objects.get().kind == "request"


def test_the_same_id_again_changes_nothing(send: Send) -> None:
    first = send(body())
    again = send(body(name="Другая"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert CallbackRequest.objects.get().name == "Вера Лунина"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"key": ""}, "ключ"),
        ({"key": "Bearer cb_wrong"}, "неизвестен"),
        ({"signature": "sha256=00"}, "Подпись"),
        ({"timestamp": "yesterday"}, "X-Timestamp"),
        ({"timestamp": "1"}, "пять минут"),
    ],
)
def test_who_does_not_sign_properly_is_refused_and_nothing_is_written(
    send: Send, changed: dict[str, str], says: str
) -> None:
    answer = send(body(), **changed)
    assert answer.status_code == 401
    assert says in answer.json()["error"]  # type: ignore[attr-defined]
    assert not CallbackRequest.objects.exists()
    assert not Interaction.objects.exists()


def test_a_body_changed_on_the_way_is_refused(
    send: Send, source: tuple[RequestSource, str]
) -> None:
    stamp = str(int(timezone.now().timestamp()))
    signed = signature(source[0].secret, stamp, json.dumps(body()).encode())
    assert send(body(phone="8 900 000-77-99"), timestamp=stamp, signature=signed).status_code == 401


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"phone": "12"}, "phone"),
        ({"phone": "+8 900 000 77 01"}, "phone"),
        ({"clinic": "Другая"}, "clinic"),
        ({"window_at": "завтра"}, "window_at"),
        ({"window_at": "2026-03-19T12:00:00"}, "window_at"),
        ({"name": ""}, "name"),
        ({"extra": 1}, ""),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_half_written(
    send: Send, changes: dict[str, Any], field: str
) -> None:
    answer = send(body(**changes))
    assert answer.status_code == 422
    assert answer.json().get("field", "") == field  # type: ignore[attr-defined]
    assert not CallbackRequest.objects.exists()
    assert not Interaction.objects.exists()


def test_what_is_no_json_is_refused(send: Send) -> None:
    assert send(b"{").status_code == 400


def test_a_chosen_window_is_held_and_a_taken_one_is_told(send: Send, world: World) -> None:
    window = world.window(timezone.now() + dt.timedelta(days=1))
    first = send(body(window_at=window.starts_at.isoformat()))
    late = send(body(id="43", phone="8 900 000-77-02", window_at=window.starts_at.isoformat()))
    assert first.json()["window_lost"] is False  # type: ignore[attr-defined]
    assert late.json()["window_lost"] is True  # type: ignore[attr-defined]


def test_the_source_may_ask_and_take_back(send: Send) -> None:
    send(body())

    answer = send(b"", method="delete", url=f"{URL}/42")
    assert answer.json()["state"] == RequestState.CLOSED  # type: ignore[attr-defined]
    assert send(b"", method="delete", url=f"{URL}/43").status_code == 404


def test_a_switched_off_source_is_refused(send: Send, source: tuple[RequestSource, str]) -> None:
    RequestSource.objects.update(is_active=False)
    assert send(body()).status_code == 401
