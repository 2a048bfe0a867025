"""How Asterisk gets at a clip: by its address over HTTP, or as a file on a disk that both machines
see.
"""

from django.conf import settings
from django.core import signing
from django.urls import reverse

from callcenter.telephony.pbx.base import Sound

_SALT = "speech"


def clip_url(key: str) -> str:
    """The clip's own address, signed: Asterisk has no log-in, and a name in a request is nobody
    else's business.

    Without a time in it the address stays the same, so Asterisk fetches each clip once.
    """
    return reverse("telephony:clip", args=[signing.Signer(salt=_SALT, sep=".").sign(key)])


def key_of(token: str) -> str:
    """Back from the address; raises django.core.signing.BadSignature."""
    return signing.Signer(salt=_SALT, sep=".").unsign(token)


def media_uri(sound: Sound) -> str:
    if settings.ARI_MEDIA == "path":
        return f"sound:{sound.path.with_suffix('')}"
    return f"sound:{settings.PUBLIC_URL}{clip_url(sound.key)}"
