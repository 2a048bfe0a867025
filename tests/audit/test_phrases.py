"""Every deed that the code writes down has a Russian phrase, and before and after are shown in
words.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from callcenter.audit import actions as audit
from callcenter.audit import phrases
from callcenter.audit.models import AuditEntry
from tests.conftest import World

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("callcenter", "journals", "reminders", "callback", "b2c_procedures", "reports")
ACTION = re.compile(rf"({'|'.join(phrases.APPS)})\.[a-z_0-9]+")


def _deeds_of(path: Path) -> Iterator[str]:
    """Names of deeds in a module that writes into the journal: whole, or (a visit's history) put
    together from its kind.
    """
    source = path.read_text()
    if "audit.record(" not in source and "_record_change(" not in source:
        return
    labels = {model._meta.label_lower for model in apps.get_models()}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if ACTION.fullmatch(node.value) and node.value not in labels:
                yield node.value
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_write_down":
            kind = node.args[1]
            assert isinstance(kind, ast.Constant)
            assert isinstance(kind.value, str)
            yield f"clinics.{kind.value}"


def written() -> dict[str, str]:
    files = [
        path
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if "migrations" not in path.parts
    ]
    return {name: str(path.relative_to(ROOT)) for path in files for name in _deeds_of(path)}


def test_every_deed_has_a_phrase() -> None:
    missing = {
        name: where
        for name, where in written().items()
        # 'contacts.save_' goes on with a model's name: one phrase at least must begin so
        if name not in phrases.PHRASES
        and not (name.endswith("_") and any(one.startswith(name) for one in phrases.PHRASES))
    }
    assert not missing, f"add to PHRASES of callcenter/audit/phrases.py: {missing}"


def test_the_first_word_of_an_action_is_an_app_that_the_filter_knows() -> None:
    assert {name.partition(".")[0] for name in written()} <= set(phrases.APPS)


def test_nothing_is_written_down_under_a_name_that_the_test_cannot_see() -> None:
    """A first argument that is neither text, nor a name bound to text in the same module, would
    slip through.
    """
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and ast.unparse(node.func).endswith("audit.record")
                    and node.args
                ):
                    assert isinstance(
                        node.args[0], ast.Constant | ast.Name | ast.IfExp | ast.JoinedStr
                    ), path


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({"extension": ""}, {"extension": "107"}, [("внутренний номер", "—", "107")]),
        ({"is_active": True}, {"is_active": False}, [("работает", "да", "нет")]),
        ({"roles": ["senior"]}, {"roles": ["senior", "doctor"]},
         [("роли", "старший администратор", "старший администратор, врач")]),
        ({"on": "2026-03-18", "colour": None}, {"on": "2026-03-18", "colour": "yellow"},
         [("день", None, "18.03.2026"), ("смена", "—", "жёлтая")]),
        (None, {"created_at": "2026-03-18T09:00:00+00:00"}, [("created at", None, "18.03.2026 12:00")]),
        (None, {"strange_thing": "1-2-3"}, [("strange thing", None, "1-2-3")]),
    ],
)  # fmt: skip
def test_before_and_after_in_words(
    world: World,
    before: dict[str, object] | None,
    after: dict[str, object],
    lines: list[tuple[str, str | None, str]],
) -> None:
    entry = audit.record(
        "staff.change_user", world.senior, by=None, now=world.now, before=before, after=after
    )
    shown = [
        (line.name, line.was, line.became) for line in phrases.field_changes(entry, "Europe/Moscow")
    ]
    assert shown == lines


def test_an_entry_of_a_former_version_still_opens() -> None:
    entry = AuditEntry(
        action="staff.forgotten",
        object_kind="gone.model",
        before={"x": 1},
        after={"x": {"y": [True]}},
    )
    assert phrases.phrase(entry.action) == "staff.forgotten"
    assert [(line.was, line.became) for line in phrases.field_changes(entry, "Europe/Moscow")] == [
        ("1", "y: да")
    ]
