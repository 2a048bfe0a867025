"""Every rule of «История обращений» as a table, its sentence beside it."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from callcenter.clinics.states import AppointmentStatus as A
from callcenter.clinics.states import WaitingState as W
from callcenter.contacts.attribution import Marks, Rule, explain, fired
from callcenter.contacts.rules import (
    Deed,
    Facts,
    Fate,
    Gave,
    Policy,
    Said,
    Visit,
    Waiting,
    bind_comments,
    decide,
    fate_of,
    interaction_of,
    main_result,
    outcome_of,
    overdue_on,
    owner_of,
    person_of,
    rank_of,
    shape_of,
    sign_of,
)
from callcenter.contacts.states import (
    BIT_OF,
    MISSED,
    ORANGE,
    STATES_OF,
    YELLOW,
    Direction,
    Kind,
    Origin,
    Outcome,
    ResultKind,
    RuleKind,
    Shape,
    State,
    WhoType,
)

AT = dt.datetime(2026, 3, 18, 9, tzinfo=dt.UTC)
ZONE = "Europe/Moscow"
IN, OUT = Direction.IN, Direction.OUT
OWN, OTHER = 7, 8


def minutes(number: float) -> dt.datetime:
    return AT + dt.timedelta(minutes=number)


def said(pk: int = 1, kind: Kind = Kind.CALL, state: State = State.ANSWERED, minute: float = 0, **more: Any) -> Said:
    values: dict[str, Any] = dict(direction=IN, number="+79000000001") | more
    return Said(id=pk, key=f"k{pk}", kind=kind, state=state, at=minutes(minute), **values)


def visit(status: A, number: int = 1, minute: float = 1, patient: int = OWN, **more: Any) -> Gave:
    values: dict[str, Any] = dict(kind=ResultKind.BOOKED, by=1, visit_id=number) | more
    return Gave(id=number, at=minutes(minute), patient=patient, visit=Visit(status, Decimal(1000)), **values)


def waiting(state: W, closed_by: A | None = None, number: int = 1, minute: float = 1) -> Gave:
    entry = Waiting(state, Visit(closed_by) if closed_by else None)
    return Gave(number, ResultKind.WAITING_LIST, minutes(minute), 1, OWN, waiting_id=number, waiting=entry)


def facts(*rows: Said, gave: tuple[Gave, ...] = (), **more: Any) -> Facts:
    values: dict[str, Any] = dict(zone=ZONE, patient=OWN) | more
    return Facts(said=rows, gave=gave, **values)


# «Комментарий соединяется со звонком по трем параметрам: время (5 минут по умолчанию…), номер телефона, направление звонка».
@pytest.mark.parametrize(
    ("note", "joins"),
    [
        (dict(minute=0), True),
        (dict(minute=12), True),  # written while they talked
        (dict(minute=15), True),  # five minutes after the end
        (dict(minute=15.1), False),
        (dict(minute=-5), True),
        (dict(minute=-5.1), False),
        (dict(minute=2, number="+79000000002"), False),
        (dict(minute=2, direction=OUT), False),
    ],
)
def test_a_comment_joins_a_call_by_time_number_and_direction(note: dict[str, Any], joins: bool) -> None:
    call = said(1, ended_at=minutes(10))
    comment = said(2, Kind.COMMENT, State.FINISHED, is_written=True, **note)
    assert bind_comments([call, comment], Policy()) == ({2: 1} if joins else {})
    wide = bind_comments([call, comment], Policy(comment_minutes=60))
    assert bool(wide) == (note.get("number") is None and note.get("direction") is None)


# «Если администратор добавил комментарий к чату, то в столбце „Сотрудник“ появится фамилия администратора»; «комментарий, который
# не привязался к чату» stands alone.
@pytest.mark.parametrize(
    ("chat", "note", "joins"),
    [
        (dict(number=""), dict(minute=3), True),  # a messenger without a number: the same person
        (dict(), dict(minute=3), True),
        (dict(number="+79000000002"), dict(minute=3), False),
        (dict(wait_seconds=60, talk_seconds=540), dict(minute=14), True),  # five minutes after its last message
        (dict(wait_seconds=60, talk_seconds=540), dict(minute=15.1), False),
        (dict(number=""), dict(minute=3, direction=OUT), False),
    ],
)
def test_a_comment_joins_a_chat_and_brings_its_employee(
    chat: dict[str, Any], note: dict[str, Any], joins: bool
) -> None:
    rows = [
        said(1, Kind.CHAT, State.CLOSED, **chat),
        said(2, Kind.COMMENT, State.FINISHED, is_written=True, employee=7, has_comment=True, **note),
    ]
    row = decide(facts(*rows))
    assert row.owner == 7
    assert (row.said[0].bound_to, row.said[1].bound_to) == ((None, 1) if joins else (None, None))
    assert row.said[0].shape == (Shape.CHAT_IN_NOTED if joins else Shape.CHAT_IN)
    assert row.said[0].employee == (7 if joins else None)


def test_a_comment_joins_the_nearest_of_two_calls() -> None:
    calls = [said(1, minute=0), said(2, minute=6)]
    comment = said(3, Kind.COMMENT, State.FINISHED, minute=4, is_written=True)
    assert bind_comments([*calls, comment], Policy()) == {3: 2}


def test_a_call_written_by_hand_joins_the_exchange_s_own_record_of_it() -> None:
    row = decide(facts(said(1), said(2, minute=1, is_written=True, has_comment=True)))
    assert row.size == 1
    assert row.shape == Shape.CALL_IN_NOTED


# «При наведении мыши на каждый из символов появляются … „Входящий звонок. Пропущенный“, „Заявка-диалог. Закрытая“, „Исходящий чат“».
@pytest.mark.parametrize(
    ("kind", "state", "direction", "noted", "shape"),
    [
        (Kind.CALL, State.MISSED, IN, False, Shape.CALL_IN_MISSED),
        (Kind.CALL, State.ANSWERED, IN, False, Shape.CALL_IN),
        (Kind.CALL, State.ANSWERED, IN, True, Shape.CALL_IN_NOTED),
        (Kind.CALL, State.FAILED, OUT, False, Shape.CALL_OUT_FAILED),
        (Kind.CALL, State.ANSWERED, OUT, True, Shape.CALL_OUT_NOTED),
        (Kind.CALL, State.RINGING, IN, False, Shape.CALL_IN_LIVE),
        (Kind.CALL, State.TALKING, OUT, True, Shape.CALL_OUT_LIVE),
        (Kind.CHAT, State.ACTIVE, IN, False, Shape.CHAT_IN_LIVE),
        (Kind.CHAT, State.MISSED, IN, False, Shape.CHAT_IN_MISSED),
        (Kind.CHAT, State.CLOSED, OUT, False, Shape.CHAT_OUT),
        (Kind.CHAT, State.CLOSED, IN, True, Shape.CHAT_IN_NOTED),
        (Kind.REQUEST, State.NEW, IN, False, Shape.REQUEST_NEW),
        (Kind.REQUEST, State.PROCESSED, IN, True, Shape.REQUEST_DONE),
        (Kind.REQUEST_DIALOG, State.NEW, IN, False, Shape.REQUEST_DIALOG_NEW),
        (Kind.REQUEST_DIALOG, State.PROCESSED, IN, False, Shape.REQUEST_DIALOG_DONE),
        (Kind.DIALOG, State.FINISHED, IN, True, Shape.DIALOG),
        (Kind.COMMENT, State.FINISHED, IN, True, Shape.COMMENT_IN),
        (Kind.COMMENT, State.FINISHED, OUT, True, Shape.COMMENT_OUT),
    ],
)
def test_the_type_of_an_interaction(kind: Kind, state: State, direction: Direction, noted: bool, shape: Shape) -> None:
    assert shape_of(said(kind=kind, state=state, direction=direction), noted=noted) == shape


def test_every_state_of_every_kind_has_a_type_and_a_bit_of_its_own() -> None:
    for kind, states in STATES_OF.items():
        for state in states:
            for direction in Direction:
                assert shape_of(said(kind=kind, state=state, direction=direction), noted=False) in Shape
    assert len(set(BIT_OF.values())) == len(Shape)
    assert all(bit < 2**31 for bit in BIT_OF.values())
    assert set(MISSED) < set(YELLOW)
    assert not set(YELLOW) & set(ORANGE)


# «1. Прием завершен или записи в лист ожидания закрыта добавлением приема; 2. Прием на будущее или запись в лист ожидания открыта; 3. …»
@pytest.mark.parametrize(
    ("gave", "rank", "outcome", "sign"),
    [
        (visit(A.COMPLETED), 1, Outcome.CAME, ("calendar-check", "done")),
        (visit(A.SCHEDULED), 2, Outcome.BOOKED, ("calendar-event", "future")),
        (visit(A.CONFIRMED), 2, Outcome.BOOKED, ("calendar-event", "future")),
        (visit(A.ARRIVED), 2, Outcome.BOOKED, ("calendar-event", "future")),
        (visit(A.CANCELLED), 3, Outcome.CANCELLED, ("calendar-x", "lost")),
        (visit(A.NO_SHOW), 3, Outcome.CANCELLED, ("calendar-x", "lost")),
        (waiting(W.CLOSED, A.COMPLETED), 1, Outcome.CAME, ("list-check", "lost")),
        (waiting(W.CLOSED, A.SCHEDULED), 1, Outcome.BOOKED, ("list-check", "lost")),
        (waiting(W.CLOSED, A.CANCELLED), 1, Outcome.CANCELLED, ("list-check", "lost")),
        (waiting(W.OPEN), 2, Outcome.WAITING, ("list-details", "open")),
        (waiting(W.CLOSED), 3, Outcome.CANCELLED, ("list-check", "lost")),
        (Gave(1, ResultKind.TASK, AT, 1, OWN), None, None, None),
        (Gave(1, ResultKind.REMINDED, AT, 1, OWN, visit_id=1, visit=Visit(A.SCHEDULED)), None, None, None),
    ],
)
def test_rank_outcome_and_icon_of_each_record(
    gave: Gave, rank: int | None, outcome: Outcome | None, sign: tuple[str, str] | None
) -> None:
    assert rank_of(gave) == rank
    if rank is None:
        assert main_result([gave], OWN) is None
        return
    assert outcome_of(main_result([gave], OWN), has_open_request=True) == outcome
    shown = sign_of(gave)
    assert shown is not None
    assert (shown.icon, shown.colour) == sign


def test_the_main_result_is_the_most_successful_and_of_equals_the_first_added() -> None:
    """«Если успешность одинаковая, то выбирается событие, которое добавили раньше»."""
    future, done, later = visit(A.SCHEDULED, 1, 1), visit(A.COMPLETED, 2, 5), visit(A.COMPLETED, 3, 9)
    for order in ([future, done, later], [later, done, future]):
        assert main_result(order, OWN) == done


def test_only_records_of_the_patient_named_in_the_contact_count() -> None:
    """«Главный результат выбирается из записей того пациента, который указан в звонке»."""
    child = visit(A.COMPLETED, 1, patient=OTHER)
    assert main_result([child], OWN) is None
    assert main_result([child], None) is None
    row = decide(facts(said(), gave=(child,)))
    assert (row.outcome, row.money) == (Outcome.NOT_BOOKED, Decimal())


def test_without_a_record_an_open_request_is_actual_and_anything_else_not_booked() -> None:
    """«появится строка „Заявки (Актуальные)“»."""
    assert outcome_of(None, has_open_request=True) == Outcome.REQUESTS
    assert outcome_of(None, has_open_request=False) == Outcome.NOT_BOOKED


# «Если пациента записали на прием через, например, лист ожидания, то „Кто, тип“ меняется с „Лист ожидания“ на „Хочет записаться“».
@pytest.mark.parametrize(
    ("rows", "gave", "directory", "contact", "interaction"),
    [
        ((said(),), (), "", WhoType.UNKNOWN, WhoType.UNKNOWN),
        ((said(who_given="wants_booking"),), (), "", WhoType.WANTS_BOOKING, WhoType.WANTS_BOOKING),
        ((said(),), (visit(A.SCHEDULED, interaction=1),), "", WhoType.WANTS_BOOKING, WhoType.WANTS_BOOKING),
        ((said(says_booked=True),), (), "", WhoType.WANTS_BOOKING, WhoType.WANTS_BOOKING),
        ((said(direction=OUT, origin=Origin.WAITING_LIST),), (), "", WhoType.CONVERSATION, WhoType.WAITING_LIST),
        ((said(direction=OUT, origin=Origin.CRM_TASK),), (), "", WhoType.CONVERSATION, WhoType.CRM_TASK),
        ((said(direction=OUT, origin=Origin.REMINDER),), (), "", WhoType.CONVERSATION, WhoType.REMINDER),
        (
            (said(direction=OUT, origin=Origin.WAITING_LIST),),
            (visit(A.SCHEDULED, interaction=1),),
            "",
            WhoType.WANTS_BOOKING,
            WhoType.WAITING_LIST,
        ),
        (
            (said(direction=OUT),),
            (Gave(1, ResultKind.TASK_CLOSED, minutes(3), 1, OWN, interaction=1),),
            "",
            WhoType.CONVERSATION,
            WhoType.CRM_TASK,
        ),
        ((said(),), (), WhoType.EMPLOYEE, WhoType.EMPLOYEE, WhoType.EMPLOYEE),
        ((said(who_given="wants_booking"),), (), WhoType.OTHER, WhoType.OTHER, WhoType.OTHER),
    ],
)
def test_who_turned_to_us(
    rows: tuple[Said, ...], gave: tuple[Gave, ...], directory: str, contact: WhoType, interaction: WhoType
) -> None:
    row = decide(facts(*rows, gave=gave, directory=directory))
    assert (row.who_type, row.said[0].who_type) == (contact, interaction)


def test_first_time_is_a_patient_without_a_completed_visit_before() -> None:
    """«Первичные пациенты отмечены красным символом человечка»."""
    assert decide(facts(said())).is_first_time
    assert not decide(facts(said(), had_completed_visit=True)).is_first_time
    assert not decide(facts(said(), patient=None)).is_first_time


def test_the_owner_is_of_the_main_record_else_of_the_last_answered_or_commented() -> None:
    rows = [said(1, employee=1), said(2, minute=5, employee=2), said(3, state=State.MISSED, minute=9, employee=3)]
    assert owner_of(rows, None) == 2
    assert owner_of(rows, visit(A.SCHEDULED, by=9)) == 9
    commented = said(4, Kind.COMMENT, State.FINISHED, minute=12, employee=4, has_comment=True)
    assert owner_of([*rows, commented], None) == 4
    assert owner_of([replace(rows[2])], None) is None


# «Просроченные заявки (становятся таковыми через полные 7 суток, включая сегодня)».
def test_a_request_is_overdue_after_seven_days_today_included() -> None:
    request = said(kind=Kind.REQUEST, state=State.NEW)
    assert overdue_on([request], ZONE, Policy()) == dt.date(2026, 3, 25)
    assert overdue_on([replace(request, state=State.PROCESSED)], ZONE, Policy()) is None
    assert overdue_on([request], ZONE, Policy(overdue_days=3)) == dt.date(2026, 3, 21)


# «…в течение 15 минут от звонка совершает действие … Если пройдет больше 15 минут, то информация о результате звонка не подтянется».
@pytest.mark.parametrize(
    ("call", "deed_minute", "by", "fits"),
    [
        (dict(direction=OUT, origin=Origin.WAITING_LIST), 15, 1, True),
        (dict(direction=OUT, origin=Origin.WAITING_LIST), 15.1, 1, False),
        (dict(direction=OUT, origin=Origin.WAITING_LIST), -0.1, 1, False),
        (dict(direction=OUT, origin=Origin.WAITING_LIST, number="+79000000002"), 5, 1, False),
        (dict(direction=OUT, origin=Origin.WAITING_LIST), 5, 2, False),
        (dict(direction=OUT), 300, 1, True),  # no list: the same employee on the same day
        (dict(direction=IN), 300, 1, True),
        (dict(direction=IN), -10, 1, True),
        (dict(direction=IN), 5, 2, False),
    ],
)
def test_which_deed_belongs_to_which_call(call: dict[str, Any], deed_minute: float, by: int, fits: bool) -> None:
    one = said(employee=1, **call)
    found = interaction_of(Deed(ResultKind.BOOKED, minutes(deed_minute), by), [one], Policy(), {"+79000000001"})
    assert (found == one) is fits


@pytest.mark.parametrize("kind", [ResultKind.TASK_CLOSED, ResultKind.WAITING_MOVED, ResultKind.REMINDED])
def test_a_deed_of_a_list_tells_that_the_call_came_from_it_within_fifteen_minutes(kind: ResultKind) -> None:
    """«…переносит или закрывает задачу … отмечает, что пациент оповещен»: a call nobody said a list of."""
    call = said(employee=1, direction=OUT)
    for minute, fits in ((14.9, True), (15.1, False)):
        assert (interaction_of(Deed(kind, minutes(minute), 1), [call], Policy(), {call.number}) == call) is fits
    incoming = said(employee=1)
    assert interaction_of(Deed(kind, minutes(120), 1), [incoming], Policy(), set()) == incoming


def test_a_deed_belongs_to_the_last_call_before_it() -> None:
    rows = [said(1, employee=1), said(2, minute=30, employee=1), said(3, minute=90, employee=1)]
    found = interaction_of(Deed(ResultKind.BOOKED, minutes(60), 1), rows, Policy(), set())
    assert found == rows[1]


@pytest.mark.parametrize(
    ("back", "by", "fate"),
    [
        (None, "", Fate.NOBODY),
        (3, IN, Fate.SELF),
        (20, OUT, Fate.QUICK),
        (20.1, OUT, Fate.DAY),
        (23 * 60, OUT, Fate.DAY),
        (23 * 60 + 1, OUT, Fate.LATER),
    ],
)
def test_what_became_of_a_missed_call(back: float | None, by: str, fate: str) -> None:
    assert fate_of(AT, None if back is None else minutes(back), by) == fate


@pytest.mark.parametrize(
    ("given", "cards", "named", "patient", "asks"),
    [
        (5, {6, 7}, {8}, 5, False),
        (None, {6}, set(), 6, False),
        (None, {6, 7}, set(), None, True),
        (None, {6, 7}, {6}, None, True),
        (None, set(), {8}, 8, False),
        (None, set(), {8, 9}, None, False),
        (None, set(), set(), None, False),
    ],
)
def test_whose_contact_it_is(
    given: int | None, cards: set[int], named: set[int], patient: int | None, asks: bool
) -> None:
    """A shared family number asks whom, and never logs one call to several people."""
    person = person_of(given, cards, named)
    assert (person.patient, person.asks) == (patient, asks)


# «У звонков сначала проверяются UTM-метки, затем номера, с которых пришел звонок, затем номера, на которые пришел звонок…»
RULES = [
    Rule(1, 10, RuleKind.ACCOUNT, "uis", 1),
    Rule(2, 20, RuleKind.NUMBER_TO, "+79000009001", 1),
    Rule(3, 30, RuleKind.NUMBER_FROM, "+79000000001", 1),
    Rule(4, 40, RuleKind.UTM, "utm_source=yandex&utm_campaign=implant*", 5),
    Rule(5, 50, RuleKind.UTM, "utm_source=yandex", 9),
    Rule(6, 60, RuleKind.CHAT_CHANNEL, "max", 1),
]
FULL = dict(number_from="+79000000001", number_to="+79000009001", chat_channel="max", account="uis")


@pytest.mark.parametrize(
    ("marks", "rule"),
    [
        (Marks(Kind.CALL, {"utm_source": "Yandex", "utm_campaign": "implant-msk"}, **FULL), 4),
        (Marks(Kind.CALL, {"utm_source": "yandex"}, **FULL), 5),
        (Marks(Kind.CALL, {}, **FULL), 3),
        (Marks(Kind.CALL, {}, **(FULL | {"number_from": "+79000000002"})), 2),
        (Marks(Kind.CALL, {}, account="uis"), 1),
        (Marks(Kind.CHAT, {}, **FULL), 6),
        (Marks(Kind.CHAT, {}, account="uis"), 1),
        (Marks(Kind.REQUEST, {}, **FULL), 1),
        (Marks(Kind.REQUEST, {"utm_source": "yandex"}, **FULL), 5),
        (Marks(Kind.CALL, {"utm_source": "google"}), None),
        (Marks(Kind.DIALOG, {"utm_source": "yandex"}, **FULL), None),
    ],
)
def test_the_first_rule_from_the_top_fires(marks: Marks, rule: int | None) -> None:
    found = fired(marks, RULES)
    assert (found.id if found else None) == rule
    checks = explain(marks, RULES)
    assert [check.rule.id for check in checks if check.fired] == ([rule] if rule else [])
