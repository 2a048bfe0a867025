"""Two people at one form: whoever saves second is told so, and nothing of the first one's is lost
(docs/adr/0106).
"""

import hashlib
import json
from collections.abc import Mapping

from callcenter.lib.errors import Conflict


def fingerprint(values: Mapping[str, object]) -> str:
    """What a page showed, in a few characters: the same values, the same fingerprint."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def ensure_unchanged(shown: str | None, present: str) -> None:
    """Raises Conflict when what a page showed is no longer what stands there; call it under the
    row's lock.

    None is a caller that has no page; a form that gives nothing back ('') has shown nothing.
    """
    if shown is not None and shown != present:
        raise Conflict(
            "Пока форма была открыта, эти данные изменили. Ваше осталось в полях, рядом — что записано сейчас: "
            "исправьте и сохраните ещё раз."
        )
