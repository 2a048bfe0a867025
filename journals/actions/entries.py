"""Entries of the journal: opened and edited by hand or by import, given one more call, looked at by the senior."""

import datetime as dt

from django.db import IntegrityError, transaction

from callcenter.clinics.models import Clinic, Doctor, Patient
from callcenter.lib import live
from callcenter.lib.errors import Conflict, Refused
from callcenter.staff import audit
from callcenter.staff.models import User
from journals.models import RecallEntry


def topic(clinic_id: int) -> str:
    """The live topic of a clinic's journal and plans."""
    return f"journals:clinic:{clinic_id}"


def open_entry(
    *,
    clinic: Clinic,
    patient: Patient,
    doctor: Doctor,
    doctor_comment: str,
    call_on: dt.date,
    by: User | None,
    now: dt.datetime,
    source: str = "hand",
    source_id: str = "",
) -> RecallEntry:
    """Puts a patient into «3. Звать». `call_on` is a local day of the clinic; `source_id` makes an import idempotent.

    Raises Refused without the doctor's comment (instruction «Журнал КОС»: «с прописанным комментарием, содержащим
    предложение от доктора»), and Conflict when this doctor's entry for the patient is open already.
    """
    comment = doctor_comment.strip()
    if not comment:
        raise Refused(
            "Напишите комментарий врача: предложение продолжить лечение или проверить сделанную работу.",
            field="doctor_comment",
        )
    try:
        with transaction.atomic():
            entry = RecallEntry.objects.create(
                clinic=clinic,
                patient=patient,
                doctor=doctor,
                doctor_comment=comment,
                call_on=call_on,
                touched_at=now,
                created_at=now,
                created_by=by,
                source=source,
                source_id=source_id,
            )
            audit.record("journals.open_entry", entry, by=by, now=now, after={"call_on": call_on.isoformat()})
            live.bump(topic(clinic.pk))
    except IntegrityError as error:
        if "recall_one_open" not in str(error):
            raise
        raise Conflict(
            f"{patient} уже в «Звать» у врача {doctor.short_name}. Дополните комментарий в той записи."
        ) from error
    return entry


def edit_entry(
    entry: RecallEntry, *, doctor_comment: str, call_on: dt.date, by: User | None, now: dt.datetime
) -> RecallEntry:
    """Changes the doctor's comment and the call date of an entry in «3. Звать»; the same values change nothing.

    Raises Refused without the comment or when the date stands in the waiting list («напомнить позже» has one clock),
    Conflict when the entry is no longer to be called.
    """
    comment = doctor_comment.strip()
    if not comment:
        raise Refused("Комментарий врача обязателен.", field="doctor_comment")
    with transaction.atomic():
        entry = RecallEntry.objects.select_for_update(of=("self",)).select_related("patient", "doctor").get(pk=entry.pk)
        before: dict[str, object] = {"doctor_comment": entry.doctor_comment, "call_on": entry.call_on.isoformat()}
        after: dict[str, object] = {"doctor_comment": comment, "call_on": call_on.isoformat()}
        if before == after:
            return entry
        if entry.stage != "call":
            raise Conflict(f"Запись уже закрыта: {entry.get_stage_display()}.")
        if entry.waiting_id is not None and call_on != entry.call_on:
            raise Refused("Дата стоит в листе ожидания: измените её в «Активных задачах».", field="call_on")
        entry.doctor_comment, entry.call_on, entry.touched_at = comment, call_on, now
        entry.version += 1
        entry.save(update_fields=["doctor_comment", "call_on", "touched_at", "version"])
        audit.record("journals.edit_entry", entry, by=by, now=now, before=before, after=after)
        live.bump(topic(entry.clinic_id))
    return entry
