"""The registry of gateways: one line each. `build` makes a gateway of a row's settings."""

from collections.abc import Mapping
from typing import Final

from callcenter.messaging.gateways.base import Gateway
from callcenter.messaging.gateways.edna import Edna
from callcenter.messaging.gateways.kannel import Kannel
from callcenter.messaging.gateways.simulator import SimulatorGateway
from callcenter.messaging.gateways.smtp import Smtp

KINDS: Final[dict[str, type[SimulatorGateway] | type[Kannel] | type[Edna] | type[Smtp]]] = {
    "simulator": SimulatorGateway,
    "kannel": Kannel,
    "edna": Edna,
    "smtp": Smtp,
}
# Those that reach nobody outside: all that the demo may use.
HARMLESS: Final = ("simulator",)
# The settings each kind asks for on its page: (name, label, is it a secret).
SETTINGS: Final[dict[str, tuple[tuple[str, str, bool], ...]]] = {
    "simulator": (("pace", "секунд на весь ответ", False),),
    "kannel": (
        ("url", "адрес sendsms", False),
        ("username", "пользователь", False),
        ("password", "пароль", True),
        ("sender", "имя отправителя", False),
        ("smsc", "линия (smsc-id)", False),
    ),
    "edna": (
        ("url", "адрес API", False),
        ("api_key", "ключ X-API-KEY", True),
        ("authorization", "значение Authorization в их вызовах", True),
        ("cascade_max", "каскад MAX", False),
        ("content_max", "поле содержания MAX", False),
        ("cascade_whatsapp", "каскад WhatsApp", False),
        ("cascade_viber", "каскад Viber", False),
        ("cascade_sms", "каскад СМС", False),
    ),
    "smtp": (
        ("host", "сервер", False),
        ("port", "порт", False),
        ("username", "пользователь", False),
        ("password", "пароль", True),
        ("tls", "STARTTLS (yes/no)", False),
        ("sender", "от кого", False),
    ),
}


def build(kind: str, settings: Mapping[str, str]) -> Gateway:
    """The gateway of a kind; raises ValueError in Russian when the kind or one of its settings is
    missing.
    """
    try:
        return KINDS[kind](settings)
    except KeyError as error:
        raise ValueError(f"Шлюзу «{kind}» не хватает настройки {error}.") from None
