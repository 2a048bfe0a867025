"""Entries of the journal: opened and edited by hand or by import, given one more call, looked at by
the senior.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from callcenter.audit import actions as audit
from callcenter.audit.actions import LogRow
from callcenter.clinics.models import Clinic, Doctor, Patient
from callcenter.clinics.queries import hours_of
from callcenter.clinics.schedule import refuse_too_far
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.lib.localtime import local_day
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from journals import outcome_rules
from journals.models import RecallEntry, RecallPolicy
from journals.outcome_rules import Stage
from journals.schedule import next_call_on


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
    """Puts a patient into «3. Звать». `call_on` is a local day of the clinic; an entry of the same
    `source_id` is returned as it is.

    Raises Refused without the doctor's comment (instruction «Журнал КОС»: «с прописанным
    комментарием, содержащим предложение от доктора») or for a day more than two years ahead, and
    Conflict when this doctor's entry for the patient is open already.
    """
    known = (
        RecallEntry.objects.filter(source=source, source_id=source_id).first()
        if source_id
        else None
    )
    if known is not None:
        return known
    refuse_too_far(call_on, local_day(now, clinic.zone))
    entry = new_entry(
        clinic=clinic,
        patient=patient,
        doctor=doctor,
        doctor_comment=doctor_comment,
        call_on=call_on,
        by=by,
        now=now,
        source=source,
        source_id=source_id,
    )
    try:
        with transaction.atomic():
            entry.save()
            audit.record("journals.open_entry", entry, by=by, now=now, after=_opened(entry))
            live_updates.bump(topic(clinic.pk))
    except IntegrityError as error:
        if "recall_one_open" not in str(error):
            raise
        raise Conflict(
            f"{patient} уже в «Звать» у врача {doctor.short_name}. Дополните комментарий в той записи."
        ) from error
    return entry


def new_entry(
    *,
    clinic: Clinic,
    patient: Patient,
    doctor: Doctor,
    doctor_comment: str,
    call_on: dt.date,
    by: User | None,
    now: dt.datetime,
    source: str,
    source_id: str,
) -> RecallEntry:
    """What every new entry is, not written yet. Raises Refused without the doctor's comment."""
    comment = doctor_comment.strip()
    if not comment:
        raise Refused(
            "Напишите комментарий врача: предложение продолжить лечение или проверить сделанную работу.",
            field="doctor_comment",
        )
    return RecallEntry(
        clinic=clinic,
        patient=patient,
        doctor=doctor,
        doctor_comment=comment,
        call_on=call_on,
        touched_at=now,
        visits_from=now,
        created_at=now,
        created_by=by,
        source=source,
        source_id=source_id,
    )


def open_entries(
    entries: Sequence[RecallEntry], *, by: User | None, now: dt.datetime, note: str
) -> None:
    """`open_entry` for the many `new_entry`s of an import, which has looked for open ones before.
    In its transaction.
    """
    RecallEntry.objects.bulk_create(entries)
    deeds = (
        LogRow(one.pk, str(one), one.clinic_id, one.patient_id, after=_opened(one))
        for one in entries
    )
    audit.record_many(
        "journals.open_entry", RecallEntry._meta.label_lower, deeds, by=by, now=now, note=note
    )
    live_updates.bump(*{topic(one.clinic_id) for one in entries})


def _opened(entry: RecallEntry) -> dict[str, object]:
    return {"call_on": entry.call_on.isoformat()}


def edit_entry(
    entry: RecallEntry,
    *,
    doctor_comment: str,
    call_on: dt.date,
    version: int,
    by: User | None,
    now: dt.datetime,
) -> RecallEntry:
    """Changes the doctor's comment and the call date of an entry in «3. Звать»; the same values
    change nothing.

    Raises Refused without the comment, for a day more than two years ahead or when the date stands
    in the waiting list («напомнить позже» has one clock), Conflict when the entry is no longer to
    be called, or no longer the one of `version` that the person looked at: a call made meanwhile
    has moved its date, and an older date would let the patient be called again at once.
    """
    comment = doctor_comment.strip()
    if not comment:
        raise Refused("Комментарий врача обязателен.", field="doctor_comment")
    with transaction.atomic():
        entry = RecallEntry.locked(entry.pk)
        before: dict[str, object] = {
            "doctor_comment": entry.doctor_comment,
            "call_on": entry.call_on.isoformat(),
        }
        after: dict[str, object] = {"doctor_comment": comment, "call_on": call_on.isoformat()}
        if before == after:
            return entry
        if entry.stage != Stage.CALL:
            raise Conflict(f"Запись уже закрыта: {entry.get_stage_display()}.")
        if entry.version != version:
            raise Conflict(
                f"Запись изменили, пока форма была открыта: дата прозвона теперь {entry.call_on:%d.%m.%Y}, комментарий —"
                f" «{entry.doctor_comment}». Проверьте и сохраните ещё раз."
            )
        if entry.waiting_id is not None and call_on != entry.call_on:
            raise Refused(
                "Дата стоит в листе ожидания: измените её в «Активных задачах».", field="call_on"
            )
        if call_on != entry.call_on:
            refuse_too_far(call_on, local_day(now, entry.clinic.zone))
        entry.doctor_comment, entry.call_on, entry.touched_at = comment, call_on, now
        entry.version += 1
        entry.save(update_fields=["doctor_comment", "call_on", "touched_at", "version"])
        audit.record("journals.edit_entry", entry, by=by, now=now, before=before, after=after)
        live_updates.bump(topic(entry.clinic_id))
    return entry


