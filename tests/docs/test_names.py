"""Names tell where a thing is: a class name occurs once, a module name once in an app, the fixed file
names mean the same everywhere, and no identifier is a metaphor.
"""

import ast
import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("callcenter", "journals", "reminders", "callback", "b2c_procedures", "reports")
WIDTH: Final = 100
LONG_LINES: Final = Path(__file__).with_name("long_lines.txt")

# Django finds these by their name.
CLASSES_BY_CONVENTION: Final = {"Meta", "Migration", "Command"}

# What each app may have, with the same meaning everywhere.
FIXED_FILES: Final = {
    "__init__",
    "__main__",
    "models",
    "actions",
    "queries",
    "views",
    "forms",
    "tables",
    "panels",
    "urls",
    "tasks",
    "states",
    "schedule",
    "apps",
    "admin",
}
# Folders of an app between which the name of a subject may repeat.
ROLE_FOLDERS: Final = {
    "models",
    "actions",
    "queries",
    "views",
    "forms",
    "tables",
    "gateways",
    "pbx",
    "webhooks",
    "steps",
    "rules",
    "speech",
    "templatetags",
}
# Modules beside the role folders that share a subject's name all the same.
SAME_SUBJECT_AT_THE_ROOT: Final = {
    "callcenter/staff/access.py": "the decorators of views; templatetags/access.py asks the same",
    "callback/report.py": "the figures, in queries; views/report.py shows them",
    "reminders/report.py": "the figures, in queries; views/report.py shows them",
}

WRITES: Final = {
    "save",
    "create",
    "acreate",
    "bulk_create",
    "bulk_update",
    "get_or_create",
    "update_or_create",
    "delete",
    "update",
}
# Views that write without an action.
VIEWS_THAT_WRITE: Final[dict[str, tuple[set[str], str]]] = {
    "callcenter/telephony/views/phone.py": (
        {"BrowserPhoneAction.objects.create"},
        "the demo's telephone in the browser: what is pressed is told to the simulator",
    ),
    "callcenter/contacts/views/dictionaries.py": (
        {"form.save", "row.save", "row.delete"},
        "a dictionary is its form: one row, with its entry of the audit log beside it",
    ),
    "callcenter/messaging/views/settings.py": (
        {"Provider.objects.create"},
        "an empty gateway to be filled in; the form that fills it calls an action",
    ),
    "callback/views/settings.py": (
        {"form.save"},
        "one row of settings, with its entry of the audit log beside it",
    ),
    "b2c_procedures/views/reference.py": (
        {"form.save"},
        "reference data is its form: one row, with its entry of the audit log beside it",
    ),
    "b2c_procedures/views/versions.py": (
        {"form.save"},
        "one row of settings, with its entry of the audit log beside it",
    ),
}

METAPHORS: Final = re.compile(
    r"(?:^|_)(desks?|floors?|rooms?|stamps?|stamped|veil(?:s|ed)?|hush|tether(?:s|ed)?|deeds?|glass|hauler)(?=_|$)"
)
# Identifiers in which the word means the thing itself.
LITERAL_MEANINGS: Final = {
    "open_help_desk": "Help Desk, the system of the source document",
    "HELP_DESK": "Help Desk, the system of the source document",
    "floor": "math.floor",
    "room": "how much still fits",
    "rooms": "how much still fits, by person",
}
# What is still to be renamed; a line goes with its names, none is added.
STILL_METAPHORS: Final[dict[str, set[str]]] = {
    "b2c_procedures/actions/orders.py": {"deed"},
    "b2c_procedures/steps/forms.py": {"deed"},
    "b2c_procedures/urls.py": {"chat_deed"},
    "b2c_procedures/views/chats.py": {"chat_deed"},
    "b2c_procedures/views/runs.py": {"_DEEDS"},
    "callback/actions/transitions.py": {"closed_by_floor"},
    "callback/models.py": {"closed_by_floor"},
    "callback/report.py": {"closed_by_floor"},
    "callcenter/contacts/actions/recompute.py": {"deed", "deed_of", "stamp", "stamps"},
    "callcenter/contacts/actions/results.py": {"_KIND_OF_DEED"},
    "callcenter/contacts/queries.py": {"deed_of"},
    "callcenter/contacts/rules/caller_types.py": {"ORIGIN_OF_DEED", "deed", "deeds"},
    "callcenter/contacts/rules/decide.py": {"deed"},
    "callcenter/contacts/rules/outcomes.py": {"deed"},
    "callcenter/contacts/rules/result_matching.py": {"ORIGIN_OF_DEED", "deed"},
    "callcenter/telephony/actions/browser_phones.py": {"deeds", "hush"},
    "callcenter/telephony/actions/staff_phones.py": {"deed"},
    "callcenter/telephony/pbx/simulator.py": {"_take_deeds", "deed", "deeds", "hush"},
    "callcenter/telephony/robot.py": {"deed"},
    "callcenter/telephony/views/phone.py": {"deed"},
    "journals/actions/entries.py": {"deeds"},
    "reports/row_presenter.py": {"deeds"},
    "reports/templatetags/history.py": {"_deed"},
}


