"""The HTTP API as one document: what every app contributes, as `/api/v1/openapi.json` shows it."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_GET

import callback.api_document
import callcenter.contacts.api_document
import callcenter.telephony.api_document
from callcenter.lib.public_views import public

PATHS: Final[dict[str, Any]] = {
    **callcenter.contacts.api_document.PATHS,
    **callcenter.telephony.api_document.PATHS,
    **callback.api_document.PATHS,
}
SCHEMAS: Final[dict[str, Any]] = {
    "Error": {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "string"}, "field": {"type": "string"}},
    },
    **callcenter.contacts.api_document.SCHEMAS,
    **callcenter.telephony.api_document.SCHEMAS,
    **callback.api_document.SCHEMAS,
}


def document() -> dict[str, Any]:
    """Return the whole OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dozvon",
            "version": "1",
            "description": (
                "Intake from telephone exchanges, messengers and sites. Every source has a key of its own, made on the"
                " settings page «Ключи источников» and sent as `Authorization: Bearer …`. Times are ISO 8601 with an"
                " offset. A request repeated with the same `id` changes nothing and is answered 200. The body is in UTF-8 and of the"
                " content type that the operation names, whatever Content-Type the request states."
            ),
        },
        "paths": PATHS,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


@require_GET
def _openapi(request: HttpRequest) -> HttpResponseBase:  # noqa: ARG001
    return JsonResponse(document(), json_dumps_params={"ensure_ascii": False})


openapi = public(_openapi)
