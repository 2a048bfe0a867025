"""The board of chats and one conversation."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet

from b2c_procedures.models import Chat, ChatMessageLink, ChatTimer
from callcenter.staff.models import User


@dataclass(frozen=True)
class BoardRow:
    """One chat on the board."""

    chat: Chat
    clock: ChatTimer | None  # the one that burns first
    late: bool

    @property
    def waits_since(self) -> dt.datetime | None:
        """When the client wrote last, if nobody has answered him since."""
        return self.chat.last_at if self.chat.unread else None


def board(user: User, now: dt.datetime, *, everybody: bool) -> list[BoardRow]:
    """Live chats: one's own and those that found nobody (or all of one's clinics), the most urgent
    first; two queries.
    """
    rows: QuerySet[Chat] = Chat.objects.visible_to(user).live()
    if not everybody:
        rows = rows.filter(Q(manager=user) | Q(manager=None))
    running = ChatTimer.objects.filter(met_at=None).select_related("task").order_by("due_at")
    rows = rows.select_related("clinic", "manager", "patient", "topic").prefetch_related(
        Prefetch("clocks", queryset=running, to_attr="running")
    )
    shown = []
    for chat in rows[:200]:
        clock = next((clock for clock in chat.running if clock.done_at is None), None)
        shown.append(BoardRow(chat, clock, clock is not None and clock.due_at <= now))
    far = dt.datetime.max.replace(tzinfo=dt.UTC)
    shown.sort(
        key=lambda row: (
            row.clock.due_at if row.clock else far,
            row.waits_since or far,
            row.chat.opened_at,
        )
    )
    return shown


def conversation(chat: Chat) -> list[ChatMessageLink]:
    """Every line, oldest first, with the delivery of ours."""
    lines = chat.lines.select_related("message__by", "message__message")
    return list(lines.order_by("message__at", "message_id"))
