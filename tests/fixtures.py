"""The casts that tests of several folders use; `tests/conftest.py` makes a plugin of this module."""

from typing import Any

import pytest

from callcenter.telephony.speech import engines
from tests.b2c_procedures.conftest import Service, make_service
from tests.callback.rig import Beep, Rig
from tests.conftest import World
from tests.journals.conftest import Recall, make_recall
from tests.messaging.conftest import Post, make_post


@pytest.fixture
def beep(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A voice that takes no time."""
    monkeypatch.setitem(engines.ENGINES, "beep", Beep)
    settings.SPEECH_ENGINE = "beep"


@pytest.fixture
def rig(world: World, beep: None) -> Rig:
    """A clinic with a robot on a clock that the test turns."""
    return Rig(world, world.now)


@pytest.fixture
def service(world: World) -> Service:
    """The client service and its reference data."""
    return make_service(world)


@pytest.fixture
def recall(world: World) -> Recall:
    """The journal of recall with its reasons."""
    return make_recall(world)


@pytest.fixture
def post(world: World) -> Post:
    """The outbox of clinic A, its cascade through the simulator."""
    return make_post(world)
