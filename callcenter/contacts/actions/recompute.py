"""Deciding contacts anew from their facts: after a write at once, after a change elsewhere by a
ticker.
"""

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Final

from django.db import DatabaseError, transaction
from django.db.models import F, Q, QuerySet

from callcenter.audit.models import AuditEntry
from callcenter.clinics.models import Appointment
from callcenter.clinics.states import AppointmentStatus
from callcenter.contacts.models import Contact, ContactResult, Interaction
from callcenter.contacts.queries import deed_of, facts_of
from callcenter.contacts.rules import ContactVerdict, decide, interaction_of
from callcenter.lib import live_updates
from callcenter.lib.leases import claim
from callcenter.lib.localtime import day_bounds, local_day

BATCH: Final = 200
_PART: Final = 1000  # keys in one query
_ROW_FIELDS: Final = tuple(
    field.name
    for field in dataclasses.fields(ContactVerdict)
    if field.name not in {"said", "topic", "owner", "channel", "main_result", "results"}
)
# Of a contact to be decided only what the rules ask is read, and only what they decide is written.
_ASKED_FIELDS: Final = ("on", "patient", "number")
_DECIDED_FIELDS: Final = (
    *_ROW_FIELDS,
    *(
        "topic",
        "owner",
        "channel",
        "main_result",
        "results_count",
        "due_at",
        "claimed_at",
        "last_error",
    ),
)
_SAID_FIELDS: Final = (
    "joined_call",
    "contact_type",
    "caller_type",
    "shown_employee",
    "shown_topic",
)
_put_off: ContextVar[set[int] | None] = ContextVar("contacts_to_settle", default=None)


@contextlib.contextmanager
def defer_recompute() -> Iterator[None]:
    """Contacts that the verbs inside would each settle are settled once, at the end: a call and
    what came of it.

    Belongs inside the transaction of those verbs; what they return does not show yet what has been
    decided.
    """
    if _put_off.get() is not None:
        yield
        return
    put_off: set[int] = set()
    token = _put_off.set(put_off)
    try:
        yield
    finally:
        _put_off.reset(token)
    _decide(put_off)


def recompute_contacts(pks: Iterable[int]) -> bool:
    """Decides these contacts from what stands in the database; one left without interactions is
    removed.

    Idempotent. Must run inside the transaction that changed the facts, or in one of its own;
    contacts are locked in the order of their keys, so that two writers never wait for each other in
    a ring. False: put off by `defer_recompute`.
    """
    put_off = _put_off.get()
    if put_off is not None:
        put_off.update(pks)
        return False
    with transaction.atomic():
        _decide(pks)
    return True


def _decide(pks: Iterable[int]) -> None:
    clinics: set[int] = set()
    for contact in (
        Contact.objects.select_for_update(of=("self",))
        .select_related("clinic", "clinic__contact_policy")
        .only(*_ASKED_FIELDS, "clinic__zone", "clinic__contact_policy")
        .filter(pk__in=set(pks))
        .order_by("pk")
    ):
        clinics.add(contact.clinic_id)
        _settle(contact)
    if clinics:
        live_updates.bump(*(f"contacts:clinic:{clinic_id}" for clinic_id in clinics))


def _settle(contact: Contact) -> None:
    rows = list(contact.interactions.order_by("pk"))  # the rules sort them by time
    if not rows:
        contact.results.update(contact=None, interaction=None)
        contact.delete()
        return
    results = _results_of(contact)
    row = decide(facts_of(contact, rows, results))
    for name in _ROW_FIELDS:
        setattr(contact, name, getattr(row, name))
    contact.topic_id, contact.owner_id, contact.channel_id = row.topic, row.owner, row.channel
    contact.main_result_id, contact.results_count = row.main_result, row.results
    contact.due_at, contact.claimed_at, contact.last_error = None, None, ""
    contact.save(update_fields=_DECIDED_FIELDS)
    by_id = {one.pk: one for one in rows}
    for said in row.said:
        one = by_id[said.id]
        decided = (
            said.joined_call,
            str(said.contact_type),
            str(said.caller_type),
            said.employee,
            said.topic,
        )
        if (
            one.joined_call_id,
            one.contact_type,
            one.caller_type,
            one.shown_employee_id,
            one.shown_topic_id,
        ) != decided:
            # One by one: mostly one has changed, and a statement for many costs ten times as much
            # to put together.
            Interaction.objects.filter(pk=one.pk).update(
                **dict(zip(_SAID_FIELDS, decided, strict=True))
            )
    for result in results:
        seen = seen_of(result)
        if result.subject_changed_at != seen:
            ContactResult.objects.filter(pk=result.pk).update(subject_changed_at=seen)


def seen_of(result: ContactResult) -> dt.datetime | None:
    """The stamp of the state in which the result's subject stands now; another one later means:
    decide again.
    """
    if result.appointment is not None:
        return result.appointment.changed_at
    if result.waiting is not None:
        visit = result.waiting.appointment
        stamps = [
            result.waiting.closed_at,
            result.waiting.opened_at,
            visit.changed_at if visit else None,
        ]
        return max(stamp for stamp in stamps if stamp is not None)
    return None


