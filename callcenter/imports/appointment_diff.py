"""What a file of visits means: each row is matched with the visit we know, what is missing is
found, clashes are refused.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from django.db.models import Q

from callcenter.clinics.models import Appointment, Clinic, Doctor, Patient, Service
from callcenter.clinics.search_keys import normalise
from callcenter.clinics.states import UPCOMING, AppointmentStatus
from callcenter.imports import cell_parsers
from callcenter.imports.appointment_rules import (
    SOURCE,
    USUAL_MINUTES,
    ExistingVisit,
    PlannedVisit,
    Times,
    VisitChange,
    decide,
    places_itself,
    read_known,
    same_place,
    spans,
    when,
)
from callcenter.imports.jobs import (
    ImportJob,
    ImportRow,
    ImportScope,
    PreviewFinding,
    Report,
    batches,
)
from callcenter.imports.overlap_check import DoctorTime, Schedule, place_of
from callcenter.imports.patient_matching import PatientDirectory, PatientRecord, sought
from callcenter.imports.states import FindingKind
from callcenter.lib.localtime import day_bounds, instant, local, local_day

_HAPPENED: Final = (
    AppointmentStatus.ARRIVED,
    AppointmentStatus.COMPLETED,
    AppointmentStatus.NO_SHOW,
)


class AppointmentsPlan(ImportJob):
    """Visits are matched by the system's code, else by patient, doctor and start; what is left over
    is missing.
    """

    def __init__(self, scope: ImportScope) -> None:
        super().__init__(scope)
        self.people = PatientDirectory(scope)
        self.planned: list[PlannedVisit] = []
        self.missing: list[ExistingVisit] = []
        self._services = {normalise(service.name): service for service in Service.objects.all()}
        self._new_services: dict[str, str] = {}
        self._by_code: dict[str, ExistingVisit] = {}
        self._days: dict[int, set[dt.date]] = defaultdict(set)  # clinic → local days of the file
        # Rows that are not loaded still mean visits: these must not be taken for missing.
        self._shielded_codes: set[str] = set()
        self._shielded_starts: set[dt.datetime] = set()
        self._unreadable = 0  # rows that might mean any visit

    def plan(self, rows: Sequence[ImportRow], report: Report) -> None:
        done = 0
        for batch in batches(rows):
            read = [
                (row, sought(row, today=self.places.today[self.scope.clinic.pk])) for row in batch
            ]
            codes = [row.get("code", cell_parsers.identifier) or "" for row in batch]
            self._read_coded({code for code in codes if code})
            coded = [self._by_code.get(code) for code in codes]
            self.people.load(
                [one for _, one in read], {known.patient_id for known in coded if known}
            )
            for (row, one), code, known in zip(read, codes, coded, strict=True):
                person = self.people.of_row(row, one, usual=known.patient_id if known else None)
                planned = self._read(row, code, person)
                if planned is not None and person is None:
                    planned.person = self.people.add(one)
                if planned is not None:
                    self.planned.append(planned)
            report(done := done + len(batch))
        self._refuse_repeats()
        self._match()
        self._find_missing()
        self._pair_moves()
        self._keep_what_may_be_there()
        for planned in self.planned:
            self._decide(planned)
        self._refuse_overlaps()
        self._count()

    def _read_coded(self, codes: set[str]) -> None:
        found = Appointment.objects.filter(
            source=SOURCE, source_id__in=codes - self._by_code.keys()
        )
        self._by_code |= {known.code: known for known in read_known(found)}

    def _read(self, row: ImportRow, code: str, person: PatientRecord | None) -> PlannedVisit | None:
        """A row with its visit, or None with the problems on the row. Its dates count even when it
        is refused.
        """
        clinic = self.places.clinic(row)
        doctor = self.places.doctor(row, clinic)
        service = row.get("service", lambda cell: cell_parsers.text(cell, limit=150)) or ""
        if not normalise(service):  # «-»: a table's way to say that there is none
            service = ""
        usual = self._services.get(normalise(service))
        status, money = row.get("status", cell_parsers.status), row.get("money", cell_parsers.money)
        comment = row.get("comment", cell_parsers.text)
        booked_on, booked_time = row.get("booked_at", cell_parsers.moment) or (None, None)
        times = when(row, clinic, usual.minutes if usual else USUAL_MINUTES) if clinic else None
        if status is not None and clinic and times:
            status = self._possible(row, status, times.starts_at, clinic)
        if clinic and times:
            self._days[clinic.pk].add(local_day(times.starts_at, clinic.zone))
        if row.problems or clinic is None or doctor is None or times is None:
            self._shield(code, times)
            return None
        # A day without a time: its end, since whatever was opened on that day came before as far as
        # anybody can tell.
        booked_at = (
            instant(booked_on, booked_time or dt.time(23, 59), clinic.zone) if booked_on else None
        )
        person = person or PatientRecord(0, "", cell_parsers.ParsedName("", "", ""), None)
        return PlannedVisit(
            row, code, person, doctor, clinic, *times, status, service, money, comment or "", booked_at
        )  # fmt: skip

    def _possible(
        self, row: ImportRow, status: AppointmentStatus, starts_at: dt.datetime, clinic: Clinic
    ) -> AppointmentStatus | None:
        """The state, unless the visit is still to come: paid ahead it is like any other, over it
        can't be. Who is early has come all the same.
        """
        early = (
            status == AppointmentStatus.ARRIVED
            and local_day(starts_at, clinic.zone) <= self.places.today[clinic.pk]
        )
        if status not in _HAPPENED or starts_at <= self.scope.now or early:
            return status
        if not cell_parsers.paid(row.cell("status")):
            row.refuse(
                "status",
                f"Приём ещё впереди, а статус «{status.label}».",
                "Проверьте дату и статус.",
            )
        return None

    def _shield(self, code: str, times: Times | None) -> None:
        if code:
            self._shielded_codes.add(code)
        elif times:
            self._shielded_starts.add(times.starts_at)
        else:
            self._unreadable += 1

    def _refuse_repeats(self) -> None:
        codes: dict[str, PlannedVisit] = {}
        places: dict[tuple[int, int, dt.datetime], PlannedVisit] = {}
        for planned in self.planned:
            place = (id(planned.person), planned.doctor.pk, planned.starts_at)
            first = codes.get(planned.code) if planned.code else None
            if first is None and planned.occupies:
                first = places.get(place)
            if first is not None:
                column = "code" if planned.code == first.code != "" else "date"
                planned.row.refuse(
                    column,
                    f"Этот же приём уже есть в строке {first.row.line.number}.",
                    "Удалите лишнюю строку.",
                )
                continue
            if planned.code:
                codes[planned.code] = planned
            if planned.occupies:
                places[place] = planned
        self.planned = [planned for planned in self.planned if not planned.row.problems]

    def _match(self) -> None:
        for batch in batches(self.planned):
            near = Appointment.objects.filter(
                patient_id__in={planned.person.pk for planned in batch if planned.person.pk},
                starts_at__in={planned.starts_at for planned in batch},
                clinic__in=self.scope.clinics,
            )
            by_place: dict[tuple[int, int, dt.datetime], list[ExistingVisit]] = defaultdict(list)
            for known in read_known(near):
                by_place[known.patient_id, known.doctor_id, known.starts_at].append(known)
            for planned in batch:
                here = by_place.get((planned.person.pk, planned.doctor.pk, planned.starts_at), [])
                coded = self._by_code.get(planned.code) if planned.code else None
                if (meant := coded or same_place(planned.code, here)) is not None:
                    planned.mean(meant)
                if coded is None:
                    continue
                if coded.patient_id != planned.person.pk:
                    planned.row.refuse(
                        "code",
                        "Под этим кодом у нас приём другого пациента.",
                        "Проверьте код приёма.",
                    )
                elif coded.clinic_id not in {clinic.pk for clinic in self.scope.clinics}:
                    planned.row.refuse(
                        "code",
                        "Под этим кодом приём клиники, где вы не работаете.",
                        "Проверьте код.",
                    )
                if planned.row.problems:
                    self._shield(planned.code, None)
        self.planned = [planned for planned in self.planned if not planned.row.problems]

    def _find_missing(self) -> None:
        """Visits of the file's clinics and days, still to come, that earlier files brought and this
        one does not.
        """
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
                if (
                    known.pk in seen
                    or known.code in self._shielded_codes
                    or known.starts_at in self._shielded_starts
                ):
                    continue
                if known.source == SOURCE:
                    self.missing.append(known)
                else:
                    ours += 1
        if ours:
            self.findings.append(
                PreviewFinding(
                    FindingKind.NOTICE,
                    0,
                    f"Приёмов, записанных в Дозвоне и не найденных в файле: {ours}.",
                    "Они останутся. Внесите их в систему расписания, если их там нет.",
                )
            )

    def _pair_moves(self) -> None:
        """Without codes a moved visit looks like a missing one and a new one of the same patient
        and doctor.
        """
        left: dict[tuple[int, int], list[ExistingVisit]] = defaultdict(list)
        for known in self.missing:
            left[known.patient_id, known.doctor_id].append(known)
        fresh: dict[tuple[int, int], list[PlannedVisit]] = defaultdict(list)
        for planned in self.planned:
            if (
                planned.known is None
                and planned.person.pk
                and planned.occupies
                and planned.starts_at > self.scope.now
            ):
                fresh[planned.person.pk, planned.doctor.pk].append(planned)
        paired = set()
        for key, candidates in fresh.items():
            old = left.get(key, [])
            if len(candidates) == len(old) == 1 and not (candidates[0].code and old[0].code):
                candidates[0].mean(old[0])
                paired.add(old[0].pk)
        self.missing = [known for known in self.missing if known.pk not in paired]

    def _keep_what_may_be_there(self) -> None:
        if self.missing and self._unreadable:
            self.findings.append(
                PreviewFinding(
                    FindingKind.NOTICE,
                    0,
                    f"В файле нет {len(self.missing)} приёмов, но часть строк не читается: может быть, они там.",
                    "Исправьте эти строки и загрузите файл снова; пока ничего не отменится.",
                )
            )
            self.missing = []

    def _decide(self, planned: PlannedVisit) -> None:
        known = planned.known
        if known is None:
            return
        money_differs = planned.money is not None and planned.money != known.money
        planned.step = decide(
            known.status,
            planned.status,
            moved=planned.moved,
            money_differs=money_differs,
            dropped=known.dropped,
        )
        if planned.step == VisitChange.BACK:
            planned.known, planned.instead_of = None, known
        if planned.step == VisitChange.DEAD and planned.starts_at > self.scope.now:
            self._notice(
                planned,
                "У нас этот приём отменён, а в файле он есть.",
                "Отмените его и в системе расписания.",
            )
        if planned.step == VisitChange.LATE:
            label = known.status.label
            planned.row.refuse(
                "date", f"Приём уже «{label}», перенести его нельзя.", "Заведите новый приём."
            )

    def _notice(self, planned: PlannedVisit, what: str, todo: str) -> None:
        self.findings.append(
            PreviewFinding(FindingKind.NOTICE, planned.row.line.number, what, todo)
        )

    def _refuse_overlaps(self) -> None:
        """Of two visits of one doctor at one time to come the later row is refused; one that needs
        the time of a missing visit says so in the preview, and is refused when that visit is not
        cancelled after all.
        """
        now = self.scope.now
        coming = [
            p for p in self.planned if not p.row.problems and p.ends_at > now and places_itself(p)
        ]
        if not coming:
            return
        leaving = {
            p.known.pk
            for p in self.planned
            if p.known and p.step in (VisitChange.CANCEL, VisitChange.MOVE)
        }
        missing = self.missing if self.scope.confirmed_missing is None else self.confirmed_missing()
        leaving |= {known.pk for known in missing}
        standing = Appointment.objects.occupying().filter(
            doctor_id__in={p.doctor.pk for p in coming},
            starts_at__gt=min(p.starts_at for p in coming) - dt.timedelta(days=1),
            starts_at__lt=max(p.ends_at for p in coming),
        )
        places = standing.values_list("pk", "doctor_id", "starts_at", "ends_at")
        schedule = Schedule(
            DoctorTime(doctor, start, end) for pk, doctor, start, end in places if pk not in leaving
        )
        for planned, other in schedule.settle(coming):
            where = f" (строка {other.row.row.line.number})" if other.row else ""
            start, end = (
                local(moment, planned.clinic.zone) for moment in (other.starts_at, other.ends_at)
            )
            planned.row.refuse(
                "date",
                f"У врача уже есть приём {start:%d.%m.%Y %H:%M}–{end:%H:%M}{where}.",
                "Оставьте одного пациента или исправьте время.",
            )
        if self.scope.confirmed_missing is None:
            self._notice_needed(coming)

    def _notice_needed(self, coming: list[PlannedVisit]) -> None:
        gone = Schedule(place_of(known) for known in self.missing)
        for planned in coming:
            place = DoctorTime(planned.doctor.pk, planned.starts_at, planned.ends_at)
            other = None if planned.row.problems else next(gone.over(place), None)
            if other is not None:
                start = local(other.starts_at, planned.clinic.zone)
                self._notice(
                    planned,
                    f"Загрузится, только если отменить приём {start:%d.%m.%Y %H:%M}, которого в файле нет.",
                    "Иначе в это время у врача останется прежний пациент.",
                )

    def confirmed_missing(self) -> list[ExistingVisit]:
        """Those that a person has seen as they are and wants cancelled."""
        confirmed = self.scope.confirmed_missing or {}
        return [known for known in self.missing if confirmed.get(known.pk) == known.version]

    def _count(self) -> None:
        for planned in self.planned:
            if planned.row.problems:
                continue
            self.counts[self._sort_of(planned)] += 1
            if planned.step == VisitChange.MOVE and planned.known:
                old = local(planned.known.starts_at, planned.clinic.zone)
                new = local(planned.starts_at, planned.clinic.zone)
                self.findings.append(
                    PreviewFinding(
                        FindingKind.MOVED,
                        planned.row.line.number,
                        f"{planned.person.words}, {planned.doctor.short_name}: "
                        f"{old:%d.%m.%Y %H:%M} → {new:%d.%m.%Y %H:%M}",
                    )
                )
            if normalise(planned.service) and normalise(planned.service) not in self._services:
                self._new_services.setdefault(normalise(planned.service), planned.service)
        self._list_missing()
        if back := sum(
            planned.instead_of is not None and not planned.row.problems for planned in self.planned
        ):
            self.findings.append(
                PreviewFinding(
                    FindingKind.NOTICE,
                    0,
                    f"Приёмов, отменённых раньше, потому что их не было в файле: {back}.",
                    "Теперь они в нём есть и будут записаны заново.",
                )
            )
        if self._new_services:
            names = ", ".join(list(self._new_services.values())[:10])
            self.findings.append(
                PreviewFinding(
                    FindingKind.NOTICE, 0, f"Новые услуги: {names}.", "Появятся в справочнике."
                )
            )

    def _sort_of(self, planned: PlannedVisit) -> str:
        if planned.known is None:
            return "created"
        if planned.step == VisitChange.MOVE:
            return "moved"
        if planned.step == VisitChange.CANCEL:
            return "cancelled"
        return (
            "changed" if planned.step == VisitChange.MARK or self._details(planned) else "unchanged"
        )

    def _details(self, planned: PlannedVisit) -> dict[str, object]:
        """What the file knows besides time and state: the code of a visit booked here, the service,
        a first comment.
        """
        known = planned.known
        if known is None:
            return {}
        details: dict[str, object] = {}
        if planned.code and known.code != planned.code:
            details |= {"source": SOURCE, "source_id": planned.code}
        service = self._services.get(normalise(planned.service)) if planned.service else None
        if planned.service and (service is None or service.pk != known.service_id):
            details["service"] = planned.service
        if planned.comment and not known.comment:
            details["comment"] = planned.comment
        return details

    def _list_missing(self) -> None:
        patients = Patient.objects.in_bulk({known.patient_id for known in self.missing})
        zones = {clinic.pk: clinic.zone for clinic in self.scope.clinics}
        doctors = Doctor.objects.in_bulk({known.doctor_id for known in self.missing})
        for known in self.missing:
            start = local(known.starts_at, zones[known.clinic_id])
            words = f"{start:%d.%m.%Y %H:%M}, {patients[known.patient_id]}, врач {doctors[known.doctor_id].short_name}"
            self.findings.append(
                PreviewFinding(FindingKind.MISSING, 0, words, "", known.pk, known.version)
            )
        self.counts["missing"] = len(self.missing)
