"""What people do with telephones: bind one, call a patient, answer and press keys in the
browser.
"""

import datetime as dt

from django.db import transaction

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic, Patient
from callcenter.clinics.queries import call_block_reason
from callcenter.contacts.states import Direction
from callcenter.lib import live_updates, phones
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.localtime import local_day
from callcenter.staff.models import User
from callcenter.telephony.actions import call_control
from callcenter.telephony.models import (
    BrowserPhone,
    BrowserPhoneAction,
    Call,
    Leg,
    PhoneBinding,
    PhoneLine,
)
from callcenter.telephony.queries import binding_of, link, talk_of
from callcenter.telephony.states import LIVE_LEGS, LegRole, LegState, PhoneKind, Scenario


def bind_phone(
    *, user: User, kind: PhoneKind, endpoint: str = "", now: dt.datetime
) -> PhoneBinding:
    """Says at which telephone the user sits today, or that he is not on the telephone. The day is
    his clinic's.

    Raises Refused without an address for a telephone of the exchange. Instruction «Обратный
    звонок»: the robot rings who is at a telephone.
    """
    if kind == PhoneKind.PBX and not endpoint.strip():
        raise Refused("Укажите внутренний номер, например 101.", field="endpoint")
    address = {PhoneKind.BROWSER: f"browser/{user.pk}", PhoneKind.OFF: ""}.get(
        kind, _endpoint(endpoint.strip())
    )
    zone = user.clinics.values_list("zone", flat=True).first() or "Europe/Moscow"
    with transaction.atomic():
        binding, _ = PhoneBinding.objects.update_or_create(
            user=user,
            on=local_day(now, zone),
            defaults={"kind": kind, "endpoint": address, "bound_at": now},
        )
        audit.record(
            "telephony.bind_phone",
            binding,
            by=user,
            now=now,
            after={"kind": kind, "endpoint": address},
        )
        live_updates.bump(f"phone:user:{user.pk}")
    return binding


def _endpoint(text: str) -> str:
    """'101' → 'PJSIP/101'; an address with its technology stays as it is."""
    return text if "/" in text else f"PJSIP/{text}"


def call_patient(
    *, user: User, number: str, clinic: Clinic, now: dt.datetime, patient: Patient | None = None
) -> Call:
    """Rings the user's own telephone, then the patient's `number` (E.164).

    Raises Refused when the user sits at no telephone or the patient asked not to be called,
    Conflict when he or the patient is in a call, or the exchange cannot be reached.
    """
    if patient is not None and (reason := call_block_reason(patient)) is not None:
        raise Refused(f"Пациенту звонить нельзя: {reason}.")
    binding = binding_of(user, now=now)
    if binding is None or binding.kind == PhoneKind.OFF:
        raise Refused("Сначала выберите телефон: кнопка с трубкой вверху страницы.")
    connected, why = link(now=now)
    if not connected:
        raise Conflict(f"Позвонить сейчас нельзя. {why} Наберите номер с телефона вручную.")
    if Leg.objects.filter(role=LegRole.PATIENT, number=number, state__in=LIVE_LEGS).exists():
        raise Conflict("С этим номером уже говорят. Подождите, пока разговор закончится.")
    with transaction.atomic():
        call = call_control.place_call(
            scenario=Scenario.CLICK,
            clinic=clinic,
            direction=Direction.OUT,
            now=now,
            patient=patient,
            employee=user,
            number=number,
        )
        call_control.ring(
            call,
            role=LegRole.EMPLOYEE,
            endpoint=binding.endpoint,
            user=user,
            caller=number,
            timeout=25,
            now=now,
        )
        audit.record("telephony.call_patient", call, by=user, now=now)
    return call


def transfer_call(*, by: User, to: User, now: dt.datetime) -> Leg:
    """Rings `to` at his own telephone; when he answers he talks with the client, and `by` is let
    go.

    Until then `by` and the client go on talking; a colleague who does not answer changes nothing.
    `by` may hang up while it rings. Raises Conflict when `by` is in no conversation, `to` is on the
    line or the exchange is away, Refused when `to` sits at no telephone.
    """
    if by.pk == to.pk:
        raise Refused("Выберите коллегу: себе звонок не переводят.", field="to")
    binding = binding_of(to, now=now)
    if binding is None or binding.kind == PhoneKind.OFF:
        raise Refused(
            f"{to.short_name} сейчас не на телефоне. Выберите другого коллегу.", field="to"
        )
    connected, why = link(now=now)
    if not connected:
        raise Conflict(f"Перевести сейчас нельзя. {why}")
    with transaction.atomic():
        call = talk_of(by)
        if call is None:
            raise Conflict("Вы сейчас ни с кем не говорите: переводить нечего.")
        call = Call.objects.select_for_update(no_key=True).get(pk=call.pk)
        if not call_control.is_continuing(call):
            raise Conflict("Разговор только что закончился.")
        leg = call_control.ring(
            call,
            role=LegRole.EMPLOYEE,
            endpoint=binding.endpoint,
            user=to,
            caller=call.number,
            timeout=25,
            now=now,
        )
        leg.note = f"перевод от {by.short_name}"
        leg.save(update_fields=["note"])
        audit.record("telephony.transfer_call", call, by=by, now=now, after={"to": to.pk})
    return leg


def press(*, user: User, channel: str, action: str, value: str = "", now: dt.datetime) -> None:
    """A button of the telephone in the browser: answer, digit, hang_up. Raises Conflict when it
    rings no more.
    """
    browser_phone = (
        BrowserPhone.objects.filter(channel=channel, user=user)
        .exclude(state=LegState.ENDED)
        .first()
    )
    if browser_phone is None:
        raise Conflict("Этот звонок уже закончился.")
    BrowserPhoneAction.objects.create(channel=channel, kind=action, value=value, at=now)


def hang_up_own(*, user: User, call: Call, now: dt.datetime) -> None:
    """Ends the user's own leg of a call; the rest follows by itself."""
    with transaction.atomic():
        leg = call.legs.filter(user=user, state__in=LIVE_LEGS).first()
        if leg is None:
            raise Conflict("Вы уже не в этом разговоре.")
        call_control.hang_up(leg, now=now)


def add_line(*, number: str, label: str, clinic: Clinic, by: User, now: dt.datetime) -> PhoneLine:
    """Says that calls to `number` belong to the clinic. Raises Refused for a bad number and for one
    that is taken.
    """
    try:
        known = phones.parse(number)
    except phones.BadPhone as error:
        raise Refused(str(error), field="number") from None
    with transaction.atomic():
        line, made = PhoneLine.objects.get_or_create(
            number=known, defaults={"label": label.strip(), "clinic": clinic}
        )
        if not made:
            raise Refused(f"Этот номер уже записан: {line.clinic.name}.", field="number")
        audit.record(
            "telephony.add_line", line, by=by, now=now, after={"number": known, "clinic": clinic.pk}
        )
    return line


def remove_line(line: PhoneLine, *, by: User, now: dt.datetime) -> None:
    """Calls to the number belong to no clinic from now on, unless it is a clinic's own
    telephone.
    """
    with transaction.atomic():
        audit.record("telephony.remove_line", line, by=by, now=now, before={"number": line.number})
        line.delete()
