"""The names of the actions that definitions may use; the registry is held to them by a test."""

from typing import Final

ACTION_NAMES: Final = frozenset(
    {
        "ask_consultant", "ask_logistics", "ask_responsible", "biomaterial", "book", "call_back", "certificate_data",
        "certificate_mail", "certificate_paper", "certificate_task", "claim", "claim_settled", "claim_task", "claim_ways",
        "create_order", "delivery_request", "department_answer", "department_task", "find_order", "head_readiness", "hold",
        "invoice", "invoice_control", "invoice_task", "letter", "lift_refusal", "mark_paid", "note_delivery",
        "order_comment", "orders_task", "payment_check", "payout_control", "receipt", "refund_documents", "refuse_order",
        "replace_study", "responsible_answer", "send", "tell_logistics", "transfer", "waiting_list",
    }
)  # fmt: skip
