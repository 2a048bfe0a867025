"""Kinds and states of interactions, who turned to us, what came of it. Pure."""

from typing import Final

from django.db.models import TextChoices


class Kind(TextChoices):
    CALL = "call", "звонок"
    CHAT = "chat", "чат"
    REQUEST = "request", "заявка"
    DIALOG = "dialog", "диалог"
    REQUEST_DIALOG = "request_dialog", "заявка-диалог"
    COMMENT = "comment", "комментарий"


class State(TextChoices):
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


STATES_OF: Final[dict[Kind, tuple[State, ...]]] = {
    Kind.CALL: (State.RINGING, State.TALKING, State.ANSWERED, State.MISSED, State.FAILED),
    Kind.CHAT: (State.ACTIVE, State.MISSED, State.CLOSED),
    Kind.REQUEST: (State.NEW, State.PROCESSED),
    Kind.REQUEST_DIALOG: (State.NEW, State.PROCESSED),
    Kind.DIALOG: (State.FINISHED,),
    Kind.COMMENT: (State.FINISHED,),
}


class Direction(TextChoices):
    IN = "in", "нам звонят"
    OUT = "out", "мы звоним"


class WhoType(TextChoices):
    """«Кто, тип» of the report (seed 002)."""

    WANTS_BOOKING = "wants_booking", "Пациент. Хочет записаться"
    WAITING_LIST = "waiting_list", "Пациент. Лист ожидания"
    CRM_TASK = "crm_task", "Пациент. Задача CRM"
    REMINDER = "reminder", "Пациент. Напоминание"
    CONVERSATION = "conversation", "Разговор с пациентом"
    EMPLOYEE = "employee", "Сотрудник"
    OTHER = "other", "Прочие и контрагенты"
    UNKNOWN = "unknown", "Не определён"


class Outcome(TextChoices):
    """Успешность of a contact (seed 002)."""

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
    TASK = "task", "поставлена задача"
    TASK_CLOSED = "task_closed", "задача закрыта"
    REMINDED = "reminded", "оповещён о приёме"
    NOTE = "note", "отметка"


class Summary(TextChoices):
    """The first line of the form «Обращение в колл-центр» (seed 000)."""

    BOOKED = "booked", "Записался на консультацию"
    NO_RESULT = "no_result", "Просто позвонил без результата"
    QUESTION = "question", "Задал вопрос"
    CANCELLED = "cancelled", "Отменил или перенёс приём"
