"""Who turned to us: whose contact it is, its «Кто, тип», and whose it is among the employees."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from callcenter.contacts.rules.inputs import (
    BOOKINGS,
    ContactFacts,
    InteractionFacts,
    ResultFacts,
    first,
)
from callcenter.contacts.states import (
    WHO_OF_ORIGIN,
    CallerType,
    Direction,
    InteractionKind,
    InteractionState,
    Origin,
    ResultKind,
)

# «…перезваниваете по списку „Обзвон на ближайший день“, по записям в листе ожидания и по задачам».
ORIGIN_OF_DEED: Final[dict[ResultKind, Origin]] = {
    ResultKind.WAITING_CLOSED: Origin.WAITING_LIST,
    ResultKind.WAITING_MOVED: Origin.WAITING_LIST,
    ResultKind.TASK_CLOSED: Origin.CRM_TASK,
    ResultKind.REMINDED: Origin.REMINDER,
}


@dataclass(frozen=True)
class ContactOwner:
    """Whose contact it is: a patient, or a number or chat client nobody knows; `asks` when a family
    shares the number.
    """

    patient: int | None
    asks: bool = False


def person_of(
    given: int | None, on_cards: Collection[int], named_today: Collection[int]
) -> ContactOwner:
    """The patient, if known, whichever of his numbers; else the number.

    `given` was said by whoever wrote the interaction; `on_cards` are the patients whose card has
    the number; `named_today` those whom others of this number and day were said to be. A family's
    number asks whom: one call is never logged to several people.
    """
    if given is not None:
        return ContactOwner(given)
    if len(on_cards) == 1:
        return ContactOwner(next(iter(on_cards)))
    if len(on_cards) > 1:
        return ContactOwner(None, asks=True)
    if len(named_today) == 1:
        return ContactOwner(next(iter(named_today)))
    return ContactOwner(None)


def origin_of(one: InteractionFacts, gave: Sequence[ResultFacts]) -> str:
    """The list an outgoing call came from: as the caller said, or as what he did in it tells.

    «…и в течение 15 минут от звонка совершает действие: записывает на прием, переносит или
    закрывает задачу … отмечает, что пациент оповещен».
    """
    if one.direction != Direction.OUT or one.kind != InteractionKind.CALL:
        return ""
    if one.origin:
        return one.origin
    deeds = sorted(
        (deed for deed in gave if deed.interaction == one.id), key=lambda deed: (deed.at, deed.id)
    )
    return next(
        (str(ORIGIN_OF_DEED[deed.kind]) for deed in deeds if deed.kind in ORIGIN_OF_DEED), ""
    )


def who_of_said(
    one: InteractionFacts, notes: Sequence[InteractionFacts], origin: str, facts: ContactFacts
) -> CallerType:
    """«Кто, тип» of one interaction: «Без группировки» keeps the list a call came from whatever
    came of it.
    """
    if facts.directory:
        return CallerType(facts.directory)
    if origin:
        return WHO_OF_ORIGIN[Origin(origin)]
    given = first(
        [one.caller_type_given or None, *(note.caller_type_given or None for note in notes)]
    )
    if given:
        return CallerType(given)
    if (
        any(deed.kind in BOOKINGS and deed.interaction == one.id for deed in facts.gave)
        or one.says_booked
    ):
        return CallerType.WANTS_BOOKING
    return CallerType.UNKNOWN


def who_of_contact(
    said: Sequence[InteractionFacts], facts: ContactFacts, from_list: bool
) -> CallerType:
    """«Если пациента записали на прием через, например, лист ожидания, то „Кто, тип“ меняется … на
    „Хочет записаться“».

    «…выберите „Разговор с пациентом“, чтобы увидеть звонки без записи на прием, с
    автокомментариями».
    """
    if facts.directory:
        return CallerType(facts.directory)
    if any(deed.kind in BOOKINGS for deed in facts.gave) or any(one.says_booked for one in said):
        return CallerType.WANTS_BOOKING
    given = first(one.caller_type_given or None for one in reversed(said))
    if given:
        return CallerType(given)
    return CallerType.CONVERSATION if from_list else CallerType.UNKNOWN


def owner_of(said: Sequence[InteractionFacts], main: ResultFacts | None) -> int | None:
    """The employee of the main record, else of the last answered or commented interaction: one, so
    totals add up.
    """
    if main is not None and main.by is not None:
        return main.by
    return first(one.employee for one in reversed(said) if one.has_comment or _is_answered(one))


def _is_answered(one: InteractionFacts) -> bool:
    return one.state in (
        InteractionState.ANSWERED,
        InteractionState.TALKING,
        InteractionState.CLOSED,
        InteractionState.ACTIVE,
        InteractionState.PROCESSED,
        InteractionState.FINISHED,
    )
