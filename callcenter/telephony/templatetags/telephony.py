"""A number that may be called by whoever may not read it."""

import hashlib
import hmac
import secrets

from django import template
from django.conf import settings
from django.core import signing

register = template.Library()
_SALT = "call"


@register.filter
def call_token(number: str) -> str:
    """The number as a token for the call button: it can be neither read off nor made up."""
    nonce = secrets.token_bytes(8)
    return signing.dumps([nonce.hex(), _masked(nonce, number.encode()).hex()], salt=_SALT)


def number_of(token: str) -> str:
    """Back from the token; raises django.core.signing.BadSignature. It lives two days, as long as
    an open page.
    """
    nonce, masked = signing.loads(token, salt=_SALT, max_age=2 * 24 * 3600)
    return _masked(bytes.fromhex(nonce), bytes.fromhex(masked)).decode()


def _masked(nonce: bytes, text: bytes) -> bytes:
    """One-time pad of the server's secret and the nonce; numbers are shorter than the 32 bytes of a
    digest.
    """
    pad = hmac.new(settings.SECRET_KEY.encode(), b"call" + nonce, hashlib.sha256).digest()
    return bytes(one ^ other for one, other in zip(text, pad, strict=False))
