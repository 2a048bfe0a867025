"""The index of decisions agrees with their files."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "adr"
FILES = sorted(FOLDER.glob("[0-9]*.md"))
STATUSES = r"(?:proposed|accepted|rejected|replaced by \d{4})"


def _heading(path: Path) -> tuple[str, str, str, str]:
    """Number, title, status and date at the top of a decision."""
    found = re.match(
        rf"# (\d{{4}})\. (.+)\n\nStatus: ({STATUSES})  \nDate: (\d{{4}}-\d\d-\d\d)\n\n",
        path.read_text(),
    )
    assert found, f"{path.name} begins otherwise than number and title, status, date"
    number, title, status, date = found.groups()
    return number, title, status, date


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_named_by_its_number(path: Path) -> None:
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
    assert _heading(path)[0] == path.name[:4]


def test_the_index_lists_every_decision_in_order() -> None:
    rows = re.findall(
        rf"^\| (\d{{4}}) \| \[(.+)\]\((\S+)\) \| ({STATUSES}) \| (\S+) \|$",
        (FOLDER / "README.md").read_text(),
        re.MULTILINE,
    )
    assert rows == [
        (number, title, path.name, status, date)
        for path in FILES
        for number, title, status, date in [_heading(path)]
    ]
    assert len({number for number, *_ in rows}) == len(rows)
