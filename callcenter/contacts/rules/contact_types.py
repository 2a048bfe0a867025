"""«Тип обращения»: kind, direction, state and whether it was written up, in one word."""

from collections.abc import Iterable
from typing import Final

from callcenter.contacts.rules.inputs import InteractionFacts
from callcenter.contacts.states import (
    BIT_OF,
    ContactType,
    Direction,
    InteractionKind,
    InteractionState,
)


def contact_type_of(one: InteractionFacts, *, noted: bool) -> ContactType:
    """«Входящий звонок. Пропущенный», «Заявка-диалог. Закрытая», «Исходящий чат»: one word for
    each.
    """
    out = one.direction == Direction.OUT
    if one.kind == InteractionKind.CALL:
        manner = _manner(one.state)
        return _CALL_NOTED[out] if noted and not manner else _CALL_SHAPES[out, manner]
    if one.kind == InteractionKind.CHAT:
        if one.state == InteractionState.ACTIVE:
            return ContactType.CHAT_OUT_LIVE if out else ContactType.CHAT_IN_LIVE
        if one.state == InteractionState.MISSED and not out:
            return ContactType.CHAT_IN_MISSED
        if noted:
            return ContactType.CHAT_OUT_NOTED if out else ContactType.CHAT_IN_NOTED
        return ContactType.CHAT_OUT if out else ContactType.CHAT_IN
    if one.kind == InteractionKind.REQUEST:
        return (
            ContactType.REQUEST_NEW
            if one.state == InteractionState.NEW
            else ContactType.REQUEST_DONE
        )
    if one.kind == InteractionKind.REQUEST_DIALOG:
        return (
            ContactType.REQUEST_DIALOG_NEW
            if one.state == InteractionState.NEW
            else ContactType.REQUEST_DIALOG_DONE
        )
    if one.kind == InteractionKind.DIALOG:
        return ContactType.DIALOG
    return ContactType.COMMENT_OUT if out else ContactType.COMMENT_IN


def _manner(state: InteractionState) -> str:
    if state in (InteractionState.RINGING, InteractionState.TALKING):
        return "live"
    return "lost" if state in (InteractionState.MISSED, InteractionState.FAILED) else ""


_CALL_NOTED: Final = {False: ContactType.CALL_IN_NOTED, True: ContactType.CALL_OUT_NOTED}
_CALL_SHAPES: Final = {
    (False, ""): ContactType.CALL_IN,
    (False, "lost"): ContactType.CALL_IN_MISSED,
    (False, "live"): ContactType.CALL_IN_LIVE,
    (True, ""): ContactType.CALL_OUT,
    (True, "lost"): ContactType.CALL_OUT_FAILED,
    (True, "live"): ContactType.CALL_OUT_LIVE,
}


def bits(contact_types: Iterable[ContactType]) -> int:
    total = 0
    for contact_type in contact_types:
        total |= BIT_OF[str(contact_type)]
    return total
