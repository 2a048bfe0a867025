"""Import of КОС entries: whom a doctor wants back, with his comment and the date to call."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from callcenter.clinics.models import Clinic, Doctor
from callcenter.imports import cell_parsers
from callcenter.imports.appointment_rules import DOCTOR_FIELDS
from callcenter.imports.columns import Field
from callcenter.imports.jobs import (
    BATCH,
    ImportJob,
    ImportKind,
    ImportRow,
    ImportScope,
    Report,
    batches,
)
from callcenter.imports.patient_matching import (
    PATIENT_FIELDS,
    PATIENT_NEEDED,
    PatientDirectory,
    PatientRecord,
    sought,
)
from callcenter.lib.bulk_sql import update_rows
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.localtime import local_day
from callcenter.staff.roles import CAN_WRITE_JOURNAL
from journals.actions.entries import edit_entry, new_entry, open_entries
from journals.models import RecallEntry
from journals.outcome_rules import Stage

SOURCE: Final = "import"
FIELDS: Final = (
    *PATIENT_FIELDS,
    *DOCTOR_FIELDS,
    Field(
        "comment",
        "Комментарий врача",
        (
            "Комментарий врача",
            "Комментарий доктора",
            "Комментарий",
            "Предложение",
            "Рекомендация",
            "Примечание",
        ),
    ),
    Field(
        "call_on",
        "Дата прозвона",
        ("Дата прозвона", "Дата звонка", "Позвонить", "Дата КОС", "Дата", "Когда позвонить"),
    ),
    Field("code", "Код записи", ("Код записи", "Код КОС", "ID записи", "Номер записи", "ID")),
)


@dataclass(slots=True, eq=False)
class Wanted:
    row: ImportRow
    person: PatientRecord
    clinic: Clinic
    doctor: Doctor
    comment: str
    call_on: dt.date
    code: str
    known: RecallEntry | None = None

    @property
    def place(self) -> tuple[int, int, int]:
        return self.clinic.pk, self.person.pk, self.doctor.pk


class RecallsJob(ImportJob):
    """Entries are matched by their code, else by clinic, patient and doctor among those still to be
    called, else by these and the comment among those closed since the row's date: the same file
    twice must not call a patient who refused.
    """

    def __init__(self, scope: ImportScope) -> None:
        super().__init__(scope)
        self.people = PatientDirectory(scope)
        self.wanted: list[Wanted] = []

    def plan(self, rows: Sequence[ImportRow], report: Report) -> None:
        done = 0
        for batch in batches(rows):
            read = [
                (row, sought(row, today=self.places.today[self.scope.clinic.pk])) for row in batch
            ]
            self.people.load([one for _, one in read])
            found = []
            for row, one in read:
                person = self.people.of_row(row, one)
                wanted = self._read(row)
                if wanted is None:
                    continue
                wanted.person = person or self.people.add(one)
                found.append(wanted)
            self._match(found)
            self.wanted += found
            report(done := done + len(batch))
        self._refuse_repeats()
        for wanted in self.wanted:
            self.counts[self._sort_of(wanted)] += 1

    def _read(self, row: ImportRow) -> Wanted | None:
        clinic = self.places.clinic(row)
        doctor = self.places.doctor(row, clinic)
        comment = row.need(
            "comment",
            cell_parsers.text,
            "Впишите предложение врача: продолжить лечение или проверить работу.",
        )
        call_on = row.need("call_on", cell_parsers.date, "Напишите, когда позвонить: 05.11.2026.")
        code = row.get("code", cell_parsers.identifier) or ""
        if row.problems or clinic is None or doctor is None or comment is None or call_on is None:
            return None
        return Wanted(
            row,
            PatientRecord(0, "", cell_parsers.ParsedName("", "", ""), None),
            clinic,
            doctor,
            comment,
            call_on,
            code,
        )

    def _match(self, found: list[Wanted]) -> None:
        codes = {wanted.code for wanted in found if wanted.code}
        people = {wanted.person.pk for wanted in found if wanted.person.pk}
        entries = RecallEntry.objects.filter(
            Q(source=SOURCE, source_id__in=codes) | Q(patient_id__in=people)
        )
        by_code, by_place, closed = {}, {}, {}
        for entry in entries.order_by("pk"):
            place = entry.clinic_id, entry.patient_id, entry.doctor_id
            if entry.source == SOURCE and entry.source_id:
                by_code[entry.source_id] = entry
            if entry.stage == Stage.CALL:
                by_place[place] = entry
            else:
                closed[*place, entry.doctor_comment] = entry
        for wanted in found:
            wanted.known = by_code.get(wanted.code) if wanted.code else None
            if wanted.known is None:
                wanted.known = by_place.get(wanted.place) or self._closed_since(wanted, closed)
            elif (
                wanted.known.clinic_id,
                wanted.known.patient_id,
                wanted.known.doctor_id,
            ) != wanted.place:
                wanted.row.refuse(
                    "code", "Под этим кодом у нас другая запись КОС.", "Проверьте код записи."
                )

    @staticmethod
    def _closed_since(
        wanted: Wanted, closed: Mapping[tuple[int, int, int, str], RecallEntry]
    ) -> RecallEntry | None:
        """The closed entry that the row is the origin of. A row for a later date is a new
        invitation.
        """
        entry = closed.get((*wanted.place, wanted.comment))
        if entry is None or entry.closed_at is None:
            return None
        last = max(entry.call_on, local_day(entry.closed_at, wanted.clinic.zone))
        return entry if wanted.call_on <= last else None

    def _refuse_repeats(self) -> None:
        first: dict[tuple[int, int, int], Wanted] = {}
        codes: dict[str, Wanted] = {}
        for wanted in self.wanted:
            if wanted.row.problems:
                continue
            same_code = codes.setdefault(wanted.code, wanted) if wanted.code else wanted
            if same_code is not wanted:
                where = f"в строке {same_code.row.line.number}"
                wanted.row.refuse(
                    "code",
                    f"Этот код записи уже есть {where}.",
                    "Исправьте код или удалите строку.",
                )
                continue
            earlier = first.setdefault(
                (wanted.clinic.pk, id(wanted.person), wanted.doctor.pk), wanted
            )
            if earlier is not wanted:
                where = f"в строке {earlier.row.line.number}"
                wanted.row.refuse(
                    "comment", f"Этот пациент у этого врача уже есть {where}.", "Соедините строки."
                )
        self.wanted = [wanted for wanted in self.wanted if not wanted.row.problems]

    def _sort_of(self, wanted: Wanted) -> str:
        """A closed entry stays closed: the file may be older than the call that closed it. The date
        of one that has been called since belongs to the rule of three calls, or to the waiting
        list, and is not set back either.
        """
        known = wanted.known
        if known is None:
            return "created"
        if known.stage != Stage.CALL:
            return "unchanged"
        return (
            "unchanged"
            if (known.doctor_comment, known.call_on) == (wanted.comment, self._date(wanted))
            else "changed"
        )

    @staticmethod
    def _date(wanted: Wanted) -> dt.date:
        known = wanted.known
        return (
            known.call_on
            if known is not None and (known.calls or known.waiting_id)
            else wanted.call_on
        )

    def write(self, report: Report) -> None:
        new = [wanted for wanted in self.wanted if wanted.known is None]
        people = {id(wanted.person) for wanted in new}
        self.people.new = [person for person in self.people.new if id(person) in people]
        self.people.write_new(f"импорт «{self.scope.file_name}»")
        self.people.join((wanted.person, wanted.clinic) for wanted in self.wanted)
        for done, batch in enumerate(batches(new)):
            self._open(batch)
            report(done * BATCH)
        for done, wanted in enumerate(self.wanted):
            if wanted.known is not None and self._sort_of(wanted) == "changed":
                self._edit(wanted, wanted.known)
            report(done)
        self._adopt()

    def _adopt(self) -> None:
        """Entries put in by hand, or by a file without codes, get the code of the row that means
        them.
        """
        adopted = []
        for wanted in self.wanted:
            if (
                wanted.known is not None
                and wanted.code
                and not wanted.known.source_id
                and not wanted.row.problems
            ):
                wanted.known.source, wanted.known.source_id = SOURCE, wanted.code
                adopted.append(wanted.known)
        update_rows(adopted, ["source", "source_id"])

    def _open(self, batch: list[Wanted]) -> None:
        entries = [
            new_entry(
                clinic=wanted.clinic,
                patient=wanted.person.as_patient,
                doctor=wanted.doctor,
                doctor_comment=wanted.comment,
                call_on=wanted.call_on,
                by=self.scope.by,
                now=self.scope.now,
                source=SOURCE,
                source_id=wanted.code,
            )
            for wanted in batch
        ]
        open_entries(
            entries, by=self.scope.by, now=self.scope.now, note=f"импорт «{self.scope.file_name}»"
        )

    def _edit(self, wanted: Wanted, known: RecallEntry) -> None:
        try:
            edit_entry(
                known,
                doctor_comment=wanted.comment,
                call_on=self._date(wanted),
                version=known.version,
                by=self.scope.by,
                now=self.scope.now,
            )
        except (Conflict, Refused) as error:
            self.counts["changed"] -= 1
            wanted.row.refuse("comment", str(error), "")


RECALLS: Final = ImportKind(
    name="recalls",
    label="Журнал КОС",
    icon="dental",
    roles=CAN_WRITE_JOURNAL,
    fields=FIELDS,
    needed=(PATIENT_NEEDED, ("doctor", "doctor_id"), ("comment",), ("call_on",)),
    job=RecallsJob,
    about="Кого врач зовёт снова: пациент, врач, комментарий врача и дата прозвона. Попадут в «3. Звать».",
)
