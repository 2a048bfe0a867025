"""Whose row it is: by the card's code, else by phone and birth date, else by name. Shared by every
kind that names a patient.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from callcenter.audit import actions as audit
from callcenter.audit.actions import LogRow
from callcenter.clinics.models import Clinic, Patient, PatientPhone
from callcenter.clinics.search_keys import normalise
from callcenter.imports import cell_parsers
from callcenter.imports.cell_parsers import ParsedName
from callcenter.imports.columns import Field
from callcenter.imports.jobs import BATCH, ImportRow, ImportScope, batches
from callcenter.lib.bulk_sql import copy_rows, new_ids

# What a row says of a patient; the headings of the usual systems.
PATIENT_FIELDS: tuple[Field, ...] = (
    Field(
        "patient_id",
        "Код пациента",
        ("Код пациента", "ID пациента", "Номер карты", "№ карты", "Карта", "Patient ID"),
    ),
    Field(
        "full_name",
        "ФИО пациента",
        ("ФИО пациента", "Пациент", "ФИО", "Клиент", "ФИО клиента", "Имя пациента"),
    ),
    Field("last_name", "Фамилия", ("Фамилия", "Фамилия пациента")),
    Field("first_name", "Имя", ("Имя",)),
    Field("middle_name", "Отчество", ("Отчество",)),
    Field(
        "birth_date",
        "Дата рождения",
        ("Дата рождения", "Д.р.", "ДР", "Родился", "Рождения", "Birth date"),
    ),
    Field(
        "phone",
        "Телефон",
        ("Телефон", "Мобильный", "Мобильный телефон", "Тел", "Сотовый", "Номер телефона", "Phone"),
    ),
    Field(
        "phone2",
        "Второй телефон",
        ("Телефон 2", "Второй телефон", "Дополнительный телефон", "Домашний телефон"),
    ),
)
# A patient is known by his code, or by a name.
PATIENT_NEEDED: tuple[str, ...] = ("full_name", "last_name", "patient_id")


@dataclass(slots=True)
class PatientQuery:
    """What a row says of its patient."""

    code: str = ""
    name: ParsedName | None = None
    born: dt.date | None = None
    numbers: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return normalise(" ".join(self.name)) if self.name else ""


@dataclass(slots=True, eq=False)
class PatientRecord:
    """A patient as far as matching needs him; `pk` is 0 until a new one is written."""

    pk: int
    code: str
    name: ParsedName
    born: dt.date | None
    numbers: list[str] = field(default_factory=list)  # the main one first
    clinics: set[int] = field(default_factory=set)
    extras: dict[str, str] = field(default_factory=dict)  # further fields of a new card

    @property
    def words(self) -> str:
        return " ".join(part for part in self.name if part)

    @property
    def as_patient(self) -> Patient:
        """The written patient, as far as others refer to him and name him."""
        return Patient(
            pk=self.pk,
            last_name=self.name.last,
            first_name=self.name.first,
            middle_name=self.name.middle,
        )


class AmbiguousPatient(ValueError):
    """The row fits nobody for sure; the words are for the person with the file."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what} {todo}")
        self.what, self.todo = what, todo


def sought(row: ImportRow, *, today: dt.date) -> PatientQuery:
    """Reads the patient's columns of a row; bad cells are put down on it."""
    name = row.get("full_name", cell_parsers.full_name)
    if last := row.get("last_name", cell_parsers.name_part):
        first, middle = (
            row.get("first_name", cell_parsers.name_part),
            row.get("middle_name", cell_parsers.name_part),
        )
        name = ParsedName(last, first or "", middle or "")
    numbers = (row.get("phone", cell_parsers.phone), row.get("phone2", cell_parsers.phone))
    return PatientQuery(
        code=row.get("patient_id", cell_parsers.identifier) or "",
        name=name,
        born=row.get("birth_date", lambda cell: cell_parsers.birth_date(cell, today=today)),
        numbers=tuple(dict.fromkeys(number for number in numbers if number)),
    )


