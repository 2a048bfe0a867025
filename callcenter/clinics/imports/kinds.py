"""The kinds of imports by name. A desk's own kind is named in `callcenter.desks.IMPORTS`: the floor knows no desk."""

from typing import cast

from callcenter import desks
from callcenter.clinics.imports.plans import Kind
from callcenter.staff.models import User


def kinds() -> dict[str, Kind]:
    found = cast("list[Kind]", desks.load(desks.IMPORTS))
    return {kind.name: kind for kind in found}


def kinds_for(user: User) -> dict[str, Kind]:
    """Those that the user's roles may load."""
    return {name: kind for name, kind in kinds().items() if user.has(*kind.roles)}
