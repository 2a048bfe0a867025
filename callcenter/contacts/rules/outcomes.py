"""What came of a contact: the main result, the outcome, its icon, its money."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from callcenter.clinics.states import AppointmentStatus, WaitingState
from callcenter.contacts.rules.inputs import RECORDS, ResultFacts
from callcenter.contacts.states import ContactOutcome, ResultKind

_LOST: Final = (AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW)


def rank_of(gave: ResultFacts) -> int | None:
    """How successful a record is, 1 best; None for what is no record (a task, a mark).

    «1. Прием завершен или записи в лист ожидания закрыта добавлением приема; 2. Прием на будущее
    или запись в лист ожидания открыта; 3. Прием отменен или запись в лист ожидания закрыта без
    приема».
    """
    if gave.kind not in RECORDS:
        return None
    if gave.visit is not None:
        if gave.visit.status == AppointmentStatus.COMPLETED:
            return 1
        return 3 if gave.visit.status in _LOST else 2
    if gave.waiting is not None:
        if gave.waiting.state == WaitingState.OPEN:
            return 2
        return 1 if gave.waiting.visit is not None else 3
    return None


def main_result(gave: Sequence[ResultFacts], patient: int | None) -> ResultFacts | None:
    """«Главный результат выбирается из записей того пациента, который указан в звонке. Если таких
    записей несколько, то выбирается самая успешная … Если успешность одинаковая, то выбирается
    событие, которое добавили раньше».
    """
    ranked = [
        (rank, deed.at, deed.id, deed)
        for deed in gave
        if deed.patient == patient and patient is not None and (rank := rank_of(deed)) is not None
    ]
    return min(ranked, key=lambda item: item[:3])[3] if ranked else None


def outcome_of(main: ResultFacts | None, *, has_open_request: bool) -> ContactOutcome:
    """«Не записался», «Записался», «Записался в лист ожидания», «Отменил», «Записался и пришел»,
    «Заявки (Актуальные)».
    """
    if main is None:
        return ContactOutcome.REQUESTS if has_open_request else ContactOutcome.NOT_BOOKED
    visit = main.visit or (main.waiting.visit if main.waiting else None)
    if visit is not None:
        if visit.status == AppointmentStatus.COMPLETED:
            return ContactOutcome.CAME
        return ContactOutcome.CANCELLED if visit.status in _LOST else ContactOutcome.BOOKED
    if main.waiting is not None and main.waiting.state == WaitingState.OPEN:
        return ContactOutcome.WAITING
    return ContactOutcome.CANCELLED


@dataclass(frozen=True)
class ResultBadge:
    """The icon of a record's present state: a Tabler name, a colour and the word that stands with
    it.
    """

    icon: str
    colour: str
    word: str


def sign_of(gave: ResultFacts) -> ResultBadge | None:
    """«Зеленый символ календаря — будущий прием; Синий символ листа ожидания — запись открыта …
    Темно-серый символ календаря — прием состоялся. Светло-серый символ календаря — прием отменили,
    пациент не пришел. Светло-серый символ записи в лист ожидания — запись закрыта».
    """
    if gave.visit is not None:
        if gave.visit.status == AppointmentStatus.COMPLETED:
            return ResultBadge("calendar-check", "done", "приём состоялся")
        if gave.visit.status in _LOST:
            word = (
                "приём отменён"
                if gave.visit.status == AppointmentStatus.CANCELLED
                else "пациент не пришёл"
            )
            return ResultBadge("calendar-x", "lost", word)
        return ResultBadge("calendar-event", "future", "будущий приём")
    if gave.waiting is not None:
        if gave.waiting.state == WaitingState.OPEN:
            return ResultBadge("list-details", "open", "лист ожидания открыт")
        return ResultBadge("list-check", "lost", "лист ожидания закрыт")
    return None


def money_of(gave: Sequence[ResultFacts], patient: int | None) -> Decimal:
    """What the completed visits of this contact brought, each visit once, in roubles."""
    visits = {
        deed.visit_id: deed.visit.money or Decimal()
        for deed in gave
        if deed.visit is not None
        and deed.kind in (ResultKind.BOOKED, ResultKind.MOVED)
        and deed.patient == patient
        and deed.visit.status == AppointmentStatus.COMPLETED
    }
    return sum(visits.values(), Decimal())
