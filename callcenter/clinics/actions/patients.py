"""Patients: their card, phones, consents and refusals."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic, Consent, Patient, PatientPhone
from callcenter.clinics.states import ConsentChannel, ConsentPurpose
from callcenter.lib import optimistic_lock, phones
from callcenter.lib.errors import Refused
from callcenter.staff.models import User

CARD_FIELDS = ("last_name", "first_name", "middle_name", "birth_date", "email", "zone", "note")


def save_patient(
    patient: Patient | None,
    *,
    fields: dict[str, object],
    numbers: Sequence[str],
    clinic: Clinic,
    by: User | None,
    now: dt.datetime,
    adds_numbers: bool = False,
    shown: str | None = None,
) -> Patient:
    """Creates a card, or changes the named CARD_FIELDS and the phones of one; numbers in any usual
    shape, main first. With `adds_numbers` they come after those of the card, else in their stead.

    Raises Refused with the field and what is wrong in words, Conflict when the card is not what a
    page `shown` it as (`card_fingerprint`). The patient becomes one of `clinic`, and stays one of those
    he was of.
    """
    if not str(fields.get("last_name", patient.last_name if patient else "")).strip():
        raise Refused("Укажите фамилию.", field="last_name")
    try:
        clean = list(dict.fromkeys(phones.parse(number) for number in numbers if number.strip()))
    except phones.BadPhone as error:
        raise Refused(str(error), field="phones") from error
    with transaction.atomic():
        before: dict[str, object] = {}
        if patient is None:
            patient, verb = Patient(), "clinics.create_patient"
        else:
            patient, verb = (
                Patient.objects.select_for_update(no_key=True).get(pk=patient.pk),
                "clinics.change_patient",
            )
            optimistic_lock.ensure_unchanged(shown, card_fingerprint(patient))
            before = _card(patient) | {"clinics": _clinics(patient)}
        known = [phone.number for phone in patient.phones.all()] if patient.pk else []
        for name, value in fields.items():
            if name not in CARD_FIELDS:
                raise ValueError(f"not a field of the card: {name}")
            setattr(patient, name, value)
        patient.save()
        _set_phones(
            patient,
            [*known, *(number for number in clean if number not in known)]
            if adds_numbers
            else clean,
        )
        patient.clinics.add(clinic)
        after = _card(patient) | {"clinics": _clinics(patient)}
        if before != after:
            changed = [name for name in after if before.get(name) != after[name]]
            audit.record(
                verb,
                patient,
                by=by,
                now=now,
                clinic_id=clinic.pk,
                patient_id=patient.pk,
                before={name: before[name] for name in changed if name in before} or None,
                after={name: after[name] for name in changed},
            )
    return patient


def card_fingerprint(patient: Patient) -> str:
    """Of what the form of the card shows."""
    return optimistic_lock.fingerprint(_card(patient))


def _card(patient: Patient) -> dict[str, object]:
    card: dict[str, object] = {name: str(getattr(patient, name) or "") for name in CARD_FIELDS}
    card["phones"] = [phone.number for phone in patient.phones.all()]
    return card


def _clinics(patient: Patient) -> list[str]:
    return list(patient.clinics.order_by("name").values_list("name", flat=True))


def _set_phones(patient: Patient, numbers: list[str]) -> None:
    patient.phones.exclude(number__in=numbers).delete()
    known = {phone.number: phone for phone in patient.phones.all()}
    for index, number in enumerate(numbers):
        phone = known.get(number) or PatientPhone(patient=patient, number=number)
        phone.is_main = index == 0
        phone.save()


def record_consent(
    patient: Patient,
    *,
    purpose: ConsentPurpose,
    channel: ConsentChannel,
    granted: bool,
    source: str,
    by: User | None,
    now: dt.datetime,
) -> Consent:
    """Adds a consent or a refusal; the newest counts, at once and everywhere. Raises Refused
    without a source.
    """
    if not source.strip():
        raise Refused(
            "Укажите источник: документ, звонок, сообщение — чем подтверждается.", field="source"
        )
    with transaction.atomic():
        consent = Consent.objects.create(
            patient=patient,
            purpose=purpose,
            channel=channel,
            granted=granted,
            at=now,
            source=source.strip(),
            by=by,
        )
        audit.record(
            "clinics.record_consent",
            patient,
            by=by,
            now=now,
            patient_id=patient.pk,
            after={"purpose": purpose, "channel": channel, "granted": granted},
            note=source,
        )
    return consent


def set_do_not_call(
    patient: Patient, *, value: bool, reason: str, by: User | None, now: dt.datetime
) -> Patient:
    """«Не звонить» on or off; works at once for every list and for the robot. Raises Refused
    without a reason.
    """
    if not reason.strip():
        raise Refused("Напишите, почему: это прочтёт следующий, кто откроет карту.", field="reason")
    with transaction.atomic():
        patient = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
        before = patient.do_not_call
        patient.do_not_call, patient.do_not_call_reason = value, reason.strip()[:250]
        patient.do_not_call_since = now if value else None
        patient.save(update_fields=["do_not_call", "do_not_call_reason", "do_not_call_since"])
        audit.record(
            "clinics.set_do_not_call",
            patient,
            by=by,
            now=now,
            patient_id=patient.pk,
            before={"do_not_call": before},
            after={"do_not_call": value},
            note=reason,
        )
    return patient
