"""Cloud PBXs that only tell what happened, one registry line each: a notice's JSON → what it says
of a call. Pure.

Every cloud PBX delivers at least once and in any order, so a reader keeps to one notice and knows
of no other.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from callcenter.telephony.webhooks import uis


@dataclass(frozen=True)
class CallEvent:
    """What one notice says of a call; instants UTC, seconds whole, numbers as the PBX wrote them."""

    session: str
    event: str
    direction: str  # in, out
    client: str
    line: str
    at: dt.datetime
    started_at: dt.datetime | None = None
    answered_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    extension: str = ""
    record_url: str = ""
    record_seconds: float = 0.0


PARSERS: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {"uis": uis.read}


def read(vendor: str, body: dict[str, Any]) -> CallEvent:
    """Raises KeyError for an unknown vendor, ValueError for a notice that makes no sense (its words
    say why).
    """
    return CallEvent(**PARSERS[vendor](body))
