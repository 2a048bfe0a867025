"""Hints for live screens: a write bumps a version of its topic in Valkey after commit; pages ask `/live` and re-fetch.

Best effort by design: a lost hint costs freshness (each page also refreshes by itself now and then), never data.
The topics a page may ask about are signed into the page, so `/live` touches neither the session nor the database.
"""

import functools
import logging
import secrets

import redis
from django.conf import settings
from django.core import signing
from django.db import transaction

log = logging.getLogger(__name__)
_SALT = "live"
_KEEP = 2 * 24 * 3600  # seconds a topic's version is remembered


@functools.cache
def _valkey() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)


def bump(*topics: str) -> None:
    """After the present transaction commits, tells every screen on these topics to look again."""
    transaction.on_commit(functools.partial(_bump_now, topics), robust=True)


def _bump_now(topics: tuple[str, ...]) -> None:
    try:
        pipe = _valkey().pipeline(transaction=False)
        for topic in topics:
            pipe.set(f"live:{topic}", secrets.token_hex(6), ex=_KEEP)
        pipe.execute()
    except redis.RedisError as error:
        log.warning("live hint lost (%s): screens refresh by themselves", error)


def versions(topics: list[str]) -> dict[str, str]:
    """The present version of each topic ('' when never bumped). Raises redis.RedisError when Valkey is away."""
    values = _valkey().mget([f"live:{topic}" for topic in topics])
    return {topic: _text(value) for topic, value in zip(topics, values, strict=True)}


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


def sign(topics: list[str]) -> str:
    """The topics of a page as a token for its `data-live` attribute."""
    return signing.dumps(topics, salt=_SALT, compress=True)


def unsign(token: str) -> list[str]:
    """Back from the token; raises django.core.signing.BadSignature."""
    topics: list[str] = signing.loads(token, salt=_SALT, max_age=_KEEP)
    return topics
