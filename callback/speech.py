"""What the robot says. Pure: phrases in the instruction's words."""

from callback.models import CallbackRequest
from callback.state_machine import RequestEvent
from callcenter.telephony.speech.spoken_russian import name_aloud


def request_phrases(request: CallbackRequest, *, family: bool) -> list[str]:
    """«Заявка на запись с {источник}», «Запись к врачу — {ФИО}», «Запись на услугу — {услуга}»,
    «Соединяю с пациентом».

    For a family's number (several patients have it), and for a stranger's, the name given in the
    request is read too; a chosen window that was taken meanwhile is told.
    """
    said = [f"Заявка на запись{request.from_where}"]
    if request.name and (family or request.patient is None):
        said.append(f"Пациент — {name_aloud(request.name)}")
    if request.doctor_name:
        said.append(f"Запись к врачу — {name_aloud(request.doctor_name)}")
    if request.service_name:
        said.append(f"Запись на услугу — {request.service_name}")
    if request.window_lost:
        said.append("Выбранное время занято, предложите другое")
    said.append("Соединяю с пациентом")
    return said


def refusal_phrase(event: RequestEvent, reason: str) -> str:
    """Why there is no conversation, for the administrator who has just pressed the key."""
    match event:
        case RequestEvent.BOOKED:
            return "Пациент уже записан. Звонить не нужно."
        case RequestEvent.FORBIDDEN:
            return "Пациент просил не звонить. Заявка закрыта."
        case RequestEvent.PATIENT_CALLED_IN:
            return (
                f"Пациент уже говорил с клиникой: {reason}."
                " Решите на экране, закрыть или продолжить."
            )
        case RequestEvent.PATIENT_IN_CALL:
            return "С пациентом сейчас говорят."
        case RequestEvent.HOURS_OVER:
            return "Время для звонков кончилось. Робот позвонит, когда звонить снова можно."
        case RequestEvent.PATIENT_LAST_FAILED:
            return "Пациент не ответил. Мы пошлём ему СМС с номером клиники."
        case _:
            return "Пациент не ответил. Робот попробует позже."
