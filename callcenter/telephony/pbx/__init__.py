"""Exchanges, one registry line each."""

from collections.abc import Callable
from typing import Final

from django.conf import settings

from callcenter.telephony.pbx.base import Clock, Pbx
from callcenter.telephony.pbx.simulator import Handsets


def _ari(clock: Clock, _handsets: Handsets | None) -> Pbx:
    from callcenter.telephony.pbx.ari import Ari
    from callcenter.telephony.speech.asterisk_media import media_uri

    return Ari(
        url=settings.ARI_URL,
        user=settings.ARI_USER,
        password=settings.ARI_PASSWORD,
        app=settings.ARI_APP,
        amd=settings.ARI_AMD,
        media=media_uri,
        clock=clock,
    )


def _simulator(clock: Clock, handsets: Handsets | None) -> Pbx:
    from callcenter.telephony.pbx.simulator import SimulatorPbx

    return SimulatorPbx(clock, handsets=handsets)


EXCHANGES: Final[dict[str, Callable[[Clock, Handsets | None], Pbx]]] = {
    "ari": _ari,
    "simulator": _simulator,
}


def exchange(clock: Clock, handsets: Handsets | None = None) -> Pbx:
    """The exchange named by settings.PBX; raises KeyError for a name that is not in the table."""
    return EXCHANGES[settings.PBX](clock, handsets)


def endpoint_of_number(number: str) -> str:
    """How the chosen exchange dials a city or mobile number (E.164)."""
    if settings.PBX == "simulator":
        return f"number/{number}"
    trunk: str = settings.ARI_TRUNK
    return trunk.format(number=number.lstrip("+"))
