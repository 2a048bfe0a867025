"""What a row of a schedule means: when, whose visit, and what to do about the one we know. Almost
all of it is pure.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, NamedTuple

from django.db.models import QuerySet

from callcenter.clinics.models import Appointment, Clinic, Doctor
from callcenter.clinics.states import OCCUPYING, TRANSITIONS, UPCOMING, AppointmentStatus
from callcenter.imports import cell_parsers
from callcenter.imports.columns import Field
from callcenter.imports.jobs import ImportRow
from callcenter.imports.patient_matching import PatientRecord
from callcenter.lib.localtime import instant

SOURCE: Final = "import"
MISSING: Final = (
    "нет в файле: импорт"  # how the reason begins when an import cancels what its file lacks
)
USUAL_MINUTES: Final = 30
LONGEST_VISIT: Final = dt.timedelta(hours=12)
LONGEST_GAP: Final = dt.timedelta(days=31)
TIME_FIELDS: Final = (
    Field(
        "date",
        "Дата",
        (
            "Дата приёма",
            "Дата визита",
            "Дата",
            "Дата и время",
            "Дата и время приёма",
            "День",
            "Начало",
        ),
    ),
    Field("time", "Время", ("Время приёма", "Время", "Время начала", "Начало", "Час")),
    Field("end", "Окончание", ("Окончание", "Конец", "Время окончания", "До")),
    Field("minutes", "Длительность, минут", ("Длительность", "Минут", "Продолжительность")),
)
DOCTOR_FIELDS: Final = (
    Field("doctor", "Врач", ("Врач", "Доктор", "Специалист", "ФИО врача", "Исполнитель")),
    Field("doctor_id", "Код врача", ("Код врача", "ID врача")),
    Field("clinic", "Клиника", ("Клиника", "Филиал")),
)


class VisitChange(Enum):
    """What one row of the file means for the visit that we know."""

    NOTHING = "nothing"
    CANCEL = "cancel"
    MOVE = "move"
    MARK = "mark"
    DEAD = "dead"  # cancelled with us, alive in the file: a person must look
    BACK = "back"  # cancelled by an import that lacked it, alive in the file: booked anew
    LATE = "late"  # moved in the file, but already over with us


def decide(
    ours: AppointmentStatus,
    theirs: AppointmentStatus | None,
    *,
    moved: bool,
    money_differs: bool = False,
    dropped: bool = False,
) -> VisitChange:
    """The file against what we know. The file owns time and cancellation; it never takes back a
    confirmation, since it may be older than the patient's answer, nor what a person cancelled: only
    what an earlier file cancelled by lacking it (`dropped`). Marks go forward only, as the table of
    states allows.
    """
    if ours == AppointmentStatus.CANCELLED:
        if theirs in (AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW):
            return VisitChange.NOTHING
        return VisitChange.BACK if dropped else VisitChange.DEAD
    if theirs == AppointmentStatus.CANCELLED:
        return VisitChange.CANCEL if ours in UPCOMING else VisitChange.NOTHING
    if moved:
        return VisitChange.MOVE if ours in UPCOMING else VisitChange.LATE
    if theirs not in (None, AppointmentStatus.SCHEDULED, ours) and theirs in TRANSITIONS[ours]:
        return VisitChange.MARK
    return VisitChange.MARK if money_differs else VisitChange.NOTHING


def spans(days: Iterable[dt.date]) -> list[tuple[dt.date, dt.date]]:
    """The file's dates as stretches from first to last day. A gap of over a month ends one: a
    single slip of the year must not stretch the file over everything between.
    """
    found: list[tuple[dt.date, dt.date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] <= LONGEST_GAP:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


@dataclass(slots=True, eq=False)
class ExistingVisit:
    """A visit as the database has it."""

    pk: int
    code: str
    source: str
    patient_id: int
    doctor_id: int
    clinic_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    status: AppointmentStatus
    money: Decimal | None
    service_id: int | None
    comment: str
    version: int
    dropped: bool  # cancelled, since a file did not have it


@dataclass(slots=True, eq=False)
class PlannedVisit:
    """A readable row, and the visit it means."""

    row: ImportRow
    code: str
    person: PatientRecord
    doctor: Doctor
    clinic: Clinic
    starts_at: dt.datetime
    ends_at: dt.datetime
    length_told: bool
    status: AppointmentStatus | None
    service: str
    money: Decimal | None
    comment: str
    booked_at: dt.datetime | None = None
    known: ExistingVisit | None = None
    instead_of: ExistingVisit | None = None  # the cancelled visit that comes back as a new one
    step: VisitChange = VisitChange.NOTHING

    @property
    def moved(self) -> bool:
        """Of a visit that is over another length is no move any more: it took as long as it took."""
        known = self.known
        if known is None:
            return False
        place = (known.starts_at, known.doctor_id, known.clinic_id) != (
            self.starts_at,
            self.doctor.pk,
            self.clinic.pk,
        )
        return place or (known.ends_at != self.ends_at and known.status in UPCOMING)

    def mean(self, known: ExistingVisit) -> None:
        """The row means this visit; it keeps the visit's length unless the file gives one."""
        self.known = known
        if not self.length_told:
            self.ends_at = self.starts_at + (known.ends_at - known.starts_at)

    @property
    def occupies(self) -> bool:
        return (self.status or AppointmentStatus.SCHEDULED) in OCCUPYING