def grant_call(entry: RecallEntry, *, by: User, now: dt.datetime) -> RecallEntry:
    """The senior grants one call beyond the policy; an entry closed for want of an answer returns
    to «Звать».

    Its date is a week after the last call, on a working day. Raises NotAllowed for others, Refused
    when the policy still has calls left or the patient himself refused, Conflict when the doctor
    has opened another entry meanwhile.
    """
    if not by.has(Role.SENIOR):
        raise NotAllowed("Разрешить ещё один звонок может только старший администратор.")
    try:
        with transaction.atomic():
            entry = RecallEntry.locked(entry.pk)
            policy = RecallPolicy.of(entry.clinic_id).limits
            if not outcome_rules.may_grant(entry.progress, policy):
                raise Refused(
                    "Разрешать нечего: звонки по правилу ещё есть, или пациент отказался сам."
                )
            before: dict[str, object] = {"stage": entry.stage, "granted": entry.granted}
            progress = outcome_rules.granted(entry.progress, policy)
            if entry.stage != Stage.CALL:
                last = local_day(entry.last_call_at or now, entry.clinic.zone)
                entry.call_on = max(
                    next_call_on(hours_of(entry.clinic), last, policy),
                    local_day(now, entry.clinic.zone),
                )
                entry.closed_at, entry.closed_by, entry.visits_from = None, None, now
            entry.stage, entry.granted, entry.touched_at = progress.stage, progress.granted, now
            entry.version += 1
            entry.save()
            audit.record(
                "journals.grant_call",
                entry,
                by=by,
                now=now,
                before=before,
                after={
                    "stage": entry.stage,
                    "granted": entry.granted,
                    "call_on": entry.call_on.isoformat(),
                },
            )
            live_updates.bump(topic(entry.clinic_id))
    except IntegrityError as error:
        if "recall_one_open" not in str(error):
            raise
        raise Conflict("Врач уже открыл новую запись на этого пациента: звоните по ней.") from error
    return entry


def clear_flag(entry: RecallEntry, *, by: User, now: dt.datetime) -> RecallEntry:
    """The senior has looked at an entry of many talks without a result; the next such talk flags it
    again.
    """
    if not by.has(Role.SENIOR):
        raise NotAllowed("Пометку снимает старший администратор.")
    with transaction.atomic():
        cleared = RecallEntry.objects.filter(pk=entry.pk, flagged=True).update(
            flagged=False, touched_at=now
        )
        if cleared:
            audit.record(
                "journals.clear_flag", entry, by=by, now=now, before={"talks": entry.talks}
            )
            live_updates.bump(topic(entry.clinic_id))
    entry.flagged = False
    return entry


def set_policy(
    clinic: Clinic, *, values: dict[str, int], by: User, now: dt.datetime
) -> RecallPolicy:
    """Changes the clinic's policy; entries already in «Звать» are held to it from their next call
    on.
    """
    if not by.has(Role.SENIOR):
        raise NotAllowed("Правила журнала меняет старший администратор.")
    with transaction.atomic():
        RecallPolicy.objects.get_or_create(clinic=clinic)
        policy = RecallPolicy.objects.select_for_update().get(clinic=clinic)
        before: dict[str, object] = {name: getattr(policy, name) for name in values}
        for name, value in values.items():
            setattr(policy, name, value)
        policy.full_clean()
        policy.save()
        if before != values:
            audit.record(
                "journals.set_policy",
                policy,
                by=by,
                now=now,
                clinic_id=clinic.pk,
                before=before,
                after=dict(values),
            )
    return policy
