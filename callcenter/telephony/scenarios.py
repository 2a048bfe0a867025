"""The calls that telephony decides itself: from the program («позвонить» beside a number)
and from outside.
"""

import datetime as dt
from typing import Final

from django.db import transaction

from callcenter.clinics.models import Clinic
from callcenter.clinics.queries import patients_by_number
from callcenter.contacts.states import Direction
from callcenter.lib import phones
from callcenter.lib.errors import Conflict
from callcenter.lib.localtime import local_day
from callcenter.telephony.actions import call_control, call_logging
from callcenter.telephony.actions.call_control import StepDue
from callcenter.telephony.models import Call, Leg, PhoneLine
from callcenter.telephony.pbx import endpoint_of_number
from callcenter.telephony.pbx.base import Answered, Ended, Incoming, PbxEvent
from callcenter.telephony.queries import free_phones
from callcenter.telephony.states import LegRole, LegState, Scenario

PATIENT_SECONDS: Final = 45  # how long a patient is rung from the program
GROUP_SECONDS: Final = (
    40  # how long an incoming call rings here before it goes the exchange's own way
)
LOOK_SECONDS: Final = 3  # who has become free meanwhile is rung too


def click(call: Call, leg: Leg | None, event: PbxEvent) -> None:
    """The administrator's own telephone first, then the patient's."""
    if leg is None:
        return
    if isinstance(event, Answered) and leg.role == LegRole.EMPLOYEE:
        try:
            call_control.ring(
                call,
                role=LegRole.PATIENT,
                endpoint=endpoint_of_number(call.number),
                number=call.number,
                caller=call.clinic.phone,
                timeout=PATIENT_SECONDS,
                now=event.at,
            )
        except Conflict as busy:
            call.note = str(busy)
            call.save(update_fields=["note"])
            call_control.play(leg, "С этим номером уже говорят.", now=event.at, then_hang_up=True)
    elif isinstance(event, Answered) and leg.role == LegRole.PATIENT:
        employee = call_control.live_leg(call, LegRole.EMPLOYEE)
        if employee is None:
            call_control.hang_up(leg, now=event.at)
        else:
            call_control.connect(call, [employee, leg], now=event.at)
    elif isinstance(event, Ended):
        call_control.hang_up_all(call, now=event.at, besides=leg)


def incoming(call: Call, leg: Leg | None, event: PbxEvent) -> None:
    """All free telephones of the clinic ring; who is first talks, the others fall silent.

    Whoever becomes free meanwhile is rung too. When nobody has taken it, the caller goes the
    exchange's own way (a reception, a queue, a recorded word), which the dialplan knows.
    """
    caller = call_control.live_leg(call, LegRole.PATIENT)
    if isinstance(event, StepDue):
        if call.answered_at is None and caller is not None:
            _ring_on(call, caller, event.at)
    elif leg is None:
        return
    elif isinstance(event, Answered) and leg.role == LegRole.EMPLOYEE:
        if caller is None or call.answered_at is not None:
            call_control.hang_up(leg, now=event.at)
            return
        call.employee = leg.user
        call.save(update_fields=["employee"])
        call_control.set_step_timeout(call, None, now=event.at)
        call_control.answer(caller, now=event.at)
        call_control.connect(call, [leg, caller], now=event.at)
        for other in call.legs.exclude(pk__in=[leg.pk, caller.pk]):
            call_control.hang_up(other, now=event.at)
    elif isinstance(event, Ended) and leg.role == LegRole.PATIENT:
        call_control.hang_up_all(call, now=event.at)


def open_incoming(event: Incoming) -> Call | None:
    """A call from outside becomes rows and rings the clinic's free telephones; heard of twice it
    stays one call.

    None when the line belongs to no clinic: the dialplan's own way goes on.
    """
    clinic = _clinic_of(event.line)
    if clinic is None or Leg.objects.filter(channel=event.channel).exists():
        return None
    number = _number(event.number)
    known = patients_by_number(number) if number else []
    with transaction.atomic():
        call = call_control.place_call(
            scenario=Scenario.INCOMING,
            clinic=clinic,
            direction=Direction.IN,
            now=event.at,
            patient=known[0] if len(known) == 1 else None,
            number=number,
            line=event.line,
        )
        Leg.objects.create(
            call=call,
            channel=event.channel,
            role=LegRole.PATIENT,
            endpoint=event.channel,
            # two calls of one number at once: the second leg goes without it, since a number has
            # one live leg
            number=""
            if Leg.objects.filter(role=LegRole.PATIENT, number=number)
            .exclude(state="ended")
            .exists()
            else number,
            state=LegState.UP,
            created_at=event.at,
            ringing_at=event.at,
            answered_at=event.at,
        )
        call_logging.open_call(call, now=event.at)
        _ring_group(call, event.at)
        call_control.set_step_timeout(call, LOOK_SECONDS, now=event.at)
    return call


def _ring_on(call: Call, caller: Leg, now: dt.datetime) -> None:
    """Looks again who is free, or lets the exchange go on with the caller when he has waited long
    enough.
    """
    if (now - call.started_at).total_seconds() < GROUP_SECONDS:
        _ring_group(call, now)
        call_control.set_step_timeout(call, LOOK_SECONDS, now=now)
        return
    for leg in call.legs.exclude(pk=caller.pk):
        call_control.hang_up(leg, now=now)
    call_control.return_to_dialplan(caller, now=now)


def _ring_group(call: Call, now: dt.datetime) -> None:
    """Rings every free telephone of the clinic that this call has not rung yet."""
    rung = set(call.legs.values_list("user_id", flat=True))
    left = GROUP_SECONDS - int((now - call.started_at).total_seconds())
    for phone in free_phones(call.clinic, on=local_day(now, call.clinic.zone)):
        if phone.user_id in rung:
            continue
        try:
            call_control.ring(
                call,
                role=LegRole.EMPLOYEE,
                endpoint=phone.endpoint,
                user=phone.user,
                caller=call.number or "скрытый номер",
                timeout=left,
                now=now,
            )
        except Conflict:
            continue  # a robot's call was quicker


def _clinic_of(line: str) -> Clinic | None:
    number = _number(line)
    known = (
        PhoneLine.objects.filter(number=number).select_related("clinic").first() if number else None
    )
    if known is not None:
        return known.clinic
    by_phone = Clinic.objects.filter(phone=number).first() if number else None
    if by_phone is not None:
        return by_phone
    only = list(Clinic.objects.all()[:2])
    return only[0] if len(only) == 1 else None


def _number(text: str) -> str:
    """E.164, or '' for a hidden number and whatever else the network writes there."""
    try:
        return phones.parse(text)
    except phones.BadPhone:
        return ""
