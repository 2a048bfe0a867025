"""Every icon that a page names is in the icon font: a name that is not leaves an empty place, and
nobody is told.
"""

import re
from pathlib import Path

from django.contrib.staticfiles import finders

from callcenter.contacts.states import ContactType
from reports.row_presenter import badge_of

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"""\{% icon ["']([a-z0-9-]+)["']|\bicon\(["']([a-z0-9-]+)["']""")


def _in_the_font() -> set[str]:
    style = finders.find("vendor/icons/tabler-icons.min.css")
    assert isinstance(style, str)
    return set(re.findall(r"\.ti-([a-z0-9-]+):", Path(style).read_text()))


def _named() -> dict[str, str]:
    rooms = ("callcenter", "journals", "reminders", "callback", "b2c_procedures", "reports")
    modules = (path for room in rooms for path in (ROOT / room).rglob("*.py"))
    return {
        first or second: str(path.relative_to(ROOT))
        for path in (*ROOT.glob("templates/**/*.html"), *modules)
        for first, second in NAMED.findall(path.read_text())
    }


def test_every_icon_of_the_pages_is_in_the_font() -> None:
    named, font = _named(), _in_the_font()
    assert len(named) > 50
    assert {name: path for name, path in named.items() if name not in font} == {}


def test_every_type_of_interaction_has_an_icon_of_the_font() -> None:
    """«…разные типы обращений выделяются символами»."""
    assert {badge_of(str(shape)).icon for shape in ContactType} <= _in_the_font()
