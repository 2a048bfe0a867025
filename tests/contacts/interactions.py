"""A flat way to write `InteractionInput` in tests, where a case varies one or two fields."""

import dataclasses
from typing import Any

from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    WrapUp,
)


def _taken(kind: Any, fields: dict[str, Any]) -> Any:
    names = {field.name for field in dataclasses.fields(kind)} & set(fields)
    return kind(**{name: fields.pop(name) for name in names})


def interaction_input(
    *, source: str = "test", source_id: str = "", **fields: Any
) -> InteractionInput:
    """Return the input with each field put where it belongs; `at` is the beginning."""
    fields["started_at"] = fields.pop("at")
    phases, participants, wrap_up = (
        _taken(kind, fields) for kind in (Phases, Participants, WrapUp)
    )
    marks = {"utm", "account", "chat_channel", "referrer"} & set(fields)
    origin = InteractionSource(
        name=source, id=source_id, **{name: fields.pop(name) for name in marks}
    )
    return InteractionInput(
        phases=phases, participants=participants, wrap_up=wrap_up, source=origin, **fields
    )
