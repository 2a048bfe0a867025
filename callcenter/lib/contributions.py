"""The shapes in which apps contribute to shared pages: cards of «Мой день», panels of a patient's
card, the menu.
"""

import functools
from dataclasses import dataclass, field

from django.urls import reverse


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
    """What an app knows of a patient or a call: its own template, rendered on the shared page."""

    title: str
    template: str
    context: dict[str, object] = field(default_factory=dict)
    order: int = 50


@dataclass(frozen=True)
class MenuItem:
    """One page of the menu. `roles` are values of `staff.roles.Role`; items of one `group` share a
    drop-down.
    """

    label: str
    url_name: str
    icon: str
    roles: tuple[str, ...]
    group: str = ""
    active: bool = False

    @functools.cached_property
    def url(self) -> str:
        return reverse(self.url_name)


@dataclass(frozen=True)
class SettingsPage:
    """One entry of «Настройки»."""

    label: str
    url_name: str
    icon: str