class PatientDirectory:
    """The patients that a file speaks of: those of the database, read in batches, and the new ones
    of the file itself.
    """

    def __init__(self, scope: ImportScope) -> None:
        self.scope = scope
        self.new: list[PatientRecord] = []
        self._by_pk: dict[int, PatientRecord] = {}
        self._by_code: dict[str, PatientRecord] = {}
        self._by_number: dict[str, list[PatientRecord]] = {}
        self._by_key: dict[str, list[PatientRecord]] = {}

    def load(self, wanted: Sequence[PatientQuery], known: Iterable[int] = ()) -> None:
        """Reads whoever the rows may mean: three queries and their phones and clinics, whatever the
        number of rows.

        `known` are patients whom the rows name in another way: by a visit's code.
        """
        codes = {one.code for one in wanted if one.code} - self._by_code.keys()
        numbers = {number for one in wanted for number in one.numbers}
        keys = {one.key for one in wanted if one.key and not one.numbers}
        found = (
            set(Patient.objects.filter(source_id__in=codes).values_list("pk", flat=True))
            if codes
            else set()
        )
        if numbers:
            found |= set(
                PatientPhone.objects.filter(number__in=numbers).values_list("patient_id", flat=True)
            )
        if keys:
            found |= set(Patient.objects.filter(sort_key__in=keys).values_list("pk", flat=True))
        found |= set(known)
        found -= self._by_pk.keys()
        if found:
            self._read(found)

    def _read(self, ids: set[int]) -> None:
        fields = ("pk", "source_id", "last_name", "first_name", "middle_name", "birth_date")
        people = {
            pk: PatientRecord(pk, code, ParsedName(last, first, middle), born)
            for pk, code, last, first, middle, born in Patient.objects.filter(
                pk__in=ids
            ).values_list(*fields)
        }
        for pk, number in PatientPhone.objects.filter(patient_id__in=ids).values_list(
            "patient_id", "number"
        ):
            people[pk].numbers.append(number)
        visits = Patient.clinics.through.objects.filter(patient_id__in=ids).values_list(
            "patient_id", "clinic_id"
        )
        for pk, clinic_id in visits:
            people[pk].clinics.add(clinic_id)
        for person in people.values():
            self._remember(person)

    def _remember(self, person: PatientRecord) -> None:
        if person.pk:
            self._by_pk[person.pk] = person
        if person.code:
            self._by_code[person.code] = person
        for number in person.numbers:
            self._by_number.setdefault(number, []).append(person)
        self._by_key.setdefault(normalise(" ".join(person.name)), []).append(person)

    def add(self, one: PatientQuery) -> PatientRecord:
        """A patient whom nobody knows yet; written by `write_new`."""
        person = PatientRecord(
            0, one.code, one.name or ParsedName("", "", ""), one.born, list(one.numbers)
        )
        self.new.append(person)
        self._remember(person)
        return person

    def learn(self, person: PatientRecord, one: PatientQuery) -> None:
        """The card takes over a code, a birth date and numbers that it did not have: a namesake in
        a later row, born on another day, is somebody else then.
        """
        person.born = person.born or one.born
        if one.code and not person.code:
            person.code = one.code
            self._by_code[one.code] = person
        for number in one.numbers:
            if number not in person.numbers:
                person.numbers.append(number)
                self._by_number.setdefault(number, []).append(person)

    def find(self, one: PatientQuery) -> PatientRecord | None:
        """The patient of the row, or None when he is new.

        The code decides. Without one: the phone, with the birth date, and the first name since
        twins and namesakes share the rest; without a phone: the full name with the birth date, else
        a card that has neither of the two. Raises AmbiguousPatient when several fit, or when the
        code belongs to somebody else.
        """
        if one.code and (person := self._by_code.get(one.code)):
            if self._contradicts(person, one):
                raise AmbiguousPatient(
                    f"Код «{one.code}» уже у другого пациента: {person.words}.",
                    "Проверьте код или данные пациента.",
                )
            return person
        if one.numbers:
            near = {
                id(person): person
                for number in one.numbers
                for person in self._by_number.get(number, ())
            }
            fitting = [person for person in near.values() if self._fits(person, one)]
        else:
            same = self._by_key.get(one.key, []) if one.key else []
            fitting = [person for person in same if self._same_without_phone(person, one)]
        if len(fitting) > 1:
            exact = [person for person in fitting if one.born and person.born == one.born]
            fitting = exact if len(exact) == 1 else fitting
        if len(fitting) > 1:
            names = "; ".join(
                f"{person.words} {person.born:%d.%m.%Y}" if person.born else person.words
                for person in fitting[:3]
            )
            raise AmbiguousPatient(
                f"Подходят несколько пациентов: {names}.", "Укажите код пациента или дату рождения."
            )
        return fitting[0] if fitting else None

    def of_row(
        self, row: ImportRow, one: PatientQuery, *, usual: int | None = None
    ) -> PatientRecord | None:
        """The patient whom a row of visits or entries means, or None: a new one, or, with the
        reason put on the row, nobody.

        `usual` is the patient of the visit whose code the row bears: he is meant, whatever his
        phone is now, unless the row has a patient's code or tells of somebody else.
        """
        if row.problems:
            return None
        if usual is not None and not one.code and self._may_be(self._by_pk[usual], one):
            return self._by_pk[usual]
        try:
            person = self.find(one)
        except AmbiguousPatient as unclear:
            row.refuse("patient_id" if one.code else "full_name", unclear.what, unclear.todo)
            return None
        if person is None and one.name is None:
            row.refuse(
                "patient_id" if one.code else "full_name",
                "Такого пациента нет.",
                "Добавьте ФИО и телефон или исправьте код.",
            )
        return person

    @staticmethod
    def _contradicts(person: PatientRecord, one: PatientQuery) -> bool:
        """The same code on a card that agrees in nothing: another system's numbering, or a slip of
        columns.
        """
        if one.name is None:
            return False
        return not (
            normalise(person.name.last) == normalise(one.name.last)
            or (one.born is not None and person.born == one.born)
            or any(number in person.numbers for number in one.numbers)
        )

    @staticmethod
    def _may_be(person: PatientRecord, one: PatientQuery) -> bool:
        """Whether the row may speak of him, its phone left aside. A corrected birth date needs the
        whole name.
        """
        if one.name is None:
            return one.born is None or person.born in (None, one.born)
        if one.born and person.born and one.born != person.born:
            return one.key == normalise(" ".join(person.name))
        same_last = normalise(person.name.last) == normalise(one.name.last)
        return _first_alike(person.name, one.name) and (
            same_last or (one.born is not None and one.born == person.born)
        )

    @staticmethod
    def _fits(person: PatientRecord, one: PatientQuery) -> bool:
        if one.code and person.code and one.code != person.code:
            return False
        if one.born and person.born:
            return one.born == person.born and (
                one.name is None or _first_alike(person.name, one.name)
            )
        return one.name is None or (
            normalise(person.name.last) == normalise(one.name.last)
            and _first_alike(person.name, one.name)
        )

    @staticmethod
    def _same_without_phone(person: PatientRecord, one: PatientQuery) -> bool:
        if one.code and person.code and one.code != person.code:
            return False
        if one.born:
            return person.born == one.born
        return person.born is None and not person.numbers

    def write_new(self, note: str) -> None:
        """Writes the new patients with their phones, each with a line in the audit log."""
        for batch in batches(self.new):
            for person, pk in zip(batch, new_ids(Patient, len(batch)), strict=True):
                person.pk = pk
            copy_rows(
                Patient,
                (
                    *(
                        "id",
                        "last_name",
                        "first_name",
                        "middle_name",
                        "birth_date",
                        "source_id",
                        "email",
                        "note",
                    ),
                    *("zone", "do_not_call", "do_not_call_reason", "created_at"),
                ),
                (
                    (
                        *(person.pk, *person.name, person.born, person.code),
                        *(person.extras.get("email", ""), person.extras.get("note", "")),
                        *("", False, "", self.scope.now),
                    )
                    for person in batch
                ),
            )
            copy_rows(
                PatientPhone,
                ("patient", "number", "label", "is_main"),
                (
                    (person.pk, number, "", index == 0)
                    for person in batch
                    for index, number in enumerate(person.numbers)
                ),
            )
            audit.record_many(
                "clinics.create_patient",
                "clinics.patient",
                (LogRow(person.pk, person.words, patient_id=person.pk) for person in batch),
                by=self.scope.by,
                now=self.scope.now,
                note=note,
            )

    def join(self, pairs: Iterable[tuple[PatientRecord, Clinic]]) -> None:
        """The patients visit these clinics from now on."""
        through = Patient.clinics.through
        links = set()
        for person, clinic in pairs:
            if clinic.pk not in person.clinics:
                person.clinics.add(clinic.pk)
                links.add((person.pk, clinic.pk))
        new = {person.pk for person in self.new}  # nobody else can have joined these meanwhile
        copy_rows(through, ("patient", "clinic"), sorted(link for link in links if link[0] in new))
        through.objects.bulk_create(
            (
                through(patient_id=patient, clinic_id=clinic)
                for patient, clinic in links
                if patient not in new
            ),
            batch_size=BATCH,
            ignore_conflicts=True,
        )


def _first_alike(one: ParsedName, other: ParsedName) -> bool:
    """Whether the first names may be of one person: the same, an initial of it, or one of them
    unknown.
    """
    first, second = normalise(one.first), normalise(other.first)
    if not first or not second:
        return True
    return (
        first == second
        or cell_parsers.is_initial_of(first, second)
        or cell_parsers.is_initial_of(second, first)
    )
