"""No line of a template, style or script is longer than the formatters' width: they break tags and
rules, never a long word, comment or template tag.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 120


@pytest.mark.parametrize(
    ("folder", "names"), [("templates", "*.html"), ("static/css", "*.css"), ("static/js", "*.js")]
)
def test_no_line_is_longer_than_the_width(folder: str, names: str) -> None:
    files = sorted((ROOT / folder).rglob(names))
    assert files
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > WIDTH
    ]
    assert long == []
