"""The webhook formats of cloud PBXs. A new PBX is one module here and one line of the registry."""

from typing import Final

from callcenter.telephony.webhooks import uis
from callcenter.telephony.webhooks.base import CallEvent, PbxWebhookFormat

FORMATS: Final[dict[str, PbxWebhookFormat]] = {
    uis.FORMAT.name: uis.FORMAT,
}

__all__ = ["FORMATS", "CallEvent", "PbxWebhookFormat"]
