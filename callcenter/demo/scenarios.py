"""How contacts of a large chain go: some thirty stories with weights, each decided once by the
product's own rules.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from callcenter.clinics.states import AppointmentStatus, WaitingState
from callcenter.contacts.rules import (
    ContactFacts,
    ContactVerdict,
    InteractionFacts,
    ResultFacts,
    VisitFacts,
    WaitingFacts,
    decide,
)
from callcenter.contacts.states import (
    CallerType,
    Direction,
    InteractionKind,
    InteractionState,
    Origin,
    ResultKind,
)

IN, OUT = Direction.IN, Direction.OUT
# A day whose decisions are copied to every other day; the employee, topic and channel are filled in
# for each contact.
_DAY: Final = dt.datetime(2026, 3, 18, 9, tzinfo=dt.UTC)
EMPLOYEE: Final = 1
PATIENT: Final = 1
MONEY: Final = Decimal(1)


@dataclass(frozen=True)
class ScriptStep:
    """One interaction: minutes after the contact's beginning, seconds waited and talked."""

    kind: InteractionKind
    state: InteractionState
    direction: Direction = IN
    minute: int = 0
    wait: int | None = None
    talk: int | None = None
    comment: str = ""
    who: str = ""
    origin: str = ""
    answered: bool = True


@dataclass(frozen=True)
class ContactScript:
    weight: int
    steps: tuple[ScriptStep, ...]
    known: bool = True  # the patient is known
    result: ResultKind | None = None
    visit: AppointmentStatus | None = None
    topic: bool = False
    channel: bool = False


def _call(talk: int, wait: int = 14, **more: object) -> ScriptStep:
    return ScriptStep(InteractionKind.CALL, InteractionState.ANSWERED, wait=wait, talk=talk, **more)  # type: ignore[arg-type]


def _ours(talk: int, minute: int = 0, **more: object) -> ScriptStep:
    return ScriptStep(
        InteractionKind.CALL,
        InteractionState.ANSWERED,
        OUT,
        minute=minute,
        wait=9,
        talk=talk,
        **more,  # type: ignore[arg-type]
    )


def _note(
    text: str, direction: Direction = IN, minute: int = 2, who: str = CallerType.WANTS_BOOKING
) -> ScriptStep:
    return ScriptStep(
        InteractionKind.COMMENT,
        InteractionState.FINISHED,
        direction,
        minute=minute,
        comment=text,
        who=who,
    )


_MISSED = ScriptStep(InteractionKind.CALL, InteractionState.MISSED, wait=38, answered=False)
_FAILED = ScriptStep(
    InteractionKind.CALL, InteractionState.FAILED, OUT, minute=20, wait=30, answered=False
)
_CHAT = ScriptStep(InteractionKind.CHAT, InteractionState.CLOSED, wait=45, talk=420)
_REQUEST = ScriptStep(
    InteractionKind.REQUEST, InteractionState.PROCESSED, comment="Перезвоните мне, пожалуйста"
)
_V = AppointmentStatus

