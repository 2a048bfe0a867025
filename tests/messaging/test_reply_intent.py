"""Proposed intents of labelled replies, sixty common ones and more of the odd kind: at least nine
of ten right in each set, and no dangerous mistake in any.
"""

from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from callcenter.messaging.reply_intent import ReplyIntent, reply_intent_of

HERE = Path(__file__).parent
SETS = {
    name: [
        (row["text"], ReplyIntent(row["means"]))
        for row in yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    ]
    for name in ("replies", "replies_more")
}
REPLIES = SETS["replies"]


@pytest.mark.parametrize(("name", "count"), [("replies", 60), ("replies_more", 160)])
def test_at_least_nine_of_ten_replies_are_read_as_a_person_reads_them(
    name: str, count: int
) -> None:
    assert len(SETS[name]) == count
    wrong = [
        (text, means.value, reply_intent_of(text).value)
        for text, means in SETS[name]
        if reply_intent_of(text) != means
    ]
    assert len(wrong) <= count // 10, wrong


@pytest.mark.parametrize("name", SETS)
def test_nobody_who_cancels_is_taken_for_coming_and_the_other_way_round(name: str) -> None:
    opposite = {(ReplyIntent.COMING, ReplyIntent.CANCEL), (ReplyIntent.CANCEL, ReplyIntent.COMING)}
    assert [text for text, means in SETS[name] if (means, reply_intent_of(text)) in opposite] == []


def test_the_fixture_has_several_replies_of_each_meaning() -> None:
    counts = Counter(means for _, means in REPLIES)
    assert set(counts) == set(ReplyIntent)
    assert min(counts.values()) >= 6


@pytest.mark.parametrize("text", ["", "   ", "…", "🙈", "asdf", "1" * 500])
def test_nonsense_is_left_to_a_person(text: str) -> None:
    assert reply_intent_of(text) == ReplyIntent.UNCLEAR


@given(st.text(max_size=200))
def test_any_text_gets_some_meaning_and_case_does_not_matter(text: str) -> None:
    assert reply_intent_of(text) == reply_intent_of(f"  {text}  ")
