"""Cloud PBXs that only send webhooks: each format has its own address, content type and schema."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from openapi_spec_validator import validate

from callcenter.contacts.api_keys import create_key
from callcenter.contacts.models import Interaction
from callcenter.lib.api import register_schemas
from callcenter.telephony.actions.pbx_webhooks import (
    process_due_pbx_webhooks,
    store_pbx_webhook,
)
from callcenter.telephony.api_document import paths_of, schemas_of
from callcenter.telephony.models import PbxWebhook
from callcenter.telephony.webhooks import FORMATS, CallEvent, PbxWebhookFormat
from callcenter.telephony.webhooks.uis import parse
from callcenter.workbench import openapi
from tests.callback.rig import Rig


def test_webhooks_of_a_cloud_pbx_in_any_order_make_one_call(rig: Rig, client: Client) -> None:
    _, key = create_key(name="uis", clinic=rig.world.clinic, by=rig.world.senior, now=rig.now)
    ended = int(timezone.now().timestamp()) - 60
    common = {
        "secret": key,
        "session": 237859081,
        "contact": "79000007700",
        "line": "79000009999",
    }
    webhooks = [
        {**common, "event": "talk_finished", "timestamp": ended, "talk_time": 30},
        {**common, "event": "incoming_call", "timestamp": ended - 45},
        {**common, "event": "talk_started", "timestamp": ended - 30},
        {
            **common,
            "event": "call_record_completed",
            "timestamp": ended + 5,
            "file_link": "https://pbx.example/1.mp3",
        },
    ]
    for webhook in [*webhooks, webhooks[0]]:
        answer = client.post(
            "/api/v1/calls/uis", json.dumps(webhook), content_type="application/json"
        )
        assert answer.status_code == 200, answer.content
    call = Interaction.objects.get()
    assert (call.state, call.wait_seconds, call.talk_seconds) == ("answered", 15, 30)
    assert call.number == "+79000007700"
    assert call.linked_recordings.get().url == "https://pbx.example/1.mp3"
    wrong = client.post(
        "/api/v1/calls/uis",
        json.dumps({**webhooks[0], "secret": "x"}),
        content_type="application/json",
    )
    assert wrong.status_code == 401
    nonsense = client.post(
        "/api/v1/calls/uis", json.dumps({**common, "event": "?"}), content_type="application/json"
    )
    assert nonsense.status_code == 422


def _parse_form(body: dict[str, Any]) -> CallEvent:
    return parse({"event": body["state"], "session": body["call"], "timestamp": body["at"]})


FORM_PBX = PbxWebhookFormat(
    name="form-pbx",
    title="A PBX that posts forms",
    content_type="application/x-www-form-urlencoded",
    schema_name="FormPbxCall",
    schema={
        "type": "object",
        "required": ["state", "call", "at"],
        "properties": {name: {"type": "string"} for name in ("state", "call", "at", "api_key")},
    },
    parse=_parse_form,
    key_field="api_key",
)


@pytest.fixture
def form_pbx(monkeypatch: pytest.MonkeyPatch) -> Iterator[PbxWebhookFormat]:
    """Register a second format: what a new PBX's line in FORMATS does."""
    monkeypatch.setitem(FORMATS, FORM_PBX.name, FORM_PBX)
    register_schemas({**openapi.SCHEMAS, **schemas_of([FORM_PBX])})
    yield FORM_PBX
    register_schemas(openapi.SCHEMAS)


def test_a_second_pbx_has_its_own_content_type_and_schema(
    rig: Rig, client: Client, form_pbx: PbxWebhookFormat
) -> None:
    _, key = create_key(name="form", clinic=rig.world.clinic, by=rig.world.senior, now=rig.now)
    sent = {"state": "talk_started", "call": "7", "at": str(int(rig.now.timestamp()))}

    def post(address: str, fields: dict[str, str]) -> HttpResponse:
        answer: HttpResponse = client.post(  # type: ignore[assignment]
            f"/api/v1/calls/{address}", urlencode(fields), content_type=form_pbx.content_type
        )
        return answer

    assert post("form-pbx", {**sent, "api_key": key}).status_code == 200
    assert Interaction.objects.get().source == "form-pbx"
    assert PbxWebhook.objects.get().body == sent
    assert post("form-pbx", {"call": "7", "api_key": key}).status_code == 422
    assert post("form-pbx", {**sent, "call": "\0", "api_key": key}).status_code == 422
    assert post("form-pbx", {**sent, "api_key": "x"}).status_code == 401
    assert post("uis", {**sent, "api_key": key}).status_code == 400
    assert post("nobody", {**sent, "api_key": key}).status_code == 404


def test_the_document_names_each_formats_content_type_and_schema() -> None:
    document = {**openapi.document(), "paths": paths_of([*FORMATS.values(), FORM_PBX])}
    document["components"]["schemas"] = {**openapi.SCHEMAS, **schemas_of([FORM_PBX])}
    validate(document)
    contents = {
        path: operation["post"]["requestBody"]["content"]
        for path, operation in document["paths"].items()
    }
    assert contents["/api/v1/calls/uis"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/UisCallNotification"}}
    }
    assert contents["/api/v1/calls/form-pbx"] == {
        "application/x-www-form-urlencoded": {
            "schema": {"$ref": "#/components/schemas/FormPbxCall"}
        }
    }


def test_the_timer_processes_what_was_only_stored(rig: Rig) -> None:
    body = {"event": "incoming_call", "session": "9", "timestamp": int(rig.now.timestamp())}
    known = store_pbx_webhook(
        webhook_format=FORMATS["uis"], body=body, clinic=rig.world.clinic, now=rig.now
    )
    forgotten = PbxWebhook.objects.create(
        vendor="gone", session="1", event="x", body={}, clinic=known.clinic, received_at=rig.now
    )
    later = rig.now + dt.timedelta(minutes=2)
    assert process_due_pbx_webhooks(now=later) == 2
    known.refresh_from_db()
    forgotten.refresh_from_db()
    assert (known.done_at, known.last_error) == (later, "")
    assert "gone" in forgotten.last_error
    assert Interaction.objects.get().source_id == "9"
