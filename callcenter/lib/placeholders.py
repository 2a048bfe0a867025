"""Placeholders in texts that people edit: `{имя}`, or `{{ имя }}`, stands for a value. Pure.

The one engine of message templates, scripts of procedures and texts of the callback robot. It only
puts values in: no expressions, no attributes, no template language.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

# The double form may hold anything, so that a mistake in it is found; the single one only a name,
# so that braces of ordinary prose stay prose.
_PLACEHOLDER: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}|\{(\w+)\}")


def _name(match: re.Match[str]) -> str:
    return match.group(1) if match.group(2) is None else match.group(2)


def names_in(text: str) -> list[str]:
    """Return the names of the placeholders of a text, in their order."""
    return [_name(match) for match in _PLACEHOLDER.finditer(text)]


def unknown_names(text: str, known: Collection[str]) -> list[str]:
    """Return the placeholders that have no value, in their order, then each unpaired '{{' or '}}'.

    An empty placeholder is named '{{ }}'.
    """
    wrong = [name or "{{ }}" for name in names_in(text) if name not in known]
    rest = _PLACEHOLDER.sub("", text)
    return wrong + [brace for brace in ("{{", "}}") if brace in rest]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with every placeholder filled. Raises KeyError for one without a value."""
    return _PLACEHOLDER.sub(lambda match: values[_name(match)], text)


def fill_known(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its known placeholders filled; others stay in sight."""
    return _PLACEHOLDER.sub(lambda match: values.get(_name(match), match.group()), text)
