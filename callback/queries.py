"""What the robot and the screens ask, each with a fixed number of queries."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, prefetch_related_objects

from callback.due_decision import DueFacts
from callback.models import CallbackAttempt, CallbackRequest, CallbackSettings
from callback.schedule import next_call
from callcenter.clinics.models import Appointment, Clinic, Patient, PatientPhone
from callcenter.clinics.queries import hours_of, may_robot_call_many, patients_by_number
from callcenter.clinics.schedule import Hours
from callcenter.clinics.search_keys import search_key
from callcenter.clinics.states import OCCUPYING
from callcenter.contacts.models import Interaction
from callcenter.contacts.states import InteractionKind, InteractionState
from callcenter.lib.localtime import local, local_day
from callcenter.telephony.models import Leg, PhoneBinding
from callcenter.telephony.queries import free_phones, link
from callcenter.telephony.states import LIVE_LEGS, LegRole

_TALKED = (
    InteractionState.TALKING,
    InteractionState.ANSWERED,
    InteractionState.ACTIVE,
    InteractionState.CLOSED,
    InteractionState.FINISHED,
)
# What a decision and its effects read of a request.
WITH = ("clinic", "patient", "doctor", "service", "source", "window")


def settings_of(clinic: Clinic) -> CallbackSettings:
    """Return the clinic's settings; those of «Обратный звонок» until the senior changes them."""
    return CallbackSettings.objects.filter(clinic=clinic).first() or CallbackSettings(clinic=clinic)


def matched_patient(number: str, name: str) -> Patient | None:
    """The one patient of this number, or the one of a family whose first and last name stand in the
    request.
    """
    family = patients_by_number(number)
    if len(family) == 1:
        return family[0]
    words = set(search_key(name))
    exact = [
        one for one in family if {*search_key(one.last_name), *search_key(one.first_name)} <= words
    ]
    return exact[0] if len(exact) == 1 else None


def is_family_number(number: str) -> bool:
    """Whether several patients have it, so that the robot must say whom it is about."""
    return PatientPhone.objects.filter(number=number)[:2].count() > 1


def phones_to_ring(
    clinic: Clinic,
    *,
    now: dt.datetime,
    rung: set[int] | frozenset[int] = frozenset(),
    limit: int | None = 3,
) -> list[PhoneBinding]:
    """Administrators at a telephone and not in a call, without those this attempt has rung."""
    return free_phones(clinic, on=local_day(now, clinic.zone), besides=rung, limit=limit)


@dataclass(frozen=True)
class ClinicPolicy:
    """How a clinic works with requests, and when."""

    settings: CallbackSettings
    hours: Hours

    @property
    def from_nine(self) -> bool:
        return self.settings.night_start == CallbackSettings.NightStart.NINE


def policy_of(clinic: Clinic) -> ClinicPolicy:
    return ClinicPolicy(settings_of(clinic), hours_of(clinic))


class PatientFacts:
    """What is known at an instant of the people behind some requests, in a fixed number of
    queries.
    """

    def __init__(self, requests: Sequence[CallbackRequest]) -> None:
        """`requests` come with `WITH` selected."""
        self._people = _people_behind(requests)
        everybody = {person.pk: person for people in self._people.values() for person in people}
        self._refusals = may_robot_call_many(list(everybody.values())) if everybody else {}
        self._visits = _visits_since(requests, list(everybody)) if everybody else []
        self._talks = _talks_since(requests, list(everybody))

    def stop_facts(self, request: CallbackRequest) -> DueFacts:
        """Only what could stop the robot."""
        people = self._people[request.pk]
        return DueFacts(
            state=request.state,
            booked=self._booking(request, people),
            forbidden=next(
                (self._refusals[one.pk] for one in people if one.pk in self._refusals), ""
            ),
            talked=self._talk(request, people),
        )

    def _booking(self, request: CallbackRequest, people: list[Patient]) -> str:
        """The visit he has got since, for this doctor, specialty or service, if the request did not
        make it.
        """
        ids = {person.pk for person in people}
        for visit in self._visits:
            if (
                visit.patient_id in ids
                and visit.created_at > request.asked_at
                and visit.source != own_booking(request)
                and _is_wanted(visit, request)
            ):
                at = local(visit.starts_at, visit.clinic.zone)
                return f"уже записан: {visit.doctor.short_name}, {at:%d.%m.%Y %H:%M}"
        return ""

    def _talk(self, request: CallbackRequest, people: list[Patient]) -> str:
        """The newest conversation with him since the request (or since a person said to go on), the
        robot's own aside.
        """
        since = max(filter(None, (request.asked_at, request.ignore_talks_before)))
        ids = {person.pk for person in people}
        for talk in self._talks:
            his = talk["number"] == request.number or talk["patient_id"] in ids
            if his and talk["at"] > since and talk["request"] != request.pk:
                called = talk["direction"] == "in" and talk["kind"] == InteractionKind.CALL
                verb = "звонил сам" if called else "с ним говорили"
                return f"{verb} в {local(talk['at'], request.clinic.zone):%H:%M}"
        return ""


