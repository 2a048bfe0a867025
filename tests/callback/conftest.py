from typing import Any

import pytest

from callcenter.telephony.speech import engines
from tests.callback.rig import Beep, Rig
from tests.conftest import World


@pytest.fixture
def beep(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines.ENGINES, "beep", Beep)
    settings.SPEECH_ENGINE = "beep"


@pytest.fixture
def rig(world: World, beep: None) -> Rig:
    return Rig(world, world.now)
