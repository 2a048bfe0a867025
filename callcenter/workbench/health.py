"""Whether this web process can do its work: asked by `make demo`, by Docker and by whoever watches
production.
"""

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from callcenter.lib.public_views import public

SECONDS = 2


@public
@never_cache
@require_GET
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 when PostgreSQL and Valkey answer, else 503; a word for each, and nothing that a stranger
    could use.
    """
    found = {"database": _database(), "valkey": _valkey()}
    return JsonResponse(found, status=200 if set(found.values()) == {"ok"} else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return "away"
    return "ok"


def _valkey() -> str:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS
        ) as client:
            client.ping()
    except redis.RedisError:
        return "away"
    return "ok"
