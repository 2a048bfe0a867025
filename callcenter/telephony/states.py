"""Words of telephony: how a leg ended, what a call and its commands are doing. Pure: no ORM."""

from typing import Final

from django.db.models import TextChoices


class HangupReason(TextChoices):
    """How a leg ended, in our words; each exchange translates its own codes into these."""

    ANSWERED = "answered", "ответил"
    BUSY = "busy", "занято"
    NO_ANSWER = "no_answer", "не ответил"
    REJECTED = "rejected", "сбросил"
    UNREACHABLE = "unreachable", "недоступен"
    WRONG_NUMBER = "wrong_number", "номер не существует"
    CANCELLED = "cancelled", "мы отменили"
    PASSED_ON = "passed_on", "дальше ведёт АТС"
    LOST = "lost", "связь с АТС прервалась"
    FAILED = "failed", "не удалось набрать"


class LegRole(TextChoices):
    EMPLOYEE = "employee", "администратор"
    PATIENT = "patient", "пациент"


class LegState(TextChoices):
    PLANNED = "planned", "набираем"
    RINGING = "ringing", "звонит"
    UP = "up", "на линии"
    ENDED = "ended", "завершён"


class Scenario(TextChoices):
    """Who decides what happens next in a call; the handlers stand in
    callcenter/workbench/registry.py.
    """

    CLICK = "click", "звонок из программы"
    INCOMING = "incoming", "входящий"
    CALLBACK = "callback", "обратный звонок"
    WEBHOOK = "webhook", "звонок облачной АТС"


class CommandType(TextChoices):
    """What we may ask of the exchange."""

    RING = "ring", "набрать"
    PLAY = "play", "проиграть"
    STOP_PLAYING = "stop_playing", "прервать речь"
    CONNECT = "connect", "соединить"
    RECORD = "record", "записывать"
    ANSWER = "answer", "снять трубку"
    HANG_UP = "hang_up", "повесить трубку"
    RETURN_TO_DIALPLAN = "return_to_dialplan", "вернуть АТС"
    DISCONNECT = "disconnect", "убрать мост"


class CommandState(TextChoices):
    PENDING = "pending", "ждёт"
    TAKEN = "taken", "выполняется"
    DONE = "done", "выполнена"
    REFUSED = "refused", "отклонена"
    MAYBE = "maybe", "неизвестно"
    EXPIRED = "expired", "устарела"


class PhoneKind(TextChoices):
    PBX = "pbx", "телефон АТС"
    BROWSER = "browser", "телефон в браузере"
    OFF = "off", "не на телефоне"


LIVE_LEGS: Final = (LegState.PLANNED, LegState.RINGING, LegState.UP)
