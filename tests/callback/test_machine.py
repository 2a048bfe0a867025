"""Every pair of a state and an event, the impossible ones too, against a table written out by hand."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback import state_machine
from callback.state_machine import Answer, Effect, Event, State, Step

CODES: Final = {
    "wt": State.WAITING,
    "rg": State.RINGING,
    "ask": State.ASKING,
    "spk": State.SPEAKING,
    "chs": State.CHOOSING,
    "dl": State.DIALLING,
    "tlk": State.TALKING,
    "tel": State.TELLING,
    "ltr": State.LATER,
    "psd": State.PAUSED,
    "ppl": State.PEOPLE,
    "esc": State.ESCALATED,
    "dn": State.DONE,
    "cl": State.CLOSED,
    "jn": State.JOINED,
}
# What each event makes of each state; '.' = ignored, 'x' = refused aloud.
GRID: Final = """
event                wt  rg ask spk chs  dl tlk tel ltr psd ppl esc  dn  cl  jn
start                rg   .   .   .   .   .   .   .   .   .   .   .   .   .   .
nobody               wt   .   .   .   .   .   .   .   .   .   .   .   .   .   .
pbx_away             wt   .   .   .   .   .   .   .   .   .   .   .   .   .   .
speech_failed         . esc esc esc esc esc   .  wt   .   .   .   .   .   .   .
window_over         esc   .   .   .   .   .   .   . esc esc esc   .   .   .   .
silence               .  wt  wt  wt  wt  wt psd  wt   .   .   .   .   .   .   .
booked               cl   .  cl  cl  cl   .   .   .  cl  cl  cl  cl   .   .   .
forbidden            cl   .  cl  cl  cl   .   .   .  cl  cl  cl  cl   .   .   .
called_himself      psd   . psd psd psd   .   .   .   .   .   .   .   .   .   .
patient_in_call      wt   . tel tel tel tel   .   .   .   .   .   .   .   .   .
admin_answered        . ask   .   .   .   .   .   .   .   .   .   .   .   .   .
admin_failed          .  rg   .   .   .   .   .   .   .   .   .   .   .   .   .
admins_exhausted      .  wt   .   .   .   .   .   .   .   .   .   .   .   .   .
hours_over            .  wt   .   .   . tel   .   .   .   .   .   .   .   .   .
admin_gone            .   .  wt  wt  wt  wt   .  wt   .   .   .   .   .   .   .
key                   .   . spk   .   .   .   .   .   .   .   .   .   .   .   .
no_key                .   .  wt   .   .   .   .   .   .   .   .   .   .   .   .
speech_ended          .   .   . chs   .   .   .   .   .   .   .   .   .   .   .
chose_connect         .   .   .  dl  dl   .   .   .   .   .   .   .   .   .   .
chose_booked          .   .   .  cl  cl   .   .   .   .   .   .   .   .   .   .
chose_later           .   .   . ltr ltr   .   .   .   .   .   .   .   .   .   .
chose_not_ours        .   .   .  cl  cl   .   .   .   .   .   .   .   .   .   .
patient_answered      .   .   .   .   . tlk   .   .   .   .   .   .   .   .   .
patient_failed        .   .   .   .   . tel   .   .   .   .   .   .   .   .   .
patient_last_failed   .   .   .   .   . tel   .   .   .   .   .   .   .   .   .
talked                .   .   .   .   .   .  dn   .   .   .   .   .   .   .   .
talked_short          .   .   .   .   .   .  wt   .   .   .   .   .   .   .   .
talk_lost             .   .   .   .   .   . psd   .   .   .   .   .   .   .   .
told                  .   .   .   .   .   .   .  wt   .   .   .   .   .   .   .
call_now             wt   x   x   x   x   x   x   x   x   x   x   x   x   x   x
take                ppl ppl ppl ppl ppl ppl ppl ppl ppl ppl ppl ppl   x   x   x
stop                 cl  cl  cl  cl  cl  cl  cl  cl  cl  cl  cl  cl   x   x   x
mark_done            cl  cl  cl  cl  cl  cl  cl  cl  cl  cl  cl  cl   x   x   x
continue              x   x   x   x   x   x   x   x  wt  wt  wt  wt   x   x   x
postpone             wt   x   x   x   x   x   x   x  wt  wt  wt  wt   x   x   x
undo                  x   x   x   x   x   x   x   x   x   x   x   x   x  wt   x
join                 jn  jn  jn  jn  jn  jn  jn  jn   .   .   .   .   .   .   .
"""


def pairs() -> list[tuple[State, Event, str]]:
    head, *lines = GRID.strip().splitlines()
    states = [CODES[code] for code in head.split()[1:]]
    return [
        (state, Event(event), cell)
        for event, *cells in (line.split() for line in lines)
        for state, cell in zip(states, cells, strict=True)
    ]


@pytest.mark.parametrize(("state", "event", "cell"), pairs(), ids=lambda value: str(value))
def test_the_table(state: State, event: Event, cell: str) -> None:
    row = state_machine.step(state, event)
    if cell == ".":
        assert row is Answer.IGNORED
    elif cell == "x":
        assert row is Answer.REFUSED
    else:
        assert isinstance(row, Step)
        assert row.state == CODES[cell]


def test_the_written_table_knows_every_state_and_every_event() -> None:
    known = {(state, event) for state, event, _ in pairs()}
    assert known == {(state, event) for state in State for event in Event} == set(state_machine.TABLE)


def steps() -> list[tuple[State, Event, Step]]:
    return [(state, event, row) for (state, event), row in state_machine.TABLE.items() if isinstance(row, Step)]


def test_who_leaves_the_telephone_ends_the_attempt() -> None:
    for state, event, row in steps():
        if state in state_machine.IN_CALL and row.state not in state_machine.IN_CALL:
            assert Effect.END_ATTEMPT in row.effects, (state, event)


def test_an_attempt_begins_only_from_waiting() -> None:
    assert [(state, event) for state, event, row in steps() if Effect.BEGIN_ATTEMPT in row.effects] == [
        (State.WAITING, Event.START)
    ]


def test_whoever_waits_again_after_a_call_has_a_time_to_wait_for() -> None:
    for state, event, row in steps():
        if state in state_machine.IN_CALL and row.state == State.WAITING:
            assert Effect.REDIAL in row.effects, (state, event)
            assert Effect.LETTER_DETAILS in row.effects, (state, event)


def test_every_end_is_finished_and_every_escalation_has_its_letter_and_task() -> None:
    for _, event, row in steps():
        if row.state in state_machine.FINAL or row.state == State.ESCALATED:
            assert Effect.FINISH in row.effects
        if row.state == State.ESCALATED:
            assert {Effect.LETTER_CALL_BACK, Effect.TASK} <= set(row.effects), event


def test_the_patient_is_dialled_only_after_a_choice_and_connected_only_when_he_answers() -> None:
    for _, event, row in steps():
        assert (Effect.DIAL_PATIENT in row.effects) == (event == Event.CHOSE_CONNECT)
        assert (Effect.CONNECT in row.effects) == (event == Event.PATIENT_ANSWERED)


@given(st.lists(st.sampled_from(Event), max_size=60))
def test_from_any_open_state_the_clock_alone_leads_to_an_end(events: list[Event]) -> None:
    state = State.WAITING
    for event in events:
        row = state_machine.step(state, event)
        state = row.state if isinstance(row, Step) else state
    for _ in range(3):  # what the clock brings when nobody does anything more
        for event in (Event.SILENCE, Event.WINDOW_OVER):
            row = state_machine.step(state, event)
            state = row.state if isinstance(row, Step) else state
    assert state in (*state_machine.FINAL, State.ESCALATED)
