"""The engine: every edge can be taken, every walk can end, going back restores, replay gives the
same screen.
"""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b2c_procedures.definition import packaged
from b2c_procedures.engine import (
    ALL,
    BACK,
    BadMove,
    Screen,
    presses,
    repeated,
    result_entry,
    shortest_end,
    start_entry,
    step,
    way_to,
)

BOOK = packaged()
History = list[dict[str, Any]]


@pytest.mark.parametrize("number", sorted(BOOK))
def test_every_edge_of_the_procedure_leads_to_a_screen(number: int) -> None:
    procedure = BOOK[number]
    for function, button in presses(procedure, BOOK):
        history = way_to(procedure, function.id, BOOK)
        screen = step(BOOK, history)
        assert screen.function == function
        after = step(BOOK, [*history, result_entry(screen, button)])
        inner = [target.function for target in button.targets if target.function]
        entered = [
            target.enters for target in button.targets if target.enters and not function.is_and
        ]
        if inner:
            assert after.function is not None
            assert after.function.id == inner[0]
        elif entered:
            assert after.procedure.number == entered[0]
            assert after.below == (number,)
        else:
            assert after.kind == "end"


def walk(start: int, choices: list[int]) -> History:
    history: History = [start_entry(BOOK[start])]
    for choice in choices:
        screen = step(BOOK, history)
        if screen.kind == "end":
            break
        history.append(result_entry(screen, screen.buttons[choice % len(screen.buttons)]))
    return history


def finish(history: History) -> tuple[History, Screen]:
    """Goes on by the shortest way out; fails if that does not come to an end."""
    for _ in range(200):
        screen = step(BOOK, history)
        if screen.kind == "end":
            return history, screen
        if screen.kind == "returned":
            key = ALL if any(button.key == ALL for button in screen.buttons) else "on"
        else:
            assert screen.function is not None
            key = shortest_end(screen.procedure, BOOK)[screen.function.id]
        history = [*history, result_entry(screen, screen.button(key))]
    raise AssertionError("the walk did not end")


walks = st.tuples(st.sampled_from(sorted(BOOK)), st.lists(st.integers(0, 11), max_size=40))


@settings(max_examples=150)
@given(walks)
def test_from_wherever_people_wander_there_is_a_way_to_the_end(
    drawn: tuple[int, list[int]],
) -> None:
    _, screen = finish(walk(*drawn))
    assert screen.buttons == ()


@settings(max_examples=150)
@given(walks, st.integers(0, 11))
def test_back_restores_the_screen_before(drawn: tuple[int, list[int]], choice: int) -> None:
    history = walk(*drawn)
    before = step(BOOK, history)
    if before.kind == "end":
        return
    after = [*history, result_entry(before, before.buttons[choice % len(before.buttons)])]
    assert step(BOOK, [*after, {"kind": BACK, "reason": "ошибся"}]) == before


@settings(max_examples=80)
@given(walks)
def test_replay_gives_the_same_screen_and_notes_change_nothing(
    drawn: tuple[int, list[int]],
) -> None:
    history = walk(*drawn)
    noted: History = []
    for entry in history:
        noted += [entry, {"kind": "note", "text": "клиент торопится"}, {"kind": "hold"}]
    assert step(BOOK, history) == step(BOOK, list(history)) == step(BOOK, noted)


def press(history: History, *keys: str) -> History:
    for key in keys:
        screen = step(BOOK, history)
        history = [*history, result_entry(screen, screen.button(key))]
    return history


def test_a_link_continues_in_that_procedure_and_returns_to_the_step_it_left() -> None:
    history = press(way_to(BOOK[10], "10.3", BOOK), "2")
    inside = step(BOOK, history)
    assert (inside.procedure.number, inside.below) == (1, (10,))
    assert inside.function is not None
    assert inside.function.id == "1.1"
    history, _ = finish_inner(history)
    back = step(BOOK, history)
    assert (back.kind, back.procedure.number, back.returned_from) == ("returned", 10, 1)
    again = step(BOOK, press(history, "again"))
    assert again.function is not None
    assert again.function.id == "10.3"
    assert step(BOOK, press(history, "on")).kind == "end"


def finish_inner(history: History) -> tuple[History, Screen]:
    while (screen := step(BOOK, history)).kind == "function":
        assert screen.function is not None
        key = shortest_end(screen.procedure, BOOK)[screen.function.id]
        history = [*history, result_entry(screen, screen.button(key))]
    return history, screen


def test_both_results_of_an_and_function_happen_with_one_press() -> None:
    screen = step(BOOK, way_to(BOOK[3], "3.9", BOOK))
    assert [button.key for button in screen.buttons] == ["all"]
    after = step(BOOK, press(way_to(BOOK[3], "3.9", BOOK), "all"))
    assert after.function is not None
    assert after.function.id == "3.10"
    assert after.passed_to == ("Обеспечение логистики для собственных нужд",)


def test_the_norm_of_a_repeated_question_counts_when_it_is_repeated() -> None:
    history = press([start_entry(BOOK[1])], "1")
    first = step(BOOK, history).norm
    again = step(BOOK, press(history, "1", "1", "1")).norm
    assert first is not None
    assert again is not None
    assert (first.text, again.text) == ("3 minutes", "1 minute")


def test_a_press_meant_for_another_step_is_refused() -> None:
    history = press([start_entry(BOOK[1])], "1")
    with pytest.raises(BadMove):
        step(BOOK, [*history, {"kind": "result", "function": "1.1", "choice": "1"}])
    with pytest.raises(BadMove):
        step(BOOK, [*history, {"kind": "result", "function": "1.2", "choice": "9"}])
    with pytest.raises(BadMove):
        step(BOOK, [start_entry(BOOK[1]), {"kind": BACK}])


def test_every_wait_for_the_client_can_be_repeated_without_end_and_still_ended() -> None:
    history = way_to(BOOK[13], "13.7", BOOK)
    for _ in range(5):
        history = press(history, "1")
        screen = step(BOOK, history)
        assert screen.function is not None
        assert screen.function.id == "13.7"
    assert finish(history)[1].kind == "end"


def test_dates_of_versions_are_dates() -> None:
    assert BOOK[1].valid_from == dt.date(2024, 1, 1)


def test_questions_asked_again_are_marked_in_the_definitions() -> None:
    assert repeated(BOOK) == {
        ("1.4", "1"), ("2.3", "1"), ("2.3", "2"), ("6.5", "1"), ("7.4", "2a"), ("7.4", "2b"), ("10.3", "2"),
    }  # fmt: skip
