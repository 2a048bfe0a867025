"""Kinds and states of interactions, who turned to us, what came of it. Pure."""

from typing import Final

from django.db.models import TextChoices


class InteractionKind(TextChoices):
    CALL = "call", "звонок"
    CHAT = "chat", "чат"
    REQUEST = "request", "заявка"
    DIALOG = "dialog", "диалог"
    REQUEST_DIALOG = "request_dialog", "заявка-диалог"
    COMMENT = "comment", "комментарий"


class InteractionState(TextChoices):
    # calls
    RINGING = "ringing", "звонит"
    TALKING = "talking", "разговор"
    ANSWERED = "answered", "состоялся"
    MISSED = "missed", "пропущен"
    FAILED = "failed", "не дозвонились"
    # chats
    ACTIVE = "active", "активный"
    CLOSED = "closed", "закрыт"
    # requests and request-dialogs
    NEW = "new", "не обработана"
    PROCESSED = "processed", "обработана"
    # dialogs and comments
    FINISHED = "finished", "завершён"


STATES_OF: Final[dict[InteractionKind, tuple[InteractionState, ...]]] = {
    InteractionKind.CALL: (
        InteractionState.RINGING,
        InteractionState.TALKING,
        InteractionState.ANSWERED,
        InteractionState.MISSED,
        InteractionState.FAILED,
    ),
    InteractionKind.CHAT: (
        InteractionState.ACTIVE,
        InteractionState.MISSED,
        InteractionState.CLOSED,
    ),
    InteractionKind.REQUEST: (InteractionState.NEW, InteractionState.PROCESSED),
    InteractionKind.REQUEST_DIALOG: (InteractionState.NEW, InteractionState.PROCESSED),
    InteractionKind.DIALOG: (InteractionState.FINISHED,),
    InteractionKind.COMMENT: (InteractionState.FINISHED,),
}


class Direction(TextChoices):
    IN = "in", "нам звонят"
    OUT = "out", "мы звоним"


class CallerType(TextChoices):
    """«Кто, тип» of the report. Source: «История обращений»."""

    WANTS_BOOKING = "wants_booking", "Пациент. Хочет записаться"
    WAITING_LIST = "waiting_list", "Пациент. Лист ожидания"
    CRM_TASK = "crm_task", "Пациент. Задача CRM"
    REMINDER = "reminder", "Пациент. Напоминание"
    CONVERSATION = "conversation", "Разговор с пациентом"
    EMPLOYEE = "employee", "Сотрудник"
    OTHER = "other", "Прочие и контрагенты"
    UNKNOWN = "unknown", "Не определён"


class ContactOutcome(TextChoices):
    """Успешность of a contact. Source: «История обращений»."""

    NOT_BOOKED = "not_booked", "Не записался"
    BOOKED = "booked", "Записался"
    WAITING = "waiting", "Записался в лист ожидания"
    CANCELLED = "cancelled", "Отменил"
    CAME = "came", "Записался и пришёл"
    REQUESTS = "requests", "Заявки (Актуальные)"


class ResultKind(TextChoices):
    """What an action gave to a contact."""

    BOOKED = "booked", "записан на приём"
    MOVED = "moved", "приём перенесён"
    CANCELLED = "cancelled", "приём отменён"
    WAITING_LIST = "waiting_list", "внесён в лист ожидания"
    WAITING_CLOSED = "waiting_closed", "лист ожидания закрыт"
    WAITING_MOVED = "waiting_moved", "лист ожидания перенесён"
    TASK = "task", "поставлена задача"
    TASK_CLOSED = "task_closed", "задача закрыта"
    REMINDED = "reminded", "оповещён о приёме"
    NOTE = "note", "отметка"


class Summary(TextChoices):
    """The first line of the form «Обращение в колл-центр». Source: «Журнал КОС»."""

    BOOKED = "booked", "Записался на консультацию"
    NO_RESULT = "no_result", "Просто позвонил без результата"
    QUESTION = "question", "Задал вопрос"
    CANCELLED = "cancelled", "Отменил или перенёс приём"


class Origin(TextChoices):
    """The list an outgoing call came from («Обзвон на ближайший день», лист ожидания,
    задачи). Source: «История обращений».
    """

    WAITING_LIST = "waiting_list", "лист ожидания"
    CRM_TASK = "crm_task", "задача CRM"
    REMINDER = "reminder", "напоминание о приёме"


# «Кто, тип» of a call from a list, and back: callers of `record_interaction` may name either.
WHO_OF_ORIGIN: Final[dict[Origin, CallerType]] = {
    Origin.WAITING_LIST: CallerType.WAITING_LIST,
    Origin.CRM_TASK: CallerType.CRM_TASK,
    Origin.REMINDER: CallerType.REMINDER,
}
ORIGIN_OF_WHO: Final[dict[CallerType, Origin]] = {
    who: origin for origin, who in WHO_OF_ORIGIN.items()
}

# What a person may choose in the form; the rest is set by lists, bookings and the directory of
# numbers.
WHO_BY_HAND: Final = (
    CallerType.WANTS_BOOKING,
    CallerType.CONVERSATION,
    CallerType.EMPLOYEE,
    CallerType.OTHER,
)


