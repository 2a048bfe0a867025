"""Import of visits. The clinic's own system owns the schedule (ADR 0020): its file books, moves and
cancels here too.
"""

import contextlib
import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from callcenter.clinics import actions
from callcenter.clinics.locks import DoctorDay, days_of, lock_doctor_days
from callcenter.clinics.models import Appointment, Service
from callcenter.clinics.search_keys import normalise
from callcenter.clinics.states import AppointmentStatus
from callcenter.imports.appointment_diff import AppointmentsPlan
from callcenter.imports.appointment_rules import (
    DOCTOR_FIELDS,
    MISSING,
    SOURCE,
    TIME_FIELDS,
    PlannedVisit,
    VisitChange,
)
from callcenter.imports.columns import Field
from callcenter.imports.jobs import ImportKind, Report, batches
from callcenter.imports.patient_matching import PATIENT_FIELDS, PATIENT_NEEDED
from callcenter.lib.bulk_sql import update_rows
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.localtime import local
from callcenter.staff.roles import CAN_MANAGE_CLINIC

FIELDS: Final = (
    Field(
        "code",
        "Код приёма",
        ("Код приёма", "ID приёма", "Номер приёма", "Код визита", "ID визита", "Код записи", "ID"),
    ),
    *TIME_FIELDS,
    *DOCTOR_FIELDS,
    *PATIENT_FIELDS,
    Field("service", "Услуга", ("Услуга", "Процедура", "Вид приёма")),
    Field("status", "Статус", ("Статус", "Статус приёма", "Состояние")),
    Field("money", "Сумма, ₽", ("Сумма", "Стоимость", "Оплата", "Оплачено")),
    Field("comment", "Комментарий", ("Комментарий", "Примечание")),
    Field(
        "booked_at", "Когда записан", ("Дата записи", "Когда записан", "Создан", "Дата создания")
    ),
)


_AFTER_MOVE: Final = frozenset(AppointmentStatus) - {
    AppointmentStatus.SCHEDULED,
    AppointmentStatus.CANCELLED,
}