def _results_of(contact: Contact) -> list[ContactResult]:
    """Its results, with deeds of the patient's day that fitted nowhere yet and fit now that an
    interaction has come.
    """
    ours = Q(contact=contact)
    if contact.patient_id is not None:
        since, until = day_bounds(contact.on, contact.clinic.zone)
        ours |= Q(
            contact=None, patient=contact.patient_id, at__gte=since, at__lt=until, is_by_hand=False
        )
    # Mostly there are none: then nothing more is asked, where a join of three tables would be
    # planned each time.
    found = ContactResult.objects.prefetch_related("appointment", "waiting__appointment").filter(
        ours
    )
    return [
        result
        for result in found.order_by("at", "pk")
        if result.contact_id == contact.pk or match_result(result, contact)
    ]


def match_result(result: ContactResult, contact: Contact) -> bool:
    """Binds a loose deed to the contact when the rules say that it came of one of its interactions."""
    if result.clinic_id != contact.clinic_id and _has_contact_at_home(result, contact):
        return False
    facts = facts_of(contact, list(contact.interactions.order_by("at", "pk")), [])
    deed = deed_of(result)
    cards = (
        set(contact.patient.phones.values_list("number", flat=True)) if contact.patient else set()
    )
    one = interaction_of(deed, facts.said, facts.policy, cards) if deed else None
    if one is None:
        return False
    result.contact, result.interaction_id = contact, one.id
    result.origin = result.origin or one.origin
    result.save(update_fields=["contact", "interaction", "origin"])
    return True


def _has_contact_at_home(result: ContactResult, contact: Contact) -> bool:
    """A deed for clinic B made in a talk with clinic A belongs to A's contact only when B had none
    that day.
    """
    return Contact.objects.filter(
        clinic=result.clinic_id, on=contact.on, patient=contact.patient_id
    ).exists()


# --- Tickers
# --------------------------------------------------------------------------------------------------------


def mark_changed_contacts(*, since: dt.datetime, now: dt.datetime) -> int:
    """Marks for settling the contacts whose visits or waiting-list entries have changed since;
    returns how many.

    Exact, without a watermark: each result keeps the stamp of the state in which it was last
    decided.
    """
    stale: set[int] = set()
    changed = list(Appointment.objects.filter(changed_at__gte=since).values_list("pk", flat=True))
    # By keys, a part at a time: after an import the planner would rather read every result there
    # is, every two seconds.
    for part in (changed[start : start + _PART] for start in range(0, len(changed), _PART)):
        visits = ContactResult.objects.filter(appointment__in=part).exclude(
            subject_changed_at=F("appointment__changed_at")
        )
        via_list = ContactResult.objects.filter(waiting__appointment__in=part).filter(
            Q(subject_changed_at__isnull=True)
            | Q(subject_changed_at__lt=F("waiting__appointment__changed_at"))
        )
        stale |= _contacts_of(visits) | _contacts_of(via_list)
    entries = list(
        AuditEntry.objects.filter(
            at__gte=since, object_kind="clinics.waitinglistentry"
        ).values_list("object_id", flat=True)
    )
    lists = ContactResult.objects.filter(
        waiting__in=entries, waiting__closed_at__isnull=False
    ).filter(Q(subject_changed_at__isnull=True) | Q(subject_changed_at__lt=F("waiting__closed_at")))
    stale |= _contacts_of(lists) | _no_longer_first_time(since)
    Contact.objects.filter(pk__in=stale, due_at__isnull=True).update(due_at=now)
    return len(stale)


def _contacts_of(results: QuerySet[ContactResult]) -> set[int]:
    return {pk for pk in results.order_by().values_list("contact_id", flat=True) if pk is not None}


def _no_longer_first_time(since: dt.datetime) -> set[int]:
    """A visit marked completed late: the patient was not first-time in the contacts after it."""
    completed = Appointment.objects.filter(
        changed_at__gte=since, status=AppointmentStatus.COMPLETED
    ).select_related("clinic")
    firsts: dict[int, dt.date] = {}
    for visit in completed:
        on = local_day(visit.starts_at, visit.clinic.zone)
        firsts[visit.patient_id] = min(on, firsts.get(visit.patient_id, on))
    contacts = Contact.objects.filter(patient__in=firsts, is_first_time=True).values_list(
        "pk", "patient_id", "on"
    )
    return {
        pk for pk, patient_id, on in contacts if patient_id is not None and on > firsts[patient_id]
    }


def recompute_due_contacts(*, now: dt.datetime, limit: int = BATCH) -> int:
    """Settles a batch of the contacts marked for it; returns how many were taken.

    A row that fails keeps its error and comes again in five minutes; the others go on.
    """
    rows = claim(Contact.objects.due(now), now=now, limit=limit)
    for row in rows:
        try:
            recompute_contacts([row.pk])
        except (DatabaseError, ValueError, LookupError) as error:
            Contact.objects.filter(pk=row.pk).update(
                last_error=f"{type(error).__name__}: {error}"[:250],
                claimed_at=None,
                due_at=now + dt.timedelta(minutes=5),
            )
    return len(rows)
