"""Who turned to us: whose contact it is, its «Кто, тип», and whose it is among the employees."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from callcenter.contacts.rules.inputs import BOOKINGS, Facts, Gave, Said, first
from callcenter.contacts.states import WHO_OF_ORIGIN, Direction, Kind, Origin, ResultKind, State, WhoType

# «…перезваниваете по списку „Обзвон на ближайший день“, по записям в листе ожидания и по задачам».
ORIGIN_OF_DEED: Final[dict[ResultKind, Origin]] = {
    ResultKind.WAITING_CLOSED: Origin.WAITING_LIST,
    ResultKind.WAITING_MOVED: Origin.WAITING_LIST,
    ResultKind.TASK_CLOSED: Origin.CRM_TASK,
    ResultKind.REMINDED: Origin.REMINDER,
}


@dataclass(frozen=True)
class Person:
    """Whose contact it is: a patient, or a number or chat client nobody knows; `asks` when a family shares the number."""

    patient: int | None
    asks: bool = False


def person_of(given: int | None, on_cards: Collection[int], named_today: Collection[int]) -> Person:
    """The patient, if known, whichever of his numbers; else the number.

    `given` was said by whoever wrote the interaction; `on_cards` are the patients whose card has the number;
    `named_today` those whom others of this number and day were said to be. A family's number asks whom: one call is never
    logged to several people.
    """
    if given is not None:
        return Person(given)
    if len(on_cards) == 1:
        return Person(next(iter(on_cards)))
    if len(on_cards) > 1:
        return Person(None, asks=True)
    if len(named_today) == 1:
        return Person(next(iter(named_today)))
    return Person(None)


def origin_of(one: Said, gave: Sequence[Gave]) -> str:
    """The list an outgoing call came from: as the caller said, or as what he did in it tells.

    «…и в течение 15 минут от звонка совершает действие: записывает на прием, переносит или закрывает задачу … отмечает,
    что пациент оповещен».
    """
    if one.direction != Direction.OUT or one.kind != Kind.CALL:
        return ""
    if one.origin:
        return one.origin
    deeds = sorted((deed for deed in gave if deed.interaction == one.id), key=lambda deed: (deed.at, deed.id))
    return next((str(ORIGIN_OF_DEED[deed.kind]) for deed in deeds if deed.kind in ORIGIN_OF_DEED), "")


def who_of_said(one: Said, notes: Sequence[Said], origin: str, facts: Facts) -> WhoType:
    """«Кто, тип» of one interaction: «Без группировки» keeps the list a call came from whatever came of it."""
    if facts.directory:
        return WhoType(facts.directory)
    if origin:
        return WHO_OF_ORIGIN[Origin(origin)]
    given = first([one.who_given or None, *(note.who_given or None for note in notes)])
    if given:
        return WhoType(given)
    if any(deed.kind in BOOKINGS and deed.interaction == one.id for deed in facts.gave) or one.says_booked:
        return WhoType.WANTS_BOOKING
    return WhoType.UNKNOWN


def who_of_contact(said: Sequence[Said], facts: Facts, from_list: bool) -> WhoType:
    """«Если пациента записали на прием через, например, лист ожидания, то „Кто, тип“ меняется … на „Хочет записаться“».

    «…выберите „Разговор с пациентом“, чтобы увидеть звонки без записи на прием, с автокомментариями».
    """
    if facts.directory:
        return WhoType(facts.directory)
    if any(deed.kind in BOOKINGS for deed in facts.gave) or any(one.says_booked for one in said):
        return WhoType.WANTS_BOOKING
    given = first(one.who_given or None for one in reversed(said))
    if given:
        return WhoType(given)
    return WhoType.CONVERSATION if from_list else WhoType.UNKNOWN


def owner_of(said: Sequence[Said], main: Gave | None) -> int | None:
    """The employee of the main record, else of the last answered or commented interaction: one, so totals add up."""
    if main is not None and main.by is not None:
        return main.by
    return first(one.employee for one in reversed(said) if one.has_comment or _is_answered(one))


def _is_answered(one: Said) -> bool:
    return one.state in (State.ANSWERED, State.TALKING, State.CLOSED, State.ACTIVE, State.PROCESSED, State.FINISHED)
