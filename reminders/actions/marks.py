"""Pink rows and day calls: who was called, by whom, with what result. Marks are undone, never
deleted.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from callcenter.audit import actions as audit
from callcenter.clinics.models import Patient
from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    WrapUp,
    attach_result,
    defer_recompute,
    record_interaction,
)
from callcenter.contacts.models import Interaction
from callcenter.contacts.states import (
    CallerType,
    Direction,
    InteractionKind,
    InteractionState,
    Origin,
    ResultKind,
)
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.localtime import local_day
from callcenter.messaging.actions import accept_reply_intent, cancel_messages
from callcenter.messaging.models import ChatMessage
from callcenter.messaging.reply_intent import ReplyIntent
from callcenter.messaging.states import MessagePurpose
from callcenter.staff.models import User
from reminders.models import Reminder, ReminderMark
from reminders.queries.lists import topic
from reminders.queries.rows import CALLING
from reminders.states import SETTLED, AttendanceAnswer, CallResult, Round


def mark_called(
    reminder: Reminder, *, by: User, now: dt.datetime, round: Round = Round.EVENING
) -> Reminder:
    """The double click: the row is pink, «позвонили», the result may follow. A second click of the
    same instant, or a colleague's, changes nothing: whoever was first stands there.
    """
    with transaction.atomic():
        row = _locked(reminder)
        if row.called_at is None:  # no mark stands, so the new one is the whole story
            mark = ReminderMark.objects.create(reminder=row, at=now, by=by, round=round)
            row.calling_by, row.calling_at = None, None
            _retell(row, [mark], now)
            audit.record("reminders.mark_called", row, by=by, now=now)
    return row


def undo_mark(reminder: Reminder, *, by: User, now: dt.datetime) -> Reminder:
    """The double click on a pink row: its newest mark is undone, both the mark and the undoing are
    kept.
    """
    with transaction.atomic():
        row = _locked(reminder)
        mark = row.marks.filter(undone_at=None).order_by("-at", "-pk").first()
        if mark is not None:
            mark.undone_at, mark.undone_by = now, by
            mark.save(update_fields=["undone_at", "undone_by"])
            _retell(row, _standing(row), now)
            audit.record("reminders.undo_mark", row, by=by, now=now, before={"result": mark.result})
    return row


def save_result(
    reminder: Reminder, *, result: CallResult, by: User, now: dt.datetime, comment: str = ""
) -> Reminder:
    """What the evening's call (or the patient's letter) gave; the row is pink. A call becomes an
    interaction.

    The same result again by the same person changes nothing. «Придёт» also stops what has not been
    sent yet. Raises Refused for a call on the day of the visit: that is one of ДД, with its two
    answers and the comment (`save_day_call`).
    """
    with transaction.atomic():
        row = _locked(reminder)
        zone = row.clinic.zone
        if result != CallResult.WROTE and local_day(row.starts_at, zone) <= local_day(now, zone):
            raise Refused(
                "Приём сегодня: запишите звонок в ДД — взял ли трубку, подойдёт ли и комментарий.",
                field="result",
            )
        newest = row.marks.filter(undone_at=None).order_by("-at", "-pk").first()
        if newest is not None and newest.result == result and newest.comment == comment.strip():
            return row
        mark = (
            newest if newest is not None and not newest.result and newest.by_id == by.pk else None
        )
        mark = mark or ReminderMark(reminder=row, at=now, by=by, round=Round.EVENING)
        mark.result, mark.comment = result, comment.strip()
        if result != CallResult.WROTE:
            mark.interaction = _call(
                row, picked_up=result != CallResult.UNREACHED, comment=_words(mark), by=by, now=now
            )
        _write(row, mark, now)
        audit.record("reminders.save_result", row, by=by, now=now, after={"result": str(result)})
    return row


def save_day_call(
    reminder: Reminder,
    *,
    picked_up: bool | None,
    coming: str,
    comment: str,
    by: User,
    now: dt.datetime,
) -> Reminder:
    """A call of ДД. «Обязательно оставляет комментарий, взял ли пациент трубку и подойдет ли на
    прием»: all three are demanded. A try without an answer may be repeated. Raises Refused, naming
    the field.
    """
    if picked_up is None:
        raise Refused("Отметьте, взял ли пациент трубку.", field="picked_up")
    if coming not in AttendanceAnswer.values:
        raise Refused("Отметьте, подойдёт ли пациент на приём.", field="coming")
    if not picked_up and coming != AttendanceAnswer.UNKNOWN:
        raise Refused("Трубку не взяли — значит, неизвестно, подойдёт ли пациент.", field="coming")
    if not comment.strip():
        raise Refused(
            "Без комментария не сохранить: напишите, что сказал пациент.", field="comment"
        )
    with transaction.atomic():
        row = _locked(reminder)
        if row.starts_at <= now:
            raise Conflict("Приём уже начался: строка ушла из дневного дозвона.")
        mark = ReminderMark(
            reminder=row,
            at=now,
            by=by,
            round=Round.DAY,
            picked_up=picked_up,
            coming=coming,
            comment=comment.strip(),
            result=_day_result(picked_up, AttendanceAnswer(coming)),
        )
        mark.interaction = _call(row, picked_up=picked_up, comment=_words(mark), by=by, now=now)
        _write(row, mark, now)
        audit.record(
            "reminders.save_day_call",
            row,
            by=by,
            now=now,
            after={"picked_up": picked_up, "coming": coming},
        )
    return row


def _day_result(picked_up: bool, coming: AttendanceAnswer) -> str:
    if not picked_up:
        return CallResult.UNREACHED
    return {
        AttendanceAnswer.YES: CallResult.COMING.value,
        AttendanceAnswer.NO: CallResult.NOT_COMING.value,
        AttendanceAnswer.UNKNOWN: "",
    }[coming]


def accept_reply(
    reminder: Reminder, line: ChatMessage, *, intent: ReplyIntent, by: User, now: dt.datetime
) -> Reminder:
    """A person takes a patient's words for this visit: «приду» and «буду позже» make the row pink
    with «ответил письменно», «отмените» and «перенесите» make its number red or orange; the visit
    itself stays until somebody has called.
    """
    with transaction.atomic():
        row = _locked(reminder)
        accept_reply_intent(line, intent=intent, appointment=row.appointment, by=by, now=now)
        if intent in (ReplyIntent.COMING, ReplyIntent.LATE):
            row = save_result(
                row, result=CallResult.WROTE, comment=f"«{line.text[:200]}»", by=by, now=now
            )
        live_updates.bump(topic(row.clinic_id))
    return row


def start_calling(reminder: Reminder, *, by: User, now: dt.datetime) -> Reminder:
    """«Звонит Орлова» for everybody else. Raises Conflict when a colleague is on the line with this
    patient.
    """
    with transaction.atomic():
        row = _locked(reminder)
        if (
            row.calling_by_id not in (None, by.pk)
            and row.calling_at is not None
            and row.calling_at > now - CALLING
        ):
            who = row.calling_by.short_name if row.calling_by else "коллега"
            raise Conflict(f"Этому пациенту уже звонит {who}.")
        Reminder.objects.filter(calling_by=by).exclude(pk=row.pk).update(
            calling_by=None, calling_at=None, changed_at=now
        )
        row.calling_by, row.calling_at, row.changed_at = by, now, now
        row.save(update_fields=["calling_by", "calling_at", "changed_at"])
        live_updates.bump(topic(row.clinic_id))
    return row


def stop_calling(reminder: Reminder, *, by: User, now: dt.datetime) -> Reminder:
    """The talk is over and nothing came of it; only one's own is taken back."""
    with transaction.atomic():
        row = _locked(reminder)
        if row.calling_by_id == by.pk:
            row.calling_by, row.calling_at, row.changed_at = None, None, now
            row.save(update_fields=["calling_by", "calling_at", "changed_at"])
            live_updates.bump(topic(row.clinic_id))
    return row


