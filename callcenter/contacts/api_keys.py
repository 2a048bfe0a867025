"""Keys of outside sources: shown once, kept as a hash."""

import datetime as dt
import hashlib
import secrets

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.contacts.models import SourceKey
from callcenter.lib.api import ApiError
from callcenter.lib.errors import Conflict, Refused
from callcenter.staff.models import User


def _digest(key: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(key.encode()).hexdigest()


def create_key(*, name: str, clinic: Clinic, by: User, now: dt.datetime) -> tuple[SourceKey, str]:
    """Makes a key for a source and returns it with its text, which is never shown again. Raises
    Refused for a taken name.
    """
    text = f"dz_{secrets.token_urlsafe(32)}"
    try:
        with transaction.atomic():
            key = SourceKey.objects.create(
                name=name,
                clinic=clinic,
                digest=_digest(text),
                tail=text[-4:],
                created_at=now,
                created_by=by,
            )
            audit.record("contacts.create_key", key, by=by, now=now)
    except IntegrityError:
        raise Refused(
            "Источник с таким названием уже есть. Назовите иначе.", field="name"
        ) from None
    return key, text


def revoke_key(key: SourceKey, *, by: User, now: dt.datetime) -> SourceKey:
    """From now on the key is refused. Raises Conflict when it has been revoked already."""
    with transaction.atomic():
        held = SourceKey.objects.select_for_update().get(pk=key.pk)
        if held.revoked_at is not None:
            raise Conflict("Ключ уже отозван.")
        held.revoked_at = now
        held.save(update_fields=["revoked_at"])
        audit.record("contacts.revoke_key", held, by=by, now=now)
    return held


def source_of(request: HttpRequest, *, now: dt.datetime) -> SourceKey:
    """The source whose key the request carries. Raises ApiError 401."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise ApiError(401, "Нужен ключ источника: заголовок Authorization: Bearer dz_…")
    return source_with(text.strip(), now=now)


def source_with(text: str, *, now: dt.datetime) -> SourceKey:
    """The source of a key, however it was carried. Raises ApiError 401."""
    digest = _digest(text)
    key = (
        SourceKey.objects.select_related("clinic", "clinic__contact_policy")
        .filter(digest=digest)
        .first()
    )
    if key is None or key.revoked_at is not None:
        raise ApiError(
            401,
            "Ключ источника неизвестен или отозван. Создайте новый на странице «Ключи источников».",
        )
    if key.last_used_on != now.date():
        SourceKey.objects.filter(pk=key.pk).update(last_used_on=now.date())
    return key
