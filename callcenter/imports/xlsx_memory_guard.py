"""How much text a workbook becomes once it is read. Pure.

A string is stored once and named by any number of cells, and the parser gives each cell a copy of
its own: a file of ten kilobytes may name two megabytes five thousand times.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Final
from xml.parsers import expat

Part = Callable[
    [], Iterator[bytes]
]  # one file inside the workbook, unpacked in pieces, from the beginning each time

_STRING_ENDS: Final = re.compile(rb"</(?:[^<>/\s:]+:)?si\s*>")
_PLAIN_VALUE: Final = re.compile(rb"<v>([^<>&]*)</v>")
_VALUE_ENDS: Final = re.compile(rb"</(?:[^<>/\s:]+:)?v\s*>")
_LONG_TAIL: Final = 4 << 20  # bytes without the end of a value
_OVERLAP: Final = 256  # bytes searched twice where two pieces meet


def text_size(parts: Sequence[Part], enough: int) -> int:
    """Characters that the cells of all parts hold through shared strings, or somewhat more if that
    is below `enough`.

    Counting stops above `enough`. What costs more is only asked when the cheaper bound does not
    suffice: the longest string in every cell; every number as if it named a string; each cell by
    itself.
    """
    gauges = [_gauge(part()) for part in parts]
    longest = max((longest for longest, _ in gauges), default=0)
    if (most := longest * sum(cells for _, cells in gauges)) <= enough:
        return most
    # A workbook keeps its strings in one part; of several the longer string counts, whichever the
    # parser takes.
    lists = [
        _lengths(part())
        for part, (longest_here, _) in zip(parts, gauges, strict=True)
        if longest_here
    ]
    lengths = [max(strings) for strings in zip_longest(*lists, fillvalue=0)]
    total = 0
    for part, (_, cells) in zip(parts, gauges, strict=True):
        if (most_here := _at_most(part(), lengths)) is not None and total + most_here <= enough:
            total += most_here
            continue
        try:
            for length in _named(part(), lengths):
                total += length
                if total > enough:
                    return total
        except expat.ExpatError:  # a picture, or something only a lenient parser would read
            total += longest * cells
    return total


def _gauge(pieces: Iterable[bytes]) -> tuple[int, int]:
    """Bytes that the longest shared string can't exceed, and a number that cells with a value
    can't.
    """
    longest = end = offset = tags = 0
    tail = b""
    for piece in pieces:
        searched = tail + piece
        for found in _STRING_ENDS.finditer(searched):
            at = offset - len(tail) + found.end()
            longest, end = max(longest, at - end), max(end, at)
        tags += piece.count(b"</")
        offset += len(piece)
        tail = searched[-_OVERLAP:]
    return longest, tags // 2 + 1  # such a cell ends two elements: its own and the value's


def _lengths(pieces: Iterable[bytes]) -> list[int]:
    """Characters of each shared string, in order; nothing beyond the place where the part stops
    being XML.
    """
    lengths: list[int] = []

    def start(name: str, _: dict[str, str]) -> None:
        if _local(name) == "si":
            lengths.append(0)

    def characters(data: str) -> None:
        if lengths:
            lengths[-1] += len(data)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.CharacterDataHandler = start, characters
    for piece in pieces:
        parser.Parse(piece)
    return lengths


def _at_most(pieces: Iterable[bytes], lengths: Sequence[int]) -> int | None:
    """The sum over all values of cells, each taken for the number of a string; None when one is not
    written plainly.
    """
    total = 0
    tail = b""
    for piece in pieces:
        searched = tail + piece
        plain = _PLAIN_VALUE.findall(searched)
        if len(plain) != len(_VALUE_ENDS.findall(searched)):
            return None
        for number, times in Counter(plain).items():
            if (index := _index(number)) is not None and index < len(lengths):
                total += times * lengths[index]
        tail = searched[searched.rfind(b"</v>") + 4 :] if plain else searched
        if len(tail) > _LONG_TAIL:
            return None
    return total


def _index(number: bytes | str) -> int | None:
    """As the parser reads it: a plus and zeros in front do not matter to it."""
    try:
        return int(number)
    except ValueError:
        return None


def _named(pieces: Iterable[bytes], lengths: Sequence[int]) -> Iterator[int]:
    """The length of the shared string of each cell that names one."""
    found: list[int] = []
    shared = False
    number: list[str] | None = None

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal shared, number
        local = _local(name)
        if local == "c":
            shared = attributes.get("t") == "s"
        elif local == "v":
            number = [] if shared else None

    def end(name: str) -> None:
        nonlocal number
        if number is not None and _local(name) == "v":
            index = _index("".join(number))
            if index is not None and index < len(lengths):
                found.append(lengths[index])
            number = None

    def characters(data: str) -> None:
        if number is not None:
            number.append(data)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = (
        start,
        end,
        characters,
    )
    for piece in pieces:
        parser.Parse(piece)
        yield from found
        found.clear()


def _local(name: str) -> str:
    return name.rpartition(":")[2]
