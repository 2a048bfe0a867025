"""Pages as HTML means them: where a template breaks its lines is nothing that a test should see."""

import re
from typing import Final

_SPACE: Final = re.compile(r"[ \t\n\r\f]+")  # a no-break space is no space to HTML
_VALUE: Final = r"""(?:"[^"]*"|'[^']*')"""
_TOKEN: Final = re.compile(
    r"(?P<kept><!--.*?-->|<(?P<element>pre|textarea|script|style)\b.*?</(?P=element)\s*>)"
    rf"|<(?P<end>/?)!?(?P<name>[a-zA-Z][\w-]*)(?:{_VALUE}|[^<>\"'])*>",
    re.DOTALL,
)
_IN_TAG: Final = re.compile(rf"(?P<css>(?<![\w-])class=)?(?P<value>{_VALUE})|[ \t\n\r\f]+")
# No space is shown beside these nor at their edges; of a button and a drop-down only at the edges
# within.
_NAMES: Final = (
    "html head body title meta link div section aside main header footer nav article ul ol li dl"
    " dt dd p h1 h2 h3 h4 h5 h6 table thead tbody tfoot tr td th caption form fieldset"
    " legend option optgroup datalist summary details dialog hr br"
    " template script style doctype"
)
_BLOCKS: Final = frozenset(_NAMES.split())
_WITHIN: Final = frozenset(("button", "select"))


def tight(page: str) -> str:
    """The page in one line, without the space that is not shown. What is kept as it stands
    (textarea, script) stays.
    """
    made: list[str] = []
    at, is_shown = 0, False  # whether space is, after what is made so far
    for found in _TOKEN.finditer(page):
        name = (found["element"] or found["name"] or "").lower()
        text = _SPACE.sub(" ", page[at : found.start()])
        if not is_shown:
            text = text.lstrip(" ")
        if name in _BLOCKS or (found["end"] and name in _WITHIN):
            text = text.rstrip(" ")
        made += [text, found[0] if found["kept"] else _one_line(found[0])]
        at = found.end()
        is_shown = not (name in _BLOCKS or (name in _WITHIN and not found["end"]))
    return "".join(made) + _SPACE.sub(" ", page[at:]).rstrip(" ")


def _one_line(tag: str) -> str:
    return re.sub(r" (/?>)$", r"\1", _IN_TAG.sub(_short, tag))


def _short(found: re.Match[str]) -> str:
    if found["css"]:
        return f'class="{_SPACE.sub(" ", found["value"][1:-1]).strip()}"'
    return found["value"] or " "
