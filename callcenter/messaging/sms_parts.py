"""How many SMS a text costs (GSM 03.38 and 3GPP 23.040). Pure."""

from dataclasses import dataclass
from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€\f")  # an escape before each: two septets
GSM: Final = (
    160,
    153,
)  # septets in a single SMS, in a part of several (6 bytes go to the header that joins them)
UCS2: Final = (70, 67)  # UTF-16 code units; Cyrillic always


@dataclass(frozen=True)
class Size:
    """`length` in septets or UTF-16 units, `limit` of that many in the last part's kind, `parts`
    billed each as one.
    """

    parts: int
    length: int
    unicode: bool

    @property
    def single(self) -> int:
        return (UCS2 if self.unicode else GSM)[0]

    @property
    def joined(self) -> int:
        return (UCS2 if self.unicode else GSM)[1]

    @property
    def left(self) -> int:
        """Characters that still fit without one more part."""
        return (self.single if self.parts <= 1 else self.parts * self.joined) - self.length


def size_of(text: str) -> Size:
    """Parts of the text as a telephone network bills them; an empty text has none."""
    if not text:
        return Size(0, 0, False)
    unicode = any(letter not in _BASIC and letter not in _EXTENDED for letter in text)
    widths = [_width(letter, unicode) for letter in text]
    length = sum(widths)
    single, joined = UCS2 if unicode else GSM
    if length <= single:
        return Size(1, length, unicode)
    return Size(_parts(widths, joined), length, unicode)


def _width(letter: str, unicode: bool) -> int:
    if unicode:
        return 2 if ord(letter) > 0xFFFF else 1
    return 2 if letter in _EXTENDED else 1


def _parts(widths: list[int], room: int) -> int:
    """Fills part after part; a letter of two units is never cut, so an emoji at the edge may cost a
    part more.
    """
    parts, used = 1, 0
    for width in widths:
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return parts
