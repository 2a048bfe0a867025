"""The EPC rules of section 1 of the document («Правила чтения моделей»), held against definitions.
Pure.

Each rule has a name, shown with file and line. Where the document itself breaks a rule, the
definition carries an exemption with its reason; an exemption that nothing needs is an error too, so
that none outlives its cause.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from b2c_procedures.definition import (
    BadDefinition,
    Book,
    DefinitionProblem,
    Function,
    FunctionResult,
    Procedure,
)
from b2c_procedures.states import Performer

RULES: Final[Mapping[str, str]] = {
    "ids": "номера функций свои, по порядку процедуры, без повторов",
    "performer": "у каждой функции есть исполнитель из ролей документа (объект 5)",
    "norm": "у функции есть норматив, или reading говорит, почему его нет",
    "event-leads-on": "после события следует функция или интерфейсный процесс, либо конец объявлен (объект 6)",
    "known-target": "функция или процедура, на которую ведёт событие, существует",
    "no-split-after-event": "после одиночного события не ветвятся исключающее ИЛИ и ИЛИ (объекты 3 и 4)",
    "split": "у функции с несколькими результатами назван оператор: XOR, OR или AND (объекты 2–4)",
    "join": "у функции с несколькими входами назван оператор слияния, AND — только после AND (объекты 2–4)",
    "one-event-once": "результаты одной функции различаются",
    "reachable": "до каждой функции можно дойти от начала",
    "can-end": "от каждой функции можно дойти до конца",
    "norm-case": "случай норматива назван событием, с которого функция начинается",
    "and-marked": "AND — прочтение таблицы: у него есть причина",
    "reading-marked": "исправленное написание помечено reading",
    "known-action": "действие функции есть в реестре действий",
    "needless-exemption": "исключение нужно",
    "labels": "подписей столько же, сколько продолжений",
}


def lint(book: Book, *, actions: Collection[str] | None = None) -> list[DefinitionProblem]:
    """Every breach in every procedure of the book; `actions` are the names the registry knows
    (None: not looked at).
    """
    return sorted(
        problem
        for procedure in book.values()
        for problem in lint_procedure(procedure, book, actions)
    )


def demand(book: Book, *, actions: Collection[str] | None = None) -> Book:
    """The book itself, or BadDefinition with all that is wrong in it."""
    problems = lint(book, actions=actions)
    if problems:
        raise BadDefinition(problems)
    return book


def lint_procedure(
    procedure: Procedure, book: Book, actions: Collection[str] | None
) -> Iterator[DefinitionProblem]:
    """Every breach of one procedure; `book` is there for the procedures it links to."""
    for rule, line, text in _breaches(procedure, book, actions):
        yield DefinitionProblem(procedure.file or f"процедура {procedure.number}", line, rule, text)


_Breach = tuple[str, int, str]


def _breaches(
    procedure: Procedure, book: Book, actions: Collection[str] | None
) -> Iterator[_Breach]:
    known = set(procedure.by_id)
    yield from _ids(procedure)
    for function in procedure.functions:
        yield from _of_function(function, actions)
        for result in function.results:
            yield from _of_result(function, result, known, book)
    if all(item.function in known for _, _, item in procedure.edges() if item and item.function):
        yield from _joins(procedure)
        yield from _paths(procedure)


def _ids(procedure: Procedure) -> Iterator[_Breach]:
    for function_id, times in Counter(function.id for function in procedure.functions).items():
        if times > 1:
            line = procedure.by_id[function_id].line
            yield "ids", line, f"функция {function_id} описана {times} раза"
    for function in procedure.functions:
        if int(function.id.split(".")[0]) != procedure.number:
            yield (
                "ids",
                function.line,
                f"функция {function.id} стоит в процедуре {procedure.number}",
            )


def _of_function(function: Function, actions: Collection[str] | None) -> Iterator[_Breach]:
    line, name = function.line, function.id
    if function.performer not in Performer.values:
        who = function.performer or "не назван"
        yield (
            "performer",
            line,
            f"{name}: исполнитель {who}; роли документа: {', '.join(Performer.values)}",
        )
    if not function.norms and not function.reading:
        yield "norm", line, f"{name}: норматива нет, и reading не говорит почему"
    for case in function.norms:
        if case.on and case.on not in function.triggered_by:
            yield (
                "norm-case",
                line,
                f"{name}: норматив {case.norm.text} на событие «{case.on}», которого нет среди входов",
            )
    events = Counter(result.event for result in function.results)
    for event, times in events.items():
        if times > 1:
            yield "one-event-once", line, f"{name}: результат «{event}» назван {times} раза"
    if len(function.results) > 1 and not function.split:
        yield "split", line, f"{name}: {len(function.results)} результата без оператора split"
    if len(function.results) < 2 and function.split:
        yield "split", line, f"{name}: оператор {function.split}, но результат один"
    if function.is_and and not function.split_reading:
        yield "and-marked", line, f"{name}: split: and без split_reading"
    if actions is not None and function.action and function.action not in actions:
        yield "known-action", line, f"{name}: действия «{function.action}» нет в реестре"


def _of_result(
    function: Function, result: FunctionResult, known: set[str], book: Book
) -> Iterator[_Breach]:
    where = f"{function.id} «{result.event}»"
    if not result.nexts and not result.is_end:
        yield (
            "event-leads-on",
            result.line,
            f"{where}: ничего не следует, и конец не объявлен (end: true)",
        )
    if result.nexts and result.is_end:
        yield "event-leads-on", result.line, f"{where}: объявлен концом, но ведёт дальше"
    for item in result.nexts:
        if item.function and item.function not in known:
            yield "known-target", result.line, f"{where}: функции {item.function} нет"
        if item.enters and item.enters not in book:
            yield "known-target", result.line, f"{where}: процедуры {item.enters} нет"
        if item.opens and not result.reading:
            yield (
                "reading-marked",
                result.line,
                f"{where}: процесс прочитан как процедура {item.opens} без reading",
            )
    split = len(result.nexts) > 1 and not function.is_and
    exempt = result.exempt is not None and result.exempt.rule == "no-split-after-event"
    if split and not exempt:
        yield (
            "no-split-after-event",
            result.line,
            f"{where}: одно событие начинает {len(result.nexts)} функции на выбор",
        )
    if result.exempt is not None and not (split and exempt):
        yield (
            "needless-exemption",
            result.line,
            f"{where}: правило «{result.exempt.rule}» не нарушено",
        )
    if (result.labels or split) and result.labels != len(result.nexts):
        yield (
            "labels",
            result.line,
            f"{where}: подписей {result.labels}, продолжений {len(result.nexts)}",
        )
    if result.source_event and not result.reading:
        yield "reading-marked", result.line, f"{where}: написание источника исправлено без reading"


def _joins(procedure: Procedure) -> Iterator[_Breach]:
    incoming: dict[str, list[Function]] = defaultdict(list)
    for function, _, item in procedure.edges():
        if item and item.function:
            incoming[item.function].append(function)
    for function in procedure.functions:
        starts = len(procedure.start_events) if function is procedure.first else 0
        count = len(incoming[function.id]) + starts
        if count > 1 and not function.join:
            yield "join", function.line, f"{function.id}: {count} входа без оператора join"
        if count < 2 and function.join:
            yield (
                "join",
                function.line,
                f"{function.id}: оператор слияния {function.join}, но вход один",
            )
        if function.join == "and" and not any(source.is_and for source in procedure.functions):
            yield (
                "join",
                function.line,
                f"{function.id}: AND ждёт ветвей, которые никто не начинает вместе",
            )


def _paths(procedure: Procedure) -> Iterator[_Breach]:
    forward: dict[str, set[str]] = {function.id: set() for function in procedure.functions}
    leaves: set[str] = set()
    for function, _, item in procedure.edges():
        if item is not None and item.function:
            forward[function.id].add(item.function)
        else:
            leaves.add(function.id)
    reached = _closure({procedure.first.id}, forward)
    backward: dict[str, set[str]] = defaultdict(set)
    for source, targets in forward.items():
        for target in targets:
            backward[target].add(source)
    ending = _closure(leaves, backward)
    for function in procedure.functions:
        if function.id not in reached:
            yield (
                "reachable",
                function.line,
                f"{function.id}: до функции нельзя дойти от {procedure.first.id}",
            )
        if function.id not in ending:
            yield "can-end", function.line, f"{function.id}: от функции нельзя дойти до конца"


def _closure(start: set[str], links: Mapping[str, set[str]]) -> set[str]:
    seen, queue = set(start), list(start)
    while queue:
        for following in links.get(queue.pop(), set()) - seen:
            seen.add(following)
            queue.append(following)
    return seen
