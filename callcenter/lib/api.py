"""The HTTP API's common rules: bodies checked by the OpenAPI document, refusals in JSON.

Apps describe their operations in `api_document.py` (`PATHS` and `SCHEMAS` in the words of OpenAPI
3.1). The document is put together on top (`workbench.openapi`), so what `/api/v1/openapi.json`
shows is what `read_body` checks.
"""

import functools
import json
from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec
from urllib.parse import parse_qsl

import jsonschema
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from callcenter.lib.errors import DomainError
from callcenter.lib.public_views import public

# Of one request body, bytes: a chat of a day with room to spare; more is answered 413 before it is
# read.
MAX_BODY: Final = 512 * 1024

Params = ParamSpec("Params")
_schemas: dict[str, Any] = {}


class ApiError(Exception):
    """An answer to a request that can't be served: an HTTP status, a sentence, and the field it is
    about.
    """

    def __init__(self, status: int, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.field = field


def register_schemas(schemas: dict[str, Any]) -> None:
    """Set the schemas that bodies are checked by: those of the whole document. Called once at
    start.
    """
    _schemas.clear()
    _schemas.update(schemas)
    _validator.cache_clear()


def errors(*statuses: int) -> dict[str, Any]:
    """The error answers of an operation, for its entry in PATHS."""
    words = {
        400: "The body is no JSON.",
        401: "The key (or the signature) is missing, wrong or revoked.",
        404: "There is no such object for this key.",
        409: "The object has changed; the present state is in the message.",
        413: f"The body is over {MAX_BODY // 1024} KiB.",
        422: "The body does not fit the schema, or a rule refuses it; `field` says where.",
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(status): {"description": words[status], "content": content} for status in statuses}


def _form_fields(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


# How the text of a body becomes an object, by content type; each raises ValueError.
DECODERS: Final[dict[str, Callable[[str], Any]]] = {
    "application/json": json.loads,
    "application/x-www-form-urlencoded": _form_fields,
}


@functools.cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    root = {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": _schemas}}
    return jsonschema.Draft202012Validator(root)


def read_body(
    request: HttpRequest, schema: str, *, content_type: str = "application/json"
) -> dict[str, Any]:
    """Return the request's body, checked by the named schema of the document.

    `content_type` (a key of DECODERS) is the operation's own; the request's header is not asked.
    Raises ApiError 400, 413, 422.
    """
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        length = 0
    if length > MAX_BODY:
        raise ApiError(413, f"Тело запроса больше {MAX_BODY // 1024} КиБ. Сократите его.")
    raw = request.read(MAX_BODY + 1)
    if len(raw) > MAX_BODY:
        raise ApiError(413, f"Тело запроса больше {MAX_BODY // 1024} КиБ. Сократите его.")
    try:
        body = DECODERS[content_type](raw.decode("utf-8"))
        shown = json.dumps(body, ensure_ascii=False)
        # Lone surrogates have no place in the database.
        shown.encode("utf-8")
    except (ValueError, RecursionError):
        wanted = "JSON" if content_type == "application/json" else content_type
        raise ApiError(400, f"Тело запроса — не {wanted} в UTF-8.") from None
    if "\\u0000" in shown:
        raise ApiError(422, "В тексте есть нулевой символ (\\u0000). Уберите его.")
    found = sorted(
        _validator(schema).iter_errors(body), key=lambda error: list(map(str, error.absolute_path))
    )
    if found:
        where = ".".join(str(part) for part in found[0].absolute_path)
        raise ApiError(422, found[0].message[:300], field=where)
    return dict(body)


def endpoint(
    view: Callable[Concatenate[HttpRequest, Params], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, Params], HttpResponseBase]:
    """A view of the API: no log-in and no CSRF (it checks a key), and every refusal is JSON."""

    @functools.wraps(view)
    def answer(
        request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs
    ) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except ApiError as error:
            body = {"error": str(error), **({"field": error.field} if error.field else {})}
            return JsonResponse(
                body, status=error.status, json_dumps_params={"ensure_ascii": False}
            )
        except DomainError as error:
            field = getattr(error, "field", None)
            body = {"error": str(error), **({"field": field} if field else {})}
            return JsonResponse(
                body, status=error.status, json_dumps_params={"ensure_ascii": False}
            )

    return csrf_exempt(public(answer))
