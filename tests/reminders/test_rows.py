"""A row's HTML is written in Python: whatever people and providers have written comes out escaped."""

import dataclasses

import pytest

from reminders.queries.rows import ReminderRow
from reminders.states import Colour
from reminders.templatetags.reminder_rows import RowContext, row_html

EVIL = "<script>\"&'"
KINDS = {"int": 7, "bool": True, "str": EVIL, "Colour": Colour.BLUE}


def evil(**changes: object) -> ReminderRow:
    """A row whose every text is an attempt to break out of its cell."""
    fields = {
        field.name: KINDS[getattr(field.type, "__name__", str(field.type))]
        for field in dataclasses.fields(ReminderRow)
    }
    return dataclasses.replace(ReminderRow(**{**fields, "order": "1"}), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("round", ["evening", "day"])
@pytest.mark.parametrize(
    "row",
    [
        evil(),
        evil(left="", calling="", mine=False, is_today=False),
        evil(left="", calling="", mine=False, called=False, answer="", reply_id=0, number=""),
        evil(left="", calling="", result="", result_word="", is_today=False),
    ],
)
def test_nothing_that_anybody_wrote_becomes_markup(row: ReminderRow, round: str) -> None:
    html = row_html(row, RowContext(round, can_work=True, several=True), EVIL if row.mine else "")
    assert "<script>" not in html
    assert "&lt;script&gt;&quot;&amp;&#x27;" in html
    assert html.replace("&quot;", "").count('"') % 2 == 0


def test_a_row_of_today_asks_for_the_answers_of_the_day_call() -> None:
    plain = evil(left="", calling="", result="", mine=False, is_today=False)
    look = RowContext("evening", can_work=True, several=False)
    assert "/result/" in row_html(plain, look)
    today = row_html(dataclasses.replace(plain, is_today=True), look)
    assert "/result/" not in today
    assert "записать" in today


def test_who_only_watches_gets_no_buttons() -> None:
    html = row_html(evil(left="", calling=""), RowContext("evening", can_work=False, several=False))
    assert "<button" not in html
    assert "data-mark" not in html
