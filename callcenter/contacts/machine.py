"""What a contact comes to: every rule of «История обращений» in one pure function, `decide`. No ORM, no clock.

The row of a contact is never edited by hand: it is decided anew from the day's interactions and what came of them, so
the order in which they arrived changes nothing. Each rule quotes the instruction «История обращений».
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

from callcenter.clinics.states import AppointmentStatus, WaitingState
from callcenter.contacts.states import (
    BIT_OF,
    WHO_OF_ORIGIN,
    Direction,
    Kind,
    Origin,
    Outcome,
    ResultKind,
    Shape,
    State,
    WhoType,
)
from callcenter.lib.localtime import local, local_day

Value = TypeVar("Value")


@dataclass(frozen=True)
class Policy:
    """What clinics may want different; the source's own numbers are the defaults."""

    comment_minutes: int = 5
    result_minutes: int = 15
    overdue_days: int = 7


@dataclass(frozen=True)
class Said:
    """One interaction as the rules see it. `key` breaks ties of time and does not depend on the order of arrival."""

    id: int
    key: str
    kind: Kind
    state: State
    direction: Direction
    at: dt.datetime
    ended_at: dt.datetime | None = None
    number: str = ""
    employee: int | None = None
    wait_seconds: int | None = None
    talk_seconds: int | None = None
    topic: int | None = None
    has_comment: bool = False
    who_given: str = ""
    origin: str = ""
    channel: int | None = None
    line: str = ""
    is_written: bool = False  # put down by a person, not heard from a telephone exchange
    says_booked: bool = False  # the form's «Записался на консультацию»


@dataclass(frozen=True)
class Visit:
    status: AppointmentStatus
    money: Decimal | None = None


@dataclass(frozen=True)
class Waiting:
    state: WaitingState
    visit: Visit | None = None


@dataclass(frozen=True)
class Gave:
    """Something that came of the contact, with what has become of it since."""

    id: int
    kind: ResultKind
    at: dt.datetime
    by: int | None
    patient: int | None
    interaction: int | None = None
    visit_id: int | None = None
    visit: Visit | None = None
    waiting_id: int | None = None
    waiting: Waiting | None = None


@dataclass(frozen=True)
class Facts:
    """All that is known of one person in one local day of one clinic."""

    zone: str
    patient: int | None
    said: Sequence[Said]
    gave: Sequence[Gave] = ()
    directory: str = ""  # WhoType.EMPLOYEE or OTHER when the number stands in the directory of numbers
    had_completed_visit: bool = False
    policy: Policy = Policy()


@dataclass(frozen=True)
class SaidRow:
    """What the rules add to one interaction."""

    id: int
    bound_to: int | None
    shape: Shape
    who_type: WhoType
    employee: int | None
    topic: int | None


@dataclass(frozen=True)
class Row:
    """What the report shows of a contact, and by what it filters and counts it."""

    who_type: WhoType
    is_first_time: bool
    direction: Direction
    topic: int | None
    owner: int | None
    outcome: Outcome
    channel: int | None
    line: str
    shape: Shape
    shapes: int
    started_at: dt.datetime
    last_at: dt.datetime
    hour: int
    size: int
    overdue_on: dt.date | None
    money: Decimal
    wait_seconds: int
    waits: int
    talk_seconds: int
    talks: int
    main_result: int | None
    results: int
    said: tuple[SaidRow, ...]


RECORDS: Final = (
    ResultKind.BOOKED,
    ResultKind.MOVED,
    ResultKind.CANCELLED,
    ResultKind.WAITING_LIST,
    ResultKind.WAITING_CLOSED,
)
# «Хочет записаться»: a booking or a place in the waiting list was made.
_BOOKINGS: Final = (ResultKind.BOOKED, ResultKind.WAITING_LIST)
_REQUESTS: Final = (Kind.REQUEST, Kind.REQUEST_DIALOG)
_LOST: Final = (AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW)
# «…перезваниваете по списку „Обзвон на ближайший день“, по записям в листе ожидания и по задачам».
ORIGIN_OF_DEED: Final[dict[ResultKind, Origin]] = {
    ResultKind.WAITING_CLOSED: Origin.WAITING_LIST,
    ResultKind.WAITING_MOVED: Origin.WAITING_LIST,
    ResultKind.TASK_CLOSED: Origin.CRM_TASK,
    ResultKind.REMINDED: Origin.REMINDER,
}


