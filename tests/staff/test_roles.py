"""Roles and capabilities: one row a role, in one module."""

import ast
from pathlib import Path

from callcenter.staff.roles import CAPABILITIES, EVERYONE, Capability, Role

ROOT = Path(__file__).parents[2]
APPS = ("callcenter", "journals", "reminders", "callback", "b2c_procedures", "reports")
# Modules that may list roles besides the table, and why.
ALLOWED = {
    "b2c_procedures/states.py": "the document's performers and the roles that act as them",
    "callcenter/clinics/management/commands/create_senior.py": "the roles of the first account",
}


def test_every_role_has_a_row_and_every_capability_a_role() -> None:
    assert set(CAPABILITIES) == set(Role)
    assert frozenset().union(*CAPABILITIES.values()) == set(Capability)
    assert set(EVERYONE) == set(Role)


def _names_a_role(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute) and node.attr == "value":
        node = node.value
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Role"
    )


def _lists_roles(node: ast.AST) -> bool:
    """Whether the node builds a set of roles: a tuple or set, a longer list, or arguments."""
    match node:
        case ast.Tuple(elts=items) | ast.Set(elts=items):
            return any(_names_a_role(item) for item in items)
        case ast.List(elts=items) | ast.Call(args=items):
            return len(items) > 1 and any(_names_a_role(item) for item in items)
    return False


def test_no_module_but_the_table_lists_roles() -> None:
    listing = {
        str(path.relative_to(ROOT))
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if not {"migrations", "demo"} & set(path.parts)
        for node in ast.walk(ast.parse(path.read_text()))
        if _lists_roles(node)
    }
    assert listing == set(ALLOWED)
