"""Taking due rows for work: SKIP LOCKED, in batches, under a lease, so that any number of workers
share one queue.

The siblings of each ticker: a partial index on the due column, a reaper for expired leases, a race
test.
"""

import datetime as dt
from typing import TypeVar

from django.db import models, transaction

Row = TypeVar("Row", bound=models.Model)


def claim(due: models.QuerySet[Row], *, now: dt.datetime, limit: int, **lease: object) -> list[Row]:
    """Locks up to `limit` rows of `due` that nobody else holds and marks them with
    `claimed_at=now` and `lease`.

    One short transaction; the rows come back claimed and committed. `due` must exclude rows that
    are already claimed.
    """
    with transaction.atomic():
        rows = list(due.select_for_update(skip_locked=True, of=("self",))[:limit])
        if rows:
            values: dict[str, object] = {"claimed_at": now, **lease}
            due.model._default_manager.filter(pk__in=[row.pk for row in rows]).update(**values)
            for row in rows:
                for name, value in values.items():
                    setattr(row, name, value)
    return rows
