"""Every meaningful write of contacts. `record_interaction` and `attach_result` are the two that every desk uses."""

from callcenter.contacts.actions.channels import order_recount, recount_due_channels
from callcenter.contacts.actions.intake import (
    add_chat_line,
    delete_comment,
    handle_request,
    name_contact,
    record_interaction,
    tie_known_numbers,
)
from callcenter.contacts.actions.recompute import (
    mark_changed_contacts,
    settle_contacts,
    settle_due_contacts,
    settled_once,
)
from callcenter.contacts.actions.recordings import add_transcript, store_recording
from callcenter.contacts.actions.results import attach_result, link_result, pull_deeds, put_result_aside, unlink_result

__all__ = [
    "add_chat_line",
    "add_transcript",
    "attach_result",
    "delete_comment",
    "handle_request",
    "link_result",
    "mark_changed_contacts",
    "name_contact",
    "order_recount",
    "pull_deeds",
    "put_result_aside",
    "record_interaction",
    "recount_due_channels",
    "settle_contacts",
    "settle_due_contacts",
    "settled_once",
    "store_recording",
    "tie_known_numbers",
    "unlink_result",
]
