"""The table of Журнал КОС, row by row, and what holds for any sequence of outcomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journals.outcome_rules import (
    OUTCOME_RULES,
    CallOutcome,
    EntryProgress,
    NextDate,
    RecallLimits,
    Stage,
    after,
    ends_calls,
    granted,
    is_flagged,
    is_last_call,
    may_grant,
    rule_for,
)

RULE = RecallLimits()


@pytest.mark.parametrize(
    ("outcome", "stage", "next_date", "asks"),
    [
        (CallOutcome.BOOKED, Stage.BOOKED, NextDate.NONE, {"window", "comment"}),
        (CallOutcome.UNREACHED, Stage.CALL, NextDate.INTERVAL, {"reason", "comment"}),
        (CallOutcome.THINKING, Stage.CALL, NextDate.CHOSEN, {"reason", "comment"}),
        (CallOutcome.REMIND, Stage.CALL, NextDate.WAITING_LIST, {"call_on", "comment"}),
        (CallOutcome.REFUSED, Stage.REFUSED, NextDate.NONE, {"reason", "comment"}),
    ],
)
def test_the_first_call_follows_the_documents_table(
    outcome: CallOutcome, stage: Stage, next_date: NextDate, asks: set[str]
) -> None:
    row = rule_for(EntryProgress(), outcome, RULE)
    assert (row.stage, row.next_date, set(row.asks)) == (stage, next_date, asks)


def test_the_third_unreached_call_demands_a_refusal() -> None:
    progress = after(
        after(EntryProgress(), CallOutcome.UNREACHED, RULE), CallOutcome.UNREACHED, RULE
    )
    assert progress == EntryProgress(Stage.CALL, unreached=2)
    assert rule_for(progress, CallOutcome.UNREACHED, RULE) == ends_calls(
        OUTCOME_RULES[CallOutcome.UNREACHED]
    )
    assert "refusal_reason" in rule_for(progress, CallOutcome.UNREACHED, RULE).asks
    assert after(progress, CallOutcome.UNREACHED, RULE) == EntryProgress(Stage.REFUSED, unreached=3)


def test_thinking_and_reminding_do_not_count_as_unreached() -> None:
    progress = EntryProgress()
    for outcome in (
        CallOutcome.UNREACHED,
        CallOutcome.THINKING,
        CallOutcome.UNREACHED,
        CallOutcome.REMIND,
    ):
        progress = after(progress, outcome, RULE)
    assert progress == EntryProgress(Stage.CALL, unreached=2, talks=2)


def test_three_talks_without_a_result_raise_the_flag() -> None:
    assert not is_flagged(EntryProgress(talks=2), RULE)
    assert is_flagged(EntryProgress(talks=3), RULE)
    assert not is_flagged(EntryProgress(Stage.BOOKED, talks=3), RULE)


def test_the_senior_grants_one_more_call_before_or_after_the_refusal() -> None:
    assert not may_grant(EntryProgress(unreached=1), RULE)
    assert granted(EntryProgress(unreached=2), RULE) == EntryProgress(unreached=2, granted=1)
    again = granted(EntryProgress(Stage.REFUSED, unreached=3), RULE)
    assert again == EntryProgress(Stage.CALL, unreached=3, granted=1)
    assert after(again, CallOutcome.UNREACHED, RULE).stage is Stage.REFUSED


def test_who_said_no_is_not_called_again_by_a_grant() -> None:
    refused = after(EntryProgress(), CallOutcome.REFUSED, RULE)
    assert not may_grant(refused, RULE)
    with pytest.raises(ValueError, match="nothing to grant"):
        granted(refused, RULE)


def test_a_closed_entry_takes_no_outcome() -> None:
    with pytest.raises(ValueError, match="takes no outcome"):
        after(EntryProgress(Stage.BOOKED), CallOutcome.THINKING, RULE)


def test_a_policy_shortened_meanwhile_makes_the_next_unreached_call_the_last() -> None:
    assert is_last_call(EntryProgress(unreached=2), RecallLimits(calls=1))
    grown = granted(EntryProgress(unreached=2), RecallLimits(calls=1))
    assert is_last_call(grown, RecallLimits(calls=1))
    assert grown.granted == 2


policies = st.builds(
    RecallLimits,
    calls=st.integers(1, 6),
    interval_days=st.integers(1, 30),
    talks_before_flag=st.integers(1, 5),
)


@given(policies, st.lists(st.sampled_from(list(OUTCOME_RULES))))
def test_never_more_unreached_calls_than_the_policy_says(
    rule: RecallLimits, outcomes: list[str]
) -> None:
    progress = EntryProgress()
    for outcome in outcomes:
        if progress.stage is not Stage.CALL:
            break
        progress = after(progress, outcome, rule)
    assert progress.unreached <= rule.calls
    if progress.unreached == rule.calls:
        assert progress.stage is Stage.REFUSED


@given(
    policies,
    st.integers(0, 4),
    st.lists(st.sampled_from([CallOutcome.THINKING, CallOutcome.REMIND]), max_size=8),
)
def test_a_patient_who_never_answers_always_ends_in_a_refusal(
    rule: RecallLimits, extra: int, talks: list[CallOutcome]
) -> None:
    progress = EntryProgress()
    for outcome in talks:
        progress = after(progress, outcome, rule)
    grants = calls = 0
    while progress.stage is Stage.CALL:
        progress = after(progress, CallOutcome.UNREACHED, rule)
        calls += 1
        if progress.stage is Stage.REFUSED and grants < extra:
            progress = granted(progress, rule)
            grants += 1
    assert calls == rule.calls + extra
    assert progress.stage is Stage.REFUSED


def test_a_policy_shortened_meanwhile_grants_nothing_against_the_patients_own_no() -> None:
    refused = after(EntryProgress(unreached=2), CallOutcome.REFUSED, RULE)
    assert not may_grant(refused, RecallLimits(calls=2))
    assert may_grant(after(EntryProgress(unreached=2), CallOutcome.UNREACHED, RULE), RULE)
