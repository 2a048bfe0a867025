"""The bare SQL of the benchmarks returns what the pages show."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from benchmarks.measure import bare
from callcenter.staff.models import User
from journals.outcome_rules import CallOutcome
from journals.queries import segments
from journals.queries.journal import CAP
from tests.journals.conftest import Recall


def test_the_pages_sql_returns_the_page(
    every_kind: Recall, as_user: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    recall = every_kind
    monkeypatch.setattr(timezone, "now", lambda: recall.world.now)
    recall.call(recall.entry(), CallOutcome.REFUSED)
    recall.call(recall.entry(), CallOutcome.BOOKED)
    page = as_user(recall.world.senior).get("/journals/?tab=call").content.decode()
    rows = bare("journal_page", user=recall.world.senior.pk, cap=CAP + 1)
    assert [str(row["id"]) for row in rows] == re.findall(r'id="entry-(\d+)"', page)
    counts = dict(re.findall(r'tab=(\w+)"[^>]*>[^<]*<span class="count">(\d+)', page))
    shown = {name: int(counts[name]) for name in ("call", "booked", "refused")}
    assert shown == {
        "call": rows[0]["to_call"],
        "booked": rows[0]["booked"],
        "refused": rows[0]["refused"],
    }
    for row in rows:
        assert row["last_name"] in page
        assert row["doctor_comment"] in page
    assert bare("journal_page", user=recall.world.senior_b.pk, cap=CAP + 1) == []


def test_the_segments_sql_counts_what_the_plan_page_counts(every_kind: Recall) -> None:
    segment = every_kind.segment()
    now = every_kind.world.now
    counts = segments.counts(segment, now=now)
    sql = {
        row["place"]: row["count"]
        for row in bare("journal_segment", clinic=segment.clinic.pk, now=now, on=segment.on)
    }
    assert sql == {
        "ready": counts.ready,
        "planned": counts.planned,
        "resting": counts.resting,
        **{key: count for key, count in counts.blocked.items() if count},
    }
