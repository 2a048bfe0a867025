"""Reports absorbed by the hundred: the same end as one by one, in a fixed number of queries, and
one bad call spoils no other.
"""

import datetime as dt
import json
from collections.abc import Iterable
from contextlib import nullcontext

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.lib import live_updates
from callcenter.messaging import actions
from callcenter.messaging.actions import webhooks
from callcenter.messaging.actions.enqueue import topic
from callcenter.messaging.models import Message, MessageQuerySet, ProviderWebhook
from callcenter.messaging.states import DeliveryStatus, MessageChannel, MessageState
from tests.concurrency.race import at_once, no_row_locks, overlapping
from tests.messaging.conftest import Post

pytestmark = pytest.mark.django_db

OUTCOME = ("key", *webhooks._REPORTED)


def accepted(post: Post, count: int) -> list[str]:
    """The keys of so many messages that wait for their reports."""
    post.queue(*(post.visit("01") for _ in range(count)))
    Message.objects.update(state=MessageState.ACCEPTED, attempted_at=post.now)
    return list(Message.objects.order_by("pk").values_list("key", flat=True))


def keep(post: Post, reports: Iterable[tuple[str, str]]) -> None:
    """One raw call a report, each a second after the one before."""
    for second, (key, word) in enumerate(reports):
        ProviderWebhook.objects.create(
            provider=post.provider,
            received_at=post.now,
            due_at=post.now + dt.timedelta(seconds=second),
            method="POST",
            path="x/report",
            body=json.dumps({"do": word, "key": key, "why": "нет связи"}).encode(),
        )


def absorb(post: Post, *, batch: int) -> None:
    later = post.now + dt.timedelta(minutes=5)
    while actions.process_due_webhooks(now=later, limit=batch):
        pass


def outcome() -> list[tuple[object, ...]]:
    return list(Message.objects.order_by("pk").values_list(*OUTCOME))


@settings(max_examples=25)
@given(
    reports=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([*DeliveryStatus])), min_size=2, max_size=24
    ),
    batch=st.integers(2, 24),
)
def test_together_they_come_to_the_same_end_as_one_by_one(
    post: Post, reports: list[tuple[int, DeliveryStatus]], batch: int
) -> None:
    keys = accepted(post, 3)
    named = [([*keys, "a-key-of-nobody"][number], report.value) for number, report in reports]
    keep(post, named)
    absorb(post, batch=batch)
    together = outcome()
    noted = list(ProviderWebhook.objects.order_by("pk").values_list("last_error", flat=True))

    ProviderWebhook.objects.update(absorbed_at=None, last_error="")
    Message.objects.all().delete()
    post.queue(*(visit for visit in post.world.clinic.appointments.order_by("pk")))
    Message.objects.update(state=MessageState.ACCEPTED, attempted_at=post.now)
    absorb(post, batch=1)
    assert outcome() == together
    assert (
        list(ProviderWebhook.objects.order_by("pk").values_list("last_error", flat=True)) == noted
    )
    ProviderWebhook.objects.all().delete()
    Message.objects.all().delete()
    post.world.clinic.appointments.all().delete()


def test_thirty_reports_take_as_many_queries_as_three(post: Post) -> None:
    def queries(count: int) -> int:
        keep(post, [(key, "delivered") for key in accepted(post, count)])
        with CaptureQueriesContext(connection) as caught:
            absorb(post, batch=500)
        return len(caught)

    assert queries(3) == queries(30)


def test_a_poisoned_report_is_put_off_with_its_trouble_and_the_others_are_written(
    post: Post,
) -> None:
    keys = accepted(post, 3)
    keep(
        post,
        [(keys[0], "delivered"), ("\0", "delivered"), (keys[1], "read"), (keys[2], "undelivered")],
    )
    absorb(post, batch=500)
    assert [row.state for row in Message.objects.order_by("pk")] == [
        "delivered",
        "read",
        "undelivered",
    ]
    poisoned = ProviderWebhook.objects.get(absorbed_at=None)
    assert b"\\u0000" in bytes(poisoned.body)
    assert poisoned.attempts == 1
    assert "NUL" in poisoned.last_error
    assert poisoned.claimed_at is None
    for day in range(1, webhooks.ATTEMPTS):
        actions.process_due_webhooks(now=poisoned.due_at + dt.timedelta(days=day))
    assert not ProviderWebhook.objects.filter(
        absorbed_at=None
    ).exists()  # given up, its trouble kept


def test_nothing_is_lost_when_the_absorber_is_killed_over_a_batch(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(post, [(key, "delivered") for key in accepted(post, 3)])
    later = post.now + dt.timedelta(minutes=1)

    def die(rows: object, names: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(webhooks, "update_rows", die)
        with pytest.raises(SystemExit):
            actions.process_due_webhooks(now=later)
    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}
    assert actions.process_due_webhooks(now=later) == 0  # in the dead one's hands
    assert actions.requeue_lost_webhooks(now=later + webhooks.LEASE * 2) == 3
    assert actions.process_due_webhooks(now=later + webhooks.LEASE * 2) == 3
    assert set(Message.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_failure_and_a_late_delivery_in_one_batch_start_no_second_channel(post: Post) -> None:
    key, other = accepted(post, 2)
    keep(post, [(key, "undelivered"), (other, "undelivered"), (key, "delivered")])
    absorb(post, batch=500)
    post.pass_time(minutes=6)
    assert list(
        Message.objects.filter(channel=MessageChannel.SMS).values_list("subject_key", flat=True)
    ) == [Message.objects.get(key=other).subject_key]


@pytest.mark.django_db(transaction=True)
def test_a_batch_tells_the_screens_once_and_its_repetition_not_at_all(post: Post) -> None:
    def version() -> str:
        return live_updates.versions([topic(post.world.clinic.pk)])[topic(post.world.clinic.pk)]

    reports = [(key, "delivered") for key in accepted(post, 3)]
    before = version()
    keep(post, reports)
    absorb(post, batch=500)
    told = version()
    assert told != before
    keep(post, reports)
    absorb(post, batch=500)
    assert version() == told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("guarded", "state"), [(True, "read"), (False, "delivered")])
def test_two_absorbers_never_lower_a_status(
    post: Post, monkeypatch: pytest.MonkeyPatch, guarded: bool, state: str
) -> None:
    """The guard is the lock of the message: without it «read» is overwritten by a «delivered» that
    was decided earlier.
    """
    [key] = accepted(post, 1)
    keep(post, [(key, "read"), (key, "delivered")])

    def absorb_one() -> int:
        return actions.process_due_webhooks(now=post.now + dt.timedelta(minutes=1), limit=1)

    with nullcontext() if guarded else no_row_locks(monkeypatch, MessageQuerySet):
        assert overlapping([absorb_one, absorb_one]) == [1, 1]
    assert Message.objects.get().state == state


@pytest.mark.django_db(transaction=True)
def test_four_absorbers_share_the_calls_and_end_in_the_truth(post: Post) -> None:
    keys = accepted(post, 12)
    keep(
        post,
        [
            (key, word)
            for word in ("read", "delivered", "undelivered", "accepted")
            for key in reversed(keys)
        ],
    )
    results = at_once([lambda: absorb(post, batch=5)] * 4)
    assert results == [None] * 4
    assert not ProviderWebhook.objects.filter(absorbed_at=None).exists()
    assert set(Message.objects.values_list("state", flat=True)) == {"read"}
    assert not Message.objects.filter(fallback_at__isnull=False).exists()
