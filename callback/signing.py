"""Who sends a request and that nobody changed it on the way: a key, a timestamp, HMAC-SHA256 over
the raw body. Pure except for the look-up of the key.

Headers: `Authorization: Bearer cb_…`, `X-Timestamp: 1773824400` (unix seconds), `X-Signature:
sha256=<hex>` of HMAC-SHA256(secret, timestamp + "." + body).
"""

import datetime as dt
import hashlib
import hmac
import secrets
from typing import Final

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from callback.models import RequestSource
from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.lib.api import ApiError
from callcenter.lib.errors import Refused
from callcenter.staff.models import User

TOLERANCE: Final = dt.timedelta(minutes=5)  # a signature older (or newer) than this is a replay


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the sender puts into X-Signature."""
    made = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={made.hexdigest()}"


def sender_of(request: HttpRequest, *, body: bytes, now: dt.datetime) -> RequestSource:
    """The source that signed this very body just now. Raises ApiError 401 saying which of the three
    was wrong.
    """
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise ApiError(401, "Нужен ключ источника: заголовок Authorization: Bearer cb_…")
    source = RequestSource.objects.filter(key_digest=digest(key.strip()), is_active=True).first()
    if source is None:
        raise ApiError(401, "Ключ источника неизвестен или выключен.")
    timestamp = request.headers.get("X-Timestamp", "")
    try:
        sent_at = dt.datetime.fromtimestamp(int(timestamp), dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise ApiError(401, "Нужен заголовок X-Timestamp: время отправки, секунды Unix.") from None
    if abs(now - sent_at) > TOLERANCE:
        raise ApiError(
            401,
            "X-Timestamp отличается от нашего времени больше чем на пять минут: проверьте часы.",
        )
    given = request.headers.get("X-Signature", "")
    if not hmac.compare_digest(given.encode(), signature(source.secret, timestamp, body).encode()):
        raise ApiError(
            401,
            "Подпись не сходится: X-Signature ="
            " sha256=HMAC-SHA256(секрет, X-Timestamp + '.' + тело).",
        )
    return source


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()  # 256 random bits need no slow hash


def create_source(
    *, name: str, code: str, spoken: str, clinics: list[Clinic], by: User, now: dt.datetime
) -> tuple[RequestSource, str]:
    """Makes a source and returns it with its key, which is never shown again. Raises Refused for a
    taken name.
    """
    key = f"cb_{secrets.token_urlsafe(32)}"
    try:
        with transaction.atomic():
            source = RequestSource.objects.create(
                name=name,
                code=code,
                spoken=spoken,
                key_digest=digest(key),
                key_tail=key[-4:],
                secret=secrets.token_hex(32),
                created_at=now,
            )
            source.clinics.set(clinics)
            audit.record("callback.create_source", source, by=by, now=now)
    except IntegrityError:
        raise Refused("Источник с таким названием или кодом уже есть.", field="name") from None
    return source, key
