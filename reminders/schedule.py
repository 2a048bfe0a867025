"""When a run opens and which days it covers. Pure: instants and days come from the caller."""

import datetime as dt
from collections.abc import Collection
from typing import Final

from callcenter.lib.localtime import instant, local_day

AHEAD: Final = 14  # days: as far as a run looks for the next yellow shift


def latest_opening(now: dt.datetime, opens_at: dt.time, zone: str) -> dt.date:
    """The local day whose opening moment («с 12.00») was the last to pass: today, or yesterday
    before noon.
    """
    today = local_day(now, zone)
    return today if instant(today, opens_at, zone) <= now else today - dt.timedelta(days=1)


def next_opening(now: dt.datetime, opens_at: dt.time, zone: str) -> dt.datetime:
    """The first opening moment after `now` (UTC)."""
    return instant(latest_opening(now, opens_at, zone) + dt.timedelta(days=1), opens_at, zone)


def last_covered_day(
    on: dt.date, yellow: Collection[dt.date], *, next_day_only: bool = False
) -> dt.date:
    """The last day whose visits a run of `on` reminds of: the next day, and on to the next one with
    a yellow shift.

    That day's own people call only from its noon on, so its visits belong to this run, too. Without
    any planned shift ahead it is the next day alone.
    """
    tomorrow = on + dt.timedelta(days=1)
    if next_day_only:
        return tomorrow
    ahead = [day for day in yellow if tomorrow <= day <= on + dt.timedelta(days=AHEAD)]
    return min(ahead, default=tomorrow)


def covered_span(on: dt.date, until: dt.date, zone: str) -> tuple[dt.datetime, dt.datetime]:
    """The instants [first, last) of the covered local days."""
    return instant(on + dt.timedelta(days=1), dt.time(), zone), instant(
        until + dt.timedelta(days=1), dt.time(), zone
    )
