"""What became of a missed call."""

import datetime as dt
from typing import Final

from callcenter.contacts.states import Direction


class CallbackStatus:
    """What became of a missed call."""

    NOBODY = "nobody"
    SELF = "self"
    QUICK = "quick"
    DAY = "day"
    LATER = "later"


FATES: Final[dict[str, str]] = {
    CallbackStatus.NOBODY: "никто не перезвонил",
    CallbackStatus.SELF: "клиент дозвонился сам",
    CallbackStatus.QUICK: "перезвонили за 20 минут",
    CallbackStatus.DAY: "перезвонили за 23 часа",
    CallbackStatus.LATER: "перезвонили позже",
}
QUICK_SECONDS: Final = 20 * 60
DAY_SECONDS: Final = 23 * 3600


def fate_of(missed_at: dt.datetime, returned_at: dt.datetime | None, returned_by: str) -> str:
    """Who returned first after a missed call: nobody, the client himself, or we, and how soon."""
    if returned_at is None:
        return CallbackStatus.NOBODY
    if returned_by == Direction.IN:
        return CallbackStatus.SELF
    seconds = (returned_at - missed_at).total_seconds()
    if seconds <= QUICK_SECONDS:
        return CallbackStatus.QUICK
    return CallbackStatus.DAY if seconds <= DAY_SECONDS else CallbackStatus.LATER
