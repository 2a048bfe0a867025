"""The part of the OpenAPI document that describes requests for a call."""

from typing import Any, Final

from callcenter.lib.api import errors


def _text(length: int, description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "maxLength": length, "description": description, **more}


SCHEMAS: Final[dict[str, Any]] = {
    "CallbackRequest": {
        "type": "object",
        "required": ["id", "name", "phone"],
        "additionalProperties": False,
        "properties": {
            "id": _text(
                120,
                "The source's own id: the same one again is answered 200 and changes nothing.",
                minLength=1,
            ),
            "name": _text(150, "The patient's name as they gave it.", minLength=1),
            "phone": _text(40, "Their number in any usual shape.", minLength=1),
            "clinic": {
                "type": ["string", "integer"],
                "maxLength": 120,
                "description": (
                    "Its name or our number of it; not needed when the source serves one clinic."
                ),
            },
            "doctor": _text(150, "Full name; one we do not know is read out all the same."),
            "service": _text(150, "What they want."),
            "window_at": _text(
                40, "The free window they chose (РТЗ): its beginning, ISO 8601 with an offset."
            ),
            "wished": _text(120, "When it suits them, in words."),
            "comment": _text(2000, "Anything else."),
            "utm": {
                "type": "object",
                "additionalProperties": {"type": "string", "maxLength": 200},
                "maxProperties": 20,
            },
        },
    },
    "CallbackState": {
        "type": "object",
        "required": ["request", "id", "state"],
        "properties": {
            "request": {"type": "integer", "description": "Our number of it."},
            "id": {"type": "string"},
            "state": {"type": "string"},
            "joined_to": {
                "type": ["integer", "null"],
                "description": "The request of the same number it was joined to.",
            },
            "calls_at": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "When the robot looks next.",
            },
            "window_lost": {
                "type": "boolean",
                "description": "The chosen window was taken already.",
            },
        },
    },
}

_SIGNED: Final = [
    {
        "name": "X-Timestamp",
        "in": "header",
        "required": True,
        "schema": {"type": "string"},
        "description": "Unix seconds; five minutes off our clock at most.",
    },
    {
        "name": "X-Signature",
        "in": "header",
        "required": True,
        "schema": {"type": "string"},
        "description": (
            "`sha256=` and the hex HMAC-SHA256 of `X-Timestamp`, a dot and the raw body, by the"
            " source's secret."
        ),
    },
]
_STATE: Final = {"application/json": {"schema": {"$ref": "#/components/schemas/CallbackState"}}}
_ID: Final = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "maxLength": 120},
}

PATHS: Final[dict[str, Any]] = {
    "/api/v1/callback-requests": {
        "post": {
            "summary": "A patient asks to be called",
            "description": (
                "The robot calls at once in opening hours, else at the clinic's opening hour."
            ),
            "parameters": _SIGNED,
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/CallbackRequest"}}
                },
            },
            "responses": {
                "201": {"description": "Taken.", "content": _STATE},
                "200": {"description": "Known already.", "content": _STATE},
                **errors(400, 401, 413, 422),
            },
        }
    },
    "/api/v1/callback-requests/{id}": {
        "parameters": [_ID, *_SIGNED],
        "get": {
            "summary": "What became of a request",
            "responses": {
                "200": {"description": "Its state.", "content": _STATE},
                **errors(401, 404),
            },
        },
        "delete": {
            "summary": "The patient took it back: the robot stops",
            "responses": {
                "200": {"description": "Its state.", "content": _STATE},
                **errors(401, 404),
            },
        },
    },
}
