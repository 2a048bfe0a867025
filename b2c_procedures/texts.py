"""The words behind a document's name: as edited, else as the product brings them; the client's name
filled in. Pure.
"""

import functools
from collections.abc import Mapping
from typing import Final

import yaml

from b2c_procedures.definition import FOLDER
from callcenter.lib.placeholders import fill_known

CHAT_RULES: Final = (
    "Правила работы в чатах B2C"  # shown beside every chat (CH-04 to CH-06, CH-10 to CH-12, CH-20)
)


@functools.cache
def packaged_texts() -> Mapping[str, str]:
    """Document's name → its words, as the product brings them."""
    texts: dict[str, str] = yaml.safe_load((FOLDER / "documents.yaml").read_text(encoding="utf-8"))
    return {name: text.strip() for name, text in texts.items()}


def part_for(text: str, *, opens: bool) -> str:
    """Of a script in two parts («Приветствие/Прощание», a line «…» between them) the one for the
    opening or the end.
    """
    parts = [part.strip() for part in text.split("\n…\n")]
    return parts[0] if opens else parts[-1]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Puts `values` into {…}; a name without a value stays as it is, so that a misspelt one is
    seen.
    """
    return fill_known(text, {name: value for name, value in values.items() if value})
