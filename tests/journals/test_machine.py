"""The table of Журнал КОС, line by line, and what holds for any sequence of outcomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journals.outcome_rules import (
    LAST_UNREACHED,
    NextDate,
    Outcome,
    Policy,
    Position,
    Stage,
    after,
    effect,
    granted,
    is_flagged,
    is_last_call,
    may_grant,
)

RULE = Policy()


@pytest.mark.parametrize(
    ("outcome", "stage", "next_date", "asks"),
    [
        (Outcome.BOOKED, Stage.BOOKED, NextDate.NONE, {"window", "comment"}),
        (Outcome.UNREACHED, Stage.CALL, NextDate.INTERVAL, {"reason", "comment"}),
        (Outcome.THINKING, Stage.CALL, NextDate.CHOSEN, {"reason", "comment"}),
        (Outcome.REMIND, Stage.CALL, NextDate.WAITING_LIST, {"call_on", "comment"}),
        (Outcome.REFUSED, Stage.REFUSED, NextDate.NONE, {"reason", "comment"}),
    ],
)
def test_the_first_call_follows_the_documents_table(
    outcome: Outcome, stage: Stage, next_date: NextDate, asks: set[str]
) -> None:
    line = effect(Position(), outcome, RULE)
    assert (line.stage, line.next_date, set(line.asks)) == (stage, next_date, asks)


def test_the_third_unreached_call_demands_a_refusal() -> None:
    position = after(after(Position(), Outcome.UNREACHED, RULE), Outcome.UNREACHED, RULE)
    assert position == Position(Stage.CALL, unreached=2)
    assert effect(position, Outcome.UNREACHED, RULE) is LAST_UNREACHED
    assert after(position, Outcome.UNREACHED, RULE) == Position(Stage.REFUSED, unreached=3)


def test_thinking_and_reminding_do_not_count_as_unreached() -> None:
    position = Position()
    for outcome in (Outcome.UNREACHED, Outcome.THINKING, Outcome.UNREACHED, Outcome.REMIND):
        position = after(position, outcome, RULE)
    assert position == Position(Stage.CALL, unreached=2, talks=2)


def test_three_talks_without_a_result_raise_the_flag() -> None:
    assert not is_flagged(Position(talks=2), RULE)
    assert is_flagged(Position(talks=3), RULE)
    assert not is_flagged(Position(Stage.BOOKED, talks=3), RULE)


def test_the_senior_grants_one_more_call_before_or_after_the_refusal() -> None:
    assert not may_grant(Position(unreached=1), RULE)
    assert granted(Position(unreached=2), RULE) == Position(unreached=2, granted=1)
    again = granted(Position(Stage.REFUSED, unreached=3), RULE)
    assert again == Position(Stage.CALL, unreached=3, granted=1)
    assert after(again, Outcome.UNREACHED, RULE).stage is Stage.REFUSED


def test_who_said_no_is_not_called_again_by_a_grant() -> None:
    refused = after(Position(), Outcome.REFUSED, RULE)
    assert not may_grant(refused, RULE)
    with pytest.raises(ValueError, match="nothing to grant"):
        granted(refused, RULE)


def test_a_closed_entry_takes_no_outcome() -> None:
    with pytest.raises(ValueError, match="takes no outcome"):
        after(Position(Stage.BOOKED), Outcome.THINKING, RULE)


def test_a_policy_shortened_meanwhile_makes_the_next_unreached_call_the_last() -> None:
    assert is_last_call(Position(unreached=2), Policy(calls=1))
    grown = granted(Position(unreached=2), Policy(calls=1))
    assert is_last_call(grown, Policy(calls=1))
    assert grown.granted == 2


policies = st.builds(
    Policy, calls=st.integers(1, 6), interval_days=st.integers(1, 30), talks_before_flag=st.integers(1, 5)
)


@given(policies, st.lists(st.sampled_from(Outcome)))
def test_never_more_unreached_calls_than_the_policy_says(rule: Policy, outcomes: list[Outcome]) -> None:
    position = Position()
    for outcome in outcomes:
        if position.stage is not Stage.CALL:
            break
        position = after(position, outcome, rule)
    assert position.unreached <= rule.calls
    if position.unreached == rule.calls:
        assert position.stage is Stage.REFUSED


@given(policies, st.integers(0, 4), st.lists(st.sampled_from([Outcome.THINKING, Outcome.REMIND]), max_size=8))
def test_a_patient_who_never_answers_always_ends_in_a_refusal(rule: Policy, extra: int, talks: list[Outcome]) -> None:
    position = Position()
    for outcome in talks:
        position = after(position, outcome, rule)
    grants = calls = 0
    while position.stage is Stage.CALL:
        position = after(position, Outcome.UNREACHED, rule)
        calls += 1
        if position.stage is Stage.REFUSED and grants < extra:
            position = granted(position, rule)
            grants += 1
    assert calls == rule.calls + extra
    assert position.stage is Stage.REFUSED


def test_a_policy_shortened_meanwhile_grants_nothing_against_the_patients_own_no() -> None:
    refused = after(Position(unreached=2), Outcome.REFUSED, RULE)
    assert not may_grant(refused, Policy(calls=2))
    assert may_grant(after(Position(unreached=2), Outcome.UNREACHED, RULE), RULE)
