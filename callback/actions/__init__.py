"""Every meaningful write of requests. `apply` is the only one that changes a request's state."""

from callback.actions.due_requests import BATCH, free_stale_requests, run_due_requests
from callback.actions.intake import accept_request, withdraw_request
from callback.actions.operator import (
    book_from_card,
    call_now,
    can_undo,
    choose_patient,
    mark_done,
    postpone,
    resume,
    stop_robot,
    take_over,
    undo_closing,
)
from callback.actions.transitions import apply

__all__ = [
    "BATCH",
    "accept_request",
    "apply",
    "book_from_card",
    "call_now",
    "can_undo",
    "choose_patient",
    "free_stale_requests",
    "mark_done",
    "postpone",
    "resume",
    "run_due_requests",
    "stop_robot",
    "take_over",
    "undo_closing",
    "withdraw_request",
]
