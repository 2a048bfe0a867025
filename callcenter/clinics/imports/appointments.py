"""Import of visits. The clinic's own system owns the schedule (ADR 0020): its file books, moves and cancels here too."""

import contextlib
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from django.db.models import Q

from callcenter.clinics import actions
from callcenter.clinics.imports import cells
from callcenter.clinics.imports.columns import Field
from callcenter.clinics.imports.people import PATIENT_FIELDS, PATIENT_NEEDED, People, Person, Unclear, sought
from callcenter.clinics.imports.plans import Finding, Job, Kind, Report, Row, Scope, batches
from callcenter.clinics.imports.states import FindingKind
from callcenter.clinics.imports.visits import (
    DOCTOR_FIELDS,
    SOURCE,
    TIME_FIELDS,
    USUAL_MINUTES,
    Known,
    Planned,
    Step,
    decide,
    places_itself,
    read_known,
    same_place,
    spans,
    when,
)
from callcenter.clinics.locks import DoctorDay, days_of, lock_doctor_days
from callcenter.clinics.models import Appointment, Doctor, Patient, Service
from callcenter.clinics.names import fold
from callcenter.clinics.states import TRANSITIONS, UPCOMING, AppointmentStatus
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.localtime import day_bounds, instant, local, local_day
from callcenter.staff.roles import SENIORS

FIELDS: Final = (
    Field(
        "code", "Код приёма", ("Код приёма", "ID приёма", "Номер приёма", "Код визита", "ID визита", "Код записи", "ID")
    ),
    *TIME_FIELDS,
    *DOCTOR_FIELDS,
    *PATIENT_FIELDS,
    Field("service", "Услуга", ("Услуга", "Процедура", "Вид приёма")),
    Field("status", "Статус", ("Статус", "Статус приёма", "Состояние")),
    Field("money", "Сумма, ₽", ("Сумма", "Стоимость", "Оплата", "Оплачено")),
    Field("comment", "Комментарий", ("Комментарий", "Примечание")),
    Field("booked_at", "Когда записан", ("Дата записи", "Когда записан", "Создан", "Дата создания")),
)


_AFTER_MOVE: Final = frozenset(AppointmentStatus) - {AppointmentStatus.SCHEDULED, AppointmentStatus.CANCELLED}


