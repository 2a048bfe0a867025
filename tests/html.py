"""Pages as HTML means them: where a template breaks its lines is nothing that a test should see."""

import re
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?:(<!--.*?-->|<(pre|textarea|script|style)\b.*?</\2[ \t\r\n\f]*>)|(<[!/]?[a-zA-Z](?:"[^"]*"|'[^']*'|[^<>"'])*>))""",
    re.DOTALL,
)
_VALUE_OR_SPACE: Final = re.compile(r"""((?<![\w-])class=)?("[^"]*"|'[^']*')|[ \t\r\n\f]+""")
# No space is shown beside these and at their edges.
_NAMES: Final = (
    "html head body title meta link div section aside main header footer nav article ul ol li dl dt dd p h1 h2 h3 h4 h5 h6"
    " table thead tbody tfoot tr td th caption form fieldset legend option optgroup datalist summary details dialog hr br"
    " template script style noscript"
)
_BLOCKS: Final = frozenset(_NAMES.split())
_EDGES: Final = frozenset(("button", "select"))  # the same for these, within


def tight(page: str) -> str:
    """The page in one line, without the space that is not shown. What is kept as it stands
    (textarea, script) stays.
    """
    made: list[str] = []
    at, shown = 0, False  # shown: whether space would be, after what is made so far
    for found in _TOKEN.finditer(page):
        whole, tag = found[1], found[3]
        name = (
            (found[2] or re.match(r"<[!/]?([\w-]*)", tag or "")[1]).lower()  # type: ignore[index]
            if whole is None or found[2]
            else ""
        )
        ends = (whole or tag).startswith("</")
        text = re.sub(r"[ \t\r\n\f]+", " ", page[at : found.start()])
        before = name in _BLOCKS or (ends and name in _EDGES)
        if not shown:
            text = text.lstrip(" ")
        if before:
            text = text.rstrip(" ")
            if not text and made and made[-1] == " ":
                made.pop()
        made += [text, whole if whole is not None else _one_line(tag)]
        at = found.end()
        shown = not (name in _BLOCKS or (not ends and name in _EDGES))
    return "".join(made) + page[at:].strip()


def _one_line(tag: str) -> str:
    def less(found: re.Match[str]) -> str:
        if found[2] is None:
            return " "
        return f'{found[1]}"{" ".join(found[2][1:-1].split())}"' if found[1] else found[2]

    return re.sub(r" (/?>)$", r"\1", _VALUE_OR_SPACE.sub(less, tag))