class Times(NamedTuple):
    """When a row is (UTC); `told` when the file itself gives the end or the length."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    told: bool


def when(row: ImportRow, clinic: Clinic, usual_minutes: int) -> Times | None:
    """A date with a time in one cell or in two; the end, else the length, else the usual.

    None when the start can't be read. A fault of the end or the length is put down on the row,
    whose start still counts.
    """
    on, at = row.need("date", cell_parsers.moment, "Напишите дату приёма.") or (None, None)
    own = row.get("time", cell_parsers.time)
    length = row.get("minutes", cell_parsers.minutes)
    end_on, until = row.get("end", cell_parsers.time_or_moment) or (None, None)
    at = own or at
    if on is not None and at is None and not row.faulty("date", "time"):
        row.refuse(
            "time" if "time" in row.columns else "date",
            "Нет времени.",
            "Напишите время начала: 09:30.",
        )
    if on is None or at is None or row.faulty("date", "time"):
        return None
    starts_at = instant(on, at, clinic.zone)
    usual = starts_at + dt.timedelta(minutes=length or usual_minutes)
    if until is None:
        return Times(starts_at, usual, told=length is not None)
    ends_at = instant(end_on or on, until, clinic.zone)
    if ends_at <= starts_at:
        row.refuse(
            "end", f"Окончание {until:%H:%M} не позже начала {at:%H:%M}.", "Исправьте время."
        )
    elif ends_at - starts_at > LONGEST_VISIT:
        hours = int(LONGEST_VISIT.total_seconds()) // 3600
        row.refuse(
            "end", f"От начала до окончания больше {hours} часов.", "Проверьте даты и время."
        )
    return Times(starts_at, ends_at, told=True)


def places_itself(planned: PlannedVisit) -> bool:
    """Whether the row puts a visit where none of it stood before."""
    if planned.known is None:
        return planned.occupies
    return planned.step == VisitChange.MOVE


def read_known(visits: QuerySet[Appointment]) -> list[ExistingVisit]:
    return [
        ExistingVisit(pk, code, source, patient, doctor, clinic, starts, ends, AppointmentStatus(status), money, service, words, no, why.startswith(MISSING))
        for pk, code, source, patient, doctor, clinic, starts, ends, status, money, service, words, no, why in visits.values_list(
            "pk", "source_id", "source", "patient_id", "doctor_id", "clinic_id", "starts_at", "ends_at", "status", "money",
            "service_id", "comment", "version", "cancel_reason",
        )
    ]  # fmt: skip


def same_place(code: str, here: list[ExistingVisit]) -> ExistingVisit | None:
    """Of the visits at the same time: one that the file may mean, living ones first. Another code
    is another visit.
    """
    fitting = [
        known
        for known in here
        if not code or not known.code or known.code == code or known.source != SOURCE
    ]
    fitting.sort(key=lambda known: (known.status not in OCCUPYING, -known.pk))
    return fitting[0] if fitting and (fitting[0].status in OCCUPYING or not code) else None
