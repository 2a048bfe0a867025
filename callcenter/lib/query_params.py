"""Reading what stands in a page's address: anything unreadable there is as good as absent."""

import datetime as dt
from typing import Final

# The days that a page can be asked for: the calendar's own ends have no day before, none after, and
# in some zones none.
EARLIEST: Final = dt.date(2000, 1, 1)
LATEST: Final = dt.date(2100, 12, 31)


def number(text: str | None) -> int | None:
    """A positive number that fits a key, or None."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None


def date(text: str | None) -> dt.date | None:
    """A date in ISO form from EARLIEST to LATEST, or None."""
    try:
        found = dt.date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if EARLIEST <= found <= LATEST else None


def moment(text: str | None) -> dt.datetime | None:
    """An instant in ISO form with its zone, on a day from EARLIEST to LATEST, or None."""
    try:
        found = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None and EARLIEST <= found.date() <= LATEST else None
