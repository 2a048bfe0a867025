"""Actions of contacts: every write that means something to a user.

`record_interaction` and `attach_result` are the two that every feature app calls.
"""

from callcenter.contacts.actions.channels import order_recount, recount_due_channels
from callcenter.contacts.actions.intake import (
    add_chat_line,
    assign_patient,
    delete_comment,
    handle_request,
    link_known_numbers,
    record_interaction,
)
from callcenter.contacts.actions.recompute import (
    defer_recompute,
    mark_changed_contacts,
    recompute_contacts,
    recompute_due_contacts,
)
from callcenter.contacts.actions.recordings import add_transcript, store_recording
from callcenter.contacts.actions.results import (
    attach_result,
    collect_results,
    dismiss_result,
    link_result,
    unlink_result,
)
from callcenter.contacts.call_phases import Phases
from callcenter.contacts.interaction_input import (
    InteractionInput,
    InteractionSource,
    Participants,
    WrapUp,
)

__all__ = [
    "InteractionInput",
    "InteractionSource",
    "Participants",
    "Phases",
    "WrapUp",
    "add_chat_line",
    "add_transcript",
    "assign_patient",
    "attach_result",
    "collect_results",
    "defer_recompute",
    "delete_comment",
    "dismiss_result",
    "handle_request",
    "link_known_numbers",
    "link_result",
    "mark_changed_contacts",
    "order_recount",
    "recompute_contacts",
    "recompute_due_contacts",
    "record_interaction",
    "recount_due_channels",
    "store_recording",
    "unlink_result",
]
