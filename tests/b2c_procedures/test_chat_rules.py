"""docs/chat-rules.md names every rule of appendix 1, and no test that is not there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "chat-rules.md").read_text(encoding="utf-8")


def test_all_twenty_three_rules_are_named() -> None:
    assert sorted(re.findall(r"CH-\d\d", TABLE)) == [f"CH-{number:02}" for number in range(1, 24)]


def test_every_test_that_the_table_names_exists() -> None:
    files = [
        *Path(__file__).parent.glob("test_*.py"),
        ROOT / "tests" / "e2e" / "test_procedures.py",
    ]
    there = set(
        re.findall(r"def (test_\w+)", "".join(file.read_text(encoding="utf-8") for file in files))
    )
    named = set(re.findall(r"`(test_\w+)`", TABLE))
    assert len(named) > 15
    assert named - there == set()
