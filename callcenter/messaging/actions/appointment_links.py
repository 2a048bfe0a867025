"""The patient's link: opening it is only noted, a pressed button answers. Cancelling here does not
cancel the visit.
"""

import datetime as dt
import re

from django.db import transaction

from callcenter.audit import actions as audit
from callcenter.clinics.actions import set_status
from callcenter.clinics.models import Appointment
from callcenter.clinics.states import UPCOMING, AppointmentStatus
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, Refused
from callcenter.messaging.actions.enqueue import topic
from callcenter.messaging.models import VisitEvent, VisitLink
from callcenter.messaging.states import VisitAnswer
from callcenter.staff.models import User

ANSWERS_PER_HOUR = 20  # of one link: a person changes his mind, a script does more


_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,32}")


def find_link(token: str) -> VisitLink | None:
    """The link behind a token from the outside world, with its visit; None for anything that is not
    one of ours.
    """
    if not _TOKEN.fullmatch(token):
        return None
    return (
        VisitLink.objects.select_related(
            "appointment__clinic", "appointment__doctor", "appointment__patient"
        )
        .filter(token=token)
        .first()
    )


def link_problem(link: VisitLink, now: dt.datetime) -> str | None:
    """Why the page behind the link can't be answered any more, in plain words; None when it can."""
    visit = link.appointment
    if visit.version != link.version and visit.status in UPCOMING:
        return "Время приёма изменилось: эта ссылка больше не действует."
    if visit.status == AppointmentStatus.CANCELLED:
        return "Этот приём отменён."
    if visit.starts_at <= now or visit.status not in UPCOMING:
        return "Этот приём уже начался или прошёл."
    return None


def note_opening(link: VisitLink, *, now: dt.datetime) -> None:
    """Somebody opened the page: the patient, or a link preview, or a scanner. Noted once as a fact,
    nothing changes.
    """
    if link.opened_at is not None:
        return
    with transaction.atomic():
        if VisitLink.objects.filter(pk=link.pk, opened_at=None).update(opened_at=now):
            VisitEvent.objects.create(link=link, at=now, via="page")
            live_updates.bump(topic(link.appointment.clinic_id))


def answer_visit(
    *, token: str, answer: VisitAnswer, via: str, now: dt.datetime, by: User | None = None
) -> VisitLink:
    """The patient's answer: the last one holds until the visit starts; each stays in the link's
    story.

    `via`: page, button (of a messenger), words (accepted by a person, `by`). Confirming marks the
    visit confirmed, another answer takes that mark back; nothing else changes in the schedule.
    Raises Refused for a token that is not ours, Conflict for a visit that was moved, cancelled or
    has begun, or too many answers.
    """
    with transaction.atomic():
        link = VisitLink.objects.select_for_update(of=("self",)).filter(token=token).first()
        if link is None:
            raise Refused("Такой ссылки нет.")
        link.appointment = (
            Appointment.objects.select_for_update(of=("self",))
            .select_related("clinic")
            .get(pk=link.appointment_id)
        )
        trouble = link_problem(link, now)
        if trouble is not None:
            raise Conflict(trouble)
        if link.answer == answer:
            return link
        recent = VisitEvent.objects.filter(link=link, at__gt=now - dt.timedelta(hours=1)).exclude(
            answer=""
        )
        if recent.count() >= ANSWERS_PER_HOUR:
            raise Conflict("Слишком много ответов подряд. Позвоните в клинику.")
        before = link.answer
        link.answer, link.answered_at, link.answered_via = answer, now, via
        link.save(update_fields=["answer", "answered_at", "answered_via"])
        VisitEvent.objects.create(link=link, at=now, answer=answer, via=via, by=by)
        _mark(link.appointment, answer, by=by, now=now)
        audit.record(
            "messaging.answer_visit",
            link.appointment,
            by=by,
            now=now,
            before={"answer": before},
            after={"answer": str(answer)},
            note=via,
        )
        live_updates.bump(topic(link.appointment.clinic_id))
    return link


def _mark(visit: Appointment, answer: VisitAnswer, *, by: User | None, now: dt.datetime) -> None:
    wanted = (
        AppointmentStatus.CONFIRMED
        if answer == VisitAnswer.CONFIRM
        else AppointmentStatus.SCHEDULED
    )
    if visit.status != wanted:
        set_status(visit, status=wanted, by=by, now=now)
