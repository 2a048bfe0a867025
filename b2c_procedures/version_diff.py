"""What changed from one version of a procedure to the next, in words for the head of service. Pure."""

from b2c_procedures.definition import Function, FunctionResult, Procedure


def differences(old: Procedure, new: Procedure) -> list[str]:
    """One line per difference that changes how people work; an empty list when only the file's text
    differs.
    """
    lines = []
    if old.title != new.title:
        lines.append(f"Название: «{old.title}» → «{new.title}»")
    lines += _set_change("Начальное событие", old.start_events, new.start_events)
    lines += _set_change("Слова клиента", old.asks, new.asks)
    for function_id in sorted({*old.by_id, *new.by_id}, key=_order):
        before, after = old.by_id.get(function_id), new.by_id.get(function_id)
        if before is None and after is not None:
            lines.append(f"{function_id}: новая функция «{after.name}»")
        elif after is None and before is not None:
            lines.append(f"{function_id}: функции «{before.name}» больше нет")
        elif before is not None and after is not None:
            lines += [f"{function_id}: {line}" for line in _of_function(before, after)]
    return lines


def _order(function_id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in function_id.split("."))


def _of_function(old: Function, new: Function) -> list[str]:
    lines = []
    for what, before, after in (
        ("название", old.name, new.name),
        ("исполнитель", old.performer, new.performer),
        ("норматив", _norms(old), _norms(new)),
        ("действие", _action(old), _action(new)),
        ("оператор ветвления", old.split or "нет", new.split or "нет"),
        ("указание", old.important or "нет", new.important or "нет"),
    ):
        if before != after:
            lines.append(f"{what}: {before} → {after}")
    lines += _set_change("документ", old.documents, new.documents)
    lines += _set_change("система", old.systems, new.systems)
    lines += _set_change("справочник", old.side_panels, new.side_panels)
    results_before = {result.event: result for result in old.results}
    results_after = {result.event: result for result in new.results}
    lines += _set_change("результат", tuple(results_before), tuple(results_after))
    for event in results_before.keys() & results_after.keys():
        before, after = _leads(results_before[event]), _leads(results_after[event])
        if before != after:
            lines.append(f"результат «{event}» вёл: {before}; теперь: {after}")
    return lines


def _norms(function: Function) -> str:
    return (
        ", ".join(
            f"{case.norm.words}{f' ({case.on})' if case.on else ''}" for case in function.norms
        )
        or "нет"
    )


def _action(function: Function) -> str:
    return (
        ", ".join([function.action, *(f"{k}={v}" for k, v in sorted(function.options.items()))])
        or "нет"
    )


def _leads(result: FunctionResult) -> str:
    names = [
        item.function
        or (f"процедура {item.procedure}" if item.procedure else f"процесс «{item.process}»")
        for item in result.nexts
    ]
    return ", ".join(names) or "конец"


def _set_change(what: str, old: tuple[str, ...], new: tuple[str, ...]) -> list[str]:
    gone = [f"{what}: убрано «{item}»" for item in old if item not in new]
    return gone + [f"{what}: добавлено «{item}»" for item in new if item not in old]
