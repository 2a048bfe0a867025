"""Instants as they come back from the database."""

import datetime as dt

import pytest
from django.db import connection


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        "2026-03-29 01:30:00.123456+00",
        "2026-07-01 12:00:00+03",
        "1945-05-09 00:43:00+03:00:17",
        "0001-01-01 00:00:00+00",
    ],
)
def test_an_instant_comes_in_utc(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT %s::timestamptz, extract(epoch FROM %s::timestamptz), NULL::timestamptz",
            [text, text],
        )
        instant, seconds, nothing = cursor.fetchone()

    assert instant.tzinfo is dt.UTC
    assert instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC) == dt.timedelta(
        microseconds=int(seconds * 1_000_000)
    )
    assert nothing is None


@pytest.mark.django_db
def test_a_session_in_another_zone_gives_the_same_instant() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TimeZone = 'Asia/Kamchatka'")
        cursor.execute("SELECT timestamptz '2026-07-01 12:00:00+00'")
        (instant,) = cursor.fetchone()

    assert instant == dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
