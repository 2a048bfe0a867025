"""Import of free windows («прогнозное расписание»): the file is a picture of what is free on its
days.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from callcenter.clinics.locks import days_of
from callcenter.clinics.models import Appointment, Clinic, Doctor, ScheduleWindow
from callcenter.clinics.states import WindowState
from callcenter.imports import cell_parsers
from callcenter.imports.appointment_rules import (
    DOCTOR_FIELDS,
    TIME_FIELDS,
    USUAL_MINUTES,
    Times,
    spans,
    when,
)
from callcenter.imports.columns import Field
from callcenter.imports.jobs import (
    BATCH,
    ImportJob,
    ImportKind,
    ImportRow,
    ImportScope,
    PreviewFinding,
    Report,
    batches,
)
from callcenter.imports.states import FindingKind
from callcenter.lib import live_updates
from callcenter.lib.bulk_sql import update_rows
from callcenter.lib.localtime import day_bounds, local, local_day
from callcenter.staff.roles import CAN_MANAGE_CLINIC

FIELDS: Final = (
    *TIME_FIELDS,
    *DOCTOR_FIELDS,
    Field("code", "Код окна", ("Код окна", "ID окна", "Код", "ID")),
)


@dataclass(slots=True, eq=False)
class Free:
    row: ImportRow
    doctor: Doctor
    clinic: Clinic
    starts_at: dt.datetime
    ends_at: dt.datetime
    length_told: bool
    code: str
    known: ScheduleWindow | None = None


class WindowsJob(ImportJob):
    """New windows open, those that the file no longer has on its doctors' days close; a booked
    window stays booked.
    """

    def __init__(self, scope: ImportScope) -> None:
        super().__init__(scope)
        self.free: list[Free] = []
        self.gone: list[ScheduleWindow] = []
        # Rows that are not loaded still mean windows: these are not closed.
        self._shielded_codes: set[str] = set()
        self._shielded_starts: set[dt.datetime] = set()
        self._unreadable = 0  # rows that might mean any window

    def plan(self, rows: Sequence[ImportRow], report: Report) -> None:
        for done, row in enumerate(rows):
            if (free := self._read(row)) is not None:
                self.free.append(free)
            if done % BATCH == 0:
                report(done)
        self._refuse_repeats()
        if self.free:
            self._match()
            self._refuse_taken_times()
        self.free = [free for free in self.free if not free.row.problems]
        for free in self.free:
            self.counts[_sort_of(free)] += 1
        self.counts["closed"] = len(self.gone)
        self._list_gone()

    def _list_gone(self) -> None:
        doctors = Doctor.objects.in_bulk({window.doctor_id for window in self.gone})
        zones = {free.clinic.pk: free.clinic.zone for free in self.free}
        for window in sorted(self.gone, key=lambda window: (window.starts_at, window.doctor_id)):
            start, end = (
                local(moment, zones[window.clinic_id])
                for moment in (window.starts_at, window.ends_at)
            )
            words = (
                f"{start:%d.%m.%Y %H:%M}–{end:%H:%M}, врач {doctors[window.doctor_id].short_name}"
            )
            self.findings.append(PreviewFinding(FindingKind.CLOSED, 0, words))

    def _read(self, row: ImportRow) -> Free | None:
        clinic = self.places.clinic(row)
        doctor = self.places.doctor(row, clinic)
        code = row.get("code", cell_parsers.identifier) or ""
        times = when(row, clinic, USUAL_MINUTES) if clinic else None
        if times and times.starts_at <= self.scope.now:
            row.refuse("date", "Это время уже прошло.", "Выгрузите окна с сегодняшнего дня.")
        if row.problems or clinic is None or doctor is None or times is None:
            self._shield(code, times)
            return None
        return Free(row, doctor, clinic, *times, code)

    def _shield(self, code: str, times: Times | None) -> None:
        if code:
            self._shielded_codes.add(code)
        if times:
            self._shielded_starts.add(times.starts_at)
        elif not code:
            self._unreadable += 1

    def _refuse_repeats(self) -> None:
        first: dict[tuple[int, dt.datetime], Free] = {}
        for free in self.free:
            earlier = first.setdefault((free.doctor.pk, free.starts_at), free)
            if earlier is not free:
                where = f"в строке {earlier.row.line.number}"
                free.row.refuse(
                    "date", f"Это окно врача уже есть {where}.", "Удалите лишнюю строку."
                )
        self.free = [free for free in self.free if not free.row.problems]

    def _days(self) -> Q:
        """The doctors, clinics and local days that the file speaks of."""
        days: dict[tuple[Clinic, int], set[dt.date]] = defaultdict(set)
        for free in self.free:
            days[free.clinic, free.doctor.pk].add(local_day(free.starts_at, free.clinic.zone))
        where = Q()
        for (clinic, doctor_id), named in days.items():
            for first, last in spans(named):
                since, until = day_bounds(first, clinic.zone)[0], day_bounds(last, clinic.zone)[1]
                where |= Q(
                    clinic=clinic, doctor_id=doctor_id, starts_at__gte=since, starts_at__lt=until
                )
        return where

    def _match(self) -> None:
        known = {
            (window.doctor_id, window.clinic_id, window.starts_at): window
            for window in ScheduleWindow.objects.filter(self._days(), starts_at__gt=self.scope.now)
        }
        for free in self.free:
            free.known = known.pop((free.doctor.pk, free.clinic.pk, free.starts_at), None)
            if free.known is not None and not free.length_told:
                free.ends_at = free.known.ends_at
        self.gone = [
            window
            for window in known.values()
            if window.state == WindowState.FREE
            and window.source_id not in self._shielded_codes
            and window.starts_at not in self._shielded_starts
        ]
        if self.gone and self._unreadable:
            self.findings.append(
                PreviewFinding(
                    FindingKind.NOTICE,
                    0,
                    f"В файле нет {len(self.gone)} окон, но часть строк не читается: может быть, они там.",
                    "Исправьте эти строки и загрузите файл снова; пока ничего не снимется.",
                )
            )
            self.gone = []

    def _refuse_taken_times(self) -> None:
        """A window under a visit is not free; the visit may be one that the other system does not
        know yet.
        """
        visits = Appointment.objects.occupying().filter(
            doctor_id__in={free.doctor.pk for free in self.free},
            starts_at__gt=min(free.starts_at for free in self.free) - dt.timedelta(days=1),
            starts_at__lt=max(free.ends_at for free in self.free),
        )
        taken: dict[tuple[int, dt.date], list[tuple[dt.datetime, dt.datetime]]] = {}
        for doctor_id, starts_at, ends_at in visits.values_list(
            "doctor_id", "starts_at", "ends_at"
        ):
            for day in days_of(starts_at, ends_at):
                taken.setdefault((doctor_id, day), []).append((starts_at, ends_at))
        for free in self.free:
            if free.known is not None and free.known.state == WindowState.TAKEN:
                continue
            for day in days_of(free.starts_at, free.ends_at):
                clash = next(
                    (
                        t
                        for t in taken.get((free.doctor.pk, day), ())
                        if t[0] < free.ends_at and t[1] > free.starts_at
                    ),
                    None,
                )
                if clash is not None and not free.row.problems:
                    begins = local(clash[0], free.clinic.zone)
                    free.row.refuse(
                        "date",
                        f"В это время у врача приём ({begins:%d.%m.%Y %H:%M}).",
                        "Уберите окно.",
                    )

    def write(self, report: Report) -> None:
        new = [free for free in self.free if free.known is None]
        for done, batch in enumerate(batches(new)):
            ScheduleWindow.objects.bulk_create(
                (
                    ScheduleWindow(
                        clinic=free.clinic,
                        doctor=free.doctor,
                        starts_at=free.starts_at,
                        ends_at=free.ends_at,
                        source_id=free.code,
                    )
                    for free in batch
                ),
                ignore_conflicts=True,
            )
            report(done * BATCH)
        self._change([free for free in self.free if _sort_of(free) == "changed"])
        # Only those still free: somebody may have booked one since the preview.
        closed = ScheduleWindow.objects.filter(
            pk__in=[window.pk for window in self.gone], state=WindowState.FREE
        ).update(state=WindowState.CLOSED)
        self.counts["closed"] = closed
        live_updates.bump(*{f"schedule:clinic:{free.clinic.pk}" for free in self.free})

    def _change(self, wanted: list[Free]) -> None:
        """Opens and lengthens those that are still nobody's: one that was booked or held since the
        plan is left alone.
        """
        ends = {free.known.pk: free.ends_at for free in wanted if free.known is not None}
        still = ScheduleWindow.objects.filter(
            pk__in=ends, state__in=[WindowState.FREE, WindowState.CLOSED]
        )
        windows = list(still.select_for_update().order_by("pk"))
        for window in windows:
            window.state, window.ends_at = WindowState.FREE, ends[window.pk]
        update_rows(windows, ["state", "ends_at"])
        self.counts["changed"] -= len(wanted) - len(windows)
        self.counts["unchanged"] += len(wanted) - len(windows)


def _sort_of(free: Free) -> str:
    """Held and taken windows are changed by bookings alone: the file does not touch them."""
    known = free.known
    if known is None:
        return "created"
    if known.state == WindowState.CLOSED or (
        known.state == WindowState.FREE and known.ends_at != free.ends_at
    ):
        return "changed"
    return "unchanged"


WINDOWS: Final = ImportKind(
    name="windows",
    label="Свободные окна",
    icon="calendar-plus",
    roles=CAN_MANAGE_CLINIC,
    fields=FIELDS,
    needed=(("date",), ("doctor", "doctor_id")),
    job=WindowsJob,
    about="Прогнозное расписание: свободное время врачей. Окна, которых в файле больше нет, снимаются с его дней.",
)