def decide(facts: Facts) -> Row:
    """The row of a contact from its facts; there must be at least one interaction."""
    said = sorted(facts.said, key=lambda one: (one.at, one.key))
    bound = bind_comments(said, facts.policy)
    heard = [one for one in said if one.id not in bound]  # a comment that joined a call is part of it
    notes: dict[int, list[Said]] = {}
    for one in said:
        if one.id in bound:
            notes.setdefault(bound[one.id], []).append(one)
    shapes = {one.id: shape_of(one, noted=one.has_comment or one.id in notes) for one in said}
    origins = {one.id: origin_of(one, facts.gave) for one in said}
    rows = tuple(
        SaidRow(
            id=one.id,
            bound_to=bound.get(one.id),
            shape=shapes[one.id],
            who_type=who_of_said(one, notes.get(one.id, []), origins[one.id], facts),
            employee=_first([one.employee, *(note.employee for note in reversed(notes.get(one.id, [])))]),
            topic=_first([one.topic, *(note.topic for note in notes.get(one.id, []))]),
        )
        for one in said
    )
    main = main_result(facts.gave, facts.patient)
    waits = [one.wait_seconds for one in heard if one.wait_seconds is not None]
    talks = [one.talk_seconds for one in heard if one.talk_seconds is not None]
    return Row(
        who_type=who_of_contact(said, facts, any(origins.values())),
        is_first_time=facts.patient is not None and not facts.had_completed_visit,
        direction=heard[0].direction,
        topic=_first(one.topic for one in reversed(said)),
        owner=owner_of(said, main),
        outcome=outcome_of(main, has_open_request=any(_is_open_request(one) for one in said)),
        channel=_first(one.channel for one in said),
        line=next((one.line for one in heard if one.line), ""),
        shape=shapes[heard[0].id],
        shapes=_bits(shapes[one.id] for one in heard),
        started_at=said[0].at,
        last_at=said[-1].at,
        hour=local(said[0].at, facts.zone).hour,
        size=len(heard),
        overdue_on=overdue_on(said, facts.zone, facts.policy),
        money=money_of(facts.gave, facts.patient),
        wait_seconds=sum(waits),
        waits=len(waits),
        talk_seconds=sum(talks),
        talks=len(talks),
        main_result=main.id if main else None,
        results=len({(deed.visit_id, deed.waiting_id) for deed in facts.gave if deed.kind in RECORDS}),
        said=rows,
    )


# --- A comment and its call ---------------------------------------------------------------------------------------


def bind_comments(said: Sequence[Said], policy: Policy) -> dict[int, int]:
    """Which comment belongs to which call: the nearest in time of the same number and direction.

    «Комментарий соединяется со звонком по трем параметрам: время (5 минут по умолчанию…), номер телефона, направление
    звонка». The distance counts from the call's beginning to its end: a comment written while talking is at distance 0.
    A call that a person wrote down by hand joins the exchange's own record of it in the same way.
    """
    window = dt.timedelta(minutes=policy.comment_minutes)
    calls = [one for one in said if one.kind == Kind.CALL and not one.is_written]
    bound: dict[int, int] = {}
    for note in said:
        if not note.is_written or note.kind not in (Kind.COMMENT, Kind.CALL):
            continue
        near = [
            (_distance(note.at, call), call.at, call.key, call.id)
            for call in calls
            if call.number == note.number and call.direction == note.direction and _distance(note.at, call) <= window
        ]
        if near:
            bound[note.id] = min(near)[3]
    return bound


def _distance(moment: dt.datetime, call: Said) -> dt.timedelta:
    end = max(call.ended_at or call.at, call.at)
    return max(call.at - moment, moment - end, dt.timedelta())


# --- Type ---------------------------------------------------------------------------------------------------------


def shape_of(one: Said, *, noted: bool) -> Shape:
    """«Входящий звонок. Пропущенный», «Заявка-диалог. Закрытая», «Исходящий чат»: one word for each."""
    out = one.direction == Direction.OUT
    if one.kind == Kind.CALL:
        manner = _manner(one.state)
        return _CALL_NOTED[out] if noted and not manner else _CALL_SHAPES[out, manner]
    if one.kind == Kind.CHAT:
        if one.state == State.ACTIVE:
            return Shape.CHAT_OUT_LIVE if out else Shape.CHAT_IN_LIVE
        if one.state == State.MISSED and not out:
            return Shape.CHAT_IN_MISSED
        if noted:
            return Shape.CHAT_OUT_NOTED if out else Shape.CHAT_IN_NOTED
        return Shape.CHAT_OUT if out else Shape.CHAT_IN
    if one.kind == Kind.REQUEST:
        return Shape.REQUEST_NEW if one.state == State.NEW else Shape.REQUEST_DONE
    if one.kind == Kind.REQUEST_DIALOG:
        return Shape.REQUEST_DIALOG_NEW if one.state == State.NEW else Shape.REQUEST_DIALOG_DONE
    if one.kind == Kind.DIALOG:
        return Shape.DIALOG
    return Shape.COMMENT_OUT if out else Shape.COMMENT_IN


