"""The registry: the name in a definition → what is done, and which fields its form has."""

from typing import Final

from b2c_procedures.steps import booking, calls, certificates, claims, messages, orders, refunds
from b2c_procedures.steps.base import StepAction, StepContext

__all__ = ["STEP_ACTIONS", "StepAction", "StepContext"]

STEP_ACTIONS: Final[dict[str, StepAction]] = {
    "transfer": StepAction(calls.transfer, ("colleague",)),
    "ask_consultant": StepAction(calls.ask_consultant, ("question",)),
    "hold": StepAction(calls.hold),
    "ask_logistics": StepAction(calls.ask_logistics, ("answer",)),
    "note_delivery": StepAction(calls.note_delivery, ("city", "on", "address")),
    "department_task": StepAction(calls.department_task, ("question",)),
    "department_answer": StepAction(calls.department_answer, ("answer",)),
    "tell_logistics": StepAction(calls.tell_logistics, ("question",)),
    "book": StepAction(booking.book, ("window", "email", "comment")),
    "waiting_list": StepAction(booking.waiting_list, ("doctor", "call_on", "comment")),
    "call_back": StepAction(booking.call_back, ("call_at", "comment")),
    "create_order": StepAction(orders.create_order, ("studies", "comment")),
    "find_order": StepAction(orders.find_order, ("order",)),
    "refuse_order": StepAction(orders.refuse_order, ("order",)),
    "lift_refusal": StepAction(orders.lift_refusal),
    "mark_paid": StepAction(orders.mark_paid),
    "replace_study": StepAction(orders.replace_study, ("studies",)),
    "biomaterial": StepAction(orders.biomaterial),
    "ask_responsible": StepAction(orders.ask_responsible, ("question",)),
    "responsible_answer": StepAction(orders.responsible_answer, ("answer",)),
    "order_comment": StepAction(orders.order_comment, ("comment",)),
    "orders_task": StepAction(orders.orders_task, ("question",)),
    "delivery_request": StepAction(
        orders.delivery_request, ("sender", "sender_name", "city", "on", "address")
    ),
    "refund_documents": StepAction(refunds.refund_documents, ("documents", "amount")),
    "invoice_task": StepAction(refunds.invoice_task),
    "invoice": StepAction(refunds.invoice, ("number", "pay_by")),
    "invoice_control": StepAction(refunds.invoice_control),
    "payout_control": StepAction(refunds.payout_control),
    "receipt": StepAction(refunds.receipt, ("amount",)),
    "payment_check": StepAction(refunds.payment_check),
    "claim": StepAction(claims.claim, ("ground",)),
    "head_readiness": StepAction(claims.head_readiness),
    "claim_task": StepAction(claims.claim_task),
    "claim_settled": StepAction(claims.claim_settled),
    "claim_ways": StepAction(claims.claim_ways, ("way",)),
    "certificate_data": StepAction(certificates.certificate_data, ("taxpayer", "inn", "years")),
    "certificate_mail": StepAction(certificates.certificate_mail, ("email",)),
    "certificate_task": StepAction(certificates.certificate_task),
    "certificate_paper": StepAction(certificates.certificate_paper, ("branch",)),
    "send": StepAction(messages.send_link, ("channel", "address", "text")),
    "letter": StepAction(messages.letter, ("address", "text", "send_now")),
}
