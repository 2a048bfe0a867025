"""The procedure engine, pure: what stands on the screen after everything that has happened.

A history is the list of what people did; `step(book, history)` folds it into the screen of now.
Nothing else is remembered, so the same history always gives the same screen, and going back is a
history with one thing less. Several results of a function are alternatives, except where the
definition says AND: then one press does them all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from b2c_procedures.definition import Book, Function, FunctionResult, Next, Procedure
from b2c_procedures.schedule import Norm

HistoryEntry = Mapping[str, object]
# Kinds of history entries that move the run; all others (notes, holds, hand-overs) leave the screen
# where it is.
START: Final = "start"
RESULT: Final = "result"
RETURN: Final = "return"
BACK: Final = "back"
STOP: Final = "stop"
MOVES: Final = (START, RESULT, RETURN, STOP)


class BadMove(ValueError):
    """The entry does not fit the screen it was made on."""


@dataclass(frozen=True)
class Token:
    """A function that is to be done, and the event that began it."""

    function: str
    event: str


@dataclass(frozen=True)
class Frame:
    """One procedure on the way: what is still to do in it, and the function from which it went into
    the next one.
    """

    procedure: int
    pending: tuple[Token, ...]
    left_from: Token | None = None
    returned_from: int = 0


@dataclass(frozen=True)
class RunPosition:
    """Where a run stands: the procedures it is in, the innermost last, and the outside processes it
    gave work to.
    """

    frames: tuple[Frame, ...] = ()
    stopped: bool = False
    passed_to: tuple[str, ...] = ()
    last_event: str = ""


@dataclass(frozen=True)
class Button:
    """One way on. `key` goes into the history; `targets` say where it leads."""

    key: str
    label: str
    detail: str
    targets: tuple[Next, ...]
    ends: bool = False


@dataclass(frozen=True)
class Screen:
    """What the person sees: a function to do, a return from another procedure, or the end."""

    kind: Literal["function", "returned", "end"]
    procedure: Procedure
    function: Function | None
    event: str
    norm: Norm | None
    buttons: tuple[Button, ...]
    below: tuple[int, ...]  # procedures that wait for the return to them, the first begun first
    returned_from: int = 0
    stopped: bool = False
    passed_to: tuple[str, ...] = ()
    pending: tuple[Token, ...] = ()  # what else is to be done in this procedure

    def button(self, key: str) -> Button:
        for button in self.buttons:
            if button.key == key:
                return button
        raise BadMove(f"Исхода «{key}» на этом шаге нет.")


def start_entry(procedure: Procedure, event: str = "") -> dict[str, object]:
    """The first entry of a history; `event` is what the procedure begins with, else its own first
    start event.
    """
    return {
        "kind": START,
        "procedure": procedure.number,
        "event": event or procedure.start_events[0],
    }


def result_entry(screen: Screen, button: Button) -> dict[str, object]:
    """The entry that a press makes: names the function too, so that a stale press is found out."""
    if screen.kind == "returned":
        return {"kind": RETURN, "choice": button.key}
    if screen.function is None:
        raise BadMove("Процедура закончена.")
    return {
        "kind": RESULT,
        "function": screen.function.id,
        "choice": button.key,
        "event": button.label,
    }


def step(book: Book, history: Sequence[HistoryEntry]) -> Screen:
    """The screen after `history`; raises BadMove when an entry does not fit the screen before it."""
    state = RunPosition()
    for entry in moves(history):
        state = _apply(book, state, entry)
    return show(book, state)


def moves(history: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """The entries that count: each `back` takes away the move before it, never the start."""
    kept: list[HistoryEntry] = []
    for entry in history:
        if entry["kind"] == BACK:
            if len(kept) < 2:
                raise BadMove("Это первый шаг: назад некуда.")
            kept.pop()
        elif entry["kind"] in MOVES:
            kept.append(entry)
    return kept


def show(book: Book, state: RunPosition) -> Screen:
    """What the person sees in this state."""
    frame = state.frames[-1]
    procedure = book[frame.procedure]
    function: Function | None = None
    norm: Norm | None = None
    buttons: tuple[Button, ...] = ()
    pending: tuple[Token, ...] = ()
    event = state.last_event
    kind: Literal["function", "returned", "end"] = "end"
    if frame.returned_from and not state.stopped:
        kind, buttons = "returned", _return_buttons(book, state)
    elif frame.pending and not state.stopped:
        token, *others = frame.pending
        function = procedure.function(token.function)
        kind, event, norm = "function", token.event, function.norm_on(token.event)
        buttons, pending = buttons_of(procedure, function, book), tuple(others)
    return Screen(
        kind=kind,
        procedure=procedure,
        function=function,
        event=event,
        norm=norm,
        buttons=buttons,
        below=tuple(lower.procedure for lower in state.frames[:-1]),
        returned_from=frame.returned_from,
        stopped=state.stopped,
        passed_to=state.passed_to,
        pending=pending,
    )


def buttons_of(procedure: Procedure, function: Function, book: Book) -> tuple[Button, ...]:
    """The ways out of a function: one for each result and continuation, or a single one for AND."""
    if function.is_and:
        targets = tuple(item for result in function.results for item in result.nexts)
        label = " + ".join(result.event for result in function.results)
        ends = all(not item.function for item in targets)
        return (
            Button("all", label, _detail(targets, procedure, book, parallel=True), targets, ends),
        )
    buttons = []
    for position, result in enumerate(function.results, 1):
        if not result.nexts:
            buttons.append(Button(str(position), result.event, "конец процедуры", (), True))
        for turn, item in enumerate(result.nexts):
            key = str(position) if len(result.nexts) == 1 else f"{position}{'abcdefgh'[turn]}"
            label = (
                f"{result.event}: {item.label[:1].lower()}{item.label[1:]}"
                if item.label
                else result.event
            )
            ends = not item.function and not item.enters
            buttons.append(Button(key, label, _detail((item,), procedure, book), (item,), ends))
    return tuple(buttons)


def _detail(
    targets: Sequence[Next], procedure: Procedure, book: Book, *, parallel: bool = False
) -> str:
    parts = []
    for item in targets:
        if item.function:
            parts.append(f"{item.function} {procedure.function(item.function).name}")
        elif item.enters and not parallel:
            title = book[item.enters].title
            parts.append(
                f"процедура {item.enters} «{title}»"
                + (f" (процесс «{item.process}»)" if item.process else "")
            )
        else:
            parts.append(f"процесс «{item.process}»")
    return " и ".join(parts) if parts else "конец процедуры"


def chosen(function: Function, key: str) -> list[tuple[FunctionResult, Next | None]]:
    """The results (with continuations) that a press on `key` brings about; raises BadMove for an
    unknown key.
    """
    if function.is_and:
        if key != "all":
            raise BadMove(f"Исхода «{key}» у функции {function.id} нет.")
        return [(result, item) for result in function.results for item in (result.nexts or (None,))]
    for position, result in enumerate(function.results, 1):
        if not result.nexts and key == str(position):
            return [(result, None)]
        for turn, item in enumerate(result.nexts):
            if key == (
                str(position) if len(result.nexts) == 1 else f"{position}{'abcdefgh'[turn]}"
            ):
                return [(result, item)]
    raise BadMove(f"Исхода «{key}» у функции {function.id} нет.")


def _apply(book: Book, state: RunPosition, entry: HistoryEntry) -> RunPosition:
    kind = entry["kind"]
    if kind == START:
        if state.frames:
            raise BadMove("Процедура уже начата.")
        number = int(str(entry["procedure"]))
        if number not in book:
            raise BadMove(f"Процедуры {number} нет.")
        return _enter(state, book[number], str(entry.get("event", "")))
    if not state.frames:
        raise BadMove("Процедура не начата.")
    if kind == STOP:
        return replace(state, stopped=True)
    if kind == RETURN:
        return _come_back(book, state, str(entry["choice"]))
    return _finish(book, state, str(entry["function"]), str(entry["choice"]))


def _enter(state: RunPosition, procedure: Procedure, event: str) -> RunPosition:
    frame = Frame(
        procedure.number, (Token(procedure.first.id, event or procedure.start_events[0]),)
    )
    return replace(state, frames=(*state.frames, frame), last_event=event)


def _finish(book: Book, state: RunPosition, function_id: str, key: str) -> RunPosition:
    frame = state.frames[-1]
    if state.stopped or frame.returned_from or not frame.pending:
        raise BadMove("На этом экране функции нет.")
    token, *others = frame.pending
    if token.function != function_id:
        raise BadMove(f"Сейчас идёт {token.function}, а исход пришёл от {function_id}.")
    function = book[frame.procedure].function(function_id)
    follow: list[Token] = []
    enters: list[int] = []
    passed = list(state.passed_to)
    event = ""
    for result, item in chosen(function, key):
        event = result.event
        if item is None:
            continue
        if item.function:
            follow.append(Token(item.function, result.event))
        elif item.enters and not function.is_and:
            enters.append(item.enters)
        elif item.process and item.process not in passed:
            passed.append(item.process)
    left = replace(frame, pending=(*follow, *others), left_from=token if enters else None)
    after = replace(
        state, frames=(*state.frames[:-1], left), passed_to=tuple(passed), last_event=event
    )
    for number in enters:
        after = _enter(after, book[number], event)
    return _unwind(after)


def _unwind(state: RunPosition) -> RunPosition:
    """A procedure with nothing left to do gives way to the one it was entered from."""
    *lower, top = state.frames
    if top.pending or not lower:
        return state
    back = replace(lower[-1], returned_from=top.procedure)
    return replace(state, frames=(*lower[:-1], back))


AGAIN: Final = "again"
ON: Final = "on"
ALL: Final = "all"


def _return_buttons(book: Book, state: RunPosition) -> tuple[Button, ...]:
    frame = state.frames[-1]
    procedure = book[frame.procedure]
    on = "Продолжить" if frame.pending else f"Закончить процедуру {procedure.number}"
    detail = (
        f"{frame.pending[0].function} {procedure.function(frame.pending[0].function).name}"
        if frame.pending
        else ""
    )
    buttons = [Button(ON, on, detail, (), not frame.pending and len(state.frames) == 1)]
    if frame.left_from is not None:
        function = procedure.function(frame.left_from.function)
        buttons.append(
            Button(AGAIN, "Вернуться к шагу, с которого ушли", f"{function.id} {function.name}", ())
        )
    if len(state.frames) > 1:
        buttons.append(
            Button(ALL, "Закончить обращение целиком", "все начатые процедуры", (), True)
        )
    return tuple(buttons)


def _come_back(book: Book, state: RunPosition, choice: str) -> RunPosition:
    frame = state.frames[-1]
    if not frame.returned_from or choice not in {
        button.key for button in _return_buttons(book, state)
    }:
        raise BadMove("На этом экране некуда возвращаться.")
    if choice == ALL:
        return replace(
            state, frames=(replace(state.frames[0], pending=(), returned_from=0, left_from=None),)
        )
    pending = frame.pending
    if choice == AGAIN and frame.left_from is not None:
        pending = (frame.left_from, *pending)
    here = replace(frame, pending=pending, returned_from=0, left_from=None)
    return _unwind(replace(state, frames=(*state.frames[:-1], here)))


# --- walking the links: what tests, the demo and statistics need
# ---------------------------------------------------


def repeated(book: Book) -> set[tuple[str, str]]:
    """(function, key of the button) of the results that a definition marks as a question asked
    again.
    """
    return {
        (function.id, button.key)
        for procedure in book.values()
        for function, button in presses(procedure, book)
        if any(result.repeats for result, _ in chosen(function, button.key))
    }


def presses(procedure: Procedure, book: Book) -> list[tuple[Function, Button]]:
    """Every button of every function of a procedure: all its edges as a person can take them."""
    return [
        (function, button)
        for function in procedure.functions
        for button in buttons_of(procedure, function, book)
    ]


def way_to(procedure: Procedure, function_id: str, book: Book) -> list[dict[str, object]]:
    """The shortest history that brings a run to a function, by links inside the procedure."""
    queue: list[list[dict[str, object]]] = [[start_entry(procedure)]]
    seen: set[str] = set()
    while queue:
        history = queue.pop(0)
        screen = step(book, history)
        if (
            screen.function is None
            or screen.procedure is not procedure
            or screen.function.id in seen
        ):
            continue
        if screen.function.id == function_id:
            return history
        seen.add(screen.function.id)
        queue += [[*history, result_entry(screen, button)] for button in screen.buttons]
    raise BadMove(f"До функции {function_id} нельзя дойти.")


def shortest_end(procedure: Procedure, book: Book) -> dict[str, str]:
    """For each function the key of the button on the shortest way to an end of the procedure
    itself.
    """
    distance: dict[str, int] = {}
    best: dict[str, str] = {}
    for _ in procedure.functions:
        for function, button in presses(procedure, book):
            inner = [item.function for item in button.targets if item.function]
            if any(target not in distance for target in inner) or any(
                t.enters for t in button.targets if not inner
            ):
                continue
            length = 1 + sum(distance[target] for target in inner)
            if length < distance.get(function.id, 1_000):
                distance[function.id], best[function.id] = length, button.key
    for function, button in presses(
        procedure, book
    ):  # functions whose only ways out lead into other procedures
        if function.id not in best and not any(item.function for item in button.targets):
            best[function.id], distance[function.id] = button.key, 1
    for _ in procedure.functions:
        for function, button in presses(procedure, book):
            inner = [item.function for item in button.targets if item.function]
            if function.id in best or not inner or any(target not in distance for target in inner):
                continue
            distance[function.id], best[function.id] = (
                1 + sum(distance[target] for target in inner),
                button.key,
            )
    return best
