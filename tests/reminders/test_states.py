"""The colour of a number, over every combination of what messengers and SMS may have become and
what was answered.
"""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.messaging.states import MessageChannel, MessageState, VisitAnswer
from reminders.states import (
    CallResult,
    Colour,
    MessageStep,
    colour,
    is_uncertain,
    needs_day_call,
    needs_evening_call,
    sms_arrived,
)

S = MessageState

# One messenger alone, without an answer: its state, whether the next channel has taken over → the
# colour.
TABLE = {
    (S.QUEUED, False): Colour.NONE,
    (S.QUEUED, True): Colour.GREY,
    (S.SENDING, False): Colour.NONE,
    (S.SENDING, True): Colour.GREY,
    (S.ACCEPTED, False): Colour.NONE,
    (S.ACCEPTED, True): Colour.GREY,
    (S.DELIVERED, False): Colour.BLUE,
    (S.DELIVERED, True): Colour.BLUE,  # late, but it did
    (S.READ, False): Colour.BLUE,
    (S.READ, True): Colour.BLUE,
    (S.UNDELIVERED, False): Colour.GREY,
    (S.UNDELIVERED, True): Colour.GREY,
    (S.REFUSED, False): Colour.GREY,
    (S.REFUSED, True): Colour.GREY,
    (S.CANCELLED, False): Colour.GREY,
    (S.CANCELLED, True): Colour.GREY,
    (S.UNKNOWN, False): Colour.NONE,
    (S.UNKNOWN, True): Colour.GREY,
}


@pytest.mark.parametrize(("state", "given_up"), list(TABLE))
def test_one_messenger_without_an_answer(state: MessageState, given_up: bool) -> None:
    assert colour([MessageStep(MessageChannel.MAX, state, given_up)]) == TABLE[state, given_up]


@pytest.mark.parametrize(("first", "second", "sms"), list(itertools.product([None, *S], repeat=3)))
def test_every_combination_of_two_messengers_and_an_sms(
    first: MessageState | None, second: MessageState | None, sms: MessageState | None
) -> None:
    """In the order of the cascade: a channel that has a successor has been given up, unless it
    delivered.
    """
    states = [
        (MessageChannel.MAX, first),
        (MessageChannel.WHATSAPP, second),
        (MessageChannel.SMS, sms),
    ]
    present = [(channel, state) for channel, state in states if state is not None]
    steps = [
        MessageStep(channel, state, given_up=index < len(present) - 1)
        for index, (channel, state) in enumerate(present)
    ]
    messengers = [
        TABLE[S(step.state), step.given_up] for step in steps if step.channel != MessageChannel.SMS
    ]
    if not steps:
        expected = Colour.NONE
    elif Colour.BLUE in messengers:
        expected = Colour.BLUE
    elif Colour.NONE in messengers:
        expected = Colour.NONE
    elif messengers:
        expected = Colour.GREY
    else:  # an SMS alone: no messenger delivered it
        expected = Colour.NONE if sms in (S.QUEUED, S.SENDING) else Colour.GREY
    assert colour(steps) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("confirm", Colour.GREEN), ("move", Colour.ORANGE), ("cancel", Colour.RED)],
)
@pytest.mark.parametrize("state", list(S))
def test_an_answer_beats_any_delivery(state: MessageState, answer: str, expected: Colour) -> None:
    assert colour([MessageStep(MessageChannel.MAX, state)], answer) == expected
    assert colour([], answer) == expected


STEPS = st.lists(
    st.builds(
        MessageStep,
        st.sampled_from(MessageChannel.values),
        st.sampled_from(S.values),
        st.booleans(),
    ),
    max_size=5,
)


@given(STEPS, st.sampled_from(["", *VisitAnswer.values]))
def test_the_order_of_messages_does_not_matter(steps: list[MessageStep], answer: str) -> None:
    assert colour(steps, answer) == colour(steps[::-1], answer)


@given(STEPS)
def test_an_sms_never_makes_a_number_blue(steps: list[MessageStep]) -> None:
    without = [step for step in steps if step.channel != MessageChannel.SMS]
    assert (colour(steps) == Colour.BLUE) == (colour(without) == Colour.BLUE)


def test_an_unknown_message_has_a_warning_and_a_delivered_sms_has_a_word() -> None:
    steps = [
        MessageStep(MessageChannel.MAX, S.UNKNOWN, True),
        MessageStep(MessageChannel.SMS, S.DELIVERED),
    ]
    assert is_uncertain(steps)
    assert sms_arrived(steps)
    assert colour(steps) == Colour.GREY


@pytest.mark.parametrize("tone", list(Colour))
def test_the_evening_calls_everybody_neither_green_nor_pink(tone: Colour) -> None:
    assert needs_evening_call(tone, called=False) == (tone != Colour.GREEN)
    assert not needs_evening_call(tone, called=True)


@pytest.mark.parametrize(
    ("results", "called"),
    [
        ([], True),
        ([""], True),
        ([CallResult.UNREACHED], True),
        ([CallResult.NOT_COMING], True),
        ([CallResult.COMING], False),
        ([CallResult.WROTE], False),
        ([CallResult.COMING, CallResult.UNREACHED], False),
        ([CallResult.UNREACHED, CallResult.UNREACHED], True),
    ],
)
def test_the_morning_calls_whoever_has_not_said_that_he_comes(
    results: list[str], called: bool
) -> None:
    for tone in Colour:
        assert needs_day_call(tone, results) == (called and tone != Colour.GREEN)
