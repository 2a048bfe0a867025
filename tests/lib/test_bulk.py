"""Rows written by the hundred: exactly the named fields, exactly as the columns demand."""

import datetime as dt

import pytest
from django.db import DataError

from callcenter.lib.bulk_sql import update_rows
from callcenter.messaging.models import Message
from tests.messaging.conftest import Post

pytestmark = pytest.mark.django_db


def test_each_row_gets_its_own_values_and_no_other_field_is_touched(post: Post) -> None:
    post.queue(post.visit(), post.visit(), post.visit())
    first, second, third = Message.objects.order_by("pk")
    first.reason, first.delivered_at, first.given_up, first.position = (
        "«да», 100%",
        post.now,
        True,
        None,
    )
    second.reason, second.attempts, second.provider = "", 7, None
    second.text = "не должно записаться"
    update_rows(
        [first, second], ["reason", "delivered_at", "given_up", "position", "attempts", "provider"]
    )
    rows = Message.objects.order_by("pk")
    found = [
        (row.reason, row.delivered_at, row.given_up, row.position, row.attempts, row.provider_id)
        for row in rows
    ]
    assert found == [
        ("«да», 100%", post.now, True, None, 0, post.provider.pk),
        ("", None, False, 1, 7, None),
        ("", None, False, 1, 0, post.provider.pk),
    ]
    assert rows[1].text != "не должно записаться"
    assert rows[2].text == third.text
    assert rows[0].delivered_at is not None
    assert rows[0].delivered_at.tzinfo == dt.UTC


def test_what_the_column_refuses_is_refused_and_not_shortened(post: Post) -> None:
    post.queue(post.visit())
    message = Message.objects.get()
    message.state = "longer than eleven"
    with pytest.raises(DataError):
        update_rows([message], ["state"])


def test_no_rows_need_no_query(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        update_rows([], ["state"])
