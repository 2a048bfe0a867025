"""Each row of docs/glossary.md names code that exists."""

import importlib
import re
from operator import attrgetter
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| On the screen")
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_a_row_names_code_that_exists(row: tuple[str, ...]) -> None:
    screen, english, code, where, meaning = row
    assert screen
    assert meaning
    assert re.fullmatch(r"[\w -]+(, [\w -]+)*", english, re.ASCII), english
    module = importlib.import_module(where.strip("`"))
    attrgetter(code.strip("`"))(module)


def test_a_code_name_and_an_english_word_stand_once() -> None:
    codes = [(row[2], row[3]) for row in ROWS]
    assert sorted({code for code in codes if codes.count(code) > 1}) == []
    words = [row[1] for row in ROWS]
    assert sorted({word for word in words if words.count(word) > 1}) == []