STORIES: Final[tuple[ContactScript, ...]] = (
    ContactScript(140, (_call(185), _note("Записан на приём"), _call(40, minute=95)), result=ResultKind.BOOKED, visit=_V.COMPLETED, topic=True, channel=True),
    ContactScript(40, (_call(210), _note("Записан на приём")), result=ResultKind.BOOKED, visit=_V.SCHEDULED, topic=True, channel=True),
    ContactScript(38, (_call(160), _note("Записан на приём")), result=ResultKind.BOOKED, visit=_V.CANCELLED, topic=True, channel=True),
    ContactScript(22, (_call(150), _note("Записан")), result=ResultKind.BOOKED, visit=_V.NO_SHOW, topic=True),
    ContactScript(90, (_call(95), _note("Спросил цену, подумает", who=CallerType.WANTS_BOOKING), _ours(50, 180)), topic=True, channel=True),
    ContactScript(60, (_call(80), _note("Нет удобного времени", who=CallerType.WANTS_BOOKING)), known=False, topic=True, channel=True),
    ContactScript(85, (_call(60), _call(30, minute=40)), known=False, channel=True),
    ContactScript(55, (_call(45),)),
    ContactScript(45, (_MISSED, _ours(120, 12))),
    ContactScript(40, (_MISSED, _call(130, minute=25), _note("Дозвонился сам", minute=26)), topic=True),
    ContactScript(45, (_MISSED,), known=False),
    ContactScript(20, (_MISSED, _FAILED), known=False),
    ContactScript(30, (_MISSED, _ours(140, 8), _note("Перезвонили, записан", OUT, 9)), result=ResultKind.BOOKED, visit=_V.COMPLETED, topic=True),
    ContactScript(60, (_CHAT,), known=False, channel=True),
    ContactScript(35, (_CHAT, _ours(150, 30), _note("Из чата, записан", OUT, 31)), result=ResultKind.BOOKED, visit=_V.COMPLETED, topic=True, channel=True),
    ContactScript(10, (ScriptStep(InteractionKind.CHAT, InteractionState.MISSED, wait=600, answered=False),), known=False, channel=True),
    ContactScript(40, (_REQUEST, _ours(170, 15), _note("По заявке, записан", OUT, 16)), result=ResultKind.BOOKED, visit=_V.COMPLETED, topic=True, channel=True),
    ContactScript(30, (_REQUEST, _ours(75, 40), _note("Передумал", OUT, 41)), known=False, topic=True, channel=True),
    ContactScript(6, (ScriptStep(InteractionKind.REQUEST, InteractionState.NEW, comment="Хочу записаться"),), known=False, channel=True),
    ContactScript(2, (ScriptStep(InteractionKind.REQUEST_DIALOG, InteractionState.NEW, comment="Просил перезвонить"),)),
    ContactScript(25, (ScriptStep(InteractionKind.DIALOG, InteractionState.FINISHED, comment="Подошёл на ресепшен", who=CallerType.WANTS_BOOKING),), result=ResultKind.BOOKED, visit=_V.COMPLETED, topic=True),
    ContactScript(12, (ScriptStep(InteractionKind.COMMENT, InteractionState.FINISHED, comment="Звонил на личный номер", who=CallerType.WANTS_BOOKING),), topic=True),
    ContactScript(50, (_ours(70, origin=Origin.REMINDER),), result=ResultKind.REMINDED),
    ContactScript(28, (_ours(110, origin=Origin.WAITING_LIST),), result=ResultKind.BOOKED, visit=_V.COMPLETED, topic=True),
    ContactScript(18, (_ours(65, origin=Origin.WAITING_LIST),), result=ResultKind.WAITING_MOVED),
    ContactScript(20, (_ours(90, origin=Origin.CRM_TASK),), result=ResultKind.TASK_CLOSED),
    ContactScript(20, (ScriptStep(InteractionKind.CALL, InteractionState.FAILED, OUT, wait=30, answered=False),)),
    ContactScript(18, (_call(100), _note("В лист ожидания")), result=ResultKind.WAITING_LIST, topic=True, channel=True),
    ContactScript(16, (_call(70), _note("Отменил приём", who="")), result=ResultKind.CANCELLED, visit=_V.CANCELLED),
    ContactScript(10, (_call(35, who=CallerType.OTHER),), known=False),
)  # fmt: skip


def said_of(steps: Sequence[ScriptStep]) -> list[InteractionFacts]:
    """The steps as the rules see them; a comment is written down, everything else heard from the
    exchange.
    """
    heard = []
    for place, step in enumerate(steps):
        at = _DAY + dt.timedelta(minutes=step.minute)
        length = (step.wait or 0) + (step.talk or 0)
        heard.append(
            InteractionFacts(
                id=place,
                key=str(place),
                kind=step.kind,
                state=step.state,
                direction=step.direction,
                at=at,
                ended_at=at + dt.timedelta(seconds=length)
                if step.kind == InteractionKind.CALL
                else None,
                number="+79000000001",
                employee=EMPLOYEE if step.answered else None,
                wait_seconds=step.wait,
                talk_seconds=step.talk,
                has_comment=bool(step.comment),
                caller_type_given=str(step.who),
                origin=str(step.origin),
                is_written=step.kind in (InteractionKind.COMMENT, InteractionKind.DIALOG),
            )
        )
    return heard


def gave_of(story: ContactScript) -> list[ResultFacts]:
    if story.result is None:
        return []
    waiting = WaitingFacts(WaitingState.OPEN) if story.result == ResultKind.WAITING_LIST else None
    visit = VisitFacts(story.visit, MONEY) if story.visit is not None else None
    talk = next(place for place, step in enumerate(story.steps) if step.answered)
    at = _DAY + dt.timedelta(minutes=story.steps[talk].minute + 1)
    return [
        ResultFacts(
            id=1,
            kind=story.result,
            at=at,
            by=EMPLOYEE,
            patient=PATIENT,
            interaction=talk,
            visit_id=1 if visit else None,
            visit=visit,
            waiting_id=1 if waiting else None,
            waiting=waiting,
        )
    ]


def decided(story: ContactScript, *, first_time: bool) -> ContactVerdict:
    """What the rules make of the story, for a patient who has been here before or never."""
    return decide(
        ContactFacts(
            zone="UTC",
            patient=PATIENT if story.known else None,
            said=said_of(story.steps),
            gave=gave_of(story),
            had_completed_visit=not first_time,
        )
    )
