"""What became of a missed call."""

import datetime as dt
from typing import Final

from callcenter.contacts.states import Direction


class Fate:
    """What became of a missed call."""

    NOBODY = "nobody"
    SELF = "self"
    QUICK = "quick"
    DAY = "day"
    LATER = "later"


FATES: Final[dict[str, str]] = {
    Fate.NOBODY: "никто не перезвонил",
    Fate.SELF: "клиент дозвонился сам",
    Fate.QUICK: "перезвонили за 20 минут",
    Fate.DAY: "перезвонили за 23 часа",
    Fate.LATER: "перезвонили позже",
}
QUICK_SECONDS: Final = 20 * 60
DAY_SECONDS: Final = 23 * 3600


def fate_of(missed_at: dt.datetime, back_at: dt.datetime | None, back_by: str) -> str:
    """Who returned first after a missed call: nobody, the client himself, or we, and how soon."""
    if back_at is None:
        return Fate.NOBODY
    if back_by == Direction.IN:
        return Fate.SELF
    seconds = (back_at - missed_at).total_seconds()
    if seconds <= QUICK_SECONDS:
        return Fate.QUICK
    return Fate.DAY if seconds <= DAY_SECONDS else Fate.LATER
