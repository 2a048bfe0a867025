"""Numbers as people write them (table of accepted and refused shapes), and as the screen shows
them.
"""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.lib import phones


@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("+7 911 010-10-01", "+79110101001"),
        ("8-911-010-1001", "+79110101001"),
        ("(911) 0101001", "+79110101001"),
        ("7(777)0010101", "+77770010101"),
        ("8812-0000-111", "+78120000111"),
        ("9110101001", "+79110101001"),
        ("79110101001", "+79110101001"),
        (" 8 (911) 010 10 01 ; ", "+79110101001"),
        ("8\u00a0911\u00a0010\u201110\u201101", "+79110101001"),
        ("+7.911.010.10.01", "+79110101001"),
        ("+7 900 000-00-01", "+79000000001"),
        ("+375 29 123-45-67", "+375291234567"),
        ("+49 30 901820", "+4930901820"),
    ],
)
def test_any_usual_shape_becomes_one(written: str, e164: str) -> None:
    assert phones.parse(written) == e164


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "пуст"),
        ("   ", "пуст"),
        ("+89110001122", "после плюса стоит 8"),
        ("010-10-01", "не хватает цифр"),
        ("+7 911 010-10-01, +7 911 010-10-02", "два номера"),
        ("8 911 010-10-01 8 911 010-10-02", "два номера"),
        ("8911 0101001/0101002", "два номера"),
        ("+7 911 010-10-01 +7 911", "два номера"),
        ("89110101001 и 89110101002", "два номера"),
        ("89110101001 мама", "буквы"),
        ("+7 911 010-10-0", "такого номера не бывает"),
        ("1234567890", "такого номера не бывает"),
        ("+999 123 456 789", "не похоже на номер"),
    ],
)
def test_the_rest_is_refused_in_words(written: str, reason: str) -> None:
    with pytest.raises(phones.BadPhone, match=reason) as refusal:
        phones.parse(written)
    assert refusal.value.todo.endswith(".")


@given(st.text(max_size=40))
def test_no_text_is_more_than_a_bad_number(text: str) -> None:
    try:
        e164 = phones.parse(text)
    except phones.BadPhone:
        return
    assert e164.startswith("+")
    assert phones.parse(e164) == e164


@given(st.integers(0, 9_999))
def test_what_the_screen_shows_is_accepted_back(tail: int) -> None:
    e164 = f"+7900000{tail:04}"
    assert phones.parse(phones.format_phone(e164)) == e164


def test_the_screen_shows_and_masks() -> None:
    assert phones.format_phone("+79110101001") == "+7 (911) 010-10-01"
    assert phones.format_phone("+375291234567") == "+375 29 123-45-67"
    assert phones.masked("+79110101001") == "+7 (911) ***-**-01"
    assert phones.masked("+375291234567") == "***67"
    assert phones.masked("") == ""


@pytest.mark.parametrize(
    ("e164", "mobile"),
    [("+79110101001", True), ("+78120000111", False), ("+375291234567", True), ("nonsense", False)],
)
def test_a_text_message_goes_to_mobiles_only(e164: str, mobile: bool) -> None:
    assert phones.is_mobile(e164) is mobile


@given(
    st.sampled_from(["+7", "8", "7", "", "+7 ", "8-", "8 "]),
    st.from_regex(r"[0-9]{10}", fullmatch=True),
    st.sampled_from(["{}{}{}{}", "({}) {}-{}-{}", "{}-{}-{}-{}", " {} {} {} {}", "{}.{}.{}.{}"]),
)
@settings(max_examples=300)
def test_the_short_way_for_mobiles_says_what_the_long_way_says(
    prefix: str, digits: str, shape: str
) -> None:
    written = prefix + shape.format(digits[:3], digits[3:6], digits[6:8], digits[8:])

    def read() -> str:
        try:
            return phones.parse(written)
        except phones.BadPhone as error:
            return str(error)

    with pytest.MonkeyPatch.context() as patch:
        short = read()
        patch.setattr(phones, "_MOBILE", re.compile("(?!)"))
        assert read() == short