def _manner(state: State) -> str:
    if state in (State.RINGING, State.TALKING):
        return "live"
    return "lost" if state in (State.MISSED, State.FAILED) else ""


_CALL_NOTED: Final = {False: Shape.CALL_IN_NOTED, True: Shape.CALL_OUT_NOTED}
_CALL_SHAPES: Final = {
    (False, ""): Shape.CALL_IN,
    (False, "lost"): Shape.CALL_IN_MISSED,
    (False, "live"): Shape.CALL_IN_LIVE,
    (True, ""): Shape.CALL_OUT,
    (True, "lost"): Shape.CALL_OUT_FAILED,
    (True, "live"): Shape.CALL_OUT_LIVE,
}


def _bits(shapes: Iterable[Shape]) -> int:
    total = 0
    for shape in shapes:
        total |= BIT_OF[str(shape)]
    return total


# --- «Кто, тип» ---------------------------------------------------------------------------------------------------


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
    given = _first([one.who_given or None, *(note.who_given or None for note in notes)])
    if given:
        return WhoType(given)
    if any(deed.kind in _BOOKINGS and deed.interaction == one.id for deed in facts.gave) or one.says_booked:
        return WhoType.WANTS_BOOKING
    return WhoType.UNKNOWN


def who_of_contact(said: Sequence[Said], facts: Facts, from_list: bool) -> WhoType:
    """«Если пациента записали на прием через, например, лист ожидания, то „Кто, тип“ меняется … на „Хочет записаться“».

    «…выберите „Разговор с пациентом“, чтобы увидеть звонки без записи на прием, с автокомментариями».
    """
    if facts.directory:
        return WhoType(facts.directory)
    if any(deed.kind in _BOOKINGS for deed in facts.gave) or any(one.says_booked for one in said):
        return WhoType.WANTS_BOOKING
    given = _first(one.who_given or None for one in reversed(said))
    if given:
        return WhoType(given)
    return WhoType.CONVERSATION if from_list else WhoType.UNKNOWN


# --- What came of it ----------------------------------------------------------------------------------------------


def rank_of(gave: Gave) -> int | None:
    """How successful a record is, 1 best; None for what is no record (a task, a mark).

    «1. Прием завершен или записи в лист ожидания закрыта добавлением приема; 2. Прием на будущее или запись в лист
    ожидания открыта; 3. Прием отменен или запись в лист ожидания закрыта без приема».
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


def main_result(gave: Sequence[Gave], patient: int | None) -> Gave | None:
    """«Главный результат выбирается из записей того пациента, который указан в звонке. Если таких записей несколько, то
    выбирается самая успешная … Если успешность одинаковая, то выбирается событие, которое добавили раньше»."""
    ranked = [
        (rank, deed.at, deed.id, deed)
        for deed in gave
        if deed.patient == patient and patient is not None and (rank := rank_of(deed)) is not None
    ]
    return min(ranked, key=lambda item: item[:3])[3] if ranked else None


def outcome_of(main: Gave | None, *, has_open_request: bool) -> Outcome:
    """«Не записался», «Записался», «Записался в лист ожидания», «Отменил», «Записался и пришел», «Заявки (Актуальные)»."""
    if main is None:
        return Outcome.REQUESTS if has_open_request else Outcome.NOT_BOOKED
    visit = main.visit or (main.waiting.visit if main.waiting else None)
    if visit is not None:
        if visit.status == AppointmentStatus.COMPLETED:
            return Outcome.CAME
        return Outcome.CANCELLED if visit.status in _LOST else Outcome.BOOKED
    if main.waiting is not None and main.waiting.state == WaitingState.OPEN:
        return Outcome.WAITING
    return Outcome.CANCELLED


@dataclass(frozen=True)
class Sign:
    """The icon of a record's present state: a Tabler name, a colour and the word that stands with it."""

    icon: str
    colour: str
    word: str


