"""Finding a patient from everywhere: beginnings of words of his name in any order, last digits of a
phone, birth date.

Speed at a million cards comes from three things. Each name is stored as three keys, one for each
field in front, and as one for each further word of a field, so the beginning of any word is a range
of one index. Of several words the rarest leads (counted up to a bound), the others only filter that
range, in the index alone. And the ranges are read in the order of the answer, so twenty are enough.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from callcenter.clinics.models import Clinic, NamePart, Patient, PatientNameWord, PatientPhone
from callcenter.clinics.search_keys import normalise, search_key
from callcenter.lib import phones
from callcenter.staff.models import User

Value = str | int | dt.date

FIRST: Final = 20
# A word with fewer beginnings than this leads at once; counting further would cost more than it
# saves.
RARE: Final = 1500
# Where a word may stand, the best place first; each is read as a table `p` of (id, key), in the
# order of an index.
_KEYS: Final = {
    "surname": "(SELECT id, sort_key AS key FROM clinics_patient)",
    "in surname": f"(SELECT patient_id AS id, key FROM clinics_patientnameword WHERE part = {NamePart.LAST})",  # noqa: S608
    "first name": "(SELECT id, first_name_key AS key FROM clinics_patient)",
    "in first name": f"(SELECT patient_id AS id, key FROM clinics_patientnameword WHERE part = {NamePart.FIRST})",  # noqa: S608
    "patronymic": "(SELECT id, middle_name_key AS key FROM clinics_patient)",
    "in patronymic": f"(SELECT patient_id AS id, key FROM clinics_patientnameword WHERE part = {NamePart.MIDDLE})",  # noqa: S608
}
_CARDS: Final = "clinics_patient"
_DATE: Final = re.compile(r"(?<!\d)(\d{1,2})[.\-/](\d{1,2})[.\-/](\d{4})(?!\d)")
_LAST_CODE_POINT: Final = "\U0010ffff"


@dataclass(frozen=True)
class _ClinicScope:
    """The clinics whose patients the user sees; `few` when they are a small part of the chain's."""

    clinics: list[int]
    few: bool

    @classmethod
    def of(cls, user: User) -> "_ClinicScope":
        staff = Clinic.staff.through.objects.filter(clinic=OuterRef("pk"), user=user)
        chain = list(
            Clinic.objects.order_by().annotate(hers=Exists(staff)).values_list("pk", "hers")
        )
        clinics = [pk for pk, hers in chain if hers]
        return cls(clinics, few=len(clinics) * 4 < len(chain))

    @property
    def asked_at_each_row(self) -> str:
        """Whether the card `p` is of one of `clinics` (a parameter), by a look at its own links."""
        return (
            "EXISTS (SELECT 1 FROM clinics_patient_clinics c"
            " WHERE c.patient_id = p.id AND c.clinic_id = ANY(%s) OFFSET 0)"
        )

    @property
    def along_an_index(self) -> str:
        """The same for a walk along an index that ends at the first rows that fit.

        Of many clinics: asked at each row. Of few, most rows do not fit, and thousands may be asked
        before twenty do: the clinics' patients are read into a hash once. `IS TRUE` keeps the
        planner from making a join of it, which would lose the order of the index.
        """
        if not self.few:
            return self.asked_at_each_row
        return "(p.id IN (SELECT patient_id FROM clinics_patient_clinics WHERE clinic_id = ANY(%s))) IS TRUE"


def search_patients(text: str, *, user: User, limit: int = FIRST) -> list[Patient]:
    """The first `limit` patients of the user's clinics that fit, best first, with phones and
    clinics prefetched.

    Surnames before first names before patronymics, then by alphabet. Fewer than two letters or four
    digits find nothing.
    """
    hers = _ClinicScope.of(user)
    text, born = _birth_date(text)
    digits, words = _digits_and_words(text)
    if digits and len(digits) < 4:
        return []
    if digits:
        ids = _by_phone(digits, words, born, hers, limit)
    elif words:
        ids = _by_name(words, born, hers, limit)
    elif born:
        ids = _rows("birth_date = %s", [born], "sort_key", hers, limit)
    else:
        return []
    order = {pk: index for index, pk in enumerate(ids)}
    found = Patient.objects.filter(pk__in=ids).prefetch_related("phones", "clinics")
    return sorted(found, key=lambda patient: order[patient.pk])


