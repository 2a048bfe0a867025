"""The registry: the name in a definition → what is done, and which fields its form has."""

from typing import Final

from b2c_procedures.steps import booking, calls, certificates, claims, messages, orders, refunds
from b2c_procedures.steps.base import Deed, Step

__all__ = ["DEEDS", "Deed", "Step"]

DEEDS: Final[dict[str, Deed]] = {
    "transfer": Deed(calls.transfer, ("colleague",)),
    "ask_consultant": Deed(calls.ask_consultant, ("question",)),
    "hold": Deed(calls.hold),
    "ask_logistics": Deed(calls.ask_logistics, ("answer",)),
    "note_delivery": Deed(calls.note_delivery, ("city", "on", "address")),
    "department_task": Deed(calls.department_task, ("question",)),
    "department_answer": Deed(calls.department_answer, ("answer",)),
    "tell_logistics": Deed(calls.tell_logistics, ("question",)),
    "book": Deed(booking.book, ("window", "email", "comment")),
    "waiting_list": Deed(booking.waiting_list, ("doctor", "call_on", "comment")),
    "call_back": Deed(booking.call_back, ("call_at", "comment")),
    "create_order": Deed(orders.create_order, ("studies", "comment")),
    "find_order": Deed(orders.find_order, ("order",)),
    "refuse_order": Deed(orders.refuse_order, ("order",)),
    "lift_refusal": Deed(orders.lift_refusal),
    "mark_paid": Deed(orders.mark_paid),
    "replace_study": Deed(orders.replace_study, ("studies",)),
    "biomaterial": Deed(orders.biomaterial),
    "ask_responsible": Deed(orders.ask_responsible, ("question",)),
    "responsible_answer": Deed(orders.responsible_answer, ("answer",)),
    "order_comment": Deed(orders.order_comment, ("comment",)),
    "orders_task": Deed(orders.orders_task, ("question",)),
    "delivery_request": Deed(orders.delivery_request, ("sender", "sender_name", "city", "on", "address")),
    "refund_documents": Deed(refunds.refund_documents, ("documents", "amount")),
    "invoice_task": Deed(refunds.invoice_task),
    "invoice": Deed(refunds.invoice, ("number", "pay_by")),
    "invoice_control": Deed(refunds.invoice_control),
    "payout_control": Deed(refunds.payout_control),
    "receipt": Deed(refunds.receipt, ("amount",)),
    "payment_check": Deed(refunds.payment_check),
    "claim": Deed(claims.claim, ("ground",)),
    "head_readiness": Deed(claims.head_readiness),
    "claim_task": Deed(claims.claim_task),
    "claim_settled": Deed(claims.claim_settled),
    "claim_ways": Deed(claims.claim_ways, ("way",)),
    "certificate_data": Deed(certificates.certificate_data, ("taxpayer", "inn", "years")),
    "certificate_mail": Deed(certificates.certificate_mail, ("email",)),
    "certificate_task": Deed(certificates.certificate_task),
    "certificate_paper": Deed(certificates.certificate_paper, ("branch",)),
    "send": Deed(messages.send_link, ("channel", "address", "text")),
    "letter": Deed(messages.letter, ("address", "text", "send_now")),
}
