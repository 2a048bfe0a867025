"""Exchanges, one registry line each."""

from collections.abc import Callable
from typing import Final

from django.conf import settings

from callcenter.telephony.pbx.base import Clock, Pbx
from callcenter.telephony.pbx.simulator import BrowserPhones


def _ari(clock: Clock, _browser_phones: BrowserPhones | None) -> Pbx:
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


def _simulator(clock: Clock, browser_phones: BrowserPhones | None) -> Pbx:
    from callcenter.telephony.pbx.simulator import SimulatorPbx

    return SimulatorPbx(clock, browser_phones=browser_phones)


EXCHANGES: Final[dict[str, Callable[[Clock, BrowserPhones | None], Pbx]]] = {
    "ari": _ari,
    "simulator": _simulator,
}


def exchange(clock: Clock, browser_phones: BrowserPhones | None = None) -> Pbx:
    """The exchange named by settings.PBX; raises KeyError for a name that is not in the table."""
    return EXCHANGES[settings.PBX](clock, browser_phones)


def endpoint_of_number(number: str) -> str:
    """How the chosen exchange dials a city or mobile number (E.164)."""
    if settings.PBX == "simulator":
        return f"number/{number}"
    trunk: str = settings.ARI_TRUNK
    return trunk.format(number=number.lstrip("+"))
