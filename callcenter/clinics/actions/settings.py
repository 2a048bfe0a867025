"""What a senior sets up for her clinics: the clinic itself, its hours and days, grounds, doctors,
services, specialties.

Services and specialties belong to the whole chain: every senior keeps them (docs/adr/0011).
"""

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import Model, ProtectedError

from callcenter.audit import actions as audit
from callcenter.clinics.models import (
    Clinic,
    Doctor,
    LegalBasis,
    OpeningHours,
    Service,
    SpecialDay,
    Specialty,
)
from callcenter.clinics.schedule import Span
from callcenter.lib import optimistic_lock
from callcenter.lib.errors import NotAllowed, Refused
from callcenter.staff.models import User

CLINIC_FIELDS = (
    "name",
    "zone",
    "address",
    "phone",
    "site",
    "reception_email",
    "responsible_emails",
    "observes_holidays",
    "calls_from",
    "calls_to",
    "calls_dayoff_from",
    "calls_dayoff_to",
    "messages_from",
    "messages_to",
    "source_id",
)
_QUIET = (
    ("calls_from", "calls_to"),
    ("calls_dayoff_from", "calls_dayoff_to"),
    ("messages_from", "messages_to"),
)
DOCTOR_FIELDS = ("full_name", "specialty", "user", "source_id", "is_active")
SERVICE_FIELDS = ("name", "specialty", "minutes", "price", "is_active")


def save_clinic(
    clinic: Clinic | None,
    *,
    fields: Mapping[str, object],
    week: Mapping[int, Span],
    by: User,
    now: dt.datetime,
    shown: str | None = None,
) -> Clinic:
    """Opens a clinic (the senior becomes one of its people) or changes one; `week` are local hours
    by weekday, 0 = Monday.

    Raises Refused when hours end before they begin, NotAllowed for a clinic that is not hers,
    Conflict when the clinic is not what a page `shown` it as (`clinic_fingerprint`).
    """
    for name, value in _QUIET:
        if not fields[name] < fields[value]:  # type: ignore[operator]
            raise Refused("Время «до» должно быть позже времени «с».", field=value)
    for weekday, (opens, closes) in week.items():
        if not opens < closes:
            raise Refused("Закрытие должно быть позже открытия.", field=f"closes_{weekday}")
    with transaction.atomic():
        if clinic is None:
            clinic, verb, before = Clinic(), "clinics.create_clinic", dict[str, object]()
        else:
            clinic = _own(clinic, by)
            optimistic_lock.ensure_unchanged(shown, clinic_fingerprint(clinic))
            verb, before = "clinics.change_clinic", _clinic(clinic)
        for name in CLINIC_FIELDS:
            setattr(clinic, name, fields[name])
        clinic.save()
        if not before:
            clinic.staff.add(by)
        _set_week(clinic, week)
        _record_change(verb, clinic, before, _clinic(clinic), by=by, now=now, clinic_id=clinic.pk)
    return clinic


def clinic_fingerprint(clinic: Clinic) -> str:
    """Of what the form of the clinic shows."""
    return optimistic_lock.fingerprint(_clinic(clinic))


def _set_week(clinic: Clinic, week: Mapping[int, Span]) -> None:
    OpeningHours.objects.filter(clinic=clinic).exclude(weekday__in=list(week)).delete()
    for weekday, (opens, closes) in week.items():
        OpeningHours.objects.update_or_create(
            clinic=clinic, weekday=weekday, defaults={"opens": opens, "closes": closes}
        )


def _clinic(clinic: Clinic) -> dict[str, object]:
    rows = OpeningHours.objects.filter(clinic=clinic)
    hours = {f"weekday_{row.weekday}": f"{row.opens:%H:%M}–{row.closes:%H:%M}" for row in rows}
    return {**audit.values(clinic, *CLINIC_FIELDS), **hours}


