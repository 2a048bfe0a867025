"""Every meaningful write of messages. What feature apps call, with the signatures they may count on:

One message to a patient (SMS, messenger, e-mail), never twice by its key:

    queue_message(*, purpose, subject_key, channel, text, to, clinic, now, by, version=1,
    patient=None, appointment=None,
                  ground=Purpose.SERVICE, subject="", due_at=None, not_after=None) -> Message

Letters to colleagues (escalations, reports), one message an address, with the delivery's state on
each:

    queue_letter(*, to, subject, text, purpose, subject_key, now, by, version=1, clinic=None,
    files=()) -> list[Message]

The key is purpose × subject_key × version × channel (× address for letters): asked for again, the
same row comes back. `message.state` (messaging.states.MessageState) and `message.reason` tell what
became of it; screens live on `topic(clinic)`.

    send_again(message, *, by, now) -> Message              a person repeats what failed or may not
    have gone cancel_messages(*, purpose, subject_key, reason, now)   what has not left yet stays
    queue_visit_messages(appointments, *, now, by, channel=None) -> int      the cascade
    «Уведомление о приёме»

Conversations: `receive_reply` keeps an incoming line as a `ChatMessage` on a `chat` interaction;
`say_in_chat(interaction, *, text, by, now) -> ChatMessage` answers; screens live on
`chat_topic(interaction)`.
"""

from callcenter.messaging.actions.appointment_links import (
    answer_visit,
    find_link,
    link_problem,
    note_opening,
)
from callcenter.messaging.actions.cascade import advance_due_cascades
from callcenter.messaging.actions.chats import (
    accept_reply_intent,
    chat_topic,
    receive_reply,
    say_in_chat,
)
from callcenter.messaging.actions.dispatch import reap_lost_messages, send_due
from callcenter.messaging.actions.enqueue import (
    cancel_messages,
    provider_for,
    queue_letter,
    queue_message,
    queue_visit_messages,
    send_again,
    topic,
)
from callcenter.messaging.actions.settings import (
    drop_template,
    save_cascade,
    save_provider,
    save_template,
)
from callcenter.messaging.actions.status_polling import ask_due_messages
from callcenter.messaging.actions.webhooks import (
    process_due_webhooks,
    purge_old_webhooks,
    requeue_lost_webhooks,
    store_provider_webhook,
)

__all__ = [
    "accept_reply_intent",
    "advance_due_cascades",
    "answer_visit",
    "ask_due_messages",
    "cancel_messages",
    "chat_topic",
    "drop_template",
    "find_link",
    "link_problem",
    "note_opening",
    "process_due_webhooks",
    "provider_for",
    "purge_old_webhooks",
    "queue_letter",
    "queue_message",
    "queue_visit_messages",
    "reap_lost_messages",
    "receive_reply",
    "requeue_lost_webhooks",
    "save_cascade",
    "save_provider",
    "save_template",
    "say_in_chat",
    "send_again",
    "send_due",
    "store_provider_webhook",
    "topic",
]
