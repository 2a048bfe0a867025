"""«Тип обращения»: kind, direction, state and whether it was written up, in one word."""

from collections.abc import Iterable
from typing import Final

from callcenter.contacts.rules.inputs import Said
from callcenter.contacts.states import BIT_OF, Direction, Kind, Shape, State


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


def bits(shapes: Iterable[Shape]) -> int:
    total = 0
    for shape in shapes:
        total |= BIT_OF[str(shape)]
    return total