@functools.cache
def _modules() -> dict[str, ast.Module]:
    """The product's modules by their path, migrations left out."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text())
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.parts
    }


def _app(path: str) -> str:
    parts = path.split("/")
    return "/".join(parts[: 2 if parts[0] == "callcenter" and len(parts) > 2 else 1])


def _in_role(path: str, role: str) -> bool:
    """Whether the module is the role's file, or stands in the role's folder."""
    inside = Path(path.removeprefix(_app(path) + "/"))
    return inside.parts[0] in (role, f"{role}.py")


def test_a_class_name_occurs_once() -> None:
    places = defaultdict(list)
    for path, module in _modules().items():
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path)
    assert {
        name: where
        for name, where in places.items()
        if len(where) > 1 and name not in CLASSES_BY_CONVENTION
    } == {}


def test_a_module_name_occurs_once_in_an_app() -> None:
    places = defaultdict(list)
    for path in _modules():
        if Path(path).stem in FIXED_FILES or path in SAME_SUBJECT_AT_THE_ROOT:
            continue
        folder = Path(path).parent.name
        place = folder if folder in ROLE_FOLDERS else ""
        places[_app(path), Path(path).stem].append((place, path))
    repeated = {
        app_and_name: [path for _, path in where]
        for app_and_name, where in places.items()
        if len(where) > 1 and ("" in dict(where) or len(dict(where)) < len(where))
    }
    assert repeated == {}


def _writes(module: ast.Module) -> Iterator[str]:
    """What the module calls to write through the ORM, as `receiver.method`."""
    for node in ast.walk(module):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr not in WRITES:
            continue
        if any(
            word.arg == "commit" and isinstance(word.value, ast.Constant) and not word.value.value
            for word in node.keywords
        ):
            continue
        receiver = ast.unparse(node.func.value)
        is_rows = isinstance(node.func.value, ast.Call) or receiver.endswith("objects")
        if node.func.attr == "update" and not is_rows:
            continue  # of a dictionary or a set
        yield f"{receiver}.{node.func.attr}"


def test_queries_write_nothing() -> None:
    assert {
        path: found
        for path, module in _modules().items()
        if _in_role(path, "queries") and (found := set(_writes(module)))
    } == {}


def test_views_write_through_actions() -> None:
    nothing: tuple[set[str], str] = (set(), "")
    assert {
        path: found
        for path, module in _modules().items()
        if _in_role(path, "views")
        and (found := set(_writes(module)) - VIEWS_THAT_WRITE.get(path, nothing)[0])
    } == {}


def _identifiers(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        for field in ("name", "id", "attr", "arg", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield name


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def test_no_identifier_is_a_metaphor() -> None:
    assert {
        path: found
        for path, module in _modules().items()
        if (
            found := {name for name in _identifiers(module) if METAPHORS.search(_snake(name))}
            - LITERAL_MEANINGS.keys()
            - STILL_METAPHORS.get(path, set())
        )
    } == {}


def test_no_line_of_python_is_longer_than_the_width() -> None:
    """`long_lines.txt` has the files that were longer when this test was written, with their number
    of long lines, which may only fall.
    """
    left = {
        path: int(number) for path, number in map(str.split, LONG_LINES.read_text().splitlines())
    }
    long = {
        str(path.relative_to(ROOT)): [
            number
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if len(line) > WIDTH
        ]
        for folder in (*PACKAGES, "tests", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts
    }
    assert {
        path: numbers for path, numbers in long.items() if len(numbers) > left.get(path, 0)
    } == {}
