"""The part of the OpenAPI document that describes the intake of contacts."""

from typing import Any, Final

from callcenter.lib.api import errors

MAX_COMMENT: Final = 10_000
_text = {"type": "string"}


def _limited(length: int, description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "maxLength": length, "description": description, **more}


def _moment(description: str) -> dict[str, Any]:
    return {"type": "string", "format": "date-time", "maxLength": 40, "description": description}


SCHEMAS: Final[dict[str, Any]] = {
    "Interaction": {
        "type": "object",
        "required": ["id", "kind", "started_at"],
        "additionalProperties": False,
        "properties": {
            "id": _limited(
                120,
                "The source's own id: the same one again adds to the first, never doubles it.",
                minLength=1,
            ),
            "kind": {"type": "string", "enum": ["call", "chat", "request"]},
            "direction": {"type": "string", "enum": ["in", "out"], "default": "in"},
            "started_at": _moment("When it began; not later than five minutes from now."),
            "answered_at": _moment(
                "Calls: when it was answered. Phases may come in any order, in any number of requests."
            ),
            "ended_at": _moment(
                "Calls: when it ended. An end without an answer is a missed call until an answer comes."
            ),
            "state": {
                "type": "string",
                "enum": ["active", "missed", "closed", "new", "processed"],
                "description": "Chats: active, missed, closed. Requests: new, processed. Calls: told by their phases.",
            },
            "phone": {
                "type": ["string", "null"],
                "maxLength": 40,
                "description": "The client's number in any usual shape; null or 'anonymous' when it is hidden.",
            },
            "client": _limited(80, "Chats: the client's id in the messenger."),
            "line": _limited(40, "Our number or line."),
            "account": _limited(
                80, "The account or service it came through; the source's name by default."
            ),
            "chat_channel": _limited(40, "Chats: whatsapp, max, vk…"),
            "employee": _limited(60, "Who answered: the extension or the log-in of an employee."),
            "comment": _limited(MAX_COMMENT, "What the client wrote, or a note."),
            "referrer": _limited(500, "The page it came from."),
            "utm": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    name: _limited(200, "")
                    for name in (
                        "utm_source",
                        "utm_medium",
                        "utm_campaign",
                        "utm_content",
                        "utm_term",
                    )
                },
            },
            "messages": {
                "type": "array",
                "maxItems": 1000,
                "description": "Chats: the conversation so far; messages are known by their ids.",
                "items": {
                    "type": "object",
                    "required": ["id", "at", "direction", "text"],
                    "additionalProperties": False,
                    "properties": {
                        "id": _limited(120, "", minLength=1),
                        "at": _moment(""),
                        "direction": {"type": "string", "enum": ["in", "out"]},
                        "author": _limited(120, ""),
                        "text": _limited(MAX_COMMENT, ""),
                    },
                },
            },
        },
    },
    "Accepted": {
        "type": "object",
        "required": ["interaction", "contact", "state"],
        "properties": {
            "interaction": {"type": "integer"},
            "contact": {
                "type": "integer",
                "description": "The contact of the person and the day it belongs to.",
            },
            "state": _text,
        },
    },
}

_accepted = {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}}
PATHS: Final[dict[str, Any]] = {
    "/api/v1/interactions": {
        "post": {
            "operationId": "recordInteraction",
            "summary": "A call with its phases, a chat with its messages, or a request from a site.",
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/Interaction"}}
                },
            },
            "responses": {
                "201": {"description": "Written down.", "content": _accepted},
                "200": {
                    "description": "Known already; what was new in it has been added.",
                    "content": _accepted,
                },
                **errors(400, 401, 413, 422),
            },
        }
    }
}
