"""The parts of the report's rows, read narrowly: as tuples of the columns a row shows, in a fixed
number of queries.

Fifty rows name the same few employees, topics and channels over and over: each name is read once.
Whole model objects for the same rows would cost several times as much as the queries behind them.
"""

import datetime as dt
import functools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.urls import reverse

from callcenter.assignments.models import Task
from callcenter.clinics.models import Appointment, Clinic, Patient, WaitingListEntry
from callcenter.contacts.models import Contact, ContactResult, Interaction, Reason, Recording
from callcenter.contacts.states import InteractionKind
from reports.lookups import Lookups


@functools.cache
def _pattern(name: str) -> str:
    return reverse(name, args=[0])


def address_of(name: str, pk: int) -> str:
    """The address of one object; its pattern is looked up once: fifty rows have two hundred
    addresses.
    """
    return _pattern(name).replace("/0/", f"/{pk}/", 1)


class ContactRow(NamedTuple):
    """The columns of a contact that a row shows."""

    pk: int
    on: dt.date
    clinic_id: int
    patient_id: int | None
    number: str
    is_ambiguous: bool
    caller_type: str
    is_first_time: bool
    topic_id: int | None
    owner_id: int | None
    outcome: str
    channel_id: int | None
    contact_type: str
    contact_types: int
    started_at: dt.datetime
    interaction_count: int
    overdue_on: dt.date | None
    money: Decimal
    wait_seconds: int
    talk_seconds: int
    main_result_id: int | None
    results_count: int


class InteractionRow(NamedTuple):
    """The columns of an interaction that a row shows."""

    pk: int
    contact_id: int
    kind: str
    state: str
    at: dt.datetime
    patient_id: int | None
    number: str
    line: str
    employee_id: int | None
    shown_employee_id: int | None
    shown_topic_id: int | None
    reason_id: int | None
    channel_id: int | None
    wait_seconds: int | None
    talk_seconds: int | None
    summary: str
    comment: str
    origin: str
    caller_type: str
    contact_type: str
    joined_call_id: int | None
    created_by_id: int | None


class RecordingRef(NamedTuple):
    pk: int
    seconds: float

    @property
    def url(self) -> str:
        return address_of("contacts:sound", self.pk)

    @property
    def transcript_url(self) -> str:
        return address_of("contacts:transcript", self.pk)


class RowName(NamedTuple):
    """A patient's name, in full and in short."""

    full: str
    short: str


@dataclass
class RowData:
    """The contacts of a page with what was said in them and what came of them, and every name that
    they need.
    """

    lookups: Lookups
    clinics: dict[int, Clinic]
    contacts: dict[int, ContactRow]
    interactions: dict[int, list[InteractionRow]]
    results: dict[int, list[ContactResult]] = field(default_factory=dict)
    recordings: dict[int, list[RecordingRef]] = field(default_factory=dict)
    patients: dict[int | None, RowName] = field(default_factory=dict)
    reasons: dict[int | None, str] = field(default_factory=dict)


def row_data_of_contacts(
    keys: Collection[int], clinics: Sequence[Clinic], lookups: Lookups
) -> RowData:
    """Everything about these contacts."""
    return _row_data(_contacts(keys), _interactions(Q(contact__among=keys)), clinics, lookups)


def row_data_of_interactions(
    rows: Sequence[InteractionRow], clinics: Sequence[Clinic], lookups: Lookups
) -> RowData:
    """These interactions with the comments that joined them, their contacts, and what came of
    those.
    """
    notes = _interactions(Q(joined_call__among=[row.pk for row in rows])) if rows else []
    return _row_data(_contacts({row.contact_id for row in rows}), [*rows, *notes], clinics, lookups)


def _contacts(keys: Iterable[int]) -> list[ContactRow]:
    found = Contact.objects.filter(pk__in=list(keys)).order_by().values_list(*ContactRow._fields)
    return [ContactRow._make(row) for row in found]


def _interactions(where: Q) -> list[InteractionRow]:
    found = (
        Interaction.objects.filter(where).order_by("at", "pk").values_list(*InteractionRow._fields)
    )
    return [InteractionRow._make(row) for row in found]


def _row_data(
    contacts: Sequence[ContactRow],
    interactions: Sequence[InteractionRow],
    clinics: Sequence[Clinic],
    lookups: Lookups,
) -> RowData:
    row_data = RowData(
        lookups, {clinic.pk: clinic for clinic in clinics}, {row.pk: row for row in contacts}, {}
    )
    for one in interactions:
        row_data.interactions.setdefault(one.contact_id, []).append(one)
    results = _results(row_data.contacts)
    for result in results:
        row_data.results.setdefault(result.contact_id or 0, []).append(result)
    calls = [one.pk for one in interactions if one.kind == InteractionKind.CALL]
    recordings = Recording.objects.filter(Q(interaction__among=calls)).order_by("pk")
    for interaction_id, pk, seconds in recordings.values_list("interaction_id", "pk", "seconds"):
        row_data.recordings.setdefault(interaction_id, []).append(RecordingRef(pk, seconds))
    lookups.learn([row.owner_id for row in contacts])
    lookups.learn([key for one in interactions for key in (one.employee_id, one.shown_employee_id)])
    lookups.learn([result.by_id for result in results])
    row_data.patients = _patient_names(
        {row.patient_id for row in contacts} | {one.patient_id for one in interactions}
    )
    row_data.reasons = _reasons({one.reason_id for one in interactions})
    return row_data


def _results(contacts: Iterable[int]) -> list[ContactResult]:
    """What came of the contacts; visits, waiting list and tasks are read only where there are any."""
    results = list(ContactResult.objects.filter(Q(contact__among=contacts)).order_by("at", "pk"))
    _join(results, "waiting", WaitingListEntry.objects.select_related("appointment"))
    visits = Appointment.objects.select_related("doctor", "clinic")
    _join(
        results,
        "appointment",
        visits.only(
            "status", "money", "starts_at", "cancel_reason", "doctor__full_name", "clinic__zone"
        ),
    )
    _join(results, "task", Task.objects.all())
    return results


def _join(rows: Sequence[ContactResult], name: str, found: QuerySet[Any]) -> None:
    """Sets this foreign key of the rows from one query for all of them, when any has it."""
    keys = {key for row in rows if (key := getattr(row, f"{name}_id")) is not None}
    objects = found.in_bulk(keys) if keys else {}
    for row in rows:
        if (key := getattr(row, f"{name}_id")) is not None:
            setattr(row, name, objects[key])


def _patient_names(keys: Collection[int | None]) -> dict[int | None, RowName]:
    known = [key for key in keys if key is not None]
    found = Patient.objects.filter(pk__in=known).order_by() if known else Patient.objects.none()
    return {
        pk: RowName(
            " ".join(part for part in (last, *rest) if part),
            " ".join([last, *(f"{part[0]}." for part in rest if part)]),
        )
        for pk, last, *rest in found.values_list("pk", "last_name", "first_name", "middle_name")
    }


def _reasons(keys: Collection[int | None]) -> dict[int | None, str]:
    known = [key for key in keys if key is not None]
    return dict(Reason.objects.filter(pk__in=known).values_list("pk", "name")) if known else {}
