"""Every rule of «История обращений» as a table, its sentence beside it."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from callcenter.clinics.states import AppointmentStatus as A
from callcenter.clinics.states import WaitingState as W
from callcenter.contacts.attribution import (
    AttributionMarks,
    AttributionRule,
    explain,
    matching_rule,
)
from callcenter.contacts.rules import (
    CallbackStatus,
    ContactFacts,
    InteractionFacts,
    PatientAction,
    PolicyValues,
    ResultFacts,
    VisitFacts,
    WaitingFacts,
    bind_comments,
    contact_type_of,
    decide,
    fate_of,
    interaction_of,
    main_result,
    outcome_of,
    overdue_on,
    owner_of,
    person_of,
    rank_of,
    sign_of,
)
from callcenter.contacts.states import (
    BIT_OF,
    MISSED,
    ORANGE,
    STATES_OF,
    YELLOW,
    CallerType,
    ContactOutcome,
    ContactType,
    Direction,
    InteractionKind,
    InteractionState,
    Origin,
    ResultKind,
    RuleKind,
)

AT = dt.datetime(2026, 3, 18, 9, tzinfo=dt.UTC)
ZONE = "Europe/Moscow"
IN, OUT = Direction.IN, Direction.OUT
OWN, OTHER = 7, 8


def minutes(number: float) -> dt.datetime:
    return AT + dt.timedelta(minutes=number)


def said(
    pk: int = 1,
    kind: InteractionKind = InteractionKind.CALL,
    state: InteractionState = InteractionState.ANSWERED,
    minute: float = 0,
    **more: Any,
) -> InteractionFacts:
    values: dict[str, Any] = dict(direction=IN, number="+79000000001") | more
    return InteractionFacts(
        id=pk, key=f"k{pk}", kind=kind, state=state, at=minutes(minute), **values
    )


def visit(
    status: A, number: int = 1, minute: float = 1, patient: int = OWN, **more: Any
) -> ResultFacts:
    values: dict[str, Any] = dict(kind=ResultKind.BOOKED, by=1, visit_id=number) | more
    return ResultFacts(
        id=number,
        at=minutes(minute),
        patient=patient,
        visit=VisitFacts(status, Decimal(1000)),
        **values,
    )


def waiting(
    state: W, closed_by: A | None = None, number: int = 1, minute: float = 1
) -> ResultFacts:
    entry = WaitingFacts(state, VisitFacts(closed_by) if closed_by else None)
    return ResultFacts(
        number, ResultKind.WAITING_LIST, minutes(minute), 1, OWN, waiting_id=number, waiting=entry
    )


def facts(*rows: InteractionFacts, gave: tuple[ResultFacts, ...] = (), **more: Any) -> ContactFacts:
    values: dict[str, Any] = dict(zone=ZONE, patient=OWN) | more
    return ContactFacts(said=rows, gave=gave, **values)


# «Комментарий соединяется со звонком по трем параметрам: время (5 минут по умолчанию…), номер
# телефона, направление звонка».
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
def test_a_comment_joins_a_call_by_time_number_and_direction(
    note: dict[str, Any], joins: bool
) -> None:
    call = said(1, ended_at=minutes(10))
    comment = said(2, InteractionKind.COMMENT, InteractionState.FINISHED, is_written=True, **note)
    assert bind_comments([call, comment], PolicyValues()) == ({2: 1} if joins else {})
    wide = bind_comments([call, comment], PolicyValues(comment_minutes=60))
    assert bool(wide) == (note.get("number") is None and note.get("direction") is None)


# «Если администратор добавил комментарий к чату, то в столбце „Сотрудник“ появится фамилия
# администратора»; «комментарий, который не привязался к чату» stands alone.
@pytest.mark.parametrize(
    ("chat", "note", "joins"),
    [
        (dict(number=""), dict(minute=3), True),  # a messenger without a number: the same person
        (dict(), dict(minute=3), True),
        (dict(number="+79000000002"), dict(minute=3), False),
        (
            dict(wait_seconds=60, talk_seconds=540),
            dict(minute=14),
            True,
        ),  # five minutes after its last message
        (dict(wait_seconds=60, talk_seconds=540), dict(minute=15.1), False),
        (dict(number=""), dict(minute=3, direction=OUT), False),
    ],
)
def test_a_comment_joins_a_chat_and_brings_its_employee(
    chat: dict[str, Any], note: dict[str, Any], joins: bool
) -> None:
    rows = [
        said(1, InteractionKind.CHAT, InteractionState.CLOSED, **chat),
        said(
            2,
            InteractionKind.COMMENT,
            InteractionState.FINISHED,
            is_written=True,
            employee=7,
            has_comment=True,
            **note,
        ),
    ]
    row = decide(facts(*rows))
    assert row.owner == 7
    assert (row.said[0].joined_call, row.said[1].joined_call) == (
        (None, 1) if joins else (None, None)
    )
    assert row.said[0].contact_type == (ContactType.CHAT_IN_NOTED if joins else ContactType.CHAT_IN)
    assert row.said[0].employee == (7 if joins else None)


def test_a_comment_joins_the_nearest_of_two_calls() -> None:
    calls = [said(1, minute=0), said(2, minute=6)]
    comment = said(3, InteractionKind.COMMENT, InteractionState.FINISHED, minute=4, is_written=True)
    assert bind_comments([*calls, comment], PolicyValues()) == {3: 2}


def test_a_call_written_by_hand_joins_the_exchange_s_own_record_of_it() -> None:
    row = decide(facts(said(1), said(2, minute=1, is_written=True, has_comment=True)))
    assert row.interaction_count == 1
    assert row.contact_type == ContactType.CALL_IN_NOTED


# «При наведении мыши на каждый из символов появляются … „Входящий звонок. Пропущенный“,
# „Заявка-диалог. Закрытая“, „Исходящий чат“».
@pytest.mark.parametrize(
    ("kind", "state", "direction", "noted", "contact_type"),
    [
        (InteractionKind.CALL, InteractionState.MISSED, IN, False, ContactType.CALL_IN_MISSED),
        (InteractionKind.CALL, InteractionState.ANSWERED, IN, False, ContactType.CALL_IN),
        (InteractionKind.CALL, InteractionState.ANSWERED, IN, True, ContactType.CALL_IN_NOTED),
        (InteractionKind.CALL, InteractionState.FAILED, OUT, False, ContactType.CALL_OUT_FAILED),
        (InteractionKind.CALL, InteractionState.ANSWERED, OUT, True, ContactType.CALL_OUT_NOTED),
        (InteractionKind.CALL, InteractionState.RINGING, IN, False, ContactType.CALL_IN_LIVE),
        (InteractionKind.CALL, InteractionState.TALKING, OUT, True, ContactType.CALL_OUT_LIVE),
        (InteractionKind.CHAT, InteractionState.ACTIVE, IN, False, ContactType.CHAT_IN_LIVE),
        (InteractionKind.CHAT, InteractionState.MISSED, IN, False, ContactType.CHAT_IN_MISSED),
        (InteractionKind.CHAT, InteractionState.CLOSED, OUT, False, ContactType.CHAT_OUT),
        (InteractionKind.CHAT, InteractionState.CLOSED, IN, True, ContactType.CHAT_IN_NOTED),
        (InteractionKind.REQUEST, InteractionState.NEW, IN, False, ContactType.REQUEST_NEW),
        (InteractionKind.REQUEST, InteractionState.PROCESSED, IN, True, ContactType.REQUEST_DONE),
        (
            InteractionKind.REQUEST_DIALOG,
            InteractionState.NEW,
            IN,
            False,
            ContactType.REQUEST_DIALOG_NEW,
        ),
        (
            InteractionKind.REQUEST_DIALOG,
            InteractionState.PROCESSED,
            IN,
            False,
            ContactType.REQUEST_DIALOG_DONE,
        ),
        (InteractionKind.DIALOG, InteractionState.FINISHED, IN, True, ContactType.DIALOG),
        (InteractionKind.COMMENT, InteractionState.FINISHED, IN, True, ContactType.COMMENT_IN),
        (InteractionKind.COMMENT, InteractionState.FINISHED, OUT, True, ContactType.COMMENT_OUT),
    ],
)
def test_the_type_of_an_interaction(
    kind: InteractionKind,
    state: InteractionState,
    direction: Direction,
    noted: bool,
    contact_type: ContactType,
) -> None:
    assert (
        contact_type_of(said(kind=kind, state=state, direction=direction), noted=noted)
        == contact_type
    )


def test_every_state_of_every_kind_has_a_type_and_a_bit_of_its_own() -> None:
    for kind, states in STATES_OF.items():
        for state in states:
            for direction in Direction:
                assert (
                    contact_type_of(said(kind=kind, state=state, direction=direction), noted=False)
                    in ContactType
                )
    assert len(set(BIT_OF.values())) == len(ContactType)
    assert all(bit < 2**31 for bit in BIT_OF.values())
    assert set(MISSED) < set(YELLOW)
    assert not set(YELLOW) & set(ORANGE)


# «1. Прием завершен или записи в лист ожидания закрыта добавлением приема; 2. Прием на будущее или
# запись в лист ожидания открыта; 3. …»
@pytest.mark.parametrize(
    ("gave", "rank", "outcome", "sign"),
    [
        (visit(A.COMPLETED), 1, ContactOutcome.CAME, ("calendar-check", "done")),
        (visit(A.SCHEDULED), 2, ContactOutcome.BOOKED, ("calendar-event", "future")),
        (visit(A.CONFIRMED), 2, ContactOutcome.BOOKED, ("calendar-event", "future")),
        (visit(A.ARRIVED), 2, ContactOutcome.BOOKED, ("calendar-event", "future")),
        (visit(A.CANCELLED), 3, ContactOutcome.CANCELLED, ("calendar-x", "lost")),
        (visit(A.NO_SHOW), 3, ContactOutcome.CANCELLED, ("calendar-x", "lost")),
        (waiting(W.CLOSED, A.COMPLETED), 1, ContactOutcome.CAME, ("list-check", "lost")),
        (waiting(W.CLOSED, A.SCHEDULED), 1, ContactOutcome.BOOKED, ("list-check", "lost")),
        (waiting(W.CLOSED, A.CANCELLED), 1, ContactOutcome.CANCELLED, ("list-check", "lost")),
        (waiting(W.OPEN), 2, ContactOutcome.WAITING, ("list-details", "open")),
        (waiting(W.CLOSED), 3, ContactOutcome.CANCELLED, ("list-check", "lost")),
        (ResultFacts(1, ResultKind.TASK, AT, 1, OWN), None, None, None),
        (
            ResultFacts(
                1, ResultKind.REMINDED, AT, 1, OWN, visit_id=1, visit=VisitFacts(A.SCHEDULED)
            ),
            None,
            None,
            None,
        ),
    ],
)
def test_rank_outcome_and_icon_of_each_record(
    gave: ResultFacts,
    rank: int | None,
    outcome: ContactOutcome | None,
    sign: tuple[str, str] | None,
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
    future, done, later = (
        visit(A.SCHEDULED, 1, 1),
        visit(A.COMPLETED, 2, 5),
        visit(A.COMPLETED, 3, 9),
    )
    for order in ([future, done, later], [later, done, future]):
        assert main_result(order, OWN) == done


def test_only_records_of_the_patient_named_in_the_contact_count() -> None:
    """«Главный результат выбирается из записей того пациента, который указан в звонке»."""
    child = visit(A.COMPLETED, 1, patient=OTHER)
    assert main_result([child], OWN) is None
    assert main_result([child], None) is None
    row = decide(facts(said(), gave=(child,)))
    assert (row.outcome, row.money) == (ContactOutcome.NOT_BOOKED, Decimal())


def test_without_a_record_an_open_request_is_actual_and_anything_else_not_booked() -> None:
    """«появится строка „Заявки (Актуальные)“»."""
    assert outcome_of(None, has_open_request=True) == ContactOutcome.REQUESTS
    assert outcome_of(None, has_open_request=False) == ContactOutcome.NOT_BOOKED


# «Если пациента записали на прием через, например, лист ожидания, то „Кто, тип“ меняется с „Лист
# ожидания“ на „Хочет записаться“».
@pytest.mark.parametrize(
    ("rows", "gave", "directory", "contact", "interaction"),
    [
        ((said(),), (), "", CallerType.UNKNOWN, CallerType.UNKNOWN),
        (
            (said(caller_type_given="wants_booking"),),
            (),
            "",
            CallerType.WANTS_BOOKING,
            CallerType.WANTS_BOOKING,
        ),
        (
            (said(),),
            (visit(A.SCHEDULED, interaction=1),),
            "",
            CallerType.WANTS_BOOKING,
            CallerType.WANTS_BOOKING,
        ),
        ((said(says_booked=True),), (), "", CallerType.WANTS_BOOKING, CallerType.WANTS_BOOKING),
        (
            (said(direction=OUT, origin=Origin.WAITING_LIST),),
            (),
            "",
            CallerType.CONVERSATION,
            CallerType.WAITING_LIST,
        ),
        (
            (said(direction=OUT, origin=Origin.CRM_TASK),),
            (),
            "",
            CallerType.CONVERSATION,
            CallerType.CRM_TASK,
        ),
        (
            (said(direction=OUT, origin=Origin.REMINDER),),
            (),
            "",
            CallerType.CONVERSATION,
            CallerType.REMINDER,
        ),
        (
            (said(direction=OUT, origin=Origin.WAITING_LIST),),
            (visit(A.SCHEDULED, interaction=1),),
            "",
            CallerType.WANTS_BOOKING,
            CallerType.WAITING_LIST,
        ),
        (
            (said(direction=OUT),),
            (ResultFacts(1, ResultKind.TASK_CLOSED, minutes(3), 1, OWN, interaction=1),),
            "",
            CallerType.CONVERSATION,
            CallerType.CRM_TASK,
        ),
        ((said(),), (), CallerType.EMPLOYEE, CallerType.EMPLOYEE, CallerType.EMPLOYEE),
        (
            (said(caller_type_given="wants_booking"),),
            (),
            CallerType.OTHER,
            CallerType.OTHER,
            CallerType.OTHER,
        ),
    ],
)
def test_who_turned_to_us(
    rows: tuple[InteractionFacts, ...],
    gave: tuple[ResultFacts, ...],
    directory: str,
    contact: CallerType,
    interaction: CallerType,
) -> None:
    row = decide(facts(*rows, gave=gave, directory=directory))
    assert (row.caller_type, row.said[0].caller_type) == (contact, interaction)


def test_first_time_is_a_patient_without_a_completed_visit_before() -> None:
    """«Первичные пациенты отмечены красным символом человечка»."""
    assert decide(facts(said())).is_first_time
    assert not decide(facts(said(), had_completed_visit=True)).is_first_time
    assert not decide(facts(said(), patient=None)).is_first_time


def test_the_owner_is_of_the_main_record_else_of_the_last_answered_or_commented() -> None:
    rows = [
        said(1, employee=1),
        said(2, minute=5, employee=2),
        said(3, state=InteractionState.MISSED, minute=9, employee=3),
    ]
    assert owner_of(rows, None) == 2
    assert owner_of(rows, visit(A.SCHEDULED, by=9)) == 9
    commented = said(
        4,
        InteractionKind.COMMENT,
        InteractionState.FINISHED,
        minute=12,
        employee=4,
        has_comment=True,
    )
    assert owner_of([*rows, commented], None) == 4
    assert owner_of([replace(rows[2])], None) is None


# «Просроченные заявки (становятся таковыми через полные 7 суток, включая сегодня)».
def test_a_request_is_overdue_after_seven_days_today_included() -> None:
    request = said(kind=InteractionKind.REQUEST, state=InteractionState.NEW)
    assert overdue_on([request], ZONE, PolicyValues()) == dt.date(2026, 3, 25)
    assert (
        overdue_on([replace(request, state=InteractionState.PROCESSED)], ZONE, PolicyValues())
        is None
    )
    assert overdue_on([request], ZONE, PolicyValues(overdue_days=3)) == dt.date(2026, 3, 21)


# «…в течение 15 минут от звонка совершает действие … Если пройдет больше 15 минут, то информация о
# результате звонка не подтянется».
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
def test_which_deed_belongs_to_which_call(
    call: dict[str, Any], deed_minute: float, by: int, fits: bool
) -> None:
    one = said(employee=1, **call)
    found = interaction_of(
        PatientAction(ResultKind.BOOKED, minutes(deed_minute), by),
        [one],
        PolicyValues(),
        {"+79000000001"},
    )
    assert (found == one) is fits


@pytest.mark.parametrize(
    "kind", [ResultKind.TASK_CLOSED, ResultKind.WAITING_MOVED, ResultKind.REMINDED]
)
def test_a_deed_of_a_list_tells_that_the_call_came_from_it_within_fifteen_minutes(
    kind: ResultKind,
) -> None:
    """«…переносит или закрывает задачу … отмечает, что пациент оповещен»: a call nobody said a list
    of.
    """
    call = said(employee=1, direction=OUT)
    for minute, fits in ((14.9, True), (15.1, False)):
        assert (
            interaction_of(
                PatientAction(kind, minutes(minute), 1), [call], PolicyValues(), {call.number}
            )
            == call
        ) is fits
    incoming = said(employee=1)
    assert (
        interaction_of(PatientAction(kind, minutes(120), 1), [incoming], PolicyValues(), set())
        == incoming
    )


def test_a_deed_belongs_to_the_last_call_before_it() -> None:
    rows = [said(1, employee=1), said(2, minute=30, employee=1), said(3, minute=90, employee=1)]
    found = interaction_of(
        PatientAction(ResultKind.BOOKED, minutes(60), 1), rows, PolicyValues(), set()
    )
    assert found == rows[1]


@pytest.mark.parametrize(
    ("back", "by", "fate"),
    [
        (None, "", CallbackStatus.NOBODY),
        (3, IN, CallbackStatus.SELF),
        (20, OUT, CallbackStatus.QUICK),
        (20.1, OUT, CallbackStatus.DAY),
        (23 * 60, OUT, CallbackStatus.DAY),
        (23 * 60 + 1, OUT, CallbackStatus.LATER),
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


# «У звонков сначала проверяются UTM-метки, затем номера, с которых пришел звонок, затем номера, на
# которые пришел звонок…»
RULES = [
    AttributionRule(1, 10, RuleKind.ACCOUNT, "uis", 1),
    AttributionRule(2, 20, RuleKind.NUMBER_TO, "+79000009001", 1),
    AttributionRule(3, 30, RuleKind.NUMBER_FROM, "+79000000001", 1),
    AttributionRule(4, 40, RuleKind.UTM, "utm_source=yandex&utm_campaign=implant*", 5),
    AttributionRule(5, 50, RuleKind.UTM, "utm_source=yandex", 9),
    AttributionRule(6, 60, RuleKind.CHAT_CHANNEL, "max", 1),
]
FULL = dict(number_from="+79000000001", number_to="+79000009001", chat_channel="max", account="uis")


@pytest.mark.parametrize(
    ("marks", "rule"),
    [
        (
            AttributionMarks(
                InteractionKind.CALL,
                {"utm_source": "Yandex", "utm_campaign": "implant-msk"},
                **FULL,
            ),
            4,
        ),
        (AttributionMarks(InteractionKind.CALL, {"utm_source": "yandex"}, **FULL), 5),
        (AttributionMarks(InteractionKind.CALL, {}, **FULL), 3),
        (AttributionMarks(InteractionKind.CALL, {}, **(FULL | {"number_from": "+79000000002"})), 2),
        (AttributionMarks(InteractionKind.CALL, {}, account="uis"), 1),
        (AttributionMarks(InteractionKind.CHAT, {}, **FULL), 6),
        (AttributionMarks(InteractionKind.CHAT, {}, account="uis"), 1),
        (AttributionMarks(InteractionKind.REQUEST, {}, **FULL), 1),
        (AttributionMarks(InteractionKind.REQUEST, {"utm_source": "yandex"}, **FULL), 5),
        (AttributionMarks(InteractionKind.CALL, {"utm_source": "google"}), None),
        (AttributionMarks(InteractionKind.DIALOG, {"utm_source": "yandex"}, **FULL), None),
    ],
)
def test_the_first_rule_from_the_top_fires(marks: AttributionMarks, rule: int | None) -> None:
    found = matching_rule(marks, RULES)
    assert (found.id if found else None) == rule
    checks = explain(marks, RULES)
    assert [check.rule.id for check in checks if check.is_decisive] == ([rule] if rule else [])
