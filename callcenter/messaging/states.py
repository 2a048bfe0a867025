"""States of a message, the channels it takes, what providers may say of it, and how far it has
come. Pure: no ORM.
"""

from typing import Final

from django.db.models import TextChoices

from callcenter.clinics.states import ConsentChannel as ConsentChannel


class MessageChannel(TextChoices):
    MAX = "max", "MAX"
    WHATSAPP = "whatsapp", "WhatsApp"
    TELEGRAM = "telegram", "Telegram"
    VIBER = "viber", "Viber"
    VK = "vk", "VK"
    SMS = "sms", "СМС"
    EMAIL = "email", "e-mail"


MESSENGERS: Final = (
    MessageChannel.MAX,
    MessageChannel.WHATSAPP,
    MessageChannel.TELEGRAM,
    MessageChannel.VIBER,
    MessageChannel.VK,
)


def consent_channel(channel: str) -> ConsentChannel:
    """Under which channel of the consents a message of this channel falls."""
    if channel == MessageChannel.SMS:
        return ConsentChannel.SMS
    if channel == MessageChannel.EMAIL:
        return ConsentChannel.EMAIL
    return ConsentChannel.MESSENGER


class MessageState(TextChoices):
    QUEUED = "queued", "в очереди"
    SENDING = "sending", "отправляется"
    ACCEPTED = "accepted", "принято к отправке"
    DELIVERED = "delivered", "доставлено"
    READ = "read", "прочитано"
    UNDELIVERED = "undelivered", "не доставлено"
    REFUSED = "refused", "не отправлено"
    CANCELLED = "cancelled", "отменено"
    UNKNOWN = "unknown", "неизвестно, ушло ли"


# It has not left us yet and may still leave.
PENDING: Final = (MessageState.QUEUED, MessageState.SENDING)
# The patient has it.
ARRIVED: Final = (MessageState.DELIVERED, MessageState.READ)
# It was not and will not be sent to him on this channel.
FAILED: Final = (MessageState.UNDELIVERED, MessageState.REFUSED)
# Another message on the same channel may follow only from these, and only by a person's word.
REPEATABLE: Final = (
    MessageState.UNDELIVERED,
    MessageState.REFUSED,
    MessageState.CANCELLED,
    MessageState.UNKNOWN,
)


class DeliveryStatus(TextChoices):
    """What a provider says of a message after it was accepted, in our words."""

    ACCEPTED = "accepted", "принято"
    DELIVERED = "delivered", "доставлено"
    READ = "read", "прочитано"
    UNDELIVERED = "undelivered", "не доставлено"


# Reports come late, repeated and in any order: a message only ever climbs. 'Delivered' after
# 'undelivered' is believed (the operator found the telephone after all), 'undelivered' after
# 'delivered' is not.
RANK: Final[dict[MessageState, int]] = {
    MessageState.QUEUED: 0,
    MessageState.SENDING: 0,
    MessageState.CANCELLED: 1,
    MessageState.REFUSED: 1,
    MessageState.UNKNOWN: 1,
    MessageState.ACCEPTED: 2,
    MessageState.UNDELIVERED: 3,
    MessageState.DELIVERED: 4,
    MessageState.READ: 5,
}


def after_report(state: MessageState, report: DeliveryStatus) -> MessageState:
    """The state after a report. A report on what we took for refused or stopped is proof that it
    had left us after all.
    """
    heard = MessageState(report.value)
    return heard if RANK[heard] > RANK[state] else state


class MessagePurpose(TextChoices):
    """What a message is for: the first part of its key. Feature apps add their own; these are the
    shared core's.
    """

    VISIT = "visit", "уведомление о приёме"
    LETTER = "letter", "письмо сотруднику"
    CHAT = "chat", "ответ в чате"


class VisitAnswer(TextChoices):
    """What the patient chose on his page, or what a person accepted from his words."""

    CONFIRM = "confirm", "подтвердил приём"
    MOVE = "move", "просит перенести"
    CANCEL = "cancel", "отменяет приём"