class AppointmentsJob(AppointmentsPlan):
    """What was planned is written through the actions of the screen, since reminders and journals
    live on them.
    """

    def write(self, report: Report) -> None:
        """What takes long comes first and holds nobody up; then the locks of all days at once, and
        what needs them.
        """
        good = [planned for planned in self.planned if not planned.row.problems]
        new = [planned for planned in good if planned.known is None]
        steps = itertools.count(len(new))

        def alive() -> (
            None
        ):  # at each row: the lease is two minutes, and what follows may be thousands of actions
            report(next(steps))

        self._make_services()
        visits = self._write_new(new, report)
        self._lock_days(good, visits)
        self._cancel(good, alive)
        self._move(good, alive)
        self._mark(good, alive)
        self._place(new, visits)
        self._write_details([planned for planned in good if planned.known is not None], alive)

    def _lock_days(self, good: list[PlannedVisit], visits: list[Appointment]) -> None:
        """Every day on which a visit will stand or has stood. Taken together and in order: see
        `lock_doctor_days`.
        """
        days = actions.days_to_come(visits, self.scope.now)
        for planned in good:
            if planned.known is not None and planned.step in (VisitChange.CANCEL, VisitChange.MOVE):
                days |= _days(planned.doctor.pk, planned.starts_at, planned.ends_at)
                days |= _days(
                    planned.known.doctor_id, planned.known.starts_at, planned.known.ends_at
                )
        for known in self.confirmed_missing():
            days |= _days(known.doctor_id, known.starts_at, known.ends_at)
        lock_doctor_days(days)

    @property
    def _note(self) -> str:
        return f"импорт «{self.scope.file_name}»"

    def _make_services(self) -> None:
        for key, name in self._new_services.items():
            self._services[key] = Service.objects.get_or_create(name=name)[0]

    def _cancel(self, good: list[PlannedVisit], alive: Callable[[], None]) -> None:
        by, now = self.scope.by, self.scope.now
        gone = self.confirmed_missing()
        visits = Appointment.objects.in_bulk([known.pk for known in gone])
        for known in gone:
            actions.cancel_appointment(
                visits[known.pk], reason=f"{MISSING} «{self.scope.file_name}»", by=by, now=now
            )
            alive()
        self.counts["cancelled"] += len(gone)
        self.counts["missing"] -= len(gone)
        wanted = [planned for planned in good if planned.step == VisitChange.CANCEL]
        for planned, visit in _visits(wanted):
            with self._or_refuse(planned):
                actions.cancel_appointment(visit, reason=self._note, by=by, now=now)
            alive()

    def _move(self, good: list[PlannedVisit], alive: Callable[[], None]) -> None:
        moves = [planned for planned in good if planned.step == VisitChange.MOVE]
        leaving = {planned.known.pk for planned in moves if planned.known}
        for planned, visit in _visits(moves):
            with self._or_refuse(planned):
                actions.move_appointment(
                    visit,
                    starts_at=planned.starts_at,
                    ends_at=planned.ends_at,
                    doctor=planned.doctor,
                    clinic=planned.clinic,
                    by=self.scope.by,
                    now=self.scope.now,
                    reason=self._note,
                    leaving=leaving,
                )
            leaving.discard(visit.pk)
            alive()

    def _mark(self, good: list[PlannedVisit], alive: Callable[[], None]) -> None:
        """States and sums that the file knows better, those of moved visits included.

        Not before the days are locked: whoever cancels a visit has its day first and its row then,
        and so must we.
        """
        told = [
            p
            for p in good
            if p.step == VisitChange.MARK
            or (p.step == VisitChange.MOVE and p.status in _AFTER_MOVE)
        ]
        for batch in batches(planned for planned in told if not planned.row.problems):
            marks = [
                actions.VisitMark(p.known.pk, p.status, p.money)
                for p in batch
                if p.known is not None
            ]
            cancelled = actions.mark_visits(marks, by=self.scope.by, now=self.scope.now)
            for planned in batch:
                if planned.known is not None and planned.known.pk in cancelled:
                    self._take_back(planned, "Приём только что отменили.")
            alive()

    def _write_new(self, new: list[PlannedVisit], report: Report) -> list[Appointment]:
        people = {id(planned.person) for planned in new}
        self.people.new = [person for person in self.people.new if id(person) in people]
        self.people.write_new(self._note)
        visits: list[Appointment] = []
        for batch in batches(new):
            # One that comes back is booked anew, so that reminders and journals see a new visit;
            # its code goes with it.
            old = [
                planned.instead_of.pk
                for planned in batch
                if planned.code and planned.instead_of is not None
            ]
            Appointment.objects.filter(pk__in=old, status=AppointmentStatus.CANCELLED).update(
                source_id=""
            )
            fresh = [self._appointment(planned) for planned in batch]
            actions.write_visits(fresh, by=self.scope.by, now=self.scope.now, note=self._note)
            visits += fresh
            report(len(visits))
        return visits

    def _place(self, new: list[PlannedVisit], visits: list[Appointment]) -> None:
        for index in sorted(actions.place_visits(visits, by=self.scope.by, now=self.scope.now)):
            planned = new[index]
            words = "Это время у врача только что заняли"
            if (
                other := actions.visit_at(planned.doctor, planned.starts_at, planned.ends_at)
            ) is not None:
                start, end = (
                    local(moment, planned.clinic.zone)
                    for moment in (other.starts_at, other.ends_at)
                )
                words += f": приём {start:%d.%m.%Y %H:%M}–{end:%H:%M}"
            self.counts["created"] -= 1
            planned.row.refuse("date", f"{words}.", "Загрузите файл ещё раз.")

    def _appointment(self, planned: PlannedVisit) -> Appointment:
        return Appointment(
            clinic=planned.clinic,
            doctor=planned.doctor,
            patient=planned.person.as_patient,
            service=self._services.get(normalise(planned.service)),
            starts_at=planned.starts_at,
            ends_at=planned.ends_at,
            status=planned.status or AppointmentStatus.SCHEDULED,
            money=planned.money,
            comment=planned.comment,
            cancel_reason=self._note[:250] if planned.status == AppointmentStatus.CANCELLED else "",
            created_at=min(planned.booked_at or self.scope.now, self.scope.now),
            created_by=self.scope.by,
            changed_at=self.scope.now,
            source=SOURCE,
            source_id=planned.code,
        )

    def _write_details(self, good: list[PlannedVisit], alive: Callable[[], None]) -> None:
        """Codes, services and first comments of known visits; `version` stays, since nothing the
        patient was told changes.
        """
        changed = []
        for planned, visit in _visits([p for p in good if not p.row.problems and self._details(p)]):
            details = self._details(planned)
            if "service" in details:
                visit.service = self._services[normalise(planned.service)]
            visit.source = str(details.get("source", visit.source))
            visit.source_id = str(details.get("source_id", visit.source_id))
            visit.comment = str(details.get("comment", visit.comment))
            visit.changed_at = self.scope.now
            changed.append(visit)
            alive()
        for batch in batches(changed):
            update_rows(batch, ["service", "source", "source_id", "comment", "changed_at"])
            alive()

    @contextlib.contextmanager
    def _or_refuse(self, planned: PlannedVisit) -> Iterator[None]:
        """An action that says no takes back this row, not the whole file."""
        try:
            yield
        except (Conflict, Refused) as error:
            self._take_back(planned, str(error))

    def _take_back(self, planned: PlannedVisit, why: str) -> None:
        self.counts[self._sort_of(planned)] -= 1
        planned.row.refuse("", why, "")


def _days(doctor_id: int, starts_at: dt.datetime, ends_at: dt.datetime) -> set[DoctorDay]:
    return {(doctor_id, day) for day in days_of(starts_at, ends_at)}


def _visits(planned: Sequence[PlannedVisit]) -> Iterator[tuple[PlannedVisit, Appointment]]:
    """The rows with their visits as they now are, a batch at a time."""
    for batch in batches(planned, 500):
        wanted = [known.pk for known in (one.known for one in batch) if known is not None]
        visits = Appointment.objects.select_related("clinic", "doctor", "patient").in_bulk(wanted)
        for one in batch:
            if one.known is not None:
                yield one, visits[one.known.pk]


APPOINTMENTS: Final = ImportKind(
    name="appointments",
    label="Приёмы",
    icon="calendar-event",
    roles=CAN_MANAGE_CLINIC,
    fields=FIELDS,
    needed=(("date",), ("doctor", "doctor_id"), PATIENT_NEEDED),
    job=AppointmentsJob,
    about="Расписание из вашей системы: новые приёмы, переносы и отмены. Приёмы, которых в файле больше нет, будут названы.",
)
