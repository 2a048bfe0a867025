"""The part of the OpenAPI document that describes webhooks of cloud PBXs: one operation for each
format.
"""

from collections.abc import Iterable
from typing import Any, Final

from callcenter.lib.api import errors
from callcenter.telephony.webhooks import FORMATS, PbxWebhookFormat

_STORED: Final = {
    "description": "Stored.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["notice", "session"],
                "properties": {"notice": {"type": "integer"}, "session": {"type": "string"}},
            }
        }
    },
}


def schemas_of(formats: Iterable[PbxWebhookFormat]) -> dict[str, Any]:
    """Return the schemas of the formats' bodies by their names in the document."""
    return {one.schema_name: one.schema for one in formats}


def paths_of(formats: Iterable[PbxWebhookFormat]) -> dict[str, Any]:
    """Return the operations to which the PBXs deliver, each with its own content type."""
    return {f"/api/v1/calls/{one.name}": {"post": _operation(one)} for one in formats}


def _operation(webhook_format: PbxWebhookFormat) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{webhook_format.schema_name}"}
    return {
        "summary": f"A webhook of {webhook_format.title} about one call",
        "description": (
            "At least once and in any order: the same webhook again changes nothing, webhooks of"
            " one session make one call of the contact history."
        ),
        "requestBody": {
            "required": True,
            "content": {webhook_format.content_type: {"schema": schema}},
        },
        "responses": {"200": _STORED, **errors(400, 401, 413, 422)},
    }


SCHEMAS: Final[dict[str, Any]] = schemas_of(FORMATS.values())
PATHS: Final[dict[str, Any]] = paths_of(FORMATS.values())
