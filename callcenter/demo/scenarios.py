"""How contacts of a large chain go: some thirty stories with weights, each decided once by the product's own rules."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from callcenter.clinics.states import AppointmentStatus, WaitingState
from callcenter.contacts.rules import Facts, Gave, Row, Said, Visit, Waiting, decide
from callcenter.contacts.states import Direction, Kind, Origin, ResultKind, State, WhoType

IN, OUT = Direction.IN, Direction.OUT
# A day whose decisions are copied to every other day; the employee, topic and channel are filled in for each contact.
_DAY: Final = dt.datetime(2026, 3, 18, 9, tzinfo=dt.UTC)
EMPLOYEE: Final = 1
PATIENT: Final = 1
MONEY: Final = Decimal(1)


@dataclass(frozen=True)
class Step:
    """One interaction: minutes after the contact's beginning, seconds waited and talked."""

    kind: Kind
    state: State
    direction: Direction = IN
    minute: int = 0
    wait: int | None = None
    talk: int | None = None
    comment: str = ""
    who: str = ""
    origin: str = ""
    answered: bool = True


@dataclass(frozen=True)
class Story:
    weight: int
    steps: tuple[Step, ...]
    known: bool = True  # the patient is known
    result: ResultKind | None = None
    visit: AppointmentStatus | None = None
    topic: bool = False
    channel: bool = False


def _call(talk: int, wait: int = 14, **more: object) -> Step:
    return Step(Kind.CALL, State.ANSWERED, wait=wait, talk=talk, **more)  # type: ignore[arg-type]


def _ours(talk: int, minute: int = 0, **more: object) -> Step:
    return Step(Kind.CALL, State.ANSWERED, OUT, minute=minute, wait=9, talk=talk, **more)  # type: ignore[arg-type]


def _note(text: str, direction: Direction = IN, minute: int = 2, who: str = WhoType.WANTS_BOOKING) -> Step:
    return Step(Kind.COMMENT, State.FINISHED, direction, minute=minute, comment=text, who=who)


_MISSED = Step(Kind.CALL, State.MISSED, wait=38, answered=False)
_FAILED = Step(Kind.CALL, State.FAILED, OUT, minute=20, wait=30, answered=False)
_CHAT = Step(Kind.CHAT, State.CLOSED, wait=45, talk=420)
_REQUEST = Step(Kind.REQUEST, State.PROCESSED, comment="Перезвоните мне, пожалуйста")
_V = AppointmentStatus

