"""Which procedure fits what the client says. Pure: words are compared by their beginnings, as
Russian endings change.
"""

from b2c_procedures.definition import Book, Procedure
from callcenter.clinics.search_keys import search_key

_STEM = 4  # letters of a word that must agree; shorter words must agree whole
_IDLE = {
    "на",
    "по",
    "за",
    "из",
    "во",
    "не",
    "как",
    "что",
    "мне",
    "хочу",
    "могу",
    "можно",
    "меня",
    "вас",
    "для",
    "это",
}


def find(book: Book, said: str) -> list[Procedure]:
    """Procedures that fit `said`, best first; all of them, in order, when nothing is said."""
    words = [
        word for word in search_key(said) if word not in _IDLE and (len(word) > 1 or word.isdigit())
    ]
    if not words:
        return [procedure for _, procedure in sorted(book.items())]
    scored = [(_score(procedure, words), procedure) for _, procedure in sorted(book.items())]
    return [procedure for score, procedure in sorted(scored, key=lambda pair: -pair[0]) if score]


def _score(procedure: Procedure, words: list[str]) -> float:
    """The best phrase of the procedure: how many of the said words it has, the closer the better."""
    if words == [str(procedure.number)]:
        return 100
    phrases = [(ask, 1.0) for ask in procedure.asks] + [(procedure.title, 0.9)]
    best = 0.0
    for phrase, weight in phrases:
        there = search_key(phrase)
        hits = sum(any(_same(word, other) for other in there) for word in words)
        best = max(best, weight * hits * (1 + hits / max(len(there), 1)))
    return best


def _same(said: str, written: str) -> bool:
    stem = max(_STEM, len(said) - 3)
    return said == written or (len(said) >= 3 and written.startswith(said[:stem]))
