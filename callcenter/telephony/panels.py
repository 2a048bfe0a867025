"""What other apps show beside a call on the telephone's page."""

import datetime as dt
from collections.abc import Callable, Iterable

from callcenter.lib.contributions import Panel
from callcenter.staff.models import User
from callcenter.telephony.models import Call
from callcenter.telephony.states import Scenario

CallPanel = Callable[[Call, User, dt.datetime], Panel | None]
_registered: list[tuple[Scenario | None, CallPanel]] = []


def register_call_panels(panels: Iterable[tuple[Scenario | None, CallPanel]]) -> None:
    """Set the panels of a call: each with its scenario, or None for every call. Called once at
    start.
    """
    _registered[:] = panels


def scenario_panels(call: Call, user: User, *, now: dt.datetime) -> list[Panel]:
    """Return what the call's own scenario shows."""
    found = [panel(call, user, now) for scenario, panel in _registered if scenario == call.scenario]
    return [panel for panel in found if panel is not None]


def common_panels(call: Call, user: User, *, now: dt.datetime) -> list[Panel]:
    """Return what is shown beside every call, whatever its scenario."""
    found = [panel(call, user, now) for scenario, panel in _registered if scenario is None]
    return [panel for panel in found if panel is not None]