class DueBatch(PatientFacts):
    """The patients' facts of many due requests, with what else their decisions rest on."""

    def __init__(self, requests: Sequence[CallbackRequest], *, now: dt.datetime) -> None:
        super().__init__(requests)
        self.now = now
        clinics = {request.clinic_id: request.clinic for request in requests}
        prefetch_related_objects(list(clinics.values()), "opening_hours", "special_days")
        settings = {
            row.clinic_id: row for row in CallbackSettings.objects.filter(clinic__in=clinics)
        }
        self.policies = {
            pk: ClinicPolicy(settings.get(pk) or CallbackSettings(clinic=clinic), hours_of(clinic))
            for pk, clinic in clinics.items()
        }
        connected, self._trouble = link(now=now)
        self._trouble = "" if connected else self._trouble
        self._in_call = set(
            Leg.objects.filter(
                role=LegRole.PATIENT,
                number__in={request.number for request in requests},
                state__in=LIVE_LEGS,
            ).values_list("number", flat=True)
        )
        self.phones = {
            pk: phones_to_ring(clinic, now=now, limit=None) for pk, clinic in clinics.items()
        }
        self._somebody = {
            pk: bool(clinic.phone) or bool(self.phones[pk]) for pk, clinic in clinics.items()
        }
        tried = CallbackAttempt.objects.filter(request__in=requests).values_list(
            "request_id", flat=True
        )
        self.tried = Counter(tried)

    def take_phones(self, clinic_id: int) -> Iterator[PhoneBinding]:
        """The clinic's free telephones, each given out once."""
        while self.phones[clinic_id]:
            yield self.phones[clinic_id].pop(0)

    def facts(self, request: CallbackRequest) -> DueFacts:
        """Everything a decision rests on."""
        stop, policy = self.stop_facts(request), self.policies[request.clinic_id]
        zone = request.patient.zone if request.patient is not None else ""
        return DueFacts(
            state=request.state,
            until=request.until,
            booked=stop.booked,
            forbidden=stop.forbidden,
            talked=stop.talked,
            is_on=policy.settings.is_on,
            may_call_at=next_call(policy.hours, self.now, from_nine=policy.from_nine, zone=zone),
            exhausted=request.dials >= policy.settings.patient_tries
            and not policy.settings.is_dialling_after_sms,
            pbx_trouble=self._trouble,
            patient_in_call=request.number in self._in_call,
            somebody=self._somebody[request.clinic_id],
        )


def _people_behind(requests: Sequence[CallbackRequest]) -> dict[int, list[Patient]]:
    """Whom each request may be about: the chosen patient, else those with its number and a name
    that fits.
    """
    unknown = {request.number for request in requests if request.patient is None}
    families: dict[str, dict[int, Patient]] = defaultdict(dict)
    if unknown:
        for phone in PatientPhone.objects.filter(number__in=unknown).select_related("patient"):
            families[phone.number][phone.patient_id] = phone.patient
    return {
        request.pk: [request.patient]
        if request.patient is not None
        else [one for one in families[request.number].values() if _fits(request.name, one)]
        for request in requests
    }


def _fits(name: str, person: Patient) -> bool:
    """Whether the name in a request may be this person's."""
    words, first = set(search_key(name)), set(search_key(person.first_name))
    if not words & set(search_key(person.full_name)):
        return False
    return not first or bool(first & words) or len(words) == 1


def _visits_since(requests: Sequence[CallbackRequest], people: list[int]) -> list[Appointment]:
    oldest = min(request.asked_at for request in requests)
    visits = Appointment.objects.filter(
        patient__in=people, created_at__gt=oldest, status__in=OCCUPYING
    )
    return list(visits.select_related("doctor", "clinic").order_by("created_at"))


def _is_wanted(visit: Appointment, request: CallbackRequest) -> bool:
    """A request that names neither doctor nor service is answered by any visit; words that we do
    not know, by none.
    """
    doctor, service = request.doctor, request.service
    specialties = {
        one.specialty_id
        for one in (doctor, service)
        if one is not None and one.specialty_id is not None
    }
    return (
        not (request.doctor_name or request.service_name)
        or (doctor is not None and visit.doctor_id == doctor.pk)
        or (service is not None and visit.service_id == service.pk)
        or visit.doctor.specialty_id in specialties
    )


def _talks_since(requests: Sequence[CallbackRequest], people: list[int]) -> list[dict[str, Any]]:
    """Conversations, the newest first; `request` is the one whose robot held it."""
    oldest = min(request.asked_at for request in requests)
    his = Q(number__in={request.number for request in requests})
    if people:
        his |= Q(patient__in=people)
    talks = Interaction.objects.filter(
        his,
        kind__in=(InteractionKind.CALL, InteractionKind.CHAT, InteractionKind.DIALOG),
        state__in=_TALKED,
        at__gt=oldest,
    )
    held = talks.annotate(request=F("call__callback_attempt__request")).order_by("-at")
    return [
        dict(row)
        for row in held.values("number", "patient_id", "at", "kind", "direction", "request")
    ]


def own_booking(request: CallbackRequest) -> str:
    """The `source` of the bookings that a request itself has made."""
    return f"callback-{request.pk}"
