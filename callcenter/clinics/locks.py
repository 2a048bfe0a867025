"""The lock on a doctor's day: whoever books, moves or imports a visit takes it first, so two can't
take one time.

An advisory lock of the transaction, since the day has no row of its own. Days are of UTC: it only
matters that two visits that overlap ask for a common lock, and a visit that crosses midnight asks
for both days. Above the days stands one lock of them all, shared by everybody who takes days; an
import of many days takes it alone (ADR 0083).
"""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.db import connection

DoctorDay = tuple[int, dt.date]

# Advisory locks live in a table of fixed size that the whole server shares: beyond this many days
# all are taken at once.
MOST_DAYS: Final = 1_000
_ALL_DAYS: Final = 0x1A_DA_75


def lock_doctor_days(keys: Iterable[DoctorDay]) -> None:
    """Waits for the locks of (doctor id, UTC day), always in the same order so that nobody waits in
    a ring.

    More than MOST_DAYS: for the lock of all days. Must run inside a transaction; the locks end with
    it.
    """
    days = sorted(set(keys))
    with connection.cursor() as cursor:
        if len(days) > MOST_DAYS:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ALL_DAYS])
            return
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_ALL_DAYS])
        cursor.execute(
            "SELECT pg_advisory_xact_lock(doctor, day) FROM unnest(%s::int[], %s::int[]) AS days (doctor, day)",
            [[doctor % 2**31 for doctor, _ in days], [day.toordinal() for _, day in days]],
        )


def days_of(starts_at: dt.datetime, ends_at: dt.datetime) -> set[dt.date]:
    first, last = starts_at.astimezone(dt.UTC).date(), ends_at.astimezone(dt.UTC).date()
    return {first + dt.timedelta(days=step) for step in range((last - first).days + 1)}
