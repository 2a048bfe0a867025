"""What must not be said to a client in a chat (CH-09): names of employees, naming of departments. Pure."""

import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from callcenter.clinics.names import search_key


@dataclass(frozen=True)
class Rule:
    """A wording: words that follow each other; a trailing * stands for any ending, a lone * for any one word."""

    phrase: str
    why: str
    instead: str = ""


@dataclass(frozen=True)
class Finding:
    words: str
    why: str
    instead: str

    def __str__(self) -> str:
        return f"«{self.words}» — {self.why}" + (f"; скажите {self.instead}" if self.instead else "")


def check(text: str, *, rules: Iterable[Rule], employees: Iterable[str], client: str = "") -> list[Finding]:
    """Everything forbidden in `text`; `employees` are full names, words of the `client`'s own name are allowed."""
    words = search_key(text)
    found = []
    for rule in rules:
        pattern = [part.rstrip("*") + ("*" if part.endswith("*") else "") for part in _parts(rule.phrase)]
        for start in range(len(words) - len(pattern) + 1):
            piece = words[start : start + len(pattern)]
            if all(_fits(word, part) for word, part in zip(piece, pattern, strict=True)):
                found.append(Finding(" ".join(piece), rule.why, rule.instead))
                break
    return found + _names(words, employees, set(search_key(client)))


def _parts(phrase: str) -> list[str]:
    return [part for part in phrase.lower().replace("ё", "е").split() if part]


def _fits(word: str, part: str) -> bool:
    return word.startswith(part[:-1]) if part.endswith("*") else word == part


def _names(words: list[str], employees: Iterable[str], allowed: Collection[str]) -> list[Finding]:
    pairs = set(itertools.pairwise(words))
    found = []
    for name in employees:
        last, *rest = search_key(name) or [""]
        stem = last[:-1] if len(last) > 4 else last
        if (
            last
            and last not in allowed
            and any(_same_surname(word, last, stem) and word not in allowed for word in words)
        ):
            found.append(Finding(last.capitalize(), "фамилия сотрудника", "«{команда}»"))
        elif len(rest) >= 2 and (rest[0], rest[1]) in pairs and not {rest[0], rest[1]} <= set(allowed):
            found.append(Finding(f"{rest[0]} {rest[1]}".title(), "имя и отчество сотрудника", "«{команда}»"))
    return found


def _same_surname(word: str, last: str, stem: str) -> bool:
    """The surname in any case: 'Орловой' of 'Орлова', 'Зиминым' of 'Зимин'."""
    return word == last or (len(stem) >= 4 and word.startswith(stem) and len(word) - len(stem) <= 3)