def _locked(reminder: Reminder) -> Reminder:
    row = (
        Reminder.objects.select_for_update(of=("self",))
        .select_related("appointment__clinic", "appointment__patient", "clinic")
        .get(pk=reminder.pk)
    )
    if row.removed_at is not None:
        raise Conflict(f"Этого приёма больше нет в списке: {row.removed_reason}.")
    return row


def _write(row: Reminder, mark: ReminderMark, now: dt.datetime) -> None:
    mark.save()
    row.calling_by, row.calling_at = None, None
    _retell(row, _standing(row), now)
    if mark.result in SETTLED:
        cancel_messages(
            purpose=MessagePurpose.VISIT,
            subject_key=f"a{row.appointment_id}",
            reason=f"не нужно: {CallResult(mark.result).label}",
            now=now,
        )


def _standing(row: Reminder) -> list[ReminderMark]:
    return list(row.marks.filter(undone_at=None).select_related("by").order_by("at", "pk"))


def _retell(row: Reminder, standing: Sequence[ReminderMark], now: dt.datetime) -> None:
    """The list's copy of the story: the newest mark that stands."""
    last = standing[-1] if standing else None
    row.called_at, row.called_by = (last.at, last.by) if last else (None, None)
    row.result, row.comment = (last.result, last.comment) if last else ("", "")
    row.is_settled = any(mark.result in SETTLED for mark in standing)
    row.changed_at = now
    row.save(
        update_fields=[
            *(
                "called_at",
                "called_by",
                "result",
                "comment",
                "is_settled",
                "changed_at",
                "calling_by",
                "calling_at",
            )
        ]
    )
    live_updates.bump(topic(row.clinic_id))


def _words(mark: ReminderMark) -> str:
    said = [
        Round(mark.round).label,
        CallResult(mark.result).label if mark.result else "дозвонились, не знает",
    ]
    return ": ".join([" · ".join(said), mark.comment]) if mark.comment else " · ".join(said)


def _call(
    row: Reminder, *, picked_up: bool, comment: str, by: User, now: dt.datetime
) -> Interaction:
    """Each call is an interaction «Пациент. Напоминание», with its result on the visit."""
    patient = Patient.objects.prefetch_related("phones").get(pk=row.patient_id)
    phone = next(iter(patient.phones.all()), None)
    with defer_recompute():
        interaction = record_interaction(
            InteractionInput(
                clinic=row.clinic,
                kind=InteractionKind.CALL,
                state=InteractionState.ANSWERED if picked_up else InteractionState.FAILED,
                phases=Phases(now),
                direction=Direction.OUT,
                participants=Participants(
                    employee=by, patient=patient, number=phone.number if phone else ""
                ),
                wrap_up=WrapUp(comment=comment, caller_type=CallerType.REMINDER),
                source=InteractionSource(name="reminders"),
            ),
            by=by,
            now=now,
        )
        if picked_up:
            attach_result(
                interaction.contact,
                kind=ResultKind.REMINDED,
                at=now,
                by=by,
                interaction=interaction,
                subject=row.appointment,
                origin=Origin.REMINDER,
            )
    return interaction
