"""What every kind of import has in common: rows that gather their own problems, and a job that
plans first, writes after.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final, TypeVar

from callcenter.clinics.models import Clinic, Doctor
from callcenter.clinics.search_keys import normalise
from callcenter.imports import cell_parsers
from callcenter.imports.cell_parsers import BadCell, Cell
from callcenter.imports.columns import Field
from callcenter.imports.file_reader import FileLine
from callcenter.lib.localtime import local_day
from callcenter.staff.models import User
from callcenter.staff.roles import Role

Value = TypeVar("Value")
Item = TypeVar("Item")
# Told the number of rows that are behind us; may raise to stop everything (the lease is lost).
Report = Callable[[int], None]

BATCH: Final = 2_000  # rows looked up, or written, in one query


@dataclass(frozen=True)
class RowProblem:
    """One thing wrong with one row: in which column, what, and what to do."""

    column: str
    what: str
    todo: str


@dataclass(frozen=True)
class PreviewFinding:
    """Something the preview shows besides rejected rows. `kind` is a FindingKind."""

    kind: str
    line: int
    what: str
    todo: str = ""
    subject_id: int | None = None
    version: int = 0


@dataclass(slots=True)
class ImportRow:
    """A line under the chosen columns. Whatever is wrong with it is kept in `problems`: such a row
    is not loaded.
    """

    line: FileLine
    columns: Mapping[str, int]
    headings: Sequence[str]
    problems: list[RowProblem] = field(default_factory=list)

    def cell(self, name: str) -> Cell:
        index = self.columns.get(name)
        return (
            self.line.cells[index] if index is not None and index < len(self.line.cells) else None
        )

    def get(self, name: str, parse: Callable[[Cell], Value | None]) -> Value | None:
        """The value of a field, or None for an empty or a bad cell; the bad one is put down."""
        cell = self.cell(name)
        if cell is None or cell == "":
            return None
        try:
            return parse(cell)
        except BadCell as bad:
            self.refuse(name, bad.what, bad.todo)
            return None

    def need(self, name: str, parse: Callable[[Cell], Value | None], todo: str) -> Value | None:
        """Like `get`, but an empty cell is a problem too."""
        before = len(self.problems)
        value = self.get(name, parse)
        if value is None and len(self.problems) == before:
            self.refuse(name, "Не заполнено.", todo)
        return value

    def refuse(self, name: str, what: str, todo: str) -> None:
        self.problems.append(RowProblem(self._heading(name), what, todo))

    def faulty(self, *names: str) -> bool:
        """Whether something is put down already in one of these columns: a bad cell is not called
        an empty one too.
        """
        headings = {self._heading(name) for name in names if name in self.columns}
        return any(problem.column in headings for problem in self.problems)

    def _heading(self, name: str) -> str:
        index = self.columns.get(name)
        return self.headings[index] if index is not None else ""


@dataclass(frozen=True)
class ImportScope:
    """Who loads what where: the clinics he may write to, and the one of the rows that name none."""

    clinic: Clinic
    clinics: Sequence[Clinic]
    by: User | None
    now: datetime
    file_name: str
    # Missing visits to cancel on confirmation: visit id → the version the person saw; None in the
    # preview.
    confirmed_missing: Mapping[int, int] | None = None


class ImportJob(ABC):
    """One kind's way from rows to the database.

    `plan` reads the database and changes nothing; `write` runs in the transaction of the whole
    import. Both may put problems on rows. `counts` and `findings` are what the preview and the
    result show.
    """

    def __init__(self, scope: ImportScope) -> None:
        self.scope = scope
        self.counts: Counter[str] = Counter()
        self.findings: list[PreviewFinding] = []
        self.places = ClinicDirectory(scope)

    @abstractmethod
    def plan(self, rows: Sequence[ImportRow], report: Report) -> None: ...

    @abstractmethod
    def write(self, report: Report) -> None: ...


@dataclass(frozen=True)
class ImportKind:
    """An entry of the table of imports (callcenter/workbench/registry.py)."""

    name: str
    label: str
    icon: str
    roles: tuple[Role, ...]
    fields: tuple[Field, ...]
    needed: tuple[tuple[str, ...], ...]  # each satisfied by any one of its fields
    job: type[ImportJob]
    about: str  # one sentence on the upload page


def batches(items: Iterable[Item], size: int = BATCH) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


class ClinicDirectory:
    """Clinics and doctors by the names that stand in files."""

    def __init__(self, scope: ImportScope) -> None:
        self.scope = scope
        self.clinics: dict[str, Clinic] = {}
        self.named: set[int] = {scope.clinic.pk}  # of these the rows speak
        for clinic in scope.clinics:
            self.clinics[normalise(clinic.name)] = clinic
            if clinic.source_id:
                self.clinics[normalise(clinic.source_id)] = clinic
        self.today = {
            clinic.pk: local_day(scope.now, clinic.zone)
            for clinic in (scope.clinic, *scope.clinics)
        }
        self._doctors: dict[str, list[Doctor]] = {}
        self._sees: dict[int, set[int]] = {}
        for doctor in (
            Doctor.objects.filter(clinics__in=scope.clinics).distinct().prefetch_related("clinics")
        ):
            self._sees[doctor.pk] = {clinic.pk for clinic in doctor.clinics.all()}
            names = {normalise(doctor.full_name), normalise(doctor.short_name)}
            for name in names | ({f"#{doctor.source_id}"} if doctor.source_id else set()):
                self._doctors.setdefault(name, []).append(doctor)

    def clinic(self, row: ImportRow) -> Clinic | None:
        """The clinic of a row: its own, else that of the import. A clinic the person does not work
        in is unknown.
        """
        name = row.get("clinic", cell_parsers.text)
        if name is None:
            return self.scope.clinic
        found = self.clinics.get(normalise(name))
        if found is None:
            known = ", ".join(sorted(clinic.name for clinic in self.scope.clinics)[:6])
            row.refuse("clinic", f"Клиники «{name[:60]}» нет среди ваших.", f"Подойдут: {known}.")
        else:
            self.named.add(found.pk)
        return found

    def doctor(self, row: ImportRow, clinic: Clinic | None) -> Doctor | None:
        """By the code of the clinic's system, by the full name or by «Фамилия И. О.»."""
        code, name = (
            row.get("doctor_id", cell_parsers.identifier),
            row.get("doctor", cell_parsers.text),
        )
        field_name = "doctor" if name else "doctor_id"
        if code is None and name is None:
            row.refuse(
                "doctor" if "doctor" in row.columns else "doctor_id",
                "Врач не указан.",
                "Напишите ФИО врача.",
            )
            return None
        found = self._doctors.get(f"#{code}", []) if code else []
        found = found or (self._doctors.get(normalise(name), []) if name else [])
        shown = name or code or ""
        if not found:
            row.refuse(
                field_name,
                f"Врача «{shown[:60]}» нет в справочнике.",
                "Добавьте его или исправьте написание.",
            )
        elif len(found) > 1:
            row.refuse(
                field_name, f"«{shown[:60]}» — таких врачей несколько.", "Укажите код врача."
            )
        elif clinic is not None and clinic.pk not in self._sees[found[0].pk]:
            row.refuse(
                field_name,
                f"Врач {found[0].short_name} не принимает в клинике «{clinic.name}».",
                "Добавьте клинику врачу или исправьте клинику в файле.",
            )
        elif not row.problems:
            return found[0]
        return None