def patients_that_fit(text: str) -> QuerySet[Patient]:
    """All cards that fit, of any clinic and in no order: a filter over something else that is
    narrowed to the user's clinics itself. Reads them as `search_patients` does.
    """
    text, born = _birth_date(text)
    digits, words = _digits_and_words(text)
    if (digits and len(digits) < 4) or not (digits or words or born):
        return Patient.objects.none()
    found = Patient.objects.all()
    if born:
        found = found.filter(birth_date=born)
    if digits:
        low, high = _range(_ending(digits)[::-1])
        numbers = PatientPhone.objects.filter(reversed_digits__gte=low, reversed_digits__lt=high)
        found = found.filter(pk__in=numbers.values("patient"))
    lead = max(words, key=len, default="")
    for word in words:
        found = found.filter(
            Q(pk__in=_in_front(word)) if word == lead else Q(sort_key__regex=_begins_a_word(word))
        )
    return found


def _in_front(word: str) -> "QuerySet[Patient, int]":
    """The ids of the cards of which one key begins with the word: ranges of their indexes."""
    low, high = _range(word)
    begins = Q()
    for key in ("sort_key", "first_name_key", "middle_name_key"):
        begins |= Q(**{f"{key}__gte": low, f"{key}__lt": high})
    inside = PatientNameWord.objects.filter(part__in=NamePart.values, key__gte=low, key__lt=high)
    return (
        Patient.objects.filter(begins)
        .order_by()
        .values_list("pk", flat=True)
        .union(inside.values_list("patient_id", flat=True))
    )


def _birth_date(text: str) -> tuple[str, dt.date | None]:
    match = _DATE.search(text)
    if match is None:
        return text, None
    day, month, year = (int(part) for part in match.groups())
    try:
        return text[: match.start()] + " " + text[match.end() :], dt.date(year, month, day)
    except ValueError:
        return text, None


def _digits_and_words(text: str) -> tuple[str, list[str]]:
    words = [word for word in normalise(re.sub(r"[\d+()\-]+", " ", text)).split() if word]
    digits = re.sub(r"\D", "", text)
    return digits, words[:4] if len("".join(words)) >= 2 else []


def _by_phone(
    digits: str, words: list[str], born: dt.date | None, hers: _ClinicScope, limit: int
) -> list[int]:
    """By the end of any of the patient's numbers; a whole number in any shape counts by its last
    ten digits.
    """
    low, high = _range(_ending(digits)[::-1])
    where = [
        "id IN (SELECT patient_id FROM clinics_patientphone WHERE reversed_digits >= %s AND reversed_digits < %s)"
    ]
    params: list[Value] = [low, high]
    for word in words:
        where.append("sort_key ~ %s")
        params.append(_begins_a_word(word))
    if born:
        where.append("birth_date = %s")
        params.append(born)
    return _rows(" AND ".join(where), params, "sort_key", hers, limit)


def _ending(digits: str) -> str:
    try:
        return phones.parse(digits).lstrip("+") if len(digits) >= 10 else digits
    except phones.BadPhone:
        return digits[-10:]


