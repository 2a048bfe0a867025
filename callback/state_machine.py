"""The life of a request as a pure table: what each event does in each state. No ORM, no clock.

Every pair of a state and an event has its row: a step, IGNORED (late or repeated news of a
telephone changes nothing), or REFUSED (a person asks for what is no longer possible and is told
so). Source: instruction «Обратный звонок».
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from django.db.models import TextChoices


class RequestState(TextChoices):
    WAITING = "waiting", "ждёт попытки"
    RINGING = "ringing", "звоним администратору"
    ASKING = "asking", "просим нажать клавишу"
    SPEAKING = "speaking", "читаем заявку"
    CHOOSING = "choosing", "ждём вторую клавишу"
    DIALLING = "dialling", "звоним пациенту"
    TALKING = "talking", "разговор"
    TELLING = "telling", "сообщаем администратору"
    LATER = "later", "позже: укажите когда"
    PAUSED = "paused", "на паузе: закрыть или продолжить?"
    PEOPLE = "people", "взял человек"
    ESCALATED = "escalated", "передана людям"
    DONE = "done", "разговор состоялся"
    CLOSED = "closed", "закрыта"
    JOINED = "joined", "присоединена к другой"


class RequestEvent(TextChoices):
    # the clock and the checks
    START = "start", "пора звонить"
    NOBODY = "nobody", "звонить некому"
    PBX_AWAY = "pbx_away", "нет связи с АТС"
    SPEECH_FAILED = "speech_failed", "робот не может говорить"
    WINDOW_OVER = "window_over", "прошло 2,5 часа"
    SILENCE = "silence", "попытка пропала"
    BOOKED = "booked", "пациент уже записан"
    FORBIDDEN = "forbidden", "пациент просил не звонить"
    PATIENT_CALLED_IN = "patient_called_in", "пациент звонил сам"
    PATIENT_IN_CALL = "patient_in_call", "с пациентом уже говорят"
    # the administrator's telephone
    ADMIN_ANSWERED = "admin_answered", "администратор снял трубку"
    ADMIN_FAILED = "admin_failed", "администратор не ответил, звоним следующему"
    ADMINS_EXHAUSTED = "admins_exhausted", "никто не ответил"
    HOURS_OVER = "hours_over", "время для звонков кончилось"
    ADMIN_GONE = "admin_gone", "администратор повесил трубку"
    KEY = "key", "нажата клавиша"
    NO_KEY = "no_key", "клавиша не нажата"
    SPEECH_ENDED = "speech_ended", "заявка прочитана"
    CHOSE_CONNECT = "chose_connect", "соединять"
    CHOSE_BOOKED = "chose_booked", "клавиша 2: уже записан"
    CHOSE_LATER = "chose_later", "клавиша 3: позже"
    CHOSE_NOT_OURS = "chose_not_ours", "клавиша 4: не наш"
    # the patient's telephone
    PATIENT_ANSWERED = "patient_answered", "пациент ответил"
    PATIENT_FAILED = "patient_failed", "пациент не ответил"
    PATIENT_LAST_FAILED = "patient_last_failed", "пациент не ответил в последний раз"
    TALKED = "talked", "поговорили"
    TALKED_SHORT = "talked_short", "разговор 10 секунд или короче"
    TALK_LOST = "talk_lost", "неизвестно, поговорили ли"
    TOLD = "told", "администратору сказано"
    # people
    CALL_NOW = "call_now", "звонить сейчас"
    TAKE = "take", "взять себе"
    STOP = "stop", "остановить робота"
    MARK_DONE = "mark_done", "отметить итог"
    CONTINUE = "continue", "продолжить"
    POSTPONE = "postpone", "перенести на время"
    UNDO = "undo", "вернуть в работу"
    JOIN = "join", "повторная заявка"


class TransitionEffect(Enum):
    """What a step wants done besides the change of state; carried out by `actions.apply` in the
    same transaction.
    """

    BEGIN_ATTEMPT = auto()
    RING_NEXT = auto()
    ASK_FOR_KEY = auto()
    SAY_REQUEST = auto()
    AWAIT_CHOICE = auto()
    DIAL_PATIENT = auto()
    CONNECT = auto()
    EXPLAIN = auto()  # tells the administrator why there is no conversation, then lets him go
    HANG_UP = auto()
    END_ATTEMPT = auto()
    REDIAL = auto()  # look again in five minutes
    START_NOW = auto()
    AWAIT_PBX = auto()
    AWAIT_ANSWER = auto()  # a person must decide; the 2.5 hours still run
    KEEP_WINDOW = auto()  # taken by a person: look again when the 2.5 hours are over
    LETTER_DETAILS = auto()
    LETTER_DONE = auto()
    LETTER_CALL_BACK = auto()
    TASK = auto()
    # once the patient has been dialled as often as allowed: a voicemail or a short talk is no talk
    SMS = auto()
    FINISH = auto()


class NoTransition(Enum):
    IGNORED = auto()
    REFUSED = auto()


@dataclass(frozen=True)
class TransitionRule:
    state: RequestState
    effects: tuple[TransitionEffect, ...] = ()


S, E, F = RequestState, RequestEvent, TransitionEffect

# The robot has a telephone in its hands.
IN_CALL: Final = (S.RINGING, S.ASKING, S.SPEAKING, S.CHOOSING, S.DIALLING, S.TALKING, S.TELLING)
# The robot will act by itself.
LIVE: Final = (S.WAITING, *IN_CALL)
# Somebody has to do something.
FOR_PEOPLE: Final = (S.LATER, S.PAUSED, S.PEOPLE, S.ESCALATED)
OPEN: Final = (*LIVE, *FOR_PEOPLE)
FINAL: Final = (S.DONE, S.CLOSED, S.JOINED)
# Asked by people; what is impossible is refused aloud, not ignored.
HUMAN: Final = (E.CALL_NOW, E.TAKE, E.STOP, E.MARK_DONE, E.CONTINUE, E.POSTPONE, E.UNDO)

_RETRY: Final = (F.HANG_UP, F.END_ATTEMPT, F.LETTER_DETAILS, F.SMS, F.REDIAL)
_ESCALATE: Final = (F.LETTER_CALL_BACK, F.TASK, F.FINISH)
_END_ATTEMPT: Final = (F.HANG_UP, F.END_ATTEMPT)

_RULES: Final[dict[tuple[RequestState, RequestEvent], TransitionRule]] = {
    # --- waiting for its time
    (S.WAITING, E.START): TransitionRule(S.RINGING, (F.BEGIN_ATTEMPT, F.RING_NEXT)),
    (S.WAITING, E.NOBODY): TransitionRule(S.WAITING, (F.LETTER_DETAILS, F.REDIAL)),
    (S.WAITING, E.PBX_AWAY): TransitionRule(S.WAITING, (F.AWAIT_PBX,)),
    (S.WAITING, E.WINDOW_OVER): TransitionRule(S.ESCALATED, _ESCALATE),
    (S.WAITING, E.BOOKED): TransitionRule(S.CLOSED, (F.FINISH,)),
    (S.WAITING, E.FORBIDDEN): TransitionRule(S.CLOSED, (F.FINISH,)),
    (S.WAITING, E.PATIENT_CALLED_IN): TransitionRule(S.PAUSED, (F.AWAIT_ANSWER,)),
    (S.WAITING, E.PATIENT_IN_CALL): TransitionRule(S.WAITING, (F.REDIAL,)),
    (S.WAITING, E.CALL_NOW): TransitionRule(S.WAITING, (F.START_NOW,)),
    # --- ringing the administrators, one after another
    (S.RINGING, E.ADMIN_ANSWERED): TransitionRule(S.ASKING, (F.ASK_FOR_KEY,)),
    (S.RINGING, E.ADMIN_FAILED): TransitionRule(S.RINGING, (F.RING_NEXT,)),
    (S.RINGING, E.ADMINS_EXHAUSTED): TransitionRule(S.WAITING, _RETRY),
    (S.RINGING, E.HOURS_OVER): TransitionRule(S.WAITING, _RETRY),
    # --- picked up: any key
    (S.ASKING, E.KEY): TransitionRule(S.SPEAKING, (F.SAY_REQUEST,)),
    (S.ASKING, E.NO_KEY): TransitionRule(S.WAITING, _RETRY),
    (S.ASKING, E.BOOKED): TransitionRule(S.CLOSED, (F.EXPLAIN, F.END_ATTEMPT, F.FINISH)),
    (S.ASKING, E.FORBIDDEN): TransitionRule(S.CLOSED, (F.EXPLAIN, F.END_ATTEMPT, F.FINISH)),
    (S.ASKING, E.PATIENT_CALLED_IN): TransitionRule(
        S.PAUSED, (F.EXPLAIN, F.END_ATTEMPT, F.AWAIT_ANSWER)
    ),
    (S.ASKING, E.PATIENT_IN_CALL): TransitionRule(S.TELLING, (F.EXPLAIN,)),
    # --- the request is read out; a second key may come during it
    (S.SPEAKING, E.SPEECH_ENDED): TransitionRule(S.CHOOSING, (F.AWAIT_CHOICE,)),
    # --- the patient
    (S.DIALLING, E.PATIENT_ANSWERED): TransitionRule(S.TALKING, (F.CONNECT,)),
    (S.DIALLING, E.PATIENT_FAILED): TransitionRule(S.TELLING, (F.EXPLAIN,)),
    (S.DIALLING, E.PATIENT_LAST_FAILED): TransitionRule(S.TELLING, (F.EXPLAIN, F.SMS)),
    (S.DIALLING, E.PATIENT_IN_CALL): TransitionRule(S.TELLING, (F.EXPLAIN,)),
    (S.DIALLING, E.HOURS_OVER): TransitionRule(S.TELLING, (F.EXPLAIN,)),
    (S.TALKING, E.TALKED): TransitionRule(
        S.DONE, (F.HANG_UP, F.END_ATTEMPT, F.LETTER_DONE, F.FINISH)
    ),
    (S.TALKING, E.TALKED_SHORT): TransitionRule(S.WAITING, _RETRY),
    (S.TALKING, E.TALK_LOST): TransitionRule(S.PAUSED, (*_END_ATTEMPT, F.AWAIT_ANSWER)),
    (S.TELLING, E.TOLD): TransitionRule(S.WAITING, _RETRY),
    # --- people have it
    (S.LATER, E.WINDOW_OVER): TransitionRule(S.ESCALATED, _ESCALATE),
    (S.PAUSED, E.WINDOW_OVER): TransitionRule(S.ESCALATED, _ESCALATE),
    (S.PEOPLE, E.WINDOW_OVER): TransitionRule(S.ESCALATED, _ESCALATE),
    (S.LATER, E.BOOKED): TransitionRule(S.CLOSED, (F.FINISH,)),
    (S.PAUSED, E.BOOKED): TransitionRule(S.CLOSED, (F.FINISH,)),
    (S.PEOPLE, E.BOOKED): TransitionRule(S.CLOSED, (F.FINISH,)),
    (S.ESCALATED, E.BOOKED): TransitionRule(S.CLOSED, (F.FINISH,)),
    (S.LATER, E.CONTINUE): TransitionRule(S.WAITING, (F.START_NOW,)),
    (S.PAUSED, E.CONTINUE): TransitionRule(S.WAITING, (F.START_NOW,)),
    (S.PEOPLE, E.CONTINUE): TransitionRule(S.WAITING, (F.START_NOW,)),
    (S.ESCALATED, E.CONTINUE): TransitionRule(S.WAITING, (F.START_NOW,)),
    (S.CLOSED, E.UNDO): TransitionRule(S.WAITING, (F.START_NOW,)),
}
for _state in (S.SPEAKING, S.CHOOSING):
    _RULES[_state, E.CHOSE_CONNECT] = TransitionRule(S.DIALLING, (F.DIAL_PATIENT,))
    _RULES[_state, E.CHOSE_BOOKED] = TransitionRule(S.CLOSED, (*_END_ATTEMPT, F.FINISH))
    _RULES[_state, E.CHOSE_NOT_OURS] = TransitionRule(S.CLOSED, (*_END_ATTEMPT, F.FINISH))
    _RULES[_state, E.CHOSE_LATER] = TransitionRule(S.LATER, (*_END_ATTEMPT, F.AWAIT_ANSWER))
    _RULES[_state, E.BOOKED] = TransitionRule(S.CLOSED, (F.EXPLAIN, F.END_ATTEMPT, F.FINISH))
    _RULES[_state, E.FORBIDDEN] = TransitionRule(S.CLOSED, (F.EXPLAIN, F.END_ATTEMPT, F.FINISH))
    _RULES[_state, E.PATIENT_CALLED_IN] = TransitionRule(
        S.PAUSED, (F.EXPLAIN, F.END_ATTEMPT, F.AWAIT_ANSWER)
    )
    _RULES[_state, E.PATIENT_IN_CALL] = TransitionRule(S.TELLING, (F.EXPLAIN,))
for _state in (S.ASKING, S.SPEAKING, S.CHOOSING, S.DIALLING, S.TELLING):
    _RULES[_state, E.ADMIN_GONE] = TransitionRule(S.WAITING, _RETRY)
for _state in IN_CALL:
    # a voice that fails gives the request to people at once; a lost attempt is tried again
    _RULES[_state, E.SILENCE] = TransitionRule(S.WAITING, _RETRY)
    _RULES[_state, E.SPEECH_FAILED] = TransitionRule(S.ESCALATED, (*_END_ATTEMPT, *_ESCALATE))
_RULES[S.TALKING, E.SILENCE] = _RULES[S.TALKING, E.TALK_LOST]
del _RULES[S.TALKING, E.SPEECH_FAILED]
_RULES[S.TELLING, E.SPEECH_FAILED] = TransitionRule(S.WAITING, _RETRY)
for _state in LIVE:
    _RULES[_state, E.STOP] = TransitionRule(S.CLOSED, (*_END_ATTEMPT, F.FINISH))
    _RULES[_state, E.MARK_DONE] = TransitionRule(S.CLOSED, (*_END_ATTEMPT, F.FINISH))
    _RULES[_state, E.TAKE] = TransitionRule(S.PEOPLE, (*_END_ATTEMPT, F.KEEP_WINDOW))
    _RULES[_state, E.JOIN] = TransitionRule(S.JOINED, (*_END_ATTEMPT, F.FINISH))
# The robot lets a conversation go on that people stopped it from making again.
for _event, _target in ((E.STOP, S.CLOSED), (E.MARK_DONE, S.CLOSED)):
    _RULES[S.TALKING, _event] = TransitionRule(_target, (F.END_ATTEMPT, F.FINISH))
_RULES[S.TALKING, E.TAKE] = TransitionRule(S.PEOPLE, (F.END_ATTEMPT, F.KEEP_WINDOW))
for _state in FOR_PEOPLE:
    _RULES[_state, E.MARK_DONE] = TransitionRule(S.CLOSED, (F.FINISH,))
    _RULES[_state, E.TAKE] = TransitionRule(S.PEOPLE, (F.KEEP_WINDOW,))
for _state in FOR_PEOPLE:  # the patient may withdraw what people have already
    _RULES[_state, E.STOP] = TransitionRule(S.CLOSED, (F.FINISH,))
for _state in (S.WAITING, S.LATER, S.PAUSED, S.PEOPLE, S.ESCALATED):
    _RULES[_state, E.POSTPONE] = TransitionRule(S.WAITING)
    _RULES[_state, E.FORBIDDEN] = TransitionRule(S.CLOSED, (F.FINISH,))

TABLE: Final[dict[tuple[RequestState, RequestEvent], TransitionRule | NoTransition]] = {
    (state, event): _RULES.get(
        (state, event), NoTransition.REFUSED if event in HUMAN else NoTransition.IGNORED
    )
    for state in RequestState
    for event in RequestEvent
}


def rule_for(state: str, event: str) -> TransitionRule | NoTransition:
    """The row of the table."""
    return TABLE[RequestState(state), RequestEvent(event)]


def mermaid() -> str:
    """The table as a picture for ARCHITECTURE.md: one arrow between two states with the events that
    lead there.
    """
    arrows: dict[tuple[RequestState, RequestState], list[str]] = {}
    for (state, event), row in _RULES.items():
        arrows.setdefault((state, row.state), []).append(event)
    lines = ["stateDiagram-v2", "    [*] --> waiting"]
    for state in RequestState:
        lines.append(f"    {state}: {state.label}")
        for target in RequestState:
            events = arrows.get((state, target))
            if events:
                lines.append(f"    {state} --> {target}: {', '.join(sorted(events))}")
    lines += [f"    {state} --> [*]" for state in FINAL]
    return "\n".join(lines)
