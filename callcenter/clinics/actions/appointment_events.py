"""What is written down of a visit: its own history, the audit log, and the hint to the
screens of its clinic.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from callcenter.audit import actions as audit
from callcenter.clinics.models import Appointment, AppointmentEvent, Clinic, Doctor
from callcenter.lib import live_updates
from callcenter.staff.models import User


def write_down(
    visit: Appointment,
    kind: str,
    *,
    by: User | None,
    now: dt.datetime,
    after: dt.datetime | None = None,
    status_before: str = "",
    money_before: Decimal | None = None,
    reason: str = "",
) -> None:
    """The visit's own history, the audit log, and the hint to the screens that show this
    clinic's schedule.
    """
    _event(
        visit,
        kind,
        by=by,
        now=now,
        reason=reason,
        starts_at_after=after,
        status_before=status_before,
    )
    was: dict[str, object] = {"status": status_before} if status_before else {}
    became: dict[str, object] = {"starts_at": visit.starts_at.isoformat(), "status": visit.status}
    if kind == "marked" and money_before != visit.money:
        was["money"], became["money"] = (
            None if money_before is None else str(money_before),
            str(visit.money),
        )
    audit.record(
        f"clinics.{kind}", visit, by=by, now=now, before=was or None, after=became, note=reason
    )
    bump(visit.clinic_id)


def _event(
    visit: Appointment,
    kind: str,
    *,
    by: User | None,
    now: dt.datetime,
    reason: str,
    **what_was: object,
) -> None:
    AppointmentEvent.objects.create(
        appointment=visit,
        at=now,
        by=by,
        kind=kind,
        version=visit.version,
        status_after=visit.status,
        reason=reason[:250],
        **what_was,
    )


@dataclass(frozen=True)
class AppointmentSlot:
    """When and with whom a visit stands, and how sure it is: what moves must be confirmed anew."""

    starts_at: dt.datetime
    doctor: Doctor
    clinic: Clinic
    status: str

    @classmethod
    def of(cls, visit: Appointment) -> "AppointmentSlot":
        return cls(visit.starts_at, visit.doctor, visit.clinic, visit.status)

    def unlike(self, other: "AppointmentSlot") -> dict[str, object]:
        """The start, and what else differs, for the audit log."""
        found: dict[str, object] = {"starts_at": self.starts_at.isoformat()}
        if self.doctor != other.doctor:
            found["doctor"] = self.doctor.full_name
        if self.clinic != other.clinic:
            found["clinic"] = self.clinic.name
        if self.status != other.status:
            found["status"] = self.status
        return found


def write_move(
    visit: Appointment, before: AppointmentSlot, *, by: User | None, now: dt.datetime, reason: str
) -> None:
    """Like `write_down`, with where the visit came from. The clinic it came to is one of the
    patient's from now on.
    """
    place = AppointmentSlot.of(visit)
    _event(
        visit,
        "moved",
        by=by,
        now=now,
        reason=reason,
        starts_at_before=before.starts_at,
        starts_at_after=visit.starts_at,
        doctor_before=None if before.doctor == visit.doctor else before.doctor,
    )
    audit.record(
        "clinics.moved",
        visit,
        by=by,
        now=now,
        before=before.unlike(place),
        after=place.unlike(before),
        note=reason,
    )
    if before.clinic != visit.clinic:
        visit.patient.clinics.add(visit.clinic)
        bump(before.clinic.pk)
    bump(visit.clinic_id)


def bump(clinic_id: int) -> None:
    live_updates.bump(f"schedule:clinic:{clinic_id}")