class AppointmentsJob(Job):
    """Visits are matched by the system's code, else by patient, doctor and start; what is left over is missing."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.people = People(scope)
        self.planned: list[Planned] = []
        self.missing: list[Known] = []
        self._services = {fold(service.name): service for service in Service.objects.all()}
        self._new_services: dict[str, str] = {}
        self._days: dict[int, set[dt.date]] = defaultdict(set)  # clinic → local days of the file
        self._names: dict[int, str] = {}
        # Rows that are not loaded still mean visits: these must not be taken for missing.
        self._shielded_codes: set[str] = set()
        self._shielded_starts: set[dt.datetime] = set()
        self._unreadable = 0  # rows that might mean any visit

    # ── planning ──────────────────────────────────────────────────────────────

    def plan(self, rows: Sequence[Row], report: Report) -> None:
        done = 0
        for batch in batches(rows):
            read = [(row, sought(row, today=self.places.today[self.scope.clinic.pk])) for row in batch]
            self.people.load([one for _, one in read])
            for row, one in read:
                person = None
                try:
                    person = self.people.find(one) if not row.problems else None
                    if person is None and one.name is None and not row.problems:
                        row.refuse(
                            "patient_id" if one.code else "full_name",
                            "Такого пациента нет.",
                            "Добавьте ФИО и телефон или исправьте код.",
                        )
                except Unclear as unclear:
                    row.refuse("patient_id" if one.code else "full_name", unclear.what, unclear.todo)
                planned = self._read(row, person)
                if planned is not None and person is None:
                    planned.person = self.people.add(one)
                if planned is not None:
                    self.planned.append(planned)
            report(done := done + len(batch))
        self._refuse_repeats()
        self._match()
        self._find_missing()
        self._pair_moves()
        for planned in self.planned:
            self._decide(planned)
        self._refuse_overlaps()
        self._count()

    def _read(self, row: Row, person: Person | None) -> Planned | None:
        """A row with its visit, or None with the problems on the row. Its dates count even when it is refused."""
        clinic = self.places.clinic(row)
        doctor = self.places.doctor(row, clinic)
        service = row.get("service", lambda cell: cells.text(cell, limit=150)) or ""
        usual = self._services.get(fold(service))
        status, money = row.get("status", cells.status), row.get("money", cells.money)
        comment, code = row.get("comment", cells.text), row.get("code", cells.identifier)
        booked_on, booked_time = row.get("booked_at", cells.moment) or (None, None)
        times = when(row, clinic, usual.minutes if usual else USUAL_MINUTES) if clinic else None
        if clinic and times:
            self._days[clinic.pk].add(local_day(times[0], clinic.zone))
        if row.problems or clinic is None or doctor is None or times is None:
            self._shield(code, times)
            return None
        booked_at = instant(booked_on, booked_time or dt.time(12), clinic.zone) if booked_on else None
        person = person or Person(0, "", cells.Name("", "", ""), None)
        return Planned(
            row, code or "", person, doctor, clinic, *times, status, service, money, comment or "", booked_at
        )  # fmt: skip

    def _shield(self, code: str | None, times: tuple[dt.datetime, dt.datetime] | None) -> None:
        if code:
            self._shielded_codes.add(code)
        elif times:
            self._shielded_starts.add(times[0])
        else:
            self._unreadable += 1

    def _refuse_repeats(self) -> None:
        codes: dict[str, Planned] = {}
        places: dict[tuple[int, int, dt.datetime], Planned] = {}
        for planned in self.planned:
            place = (id(planned.person), planned.doctor.pk, planned.starts_at)
            first = codes.get(planned.code) if planned.code else None
            if first is None and planned.occupies:
                first = places.get(place)
            if first is not None:
                column = "code" if planned.code == first.code != "" else "date"
                planned.row.refuse(
                    column, f"Этот же приём уже есть в строке {first.row.line.number}.", "Удалите лишнюю строку."
                )
                continue
            if planned.code:
                codes[planned.code] = planned
            if planned.occupies:
                places[place] = planned
        self.planned = [planned for planned in self.planned if not planned.row.problems]

    def _match(self) -> None:
        for batch in batches(self.planned):
            codes = [planned.code for planned in batch if planned.code]
            by_code = {
                known.code: known
                for known in read_known(Appointment.objects.filter(source=SOURCE, source_id__in=codes))
            }
            near = Appointment.objects.filter(
                patient_id__in={planned.person.pk for planned in batch if planned.person.pk},
                starts_at__in={planned.starts_at for planned in batch},
            )
            by_place: dict[tuple[int, int, dt.datetime], list[Known]] = defaultdict(list)
            for known in read_known(near):
                by_place[known.patient_id, known.doctor_id, known.starts_at].append(known)
            for planned in batch:
                here = by_place.get((planned.person.pk, planned.doctor.pk, planned.starts_at), [])
                planned.known = by_code.get(planned.code) if planned.code else None
                if planned.known is None:
                    planned.known = same_place(planned.code, here)
                elif planned.known.patient_id != planned.person.pk:
                    planned.row.refuse("code", "Под этим кодом у нас приём другого пациента.", "Проверьте код приёма.")
                elif planned.known.clinic_id not in {clinic.pk for clinic in self.scope.clinics}:
                    planned.row.refuse("code", "Под этим кодом приём клиники, где вы не работаете.", "Проверьте код.")
                if planned.row.problems:
                    self._shield(planned.code, None)
        self.planned = [planned for planned in self.planned if not planned.row.problems]

    def _find_missing(self) -> None:
        """Visits of the file's clinics and days, still to come, that earlier files brought and this one does not."""
        seen = {planned.known.pk for planned in self.planned if planned.known}
        ours = 0
        for clinic in self.scope.clinics:
            within = Q()
            for first, last in spans(self._days[clinic.pk]):
                since, until = day_bounds(first, clinic.zone)[0], day_bounds(last, clinic.zone)[1]
                within |= Q(starts_at__gte=since, starts_at__lt=until)
            if not within:
                continue
            coming = Appointment.objects.filter(
                within, clinic=clinic, starts_at__gt=self.scope.now, status__in=UPCOMING
            ).order_by("starts_at", "pk")
            for known in read_known(coming):
                if known.pk in seen or known.code in self._shielded_codes or known.starts_at in self._shielded_starts:
                    continue
                if known.source == SOURCE:
                    self.missing.append(known)
                else:
                    ours += 1
        if ours:
            self.findings.append(
                Finding(
                    FindingKind.NOTICE,
                    0,
                    f"Приёмов, записанных в Дозвоне и не найденных в файле: {ours}.",
                    "Они останутся. Внесите их в систему расписания, если их там нет.",
                )
            )

    def _pair_moves(self) -> None:
        """Without codes a moved visit looks like a missing one and a new one of the same patient and doctor."""
        left: dict[tuple[int, int], list[Known]] = defaultdict(list)
        for known in self.missing:
            left[known.patient_id, known.doctor_id].append(known)
        fresh: dict[tuple[int, int], list[Planned]] = defaultdict(list)
        for planned in self.planned:
            if planned.known is None and planned.person.pk and planned.occupies and planned.starts_at > self.scope.now:
                fresh[planned.person.pk, planned.doctor.pk].append(planned)
        paired = set()
        for key, candidates in fresh.items():
            old = left.get(key, [])
            if len(candidates) == len(old) == 1 and not (candidates[0].code and old[0].code):
                candidates[0].known = old[0]
                paired.add(old[0].pk)
        self.missing = [known for known in self.missing if known.pk not in paired]

    def _decide(self, planned: Planned) -> None:
        known = planned.known
        if known is None:
            return
        money_differs = planned.money is not None and planned.money != known.money
        planned.step = decide(known.status, planned.status, moved=planned.moved, money_differs=money_differs)
        if planned.step == Step.DEAD and planned.starts_at > self.scope.now:
            self._notice(
                planned, "У нас этот приём отменён, а в файле он есть.", "Отмените его и в системе расписания."
            )
        if planned.step == Step.LATE:
            label = known.status.label
            planned.row.refuse("date", f"Приём уже «{label}», перенести его нельзя.", "Заведите новый приём.")

    def _notice(self, planned: Planned, what: str, todo: str) -> None:
        self.findings.append(Finding(FindingKind.NOTICE, planned.row.line.number, what, todo))

    def _refuse_overlaps(self) -> None:
        """The schedule as it will be: of two visits of one doctor at one time to come, the later row is refused."""
        now = self.scope.now
        coming = [p for p in self.planned if not p.row.problems and p.ends_at > now and places_itself(p)]
        if not coming:
            return
        leaving = {p.known.pk for p in self.planned if p.known and p.step in (Step.CANCEL, Step.MOVE)}
        leaving |= {known.pk for known in self.missing}
        standing = Appointment.objects.occupying().filter(
            doctor_id__in={p.doctor.pk for p in coming},
            starts_at__gt=min(p.starts_at for p in coming) - dt.timedelta(days=1),
            starts_at__lt=max(p.ends_at for p in coming),
        )
        taken: dict[tuple[int, dt.date], list[tuple[dt.datetime, dt.datetime, str]]] = defaultdict(list)
        for pk, doctor_id, starts_at, ends_at in standing.values_list("pk", "doctor_id", "starts_at", "ends_at"):
            if pk not in leaving:
                for day in days_of(starts_at, ends_at):
                    taken[doctor_id, day].append((starts_at, ends_at, ""))
        for planned in coming:
            days = days_of(planned.starts_at, planned.ends_at)
            others = (other for day in days for other in taken[planned.doctor.pk, day])
            clash = next((o for o in others if o[0] < planned.ends_at and o[1] > planned.starts_at), None)
            if clash is not None:
                start, end = (local(moment, planned.clinic.zone) for moment in clash[:2])
                planned.row.refuse(
                    "date",
                    f"У врача уже есть приём {start:%d.%m.%Y %H:%M}–{end:%H:%M}{clash[2]}.",
                    "Оставьте одного пациента или исправьте время.",
                )
                continue
            for day in days:
                where = f" (строка {planned.row.line.number})"
                taken[planned.doctor.pk, day].append((planned.starts_at, planned.ends_at, where))

    def _count(self) -> None:
        for planned in self.planned:
            if planned.row.problems:
                continue
            self.counts[self._sort_of(planned)] += 1
            if planned.step == Step.MOVE and planned.known:
                old = local(planned.known.starts_at, planned.clinic.zone)
                new = local(planned.starts_at, planned.clinic.zone)
                self.findings.append(
                    Finding(
                        FindingKind.MOVED,
                        planned.row.line.number,
                        f"{planned.person.words}, {planned.doctor.short_name}: "
                        f"{old:%d.%m.%Y %H:%M} → {new:%d.%m.%Y %H:%M}",
                    )
                )
            if fold(planned.service) and fold(planned.service) not in self._services:
                self._new_services.setdefault(fold(planned.service), planned.service)
        self._list_missing()
        if self._new_services:
            names = ", ".join(list(self._new_services.values())[:10])
            self.findings.append(Finding(FindingKind.NOTICE, 0, f"Новые услуги: {names}.", "Появятся в справочнике."))

    def _sort_of(self, planned: Planned) -> str:
        if planned.known is None:
            return "created"
        if planned.step == Step.MOVE:
            return "moved"
        if planned.step == Step.CANCEL:
            return "cancelled"
        return "changed" if planned.step == Step.MARK or self._details(planned) else "unchanged"

    def _details(self, planned: Planned) -> dict[str, object]:
        """What the file knows besides time and state: the code of a visit booked here, the service, a first comment."""
        known = planned.known
        if known is None:
            return {}
        details: dict[str, object] = {}
        if planned.code and known.code != planned.code:
            details |= {"source": SOURCE, "source_id": planned.code}
        service = self._services.get(fold(planned.service)) if planned.service else None
        if planned.service and (service is None or service.pk != known.service_id):
            details["service"] = planned.service
        if planned.comment and not known.comment:
            details["comment"] = planned.comment
        return details

    def _list_missing(self) -> None:
        if self.missing and self._unreadable:
            self.findings.append(
                Finding(
                    FindingKind.NOTICE,
                    0,
                    f"В файле нет {len(self.missing)} приёмов, но часть строк не читается: может быть, они там.",
                    "Исправьте эти строки и загрузите файл снова; пока ничего не отменится.",
                )
            )
            self.missing = []
            return
        patients = Patient.objects.in_bulk({known.patient_id for known in self.missing})
        zones = {clinic.pk: clinic.zone for clinic in self.scope.clinics}
        doctors = Doctor.objects.in_bulk({known.doctor_id for known in self.missing})
        for known in self.missing:
            start = local(known.starts_at, zones[known.clinic_id])
            words = f"{start:%d.%m.%Y %H:%M}, {patients[known.patient_id]}, врач {doctors[known.doctor_id].short_name}"
            self.findings.append(Finding(FindingKind.MISSING, 0, words, "", known.pk, known.version))
        self.counts["missing"] = len(self.missing)

    # ── writing ───────────────────────────────────────────────────────────────

    def write(self, report: Report) -> None:
        """What takes long comes first and holds nobody up; then the locks of all days at once, and what needs them."""
        good = [planned for planned in self.planned if not planned.row.problems]
        new = [planned for planned in good if planned.known is None]
        self._make_services()
        visits = self._write_new(new, report)
        self._lock_days(good, visits)
        self._cancel(good)
        self._move(good, report)
        self._mark(good)
        self._place(new, visits)
        self._write_details([planned for planned in good if planned.known is not None])

    def _lock_days(self, good: list[Planned], visits: list[Appointment]) -> None:
        """Every day on which a visit will stand or has stood. Taken together and in order: see `lock_doctor_days`."""
        days = actions.days_to_come(visits, self.scope.now)
        for planned in good:
            if planned.known is not None and planned.step in (Step.CANCEL, Step.MOVE):
                days |= _days(planned.doctor.pk, planned.starts_at, planned.ends_at)
                days |= _days(planned.known.doctor_id, planned.known.starts_at, planned.known.ends_at)
        for known in self._confirmed_missing():
            days |= _days(known.doctor_id, known.starts_at, known.ends_at)
        lock_doctor_days(days)

    @property
    def _note(self) -> str:
        return f"импорт «{self.scope.file_name}»"

    def _make_services(self) -> None:
        for key, name in self._new_services.items():
            self._services[key] = Service.objects.get_or_create(name=name)[0]

    def _confirmed_missing(self) -> list[Known]:
        confirmed = self.scope.confirmed_missing or {}
        return [known for known in self.missing if confirmed.get(known.pk) == known.version]

    def _cancel(self, good: list[Planned]) -> None:
        by, now = self.scope.by, self.scope.now
        gone = self._confirmed_missing()
        visits = Appointment.objects.in_bulk([known.pk for known in gone])
        for known in gone:
            actions.cancel_appointment(visits[known.pk], reason=f"нет в файле: {self._note}", by=by, now=now)
        self.counts["cancelled"] += len(gone)
        self.counts["missing"] -= len(gone)
        wanted = [planned for planned in good if planned.step == Step.CANCEL]
        for planned, visit in _visits(wanted):
            with self._or_refuse(planned):
                actions.cancel_appointment(visit, reason=self._note, by=by, now=now)

    def _move(self, good: list[Planned], report: Report) -> None:
        moves = [planned for planned in good if planned.step == Step.MOVE]
        leaving = {planned.known.pk for planned in moves if planned.known}
        for done, (planned, visit) in enumerate(_visits(moves)):
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
            report(done)

    def _mark(self, good: list[Planned]) -> None:
        """States and sums that the file knows better, those of moved visits included."""
        told = [p for p in good if p.step == Step.MARK or (p.step == Step.MOVE and p.status in _AFTER_MOVE)]
        for planned, visit in _visits([planned for planned in told if not planned.row.problems]):
            current = AppointmentStatus(visit.status)
            allowed = planned.status if planned.status in TRANSITIONS[current] else None
            status = current if allowed in (None, AppointmentStatus.SCHEDULED) else allowed
            with self._or_refuse(planned):
                actions.set_status(visit, status=status, money=planned.money, by=self.scope.by, now=self.scope.now)

    def _write_new(self, new: list[Planned], report: Report) -> list[Appointment]:
        people = {id(planned.person) for planned in new}
        self.people.new = [person for person in self.people.new if id(person) in people]
        self.people.write_new(self._note)
        visits: list[Appointment] = []
        for batch in batches(new):
            fresh = [self._appointment(planned) for planned in batch]
            actions.write_visits(fresh, by=self.scope.by, now=self.scope.now, note=self._note)
            visits += fresh
            report(len(visits))
        return visits

    def _place(self, new: list[Planned], visits: list[Appointment]) -> None:
        for index in actions.place_visits(visits, by=self.scope.by, now=self.scope.now):
            self.counts["created"] -= 1
            new[index].row.refuse("date", "Это время у врача только что заняли.", "Загрузите файл ещё раз.")

    def _appointment(self, planned: Planned) -> Appointment:
        return Appointment(
            clinic=planned.clinic,
            doctor=planned.doctor,
            patient=planned.person.as_patient,
            service=self._services.get(fold(planned.service)),
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

    def _write_details(self, good: list[Planned]) -> None:
        """Codes, services and first comments of known visits; `version` stays, since nothing the patient was told changes."""
        changed = []
        for planned, visit in _visits([p for p in good if not p.row.problems and self._details(p)]):
            details = self._details(planned)
            if "service" in details:
                visit.service = self._services[fold(planned.service)]
            visit.source = str(details.get("source", visit.source))
            visit.source_id = str(details.get("source_id", visit.source_id))
            visit.comment = str(details.get("comment", visit.comment))
            visit.changed_at = self.scope.now
            changed.append(visit)
        fields = ["service", "source", "source_id", "comment", "changed_at"]
        Appointment.objects.bulk_update(changed, fields, batch_size=1_000)

    @contextlib.contextmanager
    def _or_refuse(self, planned: Planned) -> Iterator[None]:
        """An action that says no takes back this row, not the whole file."""
        try:
            yield
        except (Conflict, Refused) as error:
            self.counts[self._sort_of(planned)] -= 1
            planned.row.refuse("", str(error), "")


def _days(doctor_id: int, starts_at: dt.datetime, ends_at: dt.datetime) -> set[DoctorDay]:
    return {(doctor_id, day) for day in days_of(starts_at, ends_at)}


def _visits(planned: Sequence[Planned]) -> Iterator[tuple[Planned, Appointment]]:
    """The rows with their visits as they now are, a batch at a time."""
    for batch in batches(planned, 500):
        wanted = [known.pk for known in (one.known for one in batch) if known is not None]
        visits = Appointment.objects.select_related("clinic", "doctor", "patient").in_bulk(wanted)
        for one in batch:
            if one.known is not None:
                yield one, visits[one.known.pk]


APPOINTMENTS: Final = Kind(
    name="appointments",
    label="Приёмы",
    icon="calendar-event",
    roles=SENIORS,
    fields=FIELDS,
    needed=(("date",), ("doctor", "doctor_id"), PATIENT_NEEDED),
    job=AppointmentsJob,
    about="Расписание из вашей системы: новые приёмы, переносы и отмены. Приёмы, которых в файле больше нет, будут названы.",
)
