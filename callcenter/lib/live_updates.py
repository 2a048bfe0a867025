"""Hints for live screens: a write bumps a version of its topic in Valkey after commit; pages ask
`/live` and re-fetch.

Best effort by design: a lost hint costs freshness (each page also refreshes by itself now and
then), never data. The topics a page may ask about are signed into the page, so `/live` touches
neither the session nor the database.
"""

import functools
import hashlib
import logging
import secrets
import time
from dataclasses import dataclass

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
            pipe.set(f"live:{topic}", f"{time.time():.3f}-{secrets.token_hex(4)}", ex=_KEEP)
        pipe.execute()
    except redis.RedisError as error:
        log.warning("live hint lost (%s): screens refresh by themselves", error)


def versions(topics: list[str]) -> dict[str, str]:
    """The present version of each topic ('' when never bumped). Raises redis.RedisError when Valkey
    is away.

    A version is '<seconds of the epoch>-<random>': its own clock tells whether it is younger than a
    page.
    """
    values = _valkey().mget([f"live:{topic}" for topic in topics])
    return {topic: _text(value) for topic, value in zip(topics, values, strict=True)}


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


def sign(topics: list[str]) -> str:
    """The topics of a part of a page and the time it was rendered, as a token for its `data-live`
    attribute.
    """
    return signing.dumps([int(time.time()), *topics], salt=_SALT, compress=True)


def unsign(token: str) -> "Part":
    """Back from the token; raises django.core.signing.BadSignature (SignatureExpired after two
    days).
    """
    rendered, *topics = signing.loads(token, salt=_SALT, max_age=_KEEP)
    return Part(topics, rendered)


@dataclass(frozen=True)
class Part:
    """What a page's part depends on, and when it was rendered (seconds of the epoch)."""

    topics: list[str]
    rendered: int

    def mark(self, versions: dict[str, str]) -> str:
        """The state of its topics in a few characters: equal marks, nothing to fetch."""
        text = "|".join(versions[topic] for topic in self.topics)
        return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()

    def is_older_than(self, versions: dict[str, str]) -> bool:
        """Whether a topic was bumped since the part was rendered, or in the seconds its rendering
        may have taken.
        """
        return any(
            float(versions[topic].partition("-")[0] or 0) >= self.rendered - 3
            for topic in self.topics
        )