def sign_of(gave: Gave) -> Sign | None:
    """«Зеленый символ календаря — будущий прием; Синий символ листа ожидания — запись открыта … Темно-серый символ
    календаря — прием состоялся. Светло-серый символ календаря — прием отменили, пациент не пришел. Светло-серый символ
    записи в лист ожидания — запись закрыта»."""
    if gave.visit is not None:
        if gave.visit.status == AppointmentStatus.COMPLETED:
            return Sign("calendar-check", "done", "приём состоялся")
        if gave.visit.status in _LOST:
            word = "приём отменён" if gave.visit.status == AppointmentStatus.CANCELLED else "пациент не пришёл"
            return Sign("calendar-x", "lost", word)
        return Sign("calendar-event", "future", "будущий приём")
    if gave.waiting is not None:
        if gave.waiting.state == WaitingState.OPEN:
            return Sign("list-details", "open", "лист ожидания открыт")
        return Sign("list-check", "lost", "лист ожидания закрыт")
    return None


def owner_of(said: Sequence[Said], main: Gave | None) -> int | None:
    """The employee of the main record, else of the last answered or commented interaction: one, so totals add up."""
    if main is not None and main.by is not None:
        return main.by
    return _first(one.employee for one in reversed(said) if one.has_comment or _is_answered(one))


def _is_answered(one: Said) -> bool:
    return one.state in (State.ANSWERED, State.TALKING, State.CLOSED, State.ACTIVE, State.PROCESSED, State.FINISHED)


def money_of(gave: Sequence[Gave], patient: int | None) -> Decimal:
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


# --- Requests -----------------------------------------------------------------------------------------------------


def _is_open_request(one: Said) -> bool:
    return one.kind in _REQUESTS and one.state == State.NEW


def overdue_on(said: Sequence[Said], zone: str, policy: Policy) -> dt.date | None:
    """The first day on which the oldest unhandled request is red; None when all are handled.

    «Просроченные заявки (становятся таковыми через полные 7 суток, включая сегодня)»: the day of the request and the six
    after it are the seven; on the next one it is overdue.
    """
    days = [local_day(one.at, zone) for one in said if _is_open_request(one)]
    return min(days) + dt.timedelta(days=policy.overdue_days) if days else None


# --- Which contact a deed belongs to ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deed:
    """Something done for a patient, found in the clinics' own tables: a booking, a move, a closed task."""

    kind: ResultKind
    at: dt.datetime
    by: int


def interaction_of(deed: Deed, said: Sequence[Said], policy: Policy, card_numbers: Collection[str]) -> Said | None:
    """The interaction of the same patient and local day that the deed came of, or None when it fits nowhere.

    Ours: the same employee. A call from a list must have begun at most 15 minutes earlier, to a number of the patient's
    card: «звонит пациенту по номеру телефона, указанному в карточке, и в течение 15 минут от звонка совершает действие …
    Если пройдет больше 15 минут, то информация о результате звонка не подтянется».
    """
    window = dt.timedelta(minutes=policy.result_minutes)
    fitting: list[Said] = []
    for one in said:
        if one.employee != deed.by:
            continue
        from_list = one.kind == Kind.CALL and one.direction == Direction.OUT and bool(one.origin)
        in_window = dt.timedelta() <= deed.at - one.at <= window
        if not from_list or (in_window and one.number in card_numbers):
            fitting.append(one)
    before = [one for one in fitting if one.at <= deed.at]
    if before:
        return max(before, key=lambda one: (one.at, one.key))
    return min(fitting, key=lambda one: (one.at, one.key), default=None)


# --- Missed calls -------------------------------------------------------------------------------------------------


class Fate:
    """What became of a missed call."""

    NOBODY = "nobody"
    SELF = "self"
    QUICK = "quick"
    DAY = "day"
    LATER = "later"


FATES: Final[dict[str, str]] = {
    Fate.NOBODY: "никто не перезвонил",
    Fate.SELF: "клиент дозвонился сам",
    Fate.QUICK: "перезвонили за 20 минут",
    Fate.DAY: "перезвонили за 23 часа",
    Fate.LATER: "перезвонили позже",
}
QUICK_SECONDS: Final = 20 * 60
DAY_SECONDS: Final = 23 * 3600


def fate_of(missed_at: dt.datetime, back_at: dt.datetime | None, back_by: str) -> str:
    """Who returned first after a missed call: nobody, the client himself, or we, and how soon."""
    if back_at is None:
        return Fate.NOBODY
    if back_by == Direction.IN:
        return Fate.SELF
    seconds = (back_at - missed_at).total_seconds()
    if seconds <= QUICK_SECONDS:
        return Fate.QUICK
    return Fate.DAY if seconds <= DAY_SECONDS else Fate.LATER


# --- Who turned to us ---------------------------------------------------------------------------------------------


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


def _first(values: Iterable[Value | None]) -> Value | None:
    return next((value for value in values if value is not None), None)
