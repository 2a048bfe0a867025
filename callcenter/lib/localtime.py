"""Days and hours of a clinic's own zone, from an instant that the caller gives. UTC in the
database, always.
"""

import datetime as dt
from zoneinfo import ZoneInfo


def local(moment: dt.datetime, zone: str) -> dt.datetime:
    """The instant as the wall clock of `zone` shows it."""
    return moment.astimezone(ZoneInfo(zone))


def local_day(moment: dt.datetime, zone: str) -> dt.date:
    """The calendar day of `zone` (00:00–23:59) in which the instant lies."""
    return local(moment, zone).date()


def instant(on: dt.date, at: dt.time, zone: str) -> dt.datetime:
    """The UTC instant of a local date and time."""
    return dt.datetime.combine(on, at, tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


def day_bounds(on: dt.date, zone: str) -> tuple[dt.datetime, dt.datetime]:
    """First instant of the local day and first instant of the next one (half-open), UTC."""
    return instant(on, dt.time(), zone), instant(on + dt.timedelta(days=1), dt.time(), zone)
