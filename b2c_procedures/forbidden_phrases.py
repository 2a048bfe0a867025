"""What must not be said to a client in a chat (CH-09): names of employees, naming of departments.
Pure.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from callcenter.clinics.search_keys import normalise, search_key

# Endings by which a surname is told from a common word in any letter case («орловой»), but not
# «Мороз», «Ведущая».
_SURNAME: Final = re.compile(
    r"(?:ов|ев|ин|ын|ова|ева|ина|ына|енко|ский|цкий|ская|цкая|дзе|швили|ян)$"
)
_ENDING: Final = (
    3  # letters that a case may put in the place of a name's last vowel: Орлова → Орловою
)


@dataclass(frozen=True)
class PhraseRule:
    """A wording: words that follow each other; a trailing * stands for any ending, a lone * for any
    one word.
    """

    phrase: str
    why: str
    instead: str = ""


@dataclass(frozen=True)
class PhraseMatch:
    words: str
    why: str
    instead: str

    def __str__(self) -> str:
        return f"«{self.words}» — {self.why}" + (
            f"; скажите {self.instead}" if self.instead else ""
        )


def check(
    text: str,
    *,
    rules: Iterable[PhraseRule],
    employees: Iterable[str],
    author: str = "",
    client: str = "",
) -> list[PhraseMatch]:
    """Everything forbidden in `text`, in the order of `rules` and then of `employees`.

    `employees` are full names (surname first) of anybody; of the `author` the first name alone is
    forbidden, too. Names are found in any case («Зиминой», «Ольги Петровны»). Words of the
    `client`'s own name are allowed.
    """
    spoken = re.findall(r"[^\W_]+", text)
    words = [normalise(word) for word in spoken]
    found = [finding for rule in rules if (finding := _wording(rule, words)) is not None]
    allowed = search_key(client)
    foreign = [
        (word, said)
        for word, said in zip(words, spoken, strict=True)
        if not any(_same(word, own) for own in allowed)
    ]
    for name in employees:
        finding = _name(foreign, name, is_author=name == author)
        if finding is not None:
            found.append(finding)
    return found


def _wording(rule: PhraseRule, words: list[str]) -> PhraseMatch | None:
    pattern = [
        part.rstrip("*") + "*" * part.endswith("*")
        for part in rule.phrase.lower().replace("ё", "е").split()
    ]
    for start in range(len(words) - len(pattern) + 1):
        piece = words[start : start + len(pattern)]
        if all(_fits(word, part) for word, part in zip(piece, pattern, strict=True)):
            return PhraseMatch(" ".join(piece), rule.why, rule.instead)
    return None


def _fits(word: str, part: str) -> bool:
    return word.startswith(part[:-1]) if part.endswith("*") else word == part


def _name(words: list[tuple[str, str]], name: str, *, is_author: bool) -> PhraseMatch | None:
    """The first trace of one employee's name among the (folded, as written) words."""
    surname, first, middle = [*(normalise(part) for part in name.split()), "", "", ""][:3]
    for word, said in words:
        if any(
            _same(word, half) and (said[0].isupper() or _SURNAME.search(half))
            for half in surname.split()
        ):
            return PhraseMatch(said, "фамилия сотрудника", "«{команда}»")
    for (word, said), (after, said_after) in itertools.pairwise(words):
        if middle and _same(word, first) and _same(after, middle):
            return PhraseMatch(f"{said} {said_after}", "имя и отчество сотрудника", "«{команда}»")
    for word, said in words:
        if is_author and said[0].isupper() and _same(word, first):
            return PhraseMatch(said, "ваше имя", "«{команда}»")
    return None


def _same(word: str, name: str) -> bool:
    """Whether a word is the name in some case: 'орловой' of 'орлова', 'зиминым' of 'зимин', 'ольге'
    of 'ольга'.
    """
    if word == name:
        return bool(name)
    stem = name[:-1] if name[-1:] in "аяийьоеы" else name
    return len(stem) >= 3 and word.startswith(stem) and len(word) - len(stem) <= _ENDING
