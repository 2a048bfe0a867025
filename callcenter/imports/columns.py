"""Which column is what: guessed from Russian headings, corrected by a person. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from callcenter.clinics.search_keys import normalise
from callcenter.imports.cell_parsers import shown
from callcenter.imports.file_reader import BadFile, FileLine

_HEADING_WITHIN: Final = 15  # lines: a report may carry its title and period above the table


@dataclass(frozen=True)
class Field:
    """Something a row may say. `headings` are the usual names of its column, in any case and with ё
    or е.
    """

    name: str
    label: str
    headings: tuple[str, ...]
    hint: str = ""


@dataclass(frozen=True)
class Layout:
    """The table of a file: its headings, the guess, and the lines below them."""

    heading_line: int
    headings: list[str]
    lines: list[FileLine]


def layout(lines: Sequence[FileLine], fields: Sequence[Field]) -> Layout:
    """Finds the line of headings: of the first lines, the one in which most columns are recognised.

    Raises BadFile when there is nothing but headings.
    """
    scored = [
        (len(guess([shown(cell) for cell in line.cells], fields)), -index)
        for index, line in enumerate(lines[:_HEADING_WITHIN])
    ]
    known, index = max(scored)
    heading = lines[-index] if known > 1 else lines[0]
    width = max(len(line.cells) for line in lines)
    names = [shown(cell).strip() for cell in heading.cells] + [""] * (width - len(heading.cells))
    below = [line for line in lines if line.number > heading.number]
    if not below:
        raise BadFile("Под заголовками нет ни одной строки.")
    return Layout(heading.number, names, below)


def guess(headings: Sequence[str], fields: Sequence[Field]) -> dict[int, str]:
    """Column index → field name. Exact names win over names that begin alike; a field is given to
    one column only.
    """
    wanted: list[tuple[int, int, int, str]] = []
    for column, heading in enumerate(headings):
        folded = normalise(heading)
        if not folded:
            continue
        for field in fields:
            for position, name in enumerate(map(normalise, field.headings)):
                if (rank := _likeness(folded, name)) is not None:
                    wanted.append((rank, position, column, field.name))
    chosen: dict[int, str] = {}
    for _, _, column, name in sorted(wanted, key=lambda option: option[:3]):
        if column not in chosen and name not in chosen.values():
            chosen[column] = name
    return dict(sorted(chosen.items()))


def _likeness(heading: str, name: str) -> int | None:
    """0 the same, 1 the heading begins with the name, 2 holds all its words; None: something else."""
    if heading == name:
        return 0
    if heading.startswith(name + " "):
        return 1
    return 2 if set(name.split()) <= set(heading.split()) else None


def missing(
    chosen: Mapping[int, str], needed: Sequence[tuple[str, ...]], fields: Sequence[Field]
) -> list[str]:
    """What must still be pointed out, in words; each item of `needed` is satisfied by any one of
    its fields.
    """
    labels = {field.name: field.label for field in fields}
    have = set(chosen.values())
    return [
        " или ".join(f"«{labels[name]}»" for name in group)
        for group in needed
        if not have & set(group)
    ]