def _by_name(words: list[str], born: dt.date | None, hers: _ClinicScope, limit: int) -> list[int]:
    if born:
        filters = " AND ".join(["birth_date = %s", *["sort_key ~ %s"] * len(words)])
        return _rows(filters, [born, *map(_begins_a_word, words)], "sort_key", hers, limit)
    rarity, lead = _rarest(words) if len(words) > 1 else (0, words[0])
    others = list(words)
    others.remove(lead)
    found: list[int] = []
    surnames_done = len(words) > 1 and rarity >= RARE
    if surnames_done:
        # All words are common. Whole words in the order of a key are one short range: «иванова
        # анна», «анна иванова»…
        for key in ("surname", "first name"):
            found += _ahead(found, key, " ".join(words), (), hers, limit)
        # …else each as the beginning of a surname, a range that ends as soon as twenty fit.
        for word in words if len(found) < limit else ():
            rest = list(words)
            rest.remove(word)
            found += _ahead(found, "surname", word, rest, hers, limit)
    for key in _KEYS:
        if len(found) < limit and not (surnames_done and key == "surname"):
            found += _ahead(found, key, lead, others, hers, limit)
    return _surnames_first(found, words)[:limit]


def _ahead(
    found: Sequence[int], key: str, word: str, rest: Sequence[str], hers: _ClinicScope, limit: int
) -> list[int]:
    """Further ids whose `key` begins with `word` and whose other words begin with `rest`, in the
    order of the key.
    """
    low, high = _range(word)
    where = ["p.key >= %s", "p.key < %s", *["p.key ~ %s"] * len(rest)]
    params: list[Value] = [low, high, *map(_after_the_first_word, rest)]
    ids = _rows(" AND ".join(where), params, "key", hers, limit + len(found), table=_KEYS[key])
    # A name may hold two words of one beginning: «Гусейн Гусейн оглы».
    return [pk for pk in dict.fromkeys(ids) if pk not in set(found)]


def _rows(
    where: str,
    params: list[Value],
    order: str,
    hers: _ClinicScope,
    limit: int,
    *,
    table: str = _CARDS,
) -> list[int]:
    """The first ids of `hers` in the order of the key; one of `_KEYS` is walked along its index."""
    seen = hers.asked_at_each_row if table == _CARDS else hers.along_an_index
    with connection.cursor() as cursor:
        cursor.execute(
            # Column names are ours, values are parameters
            f"SELECT p.id FROM {table} p WHERE {seen} AND {where} ORDER BY {order}, p.id LIMIT %s",  # noqa: S608
            [hers.clinics, *params, limit],
        )
        return [row[0] for row in cursor.fetchall()]


def _rarest(words: list[str]) -> tuple[int, str]:
    """How many cards have the rarest word in front of a key, at most RARE, and that word; of equals
    the longer one.
    """
    count, _, word = min((_count_up_to_rare(word), -len(word), word) for word in words)
    return count, word


def _count_up_to_rare(word: str) -> int:
    low, high = _range(word)
    beginnings = "SELECT 1 FROM {} p WHERE p.key >= %s AND p.key < %s"
    ranges = " UNION ALL ".join(beginnings.format(table) for table in _KEYS.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM ({ranges}) every LIMIT %s) beginnings",  # noqa: S608
            [*(low, high) * len(_KEYS), RARE],
        )
        return int(cursor.fetchone()[0])


def _surnames_first(ids: list[int], words: list[str]) -> list[int]:
    """In the order of `_KEYS` by the best place of any of the words, then by alphabet."""
    cards = Patient.objects.filter(pk__in=ids).values_list(
        "pk", "sort_key", "last_name", "first_name", "middle_name"
    )
    ranks: dict[int, tuple[int, str]] = {}
    for pk, key, *names in cards:
        places = [
            2 * field + (number > 0)
            for field, name in enumerate(names)
            for number, part in enumerate(search_key(name))
            if part.startswith(tuple(words))
        ]
        ranks[pk] = (min(places, default=9), key)
    return sorted((pk for pk in ids if pk in ranks), key=lambda pk: ranks[pk])


def _range(beginning: str) -> tuple[str, str]:
    return beginning, beginning + _LAST_CODE_POINT


def _begins_a_word(word: str) -> str:
    return f"(^| ){re.escape(word)}"


def _after_the_first_word(word: str) -> str:
    return f" {re.escape(word)}"