STORIES: Final[tuple[Story, ...]] = (
    Story(140, (_call(185), _note("Записан на приём"), _call(40, minute=95)), result=ResultKind.BOOKED, visit=_V.COMPLETED, topic=True, channel=True),
    Story(40, (_call(210), _note("Записан на приём")), result=ResultKind.BOOKED, visit=_V.SCHEDULED, topic=True, channel=True),
    Story(38, (_call(160), _note("Записан на приём")), result=ResultKind.BOOKED, visit=_V.CANCELLED, topic=True, channel=True),
    Story(22, (_call(150), _note("Записан")), result=ResultKind.BOOKED, visit=_V.NO_SHOW, topic=True),
    Story(90, (_call(95), _note("Спросил цену, подумает", who=WhoType.WANTS_BOOKING), _ours(50, 180)), topic=True, channel=True),
    Story(60, (_call(80), _note("Нет удобного времени", who=WhoType.WANTS_BOOKING)), known=False, topic=True, channel=True),
    Story(85, (_call(60), _call(30, minute=40)), known=False, channel=True),
    Story(55, (_call(45),)),
    Story(45, (_MISSED, _ours(120, 12))),
    Story(40, (_MISSED, _call(130, minute=25), _note("Дозвонился сам", minute=26)), topic=True),
    Story(45, (_MISSED,), known=False),
    Story(20, (_MISSED, _FAILED), known=False),
    Story(30, (_MISSED, _ours(140, 8), _note("Перезвонили, записан", OUT, 9)), result=ResultKind.BOOKED, visit=_V.COMPLETED, topic=True),
    Story(60, (_CHAT,), known=False, channel=True),
    Story(35, (_CHAT, _ours(150, 30), _note("Из чата, записан", OUT, 31)), result=ResultKind.BOOKED, visit=_V.COMPLETED, topic=True, channel=True),
    Story(10, (Step(Kind.CHAT, State.MISSED, wait=600, answered=False),), known=False, channel=True),
    Story(40, (_REQUEST, _ours(170, 15), _note("По заявке, записан", OUT, 16)), result=ResultKind.BOOKED, visit=_V.COMPLETED, topic=True, channel=True),
    Story(30, (_REQUEST, _ours(75, 40), _note("Передумал", OUT, 41)), known=False, topic=True, channel=True),
    Story(6, (Step(Kind.REQUEST, State.NEW, comment="Хочу записаться"),), known=False, channel=True),
    Story(2, (Step(Kind.REQUEST_DIALOG, State.NEW, comment="Просил перезвонить"),)),
    Story(25, (Step(Kind.DIALOG, State.FINISHED, comment="Подошёл на ресепшен", who=WhoType.WANTS_BOOKING),), result=ResultKind.BOOKED, visit=_V.COMPLETED, topic=True),
    Story(12, (Step(Kind.COMMENT, State.FINISHED, comment="Звонил на личный номер", who=WhoType.WANTS_BOOKING),), topic=True),
    Story(50, (_ours(70, origin=Origin.REMINDER),), result=ResultKind.REMINDED),
    Story(28, (_ours(110, origin=Origin.WAITING_LIST),), result=ResultKind.BOOKED, visit=_V.COMPLETED, topic=True),
    Story(18, (_ours(65, origin=Origin.WAITING_LIST),), result=ResultKind.WAITING_MOVED),
    Story(20, (_ours(90, origin=Origin.CRM_TASK),), result=ResultKind.TASK_CLOSED),
    Story(20, (Step(Kind.CALL, State.FAILED, OUT, wait=30, answered=False),)),
    Story(18, (_call(100), _note("В лист ожидания")), result=ResultKind.WAITING_LIST, topic=True, channel=True),
    Story(16, (_call(70), _note("Отменил приём", who="")), result=ResultKind.CANCELLED, visit=_V.CANCELLED),
    Story(10, (_call(35, who=WhoType.OTHER),), known=False),
)  # fmt: skip


def said_of(steps: Sequence[Step]) -> list[Said]:
    """The steps as the rules see them; a comment is written down, everything else heard from the exchange."""
    heard = []
    for place, step in enumerate(steps):
        at = _DAY + dt.timedelta(minutes=step.minute)
        length = (step.wait or 0) + (step.talk or 0)
        heard.append(
            Said(
                id=place,
                key=str(place),
                kind=step.kind,
                state=step.state,
                direction=step.direction,
                at=at,
                ended_at=at + dt.timedelta(seconds=length) if step.kind == Kind.CALL else None,
                number="+79000000001",
                employee=EMPLOYEE if step.answered else None,
                wait_seconds=step.wait,
                talk_seconds=step.talk,
                has_comment=bool(step.comment),
                who_given=str(step.who),
                origin=str(step.origin),
                is_written=step.kind in (Kind.COMMENT, Kind.DIALOG),
            )
        )
    return heard


def gave_of(story: Story) -> list[Gave]:
    if story.result is None:
        return []
    waiting = Waiting(WaitingState.OPEN) if story.result == ResultKind.WAITING_LIST else None
    visit = Visit(story.visit, MONEY) if story.visit is not None else None
    talk = next(place for place, step in enumerate(story.steps) if step.answered)
    at = _DAY + dt.timedelta(minutes=story.steps[talk].minute + 1)
    return [
        Gave(
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


def decided(story: Story, *, first_time: bool) -> Row:
    """What the rules make of the story, for a patient who has been here before or never."""
    return decide(
        Facts(
            zone="UTC",
            patient=PATIENT if story.known else None,
            said=said_of(story.steps),
            gave=gave_of(story),
            had_completed_visit=not first_time,
        )
    )
