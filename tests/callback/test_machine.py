"""Every pair of a state and an event, the impossible ones too, against a table written out
by hand.
"""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback import state_machine
from callback.state_machine import (
    NoTransition,
    RequestEvent,
    RequestState,
    TransitionEffect,
    TransitionRule,
)

CODES: Final = {
    "wt": RequestState.WAITING,
    "rg": RequestState.RINGING,
    "ask": RequestState.ASKING,
    "spk": RequestState.SPEAKING,
    "chs": RequestState.CHOOSING,
    "dl": RequestState.DIALLING,
    "tlk": RequestState.TALKING,
    "tel": RequestState.TELLING,
    "ltr": RequestState.LATER,
    "psd": RequestState.PAUSED,
    "ppl": RequestState.PEOPLE,
    "esc": RequestState.ESCALATED,
    "dn": RequestState.DONE,
    "cl": RequestState.CLOSED,
    "jn": RequestState.JOINED,
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
patient_called_in      psd   . psd psd psd   .   .   .   .   .   .   .   .   .   .
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


def pairs() -> list[tuple[RequestState, RequestEvent, str]]:
    head, *lines = GRID.strip().splitlines()
    states = [CODES[code] for code in head.split()[1:]]
    return [
        (state, RequestEvent(event), cell)
        for event, *cells in (line.split() for line in lines)
        for state, cell in zip(states, cells, strict=True)
    ]


@pytest.mark.parametrize(("state", "event", "cell"), pairs(), ids=lambda value: str(value))
def test_the_table(state: RequestState, event: RequestEvent, cell: str) -> None:
    row = state_machine.rule_for(state, event)
    if cell == ".":
        assert row is NoTransition.IGNORED
    elif cell == "x":
        assert row is NoTransition.REFUSED
    else:
        assert isinstance(row, TransitionRule)
        assert row.state == CODES[cell]


def test_the_written_table_knows_every_state_and_every_event() -> None:
    known = {(state, event) for state, event, _ in pairs()}
    assert (
        known
        == {(state, event) for state in RequestState for event in RequestEvent}
        == set(state_machine.TABLE)
    )


def steps() -> list[tuple[RequestState, RequestEvent, TransitionRule]]:
    return [
        (state, event, row)
        for (state, event), row in state_machine.TABLE.items()
        if isinstance(row, TransitionRule)
    ]


def test_who_leaves_the_telephone_ends_the_attempt() -> None:
    for state, event, row in steps():
        if state in state_machine.IN_CALL and row.state not in state_machine.IN_CALL:
            assert TransitionEffect.END_ATTEMPT in row.effects, (state, event)


def test_an_attempt_begins_only_from_waiting() -> None:
    assert [
        (state, event)
        for state, event, row in steps()
        if TransitionEffect.BEGIN_ATTEMPT in row.effects
    ] == [(RequestState.WAITING, RequestEvent.START)]


def test_whoever_waits_again_after_a_call_has_a_time_to_wait_for() -> None:
    for state, event, row in steps():
        if state in state_machine.IN_CALL and row.state == RequestState.WAITING:
            assert TransitionEffect.REDIAL in row.effects, (state, event)
            assert TransitionEffect.LETTER_DETAILS in row.effects, (state, event)


def test_every_end_is_finished_and_every_escalation_has_its_letter_and_task() -> None:
    for _, event, row in steps():
        if row.state in state_machine.FINAL or row.state == RequestState.ESCALATED:
            assert TransitionEffect.FINISH in row.effects
        if row.state == RequestState.ESCALATED:
            assert {TransitionEffect.LETTER_CALL_BACK, TransitionEffect.TASK} <= set(row.effects), (
                event
            )


def test_the_patient_is_dialled_only_after_a_choice_and_connected_only_when_he_answers() -> None:
    for _, event, row in steps():
        assert (TransitionEffect.DIAL_PATIENT in row.effects) == (
            event == RequestEvent.CHOSE_CONNECT
        )
        assert (TransitionEffect.CONNECT in row.effects) == (event == RequestEvent.PATIENT_ANSWERED)


@given(st.lists(st.sampled_from(RequestEvent), max_size=60))
def test_from_any_open_state_the_clock_alone_leads_to_an_end(events: list[RequestEvent]) -> None:
    state = RequestState.WAITING
    for event in events:
        row = state_machine.rule_for(state, event)
        state = row.state if isinstance(row, TransitionRule) else state
    for _ in range(3):  # what the clock brings when nobody does anything more
        for event in (RequestEvent.SILENCE, RequestEvent.WINDOW_OVER):
            row = state_machine.rule_for(state, event)
            state = row.state if isinstance(row, TransitionRule) else state
    assert state in (*state_machine.FINAL, RequestState.ESCALATED)