def set_special_day(
    clinic: Clinic, *, on: dt.date, hours: Span | None, reason: str, by: User, now: dt.datetime
) -> SpecialDay:
    """A local day that differs from its weekday: closed (`hours` None) or open at other hours, a
    holiday too.
    """
    if hours is not None and not hours[0] < hours[1]:
        raise Refused("Закрытие должно быть позже открытия.", field="closes")
    opens, closes = hours or (None, None)
    with transaction.atomic():
        clinic = _own(clinic, by)
        day = SpecialDay.objects.filter(clinic=clinic, on=on).first()
        before = _day(day) if day is not None else {}
        if day is None:
            day = SpecialDay(clinic=clinic, on=on)
        day.opens, day.closes, day.reason = opens, closes, reason.strip()
        day.save()
        _record_change(
            "clinics.set_special_day",
            clinic,
            before,
            _day(day),
            by=by,
            now=now,
            clinic_id=clinic.pk,
        )
    return day


def remove_special_day(day: SpecialDay, *, by: User, now: dt.datetime) -> None:
    """The day is again like its weekday."""
    with transaction.atomic():
        clinic = _own(day.clinic, by)
        audit.record(
            "clinics.remove_special_day",
            clinic,
            by=by,
            now=now,
            clinic_id=clinic.pk,
            before=_day(day),
        )
        day.delete()


def _day(day: SpecialDay) -> dict[str, object]:
    return audit.values(day, "on", "opens", "closes", "reason")


def record_legal_basis(
    clinic: Clinic, *, fields: Mapping[str, object], by: User, now: dt.datetime
) -> LegalBasis:
    """Records on what messages and calls of a purpose rest; `fields`: purpose, basis, since, until,
    source.
    """
    since, until = fields["since"], fields.get("until")
    if isinstance(since, dt.date) and isinstance(until, dt.date) and until < since:
        raise Refused("Основание кончается раньше, чем началось.", field="until")
    with transaction.atomic():
        clinic = _own(clinic, by)
        ground = LegalBasis.objects.create(clinic=clinic, **fields)
        audit.record(
            "clinics.record_legal_basis",
            clinic,
            by=by,
            now=now,
            clinic_id=clinic.pk,
            after=_ground(ground),
        )
    return ground


def end_legal_basis(
    ground: LegalBasis, *, until: dt.date, by: User, now: dt.datetime
) -> LegalBasis:
    """The ground holds up to and with the local day `until`; it stays on record. Raises Refused
    before its beginning.
    """
    if until < ground.since:
        raise Refused("Основание кончается раньше, чем началось.", field="until")
    with transaction.atomic():
        clinic = _own(ground.clinic, by)
        before = _ground(ground)
        ground.until = until
        ground.save(update_fields=["until"])
        _record_change(
            "clinics.end_legal_basis",
            clinic,
            before,
            _ground(ground),
            by=by,
            now=now,
            clinic_id=clinic.pk,
        )
    return ground


def _ground(ground: LegalBasis) -> dict[str, object]:
    return {
        **audit.values(ground, "basis", "since", "until", "source"),
        "purpose": ground.get_purpose_display(),
    }


def save_doctor(
    doctor: Doctor | None,
    *,
    fields: Mapping[str, object],
    clinics: Iterable[Clinic],
    by: User,
    now: dt.datetime,
    shown: str | None = None,
) -> Doctor:
    """Adds a doctor or changes one who receives in a clinic of hers; his places in other clinics
    stay as they are.

    Raises Conflict when the doctor is not what a page `shown` him as (`doctor_fingerprint`).
    """
    hers, wanted = set(by.clinics.values_list("pk", flat=True)), {clinic.pk for clinic in clinics}
    if not wanted <= hers:
        raise NotAllowed("Давать можно только свои клиники.")
    with transaction.atomic():
        if doctor is None:
            doctor, verb, before, had = (
                Doctor(),
                "clinics.create_doctor",
                dict[str, object](),
                set[int](),
            )
        else:
            doctor = Doctor.objects.select_for_update(of=("self",)).get(pk=doctor.pk)
            had = set(doctor.clinics.values_list("pk", flat=True))
            if not had & hers:
                raise NotAllowed("Этот врач принимает не в ваших клиниках.")
            optimistic_lock.ensure_unchanged(shown, doctor_fingerprint(doctor, by))
            verb, before = "clinics.change_doctor", _doctor(doctor)
        if not (had - hers) | wanted:
            raise Refused("Выберите хотя бы одну клинику.", field="clinics")
        for name in DOCTOR_FIELDS:
            setattr(doctor, name, fields[name])
        doctor.save()
        doctor.clinics.set((had - hers) | wanted)
        _record_change(
            verb,
            doctor,
            before,
            _doctor(doctor),
            by=by,
            now=now,
            clinic_id=min(wanted or had & hers),
        )
    return doctor


