"""Reading what stands in a page's address: anything unreadable there is as good as absent."""

import datetime as dt


def number(text: str | None) -> int | None:
    """A positive number that fits a key, or None."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None


def date(text: str | None) -> dt.date | None:
    """A date in ISO form, or None."""
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        return None
