"""The kinds of imports by name. Apps above contribute theirs at start
(`workbench.registry.IMPORT_KINDS`).
"""

from collections.abc import Iterable

from callcenter.imports.jobs import ImportKind
from callcenter.staff.models import User

_registered: dict[str, ImportKind] = {}


def register_import_kinds(kinds: Iterable[ImportKind]) -> None:
    """Set what can be loaded from a file, in the order of the page; the registry on top calls it
    once at start.
    """
    _registered.clear()
    _registered.update({kind.name: kind for kind in kinds})


def kinds() -> dict[str, ImportKind]:
    return _registered


def kinds_for(user: User) -> dict[str, ImportKind]:
    """Return those that the user's roles may load."""
    return {name: kind for name, kind in _registered.items() if user.has(*kind.roles)}
