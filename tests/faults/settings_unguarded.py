"""Production settings without the guard of the claim (tests/faults/unguarded.py)."""

from callcenter.settings import *  # noqa: F403
from callcenter.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.unguarded.Unguarded"]
