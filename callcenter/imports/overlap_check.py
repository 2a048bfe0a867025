"""The schedule as it will be after a file: of two visits of one doctor at one time only one can
stay. Pure.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from callcenter.clinics.locks import DoctorDay, days_of
from callcenter.imports.appointment_rules import ExistingVisit, PlannedVisit, VisitChange


@dataclass(slots=True, eq=False)
class DoctorTime:
    """A stretch of a doctor's time: of a row of the file, or of a visit that stands there (`row` is
    None).
    """

    doctor_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    row: PlannedVisit | None = None

    @property
    def days(self) -> list[DoctorDay]:
        return [(self.doctor_id, day) for day in days_of(self.starts_at, self.ends_at)]


def place_of(known: ExistingVisit) -> DoctorTime:
    return DoctorTime(known.doctor_id, known.starts_at, known.ends_at)


class Schedule:
    """Places by the doctor's day."""

    def __init__(self, places: Iterable[DoctorTime]) -> None:
        self._days: dict[DoctorDay, list[DoctorTime]] = defaultdict(list)
        for place in places:
            self._put(place)

    def settle(self, rows: Iterable[PlannedVisit]) -> Iterator[tuple[PlannedVisit, DoctorTime]]:
        """Puts the rows in, one after another; yields those for which there is no place, with what
        stands there.

        A move without a place stays where it was: a row that has been given its old time loses it
        again.
        """
        for planned in rows:
            place = DoctorTime(planned.doctor.pk, planned.starts_at, planned.ends_at, planned)
            other = next(self.over(place), None)
            if other is None:
                self._put(place)
                continue
            yield planned, other
            stay = [planned]
            while stay:
                refused = stay.pop()
                if refused.step != VisitChange.MOVE or refused.known is None:
                    continue
                old = place_of(refused.known)
                for loser in {place.row: place for place in self.over(old)}.values():
                    if loser.row is not None:
                        self._take_out(loser)
                        yield loser.row, old
                        stay.append(loser.row)
                self._put(old)

    def over(self, place: DoctorTime) -> Iterator[DoctorTime]:
        """Those that overlap it, each once for every day they have in common."""
        for day in place.days:
            for other in self._days.get(day, ()):
                if other.starts_at < place.ends_at and other.ends_at > place.starts_at:
                    yield other

    def _put(self, place: DoctorTime) -> None:
        for day in place.days:
            self._days[day].append(place)

    def _take_out(self, place: DoctorTime) -> None:
        for day in place.days:
            if place in self._days[day]:
                self._days[day].remove(place)
