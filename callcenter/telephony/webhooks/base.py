"""The shapes that every cloud PBX's webhook format has: the format itself, and the event that its
parser returns. Pure.

A cloud PBX delivers at least once and in any order, so a parser reads one webhook and knows of no
other.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CallEvent:
    """What one webhook says of a call: instants in UTC, seconds, numbers as the PBX wrote them."""

    session: str
    event: str
    direction: str  # in, out
    client: str
    line: str
    at: dt.datetime
    started_at: dt.datetime | None = None
    answered_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    extension: str = ""
    record_url: str = ""
    record_seconds: float = 0.0


@dataclass(frozen=True)
class PbxWebhookFormat:
    """How one cloud PBX writes its webhooks.

    `name` is the last part of its address (`/api/v1/calls/<name>`) and the source of its calls in
    the contact history. `content_type` (a key of `callcenter.lib.api.DECODERS`) says how a body
    becomes the object that `schema` (OpenAPI 3.1, named `schema_name` in the document) checks.
    `parse` raises ValueError, in words for the person who sets the PBX up, for a body that fits the
    schema and makes no sense. `key_field` is the field that carries the source's key where the PBX
    cannot set a header; it is never stored.
    """

    name: str
    title: str
    content_type: str
    schema_name: str
    schema: dict[str, Any]
    parse: Callable[[dict[str, Any]], CallEvent]
    key_field: str = ""
