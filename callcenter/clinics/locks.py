"""The lock on a doctor's day: whoever books, moves or imports a visit takes it first, so two can't take one time.

An advisory lock of the transaction, since the day has no row of its own. Days are of UTC: it only matters that two visits
that overlap ask for a common lock, and a visit that crosses midnight asks for both days.
"""

import datetime as dt
from collections.abc import Iterable

from django.db import connection


def lock_doctor_days(keys: Iterable[tuple[int, dt.date]]) -> None:
    """Waits for the locks of (doctor id, UTC day), always in the same order so that nobody waits in a ring.

    Must run inside a transaction; the locks end with it.
    """
    with connection.cursor() as cursor:
        for doctor_id, day in sorted(set(keys)):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [doctor_id % 2**31, day.toordinal()])


def days_of(starts_at: dt.datetime, ends_at: dt.datetime) -> set[dt.date]:
    first, last = starts_at.astimezone(dt.UTC).date(), ends_at.astimezone(dt.UTC).date()
    return {first + dt.timedelta(days=step) for step in range((last - first).days + 1)}
