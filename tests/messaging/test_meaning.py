"""Proposed meanings of sixty labelled replies: at least nine of ten right, and no dangerous mistake."""

from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from callcenter.messaging.meaning import Meaning, meaning_of

REPLIES = [
    (row["text"], Meaning(row["means"]))
    for row in yaml.safe_load((Path(__file__).parent / "replies.yaml").read_text(encoding="utf-8"))
]


def test_at_least_nine_of_ten_replies_are_read_as_a_person_reads_them() -> None:
    assert len(REPLIES) == 60
    wrong = [(text, means.value, meaning_of(text).value) for text, means in REPLIES if meaning_of(text) != means]
    assert len(wrong) <= 6, wrong


def test_nobody_who_cancels_is_taken_for_coming_and_the_other_way_round() -> None:
    opposite = {(Meaning.COMING, Meaning.CANCEL), (Meaning.CANCEL, Meaning.COMING)}
    assert [text for text, means in REPLIES if (means, meaning_of(text)) in opposite] == []


def test_the_fixture_has_several_replies_of_each_meaning() -> None:
    counts = Counter(means for _, means in REPLIES)
    assert set(counts) == set(Meaning)
    assert min(counts.values()) >= 6


@pytest.mark.parametrize("text", ["", "   ", "…", "🙈", "asdf", "1" * 500])
def test_nonsense_is_left_to_a_person(text: str) -> None:
    assert meaning_of(text) == Meaning.UNCLEAR


@given(st.text(max_size=200))
def test_any_text_gets_some_meaning_and_case_does_not_matter(text: str) -> None:
    assert meaning_of(text) == meaning_of(f"  {text}  ")
