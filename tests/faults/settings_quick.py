"""Production settings with a short lease (tests/faults/quick.py)."""

from callcenter.settings import *  # noqa: F403
from callcenter.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.quick.Quick"]
