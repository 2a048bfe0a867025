"""Every address of the product, from the URL configuration itself."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import (
    IntConverter,
    PathConverter,
    SlugConverter,
    StringConverter,
    UUIDConverter,
)

# What stands in an address whose object does not matter: access is decided before it is looked for.
SAMPLES: dict[type, Any] = {
    IntConverter: 999_999,
    StringConverter: "x",
    SlugConverter: "x",
    PathConverter: "x",
    UUIDConverter: uuid.UUID(int=1),
}


@dataclass(frozen=True)
class Route:
    name: str
    view: Callable[..., Any]
    url: str

    @property
    def roles(self) -> tuple[str, ...] | None:
        """None: a public page."""
        if getattr(self.view, "is_public", False):
            return None
        return tuple(str(role) for role in self.view.allowed_roles)  # type: ignore[attr-defined]


def routes() -> list[Route]:
    return list(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: list[URLPattern | URLResolver], space: str) -> Iterator[Route]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _walk(pattern.url_patterns, inner)
        else:
            assert pattern.name, f"{pattern.pattern} has no name"
            name = f"{space}{pattern.name}"
            values = {
                key: _sample(converter) for key, converter in pattern.pattern.converters.items()
            }
            yield Route(name, pattern.callback, reverse(name, kwargs=values))


def _sample(converter: Any) -> Any:
    for kind, sample in SAMPLES.items():
        if type(converter) is kind:
            return sample
    return converter.to_python(dt.date(2026, 3, 18).isoformat())  # the only ones of our own: dates
