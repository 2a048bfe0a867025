"""The menu: the pages that a user's roles open, the present one marked."""

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest

from callcenter.lib.contributions import MenuItem
from callcenter.workbench.registry import MENU

if TYPE_CHECKING:
    from callcenter.staff.models import User


@dataclass(frozen=True)
class MenuGroup:
    """Items under one name, in a drop-down."""

    label: str
    items: tuple[MenuItem, ...]

    @property
    def active(self) -> bool:
        return any(item.active for item in self.items)


def menu_for(user: object, path: str) -> tuple[MenuItem | MenuGroup, ...]:
    """The items of the user's roles, the one whose page (or a page below it) is open marked active.

    Items of one group stand together under its name, where the first of them stands; a lonely one
    stands by itself.
    """
    roles = frozenset(getattr(user, "roles", ()) or ())
    fitting = [
        item.url
        for item in _items(roles)
        if path == item.url or (item.url != "/" and path.startswith(item.url))
    ]
    return _menu(roles, max(fitting, key=len, default=None))


@functools.cache
def _items(roles: frozenset[str]) -> tuple[MenuItem, ...]:
    return tuple(item for item in MENU if roles & {str(role) for role in item.roles})


@functools.cache
def _menu(roles: frozenset[str], here: str | None) -> tuple[MenuItem | MenuGroup, ...]:
    """Every page shows it: made once for each set of roles and open item."""
    menu: dict[str, MenuItem | MenuGroup] = {}
    for item in (dataclasses.replace(item, active=item.url == here) for item in _items(roles)):
        group = menu.get(item.group) if item.group else None
        if group is None:
            menu[item.group or item.url] = item
        else:
            together = group.items if isinstance(group, MenuGroup) else (group,)
            menu[item.group] = MenuGroup(item.group, (*together, item))
    return tuple(menu.values())


def page(request: HttpRequest) -> dict[str, object]:
    """Context processor: what every page's frame shows; nothing is asked of the database beyond the
    user.
    """
    user: User | None = getattr(request, "user", None)
    return {"menu": menu_for(user, request.path) if user is not None else [], "demo": settings.DEMO}