class ContactType(TextChoices):
    """«Тип обращения» of the report: kind, direction, state and whether it was written up, in one
    word. Source: «История обращений».
    """

    CALL_IN = "call_in", "Входящий звонок"
    CALL_IN_NOTED = "call_in_noted", "Входящий звонок с комментарием"
    CALL_IN_MISSED = "call_in_missed", "Входящий звонок. Пропущенный"
    CALL_IN_LIVE = "call_in_live", "Входящий звонок. Идёт сейчас"
    CALL_OUT = "call_out", "Исходящий звонок"
    CALL_OUT_NOTED = "call_out_noted", "Исходящий звонок с комментарием"
    CALL_OUT_FAILED = "call_out_failed", "Исходящий звонок. Не дозвонились"
    CALL_OUT_LIVE = "call_out_live", "Исходящий звонок. Идёт сейчас"
    CHAT_IN = "chat_in", "Входящий чат"
    CHAT_IN_NOTED = "chat_in_noted", "Входящий чат с комментарием"
    CHAT_IN_MISSED = "chat_in_missed", "Входящий чат. Пропущенный"
    CHAT_IN_LIVE = "chat_in_live", "Входящий чат. Активный"
    CHAT_OUT = "chat_out", "Исходящий чат"
    CHAT_OUT_NOTED = "chat_out_noted", "Исходящий чат с комментарием"
    CHAT_OUT_LIVE = "chat_out_live", "Исходящий чат. Активный"
    REQUEST_NEW = "request_new", "Заявка. Необработанная"
    REQUEST_DONE = "request_done", "Заявка. Обработанная"
    REQUEST_DIALOG_NEW = "req_dialog_new", "Заявка-диалог. Необработанная"
    REQUEST_DIALOG_DONE = "req_dialog_done", "Заявка-диалог. Закрытая"
    DIALOG = "dialog", "Диалог"
    COMMENT_IN = "comment_in", "Комментарий без звонка (входящий)"
    COMMENT_OUT = "comment_out", "Комментарий без звонка (исходящий)"


# Each contact_type has its bit in `Contact.contact_types`: 'contacts in which such a thing
# happened' is one AND on an integer.
BIT_OF: Final[dict[str, int]] = {
    str(contact_type): 1 << place for place, contact_type in enumerate(ContactType)
}
# Yellow rows: «пропущенные звонки и чаты, а также необработанные заявки».
YELLOW: Final = (
    ContactType.CALL_IN_MISSED,
    ContactType.CHAT_IN_MISSED,
    ContactType.REQUEST_NEW,
    ContactType.REQUEST_DIALOG_NEW,
)
# Orange rows: «текущий звонок и активные чаты».
ORANGE: Final = (
    ContactType.CALL_IN_LIVE,
    ContactType.CALL_OUT_LIVE,
    ContactType.CHAT_IN_LIVE,
    ContactType.CHAT_OUT_LIVE,
)
MISSED: Final = (ContactType.CALL_IN_MISSED, ContactType.CHAT_IN_MISSED)
# Talks that nobody wrote up: «Входящий звонок»: «Звонок».
UNNOTED: Final = (
    ContactType.CALL_IN,
    ContactType.CALL_OUT,
    ContactType.CHAT_IN,
    ContactType.CHAT_OUT,
)


def mask(contact_types: "tuple[str, ...] | list[str]") -> int:
    """The bits of several contact_types together."""
    total = 0
    for contact_type in contact_types:
        total |= BIT_OF[str(contact_type)]
    return total


class RuleKind(TextChoices):
    """By what an advertising channel is recognised."""

    UTM = "utm", "UTM-метка"
    NUMBER_FROM = "number_from", "номер, с которого позвонили"
    NUMBER_TO = "number_to", "номер, на который позвонили"
    CHAT_CHANNEL = "chat_channel", "канал чата"
    ACCOUNT = "account", "личный кабинет или сервис"


# Seed 002: «У звонков сначала проверяются UTM-метки, затем номера, с которых пришел звонок, затем
# номера, на которые пришел звонок … из какого личного кабинета … У чатов … UTM-метки, затем каналы
# чатов и дальше — из какого сервиса … У заявок проверяются только UTM-метки и — из какого личного
# кабинета».
RULE_ORDER: Final[dict[InteractionKind, tuple[RuleKind, ...]]] = {
    InteractionKind.CALL: (
        RuleKind.UTM,
        RuleKind.NUMBER_FROM,
        RuleKind.NUMBER_TO,
        RuleKind.ACCOUNT,
    ),
    InteractionKind.CHAT: (RuleKind.UTM, RuleKind.CHAT_CHANNEL, RuleKind.ACCOUNT),
    InteractionKind.REQUEST: (RuleKind.UTM, RuleKind.ACCOUNT),
    InteractionKind.REQUEST_DIALOG: (RuleKind.UTM, RuleKind.ACCOUNT),
    InteractionKind.DIALOG: (),
    InteractionKind.COMMENT: (),
}


class JobState(TextChoices):
    WAITING = "waiting", "ждёт"
    RUNNING = "running", "идёт"
    DONE = "done", "готово"
    FAILED = "failed", "не вышло"
