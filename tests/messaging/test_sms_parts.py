"""SMS parts at the borders of the standard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.messaging.sms_parts import size_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 0),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 159 + "€", 2),
        ("a" * 69 + "я", 1),
        ("a" * 70 + "я", 2),
        ("я" * 68 + "🦷", 1),
        ("я" * 69 + "🦷", 2),
        # the emoji's two halves may not be cut apart: 66 + 66 + 2, although 134 units would fill
        # two parts
        ("я" * 66 + "🦷" + "я" * 66, 3),
    ],
)
def test_parts_are_counted_as_the_network_bills_them(text: str, parts: int) -> None:
    assert size_of(text).parts == parts


def test_it_tells_how_many_letters_still_fit() -> None:
    assert size_of("я" * 60).left == 10
    assert size_of("я" * 71).left == 134 - 71


@given(st.text(max_size=400), st.text(max_size=50))
def test_a_longer_text_never_costs_less(text: str, more: str) -> None:
    assert size_of(text).parts <= size_of(text + more).parts


@given(st.text(min_size=1, max_size=700))
def test_no_part_holds_more_than_it_can(text: str) -> None:
    size = size_of(text)
    assert size.left >= 0
    assert size.parts == 1 or size.length > size.single
