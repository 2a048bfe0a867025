"""The shapes in which desks hand their cards and panels to «Мой день» and to a patient's card."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Card:
    """One thing of today: a count that leads to its list. `tone`: '', 'warn' (soon late) or 'late'."""

    title: str
    count: int
    url: str
    icon: str
    hint: str = ""
    tone: str = ""
    order: int = 50


@dataclass(frozen=True)
class Panel:
    """What a desk knows of a patient: a template of its own, rendered on his card."""

    title: str
    template: str
    context: dict[str, object] = field(default_factory=dict)
    order: int = 50
