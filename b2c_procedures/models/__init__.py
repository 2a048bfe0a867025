"""Tables of the procedures: versions, runs, reference data, what steps make, chats, settings."""

from b2c_procedures.models.cases import (
    Claim,
    DeliveryRequest,
    RefundInvoice,
    SentToClient,
    TaxCertificate,
)
from b2c_procedures.models.chats import (
    Chat,
    ChatMessageLink,
    ChatPause,
    ChatTimer,
    FailedChatMessage,
    ForbiddenPhrase,
)
from b2c_procedures.models.reference import (
    Branch,
    CourierCity,
    Institution,
    Order,
    OrderEvent,
    OrderStudy,
    Study,
)
from b2c_procedures.models.runs import Run, RunEntry, RunObject, StepRecord
from b2c_procedures.models.settings import ProcedureSettings
from b2c_procedures.models.versions import DocumentText, ProcedureVersion, ReviewDecision

__all__ = [
    "Branch",
    "Chat",
    "ChatMessageLink",
    "ChatPause",
    "ChatTimer",
    "Claim",
    "CourierCity",
    "DeliveryRequest",
    "DocumentText",
    "FailedChatMessage",
    "ForbiddenPhrase",
    "Institution",
    "Order",
    "OrderEvent",
    "OrderStudy",
    "ProcedureSettings",
    "ProcedureVersion",
    "RefundInvoice",
    "ReviewDecision",
    "Run",
    "RunEntry",
    "RunObject",
    "SentToClient",
    "StepRecord",
    "Study",
    "TaxCertificate",
]
