"""The product with one guard taken away: messages are claimed without a lock, and nobody looks once
more before the call.
"""

import datetime as dt
import time
from collections.abc import Sequence

from tests.faults.quick import Quick


class Unguarded(Quick):
    name = "tests.faults"
    label = "faults_unguarded"

    def ready(self) -> None:
        super().ready()
        from callcenter.messaging.actions import dispatch
        from callcenter.messaging.models import Message, Provider

        def claim(
            provider: Provider, *, now: dt.datetime, limit: int = 64
        ) -> list[dispatch.Claimed]:
            rows = list(Message.objects.due(now).filter(provider=provider).order_by("pk")[:limit])
            time.sleep(1.5)  # so that another process looks in the meantime
            Message.objects.filter(pk__in=[row.pk for row in rows]).update(
                state="sending", claimed_at=now
            )
            for row in rows:
                row.state, row.claimed_at = "sending", now
            return [dispatch.Claimed(row, now) for row in rows]

        def begin(
            claimed: Sequence[dispatch.Claimed], *, now: dt.datetime
        ) -> list[dispatch.Claimed]:
            Message.objects.filter(pk__in=[item.message.pk for item in claimed]).update(
                attempted_at=now
            )
            for item in claimed:
                item.message.attempted_at = now
            return list(claimed)

        dispatch.claim_messages = claim
        dispatch.begin_attempts = begin
