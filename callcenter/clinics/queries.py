"""What the screens and the feature apps ask of the clinics, each with a fixed number of queries."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Coalesce

from callcenter.clinics.models import (
    Appointment,
    Clinic,
    Consent,
    Doctor,
    LegalBasis,
    Patient,
    ScheduleWindow,
    Specialty,
    WaitingListEntry,
)
from callcenter.clinics.schedule import Hours
from callcenter.clinics.search import search_patients
from callcenter.clinics.states import UPCOMING, ConsentChannel, ConsentPurpose, WaitingState
from callcenter.lib.localtime import local_day
from callcenter.lib.query_params import number
from callcenter.staff.models import User

__all__ = [
    "call_block_reason",
    "family_of",
    "free_windows",
    "future_visits",
    "hours_of",
    "may_message_many",
    "message_block_reason",
    "patients_by_number",
    "search_patients",
    "visits_answering",
    "visits_of",
    "window_to_book",
]


def hours_of(clinic: Clinic) -> Hours:
    """The clinic's week, special days and quiet hours as a value for `schedule` (two queries, or
    none if prefetched).
    """
    special = {
        day.on: (day.opens, day.closes) if day.opens and day.closes else None
        for day in clinic.special_days.all()
    }
    return Hours(
        zone=clinic.zone,
        week={row.weekday: (row.opens, row.closes) for row in clinic.opening_hours.all()},
        special=special,
        observes_holidays=clinic.observes_holidays,
        calls=(clinic.calls_from, clinic.calls_to),
        calls_day_off=(clinic.calls_dayoff_from, clinic.calls_dayoff_to),
        messages=(clinic.messages_from, clinic.messages_to),
    )


def patients_by_number(e164: str) -> list[Patient]:
    """Everybody who has this number: a family shares one. By name, at most twenty."""
    return list(Patient.objects.filter(phones__number=e164).distinct().order_by("sort_key")[:20])


def family_of(patient: Patient, *, user: User) -> list[Patient]:
    """Others of the user's clinics who share a number with the patient, with their phones; at most
    twenty.
    """
    numbers = [phone.number for phone in patient.phones.all()]
    if not numbers:
        return []
    others = (
        Patient.objects.visible_to(user)
        .filter(phones__number__in=numbers)
        .exclude(pk=patient.pk)
        .distinct()
    )
    return list(others.prefetch_related("phones").order_by("sort_key")[:20])


def visits_of(patient: Patient) -> QuerySet[Appointment]:
    """All visits, newest first, with what a card shows of them."""
    return (
        Appointment.objects.filter(patient=patient)
        .select_related("clinic", "doctor__specialty", "service", "created_by")
        .order_by("-starts_at")
    )


def future_visits(patient: Patient, now: dt.datetime) -> QuerySet[Appointment]:
    """Visits still to come, the next one first."""
    return (
        Appointment.objects.filter(patient=patient, status__in=UPCOMING, starts_at__gt=now)
        .select_related("clinic", "doctor__specialty", "service")
        .order_by("starts_at")
    )


def visits_answering(
    entries: Sequence[WaitingListEntry], *, user: User, now: dt.datetime
) -> dict[int, Appointment]:
    """For a person to decide: by open entry of the user's clinics, the visit to come that was
    booked or moved since it was opened and may be what the patient waits for (docs/adr/0107). Two
    queries, for the entries of one patient.
    """
    clinics = set(Clinic.objects.visible_to(user).values_list("pk", flat=True))
    asked = [
        entry
        for entry in entries
        if entry.state == WaitingState.OPEN and entry.clinic_id in clinics
    ]
    if not asked:
        return {}
    visits = (
        future_visits(asked[0].patient, now)
        .filter(clinic__in=clinics)
        .annotate(made_at=Coalesce(Max("events__at", filter=Q(events__kind="moved")), "created_at"))
    )
    found: dict[int, Appointment] = {}
    for visit in visits:
        for entry in asked:
            wished = entry.doctor_id in (None, visit.doctor_id) and entry.specialty_id in (
                None,
                visit.doctor.specialty_id,
            )
            if wished and visit.made_at >= entry.opened_at:
                found.setdefault(entry.pk, visit)
    return found


def free_windows(
    *,
    now: dt.datetime,
    clinics: Iterable[Clinic],
    since: dt.datetime,
    until: dt.datetime,
    doctor: Doctor | None = None,
    specialty: Specialty | None = None,
) -> QuerySet[ScheduleWindow]:
    """«Прогнозное расписание»: windows that can be booked in [since, until) of a doctor, or of all
    of a specialty.
    """
    windows = ScheduleWindow.objects.bookable(now).filter(
        clinic__in=list(clinics), starts_at__gte=since, starts_at__lt=until, doctor__is_active=True
    )
    if doctor is not None:
        windows = windows.filter(doctor=doctor)
    if specialty is not None:
        windows = windows.filter(doctor__specialty=specialty)
    result: QuerySet[ScheduleWindow] = windows.select_related(
        "clinic", "doctor__specialty"
    ).order_by("starts_at")
    return result


def window_to_book(text: str | None, *, user: User) -> ScheduleWindow | None:
    """The window whose key a page carries in its address, if the user works for its clinic."""
    if (pk := number(text)) is None:
        return None
    windows = ScheduleWindow.objects.filter(clinic__in=Clinic.objects.filter(staff=user))
    return windows.select_related("clinic", "doctor").filter(pk=pk).first()


def call_block_reason(patient: Patient, *, robot: bool = False) -> str | None:
    """None when the patient may be called, else the reason in words.

    A human call needs only that the patient has not said «не звонить»; an automatic one also no
    refusal of robots.
    """
    if patient.do_not_call:
        since = f" с {patient.do_not_call_since:%d.%m.%Y}" if patient.do_not_call_since else ""
        return f"не звонить{since}"
    if robot:
        refusal = _refusal(patient, ConsentPurpose.SERVICE, ConsentChannel.ROBOT)
        if refusal is not None:
            return f"отказ от автоматических звонков {refusal.at:%d.%m.%Y}"
    return None


def may_robot_call_many(patients: Sequence[Patient]) -> dict[int, str]:
    """`call_block_reason(…, robot=True)` for many in one query: the reason in words of each who may
    not be called.
    """
    newest = (
        Consent.objects.filter(
            patient__in=patients, purpose=ConsentPurpose.SERVICE, channel=ConsentChannel.ROBOT
        )
        .order_by("patient_id", "-at", "-pk")
        .distinct("patient_id")
    )
    refused = {
        row.patient_id: f"отказ от автоматических звонков {row.at:%d.%m.%Y}"
        for row in newest
        if not row.granted
    }
    return refused | {
        one.pk: reason for one in patients if (reason := call_block_reason(one)) is not None
    }


def message_block_reason(
    patient: Patient,
    clinic: Clinic,
    *,
    purpose: ConsentPurpose,
    channel: ConsentChannel,
    now: dt.datetime,
) -> str | None:
    """None when the patient may be written to, else the reason in words.

    Service messages rest on the clinic's recorded ground unless the patient refused; advertising
    needs his own consent for the channel (38-ФЗ, ст. 18: its absence is presumed).
    """
    return may_message_many([(patient.pk, clinic, purpose, channel)], now=now)[0]


def may_message_many(
    wanted: Sequence[tuple[int | None, Clinic | None, str, str]], *, now: dt.datetime
) -> list[str | None]:
    """`message_block_reason` for many (patient id, clinic, purpose, channel) at once, in two
    queries.

    Without a patient (a number that nobody has) only the clinic's ground is asked; without a clinic
    nothing is.
    """
    patients = {patient for patient, *_ in wanted if patient}
    newest: dict[tuple[int, str, str], Consent] = {}
    for consent in Consent.objects.filter(patient__in=patients).order_by("at", "pk"):
        newest[consent.patient_id, consent.purpose, consent.channel] = consent
    grounds = list(
        LegalBasis.objects.filter(clinic__in={clinic.pk for _, clinic, *_ in wanted if clinic})
    )
    return [_obstacle(*one, newest, grounds, now) for one in wanted]


def _obstacle(
    patient: int | None,
    clinic: Clinic | None,
    purpose: str,
    channel: str,
    newest: dict[tuple[int, str, str], Consent],
    grounds: list[LegalBasis],
    now: dt.datetime,
) -> str | None:
    if clinic is None:
        return None
    word = newest.get((patient or 0, purpose, channel))
    if word is not None and not word.granted:
        return f"отказ от сообщений {word.at:%d.%m.%Y}"
    if purpose == ConsentPurpose.ADVERTISING:
        return None if word is not None else "нет согласия на рекламу по этому каналу"
    today = local_day(now, clinic.zone)
    rests = any(
        ground.clinic_id == clinic.pk
        and ground.purpose == purpose
        and ground.since <= today
        and (ground.until is None or ground.until >= today)
        for ground in grounds
    )
    return None if rests or word is not None else "клиника не записала основание для сообщений"


def _refusal(patient: Patient, purpose: ConsentPurpose, channel: ConsentChannel) -> Consent | None:
    newest = (
        Consent.objects.filter(patient=patient, purpose=purpose, channel=channel)
        .order_by("-at", "-pk")
        .first()
    )
    return newest if newest is not None and not newest.granted else None