def doctor_fingerprint(doctor: Doctor, by: User) -> str:
    """Of what the form of the doctor shows to `by`: his places in clinics that are not hers do not
    stand on it.
    """
    places = doctor.clinics.filter(staff=by).order_by("pk").values_list("pk", flat=True)
    return optimistic_lock.fingerprint(
        {**audit.values(doctor, *DOCTOR_FIELDS), "clinics": list(places)}
    )


def _doctor(doctor: Doctor) -> dict[str, object]:
    names = list(doctor.clinics.order_by("name").values_list("name", flat=True))
    return {**audit.values(doctor, *DOCTOR_FIELDS), "clinics": names}


def save_service(
    service: Service | None,
    *,
    fields: Mapping[str, object],
    by: User,
    now: dt.datetime,
    shown: str | None = None,
) -> Service:
    """Adds a service of the chain or changes one; raises Conflict when it is not what a page
    `shown` it as.
    """
    with transaction.atomic():
        if service is None:
            service, verb, before = Service(), "clinics.create_service", dict[str, object]()
        else:
            service = Service.objects.select_for_update(of=("self",)).get(pk=service.pk)
            optimistic_lock.ensure_unchanged(shown, service_fingerprint(service))
            verb, before = "clinics.change_service", audit.values(service, *SERVICE_FIELDS)
        for name in SERVICE_FIELDS:
            setattr(service, name, fields[name])
        service.save()
        _record_change(
            verb, service, before, audit.values(service, *SERVICE_FIELDS), by=by, now=now
        )
    return service


def service_fingerprint(service: Service) -> str:
    """Of what the form of the service shows."""
    return optimistic_lock.fingerprint(audit.values(service, *SERVICE_FIELDS))


def save_specialty(
    specialty: Specialty | None, *, name: str, by: User, now: dt.datetime
) -> Specialty:
    """Adds a specialty of the chain or renames one; raises Refused when there is one of that name."""
    same = Specialty.objects.filter(name__iexact=name.strip()).exclude(
        pk__in=[specialty.pk] if specialty else []
    )
    with transaction.atomic():
        if same.exists():
            raise Refused("Такая специальность уже есть.", field="name")
        if specialty is None:
            specialty, verb, before = Specialty(), "clinics.create_specialty", dict[str, object]()
        else:
            specialty = Specialty.objects.select_for_update().get(pk=specialty.pk)
            verb, before = "clinics.change_specialty", audit.values(specialty, "name")
        specialty.name = name.strip()
        specialty.save()
        _record_change(verb, specialty, before, audit.values(specialty, "name"), by=by, now=now)
    return specialty


def remove_specialty(specialty: Specialty, *, by: User, now: dt.datetime) -> None:
    """Takes away a specialty that no doctor has; raises Refused otherwise."""
    with transaction.atomic():
        audit.record(
            "clinics.remove_specialty", specialty, by=by, now=now, before={"name": specialty.name}
        )
        try:
            specialty.delete()
        except ProtectedError:
            raise Refused(
                f"«{specialty.name}»: с этой специальностью есть врачи. Сначала смените её у них."
            ) from None


def _own(clinic: Clinic, by: User) -> Clinic:
    fresh = Clinic.objects.select_for_update().get(pk=clinic.pk)
    if not by.clinics.filter(pk=fresh.pk).exists():
        raise NotAllowed("Эта клиника не ваша.")
    return fresh


def _record_change(
    verb: str,
    obj: Model,
    was: dict[str, object],
    now_is: dict[str, object],
    *,
    by: User,
    now: dt.datetime,
    clinic_id: int | None = None,
) -> None:
    before, after = audit.changes(was, now_is)
    if after:
        audit.record(
            verb,
            obj,
            by=by,
            now=now,
            clinic_id=clinic_id,
            before=before if was else None,
            after=after,
        )
