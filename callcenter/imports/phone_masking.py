"""What of an import a person without the right to see numbers gets to read: files hold phones in
any column and shape.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from callcenter.imports.models import ImportRun
from callcenter.lib import phones
from callcenter.staff.models import User

_PHONE_FIELDS: Final = frozenset({"phone", "phone2", "phone3"})
# Ten to fifteen digits with the usual signs between them; a date, and the time behind it, are none.
_NUMBER: Final = re.compile(
    r"(?<!\w)(?<!\d[.\-])(?!\d{4}-\d\d-\d\d)(?!\d\d?[./]\d\d?[./]\d{4})\+?\(?\d(?:[\s()\-–.]{0,3}\d){9,14}(?!\w)"
)
# In a column of phones whatever holds five digits is one.
_ANY_NUMBER: Final = re.compile(r"\+?\(?\d(?:[\s()\-–.]{0,3}\d){4,}")


@dataclass(frozen=True)
class PhoneMasking:
    """Hides phone numbers in the words of an import; `columns` and `headings` are those of phones."""

    drawn: bool
    columns: frozenset[int] = frozenset()
    headings: frozenset[str] = frozenset()

    def cell(self, index: int, words: str) -> str:
        return self._hide(words, of_phones=index in self.columns)

    def problems(self, problems: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """What is wrong with a row, in which the cells are quoted."""
        return [
            {
                **problem,
                "what": self._hide(problem["what"], of_phones=problem["column"] in self.headings),
            }
            for problem in problems
        ]

    def _hide(self, words: str, *, of_phones: bool) -> str:
        if not self.drawn:
            return words
        return (_ANY_NUMBER if of_phones else _NUMBER).sub(lambda found: _masked(found[0]), words)


NO_MASKING: Final = PhoneMasking(drawn=False)


def masking_for(run: ImportRun, user: User) -> PhoneMasking:
    """The one through which this user sees the import."""
    if user.sees_phones:
        return NO_MASKING
    columns = frozenset(
        int(column) for column, name in run.columns.items() if name in _PHONE_FIELDS
    )
    return PhoneMasking(
        True,
        columns,
        frozenset(run.headings[column] for column in columns if column < len(run.headings)),
    )


def _masked(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    is_russian = len(digits) == 11 and digits[0] in "78"
    return phones.masked(f"+7{digits[1:]}" if is_russian else f"+{digits}")
