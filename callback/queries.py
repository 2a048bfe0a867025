"""What the robot and the screens ask, each with a fixed number of queries."""

import datetime as dt

from django.db.models import Q

from callback.decision import Facts
from callback.models import CallbackRequest, CallbackSettings
from callback.schedule import next_call
from callcenter.clinics.models import Appointment, Clinic, Patient
from callcenter.clinics.names import search_key
from callcenter.clinics.queries import may_call, patients_by_number
from callcenter.clinics.schedule import Hours
from callcenter.clinics.states import OCCUPYING
from callcenter.contacts.models import Interaction
from callcenter.contacts.states import Kind, State
from callcenter.lib.localtime import local, local_day
from callcenter.telephony.models import Leg, PhoneBinding
from callcenter.telephony.queries import free_phones, link
from callcenter.telephony.states import LIVE_LEGS, Role

_TALKED = (State.TALKING, State.ANSWERED, State.ACTIVE, State.CLOSED, State.FINISHED)


def settings_of(clinic: Clinic) -> CallbackSettings:
    """The clinic's ways; the instruction's own while the senior has not changed them."""
    return CallbackSettings.objects.filter(clinic=clinic).first() or CallbackSettings(clinic=clinic)


def people_behind(request: CallbackRequest) -> list[Patient]:
    """Whom the request may be about: the chosen patient, else those with its number and a name that fits."""
    if request.patient is not None:
        return [request.patient]
    words = set(search_key(request.name))
    return [
        person
        for person in patients_by_number(request.number)
        if words and words & set(search_key(person.full_name)) and _same_first_name(words, person)
    ]


def matched_patient(number: str, name: str) -> Patient | None:
    """The one patient of this number, or the one of a family whose first and last name stand in the request."""
    family = patients_by_number(number)
    if len(family) == 1:
        return family[0]
    words = set(search_key(name))
    exact = [one for one in family if {*search_key(one.last_name), *search_key(one.first_name)} <= words]
    return exact[0] if len(exact) == 1 else None


def _same_first_name(words: set[str], person: Patient) -> bool:
    first = set(search_key(person.first_name))
    return not first or bool(first & words) or len(words) == 1


def phones_to_ring(request: CallbackRequest, *, now: dt.datetime, rung: set[int]) -> list[PhoneBinding]:
    """Administrators at a telephone and not in a call, without those this attempt has rung already."""
    on = local_day(now, request.clinic.zone)
    return [phone for phone in free_phones(request.clinic, on=on) if phone.user_id not in rung]


def facts_of(request: CallbackRequest, *, ways: CallbackSettings, hours: Hours, now: dt.datetime) -> Facts:
    """Everything a decision rests on."""
    people = people_behind(request)
    connected, trouble = link(now=now)
    zone = request.patient.zone if request.patient is not None else ""
    in_call = Leg.objects.filter(role=Role.PATIENT, number=request.number, state__in=LIVE_LEGS).exists()
    return Facts(
        state=request.state,
        until=request.until,
        booked=_booking(request, people),
        forbidden=_refusal(people),
        talked=_talk(request, people),
        is_on=ways.is_on,
        may_call_at=next_call(hours, now, from_nine=ways.start == CallbackSettings.Start.NINE, zone=zone),
        exhausted=request.dials >= ways.patient_tries and not ways.goes_on_after_sms,
        pbx_trouble="" if connected else trouble,
        patient_in_call=in_call,
        somebody=bool(request.clinic.phone) or bool(phones_to_ring(request, now=now, rung=set())),
    )


def stop_facts(request: CallbackRequest) -> Facts:
    """Only what could stop the robot, read again at the last moment."""
    people = people_behind(request)
    return Facts(
        state=request.state,
        booked=_booking(request, people),
        forbidden=_refusal(people),
        talked=_talk(request, people),
    )


def own_booking(request: CallbackRequest) -> str:
    """The `source` of the bookings that a request itself has made."""
    return f"callback-{request.pk}"


def _booking(request: CallbackRequest, people: list[Patient]) -> str:
    """The visit he has got since, for this doctor, specialty or service, if the request did not make it."""
    if not people:
        return ""
    visits = Appointment.objects.filter(
        patient__in=people, created_at__gt=request.asked_at, status__in=OCCUPYING
    ).exclude(source=own_booking(request))
    wanted = Q()
    if request.doctor is not None:
        wanted |= Q(doctor=request.doctor) | Q(doctor__specialty=request.doctor.specialty_id)
    if request.service is not None:
        wanted |= Q(service=request.service)
        if request.service.specialty_id is not None:
            wanted |= Q(doctor__specialty=request.service.specialty_id)
    visit = visits.filter(wanted).select_related("doctor", "clinic").order_by("created_at").first()
    if visit is None:
        return ""
    at = local(visit.starts_at, visit.clinic.zone)
    return f"уже записан: {visit.doctor.short_name}, {at:%d.%m.%Y %H:%M}"


def _refusal(people: list[Patient]) -> str:
    for person in people:
        reason = may_call(person, robot=True)
        if reason is not None:
            return reason
    return ""


def _talk(request: CallbackRequest, people: list[Patient]) -> str:
    """The newest conversation with him since the request (or since a person said to go on), the robot's own aside."""
    since = max(filter(None, (request.asked_at, request.looked_away_since)))
    talk = (
        Interaction.objects.filter(
            Q(number=request.number) | Q(patient__in=people),
            kind__in=(Kind.CALL, Kind.CHAT, Kind.DIALOG),
            state__in=_TALKED,
            at__gt=since,
        )
        .exclude(call__callback_attempt__request=request)
        .order_by("-at")
        .first()
    )
    if talk is None:
        return ""
    verb = "звонил сам" if talk.direction == "in" and talk.kind == Kind.CALL else "с ним говорили"
    return f"{verb} в {local(talk.at, request.clinic.zone):%H:%M}"
