"""«Журнал действий»: who did what, when, what was before and after; of one's own clinics."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import resolve, reverse
from django.views.decorators.http import require_GET

from callcenter.audit import phrases
from callcenter.audit.models import AuditEntry
from callcenter.clinics.models import Patient
from callcenter.lib import phones
from callcenter.lib.localtime import instant
from callcenter.lib.query_params import date, moment, number
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import User
from callcenter.staff.queries import colleagues, zone_of
from callcenter.staff.roles import CAN_READ_REPORTS

PAGE: Final = 50
_PAGES: Final = {
    "clinics.patient": "clinics:patient",
    "clinics.appointment": "clinics:visit",
    "assignments.task": "assignments:task",
    "clinics.waitinglistentry": "assignments:waiting",
    "staff.user": "staff:person",
}


@allow(*CAN_READ_REPORTS)
@require_GET
def audit(request: StaffRequest) -> HttpResponse:
    """Newest first, fifty a page; the next page begins after the last row shown (no counting, no
    deep OFFSET).
    """
    user, zone = request.user, zone_of(request.user)
    rows = _chosen(request, _visible(user), zone).select_related("by").order_by("-at", "-pk")
    found = list(_after(rows, request.GET.get("after", ""))[: PAGE + 1])
    shown = found[:PAGE]
    patients = Patient.objects.visible_to(user).in_bulk(
        [row.patient_id for row in shown if row.patient_id]
    )
    context = {
        "entries": [_entry(row, patients, zone, user) for row in shown],
        "after": f"{shown[-1].at.isoformat()}_{shown[-1].pk}" if len(found) > PAGE else "",
        "paged": "after" in request.GET,
        "people": colleagues(user).order_by("full_name"),
        "actions": _actions(),
        "chosen": {
            name: request.GET.get(name, "")
            for name in ("by", "action", "object", "patient", "since", "until")
        },
        "patient": Patient.objects.visible_to(user)
        .filter(pk=number(request.GET.get("patient")) or 0)
        .first(),
    }
    return render(request, "audit/audit.html", context)


def _visible(user: User) -> "QuerySet[AuditEntry]":
    """Entries of the user's clinics; entries of no clinic: about a patient of theirs, else by a colleague.
    Of what was done to a person the colleague must be one too: who works in several clinics keeps
    the people of each.
    """
    own = list(user.clinics.values_list("pk", flat=True))
    visits = Patient.clinics.through.objects.filter(
        patient_id=OuterRef("patient_id"), clinic_id__in=own
    )
    nowhere, people = Q(clinic_id__isnull=True), colleagues(user)
    stranger = Q(object_kind=User._meta.label_lower) & ~Q(object_id__in=people.values("pk"))
    return AuditEntry.objects.filter(
        Q(clinic_id__in=own)
        | nowhere & Q(patient_id__isnull=False) & Exists(visits)
        | nowhere & Q(patient_id__isnull=True, by__in=people) & ~stranger
    )


def _chosen(
    request: StaffRequest, rows: "QuerySet[AuditEntry]", zone: str
) -> "QuerySet[AuditEntry]":
    asked = request.GET
    if asked.get("by") == "0":
        rows = rows.filter(by__isnull=True)
    elif (by := number(asked.get("by"))) is not None:
        rows = rows.filter(by=by)
    if asked.get("action"):
        rows = rows.filter(action=asked["action"])
    if (patient := number(asked.get("patient"))) is not None:
        rows = rows.filter(patient_id=patient)
    kind, _, pk = asked.get("object", "").partition(":")
    if number(pk) is not None:
        rows = rows.filter(object_kind=kind, object_id=number(pk))
    if (since := date(asked.get("since"))) is not None:
        rows = rows.filter(at__gte=instant(since, dt.time(), zone))
    if (until := date(asked.get("until"))) is not None:
        rows = rows.filter(at__lt=instant(until + dt.timedelta(days=1), dt.time(), zone))
    return rows


def _after(rows: "QuerySet[AuditEntry]", mark: str) -> "QuerySet[AuditEntry]":
    text, _, pk = mark.rpartition("_")
    last, at = number(pk), moment(text)
    if last is None or at is None:
        return rows
    # `at <= …` alone lets the index begin in the right place; the rest takes the tie apart.
    return rows.filter(at__lte=at).filter(Q(at__lt=at) | Q(pk__lt=last))


def _link(page: str, pk: int, user: User) -> str:
    """The object's page, for those whom it lets in."""
    url = reverse(page, args=[pk])
    return url if user.has(*getattr(resolve(url).func, "allowed_roles", ())) else ""


def _entry(row: AuditEntry, patients: dict[int, Patient], zone: str, user: User) -> dict[str, Any]:
    page = _PAGES.get(row.object_kind)
    # Numbers stand anywhere in an entry: in a card's fields, in the name of a call, in a note.
    hide: Callable[[str], str] = str if user.sees_phones else phones.masked_within
    return {
        "row": row,
        "zone": zone,
        "phrase": phrases.phrase(row.action),
        "name": hide(row.object_name),
        "note": hide(row.note),
        "lines": [
            replace(
                line, was=None if line.was is None else hide(line.was), became=hide(line.became)
            )
            for line in phrases.field_changes(row, zone)
        ],
        "patient": patients.get(row.patient_id) if row.patient_id else None,
        "url": _link(page, row.object_id, user) if page and row.object_id else "",
        "object": f"{row.object_kind}:{row.object_id}" if row.object_id else "",
    }


def _actions() -> list[tuple[str, list[tuple[str, str]]]]:
    groups = {
        app: [pair for pair in phrases.PHRASES.items() if pair[0].startswith(f"{app}.")]
        for app in phrases.APPS
    }
    return [(phrases.APPS[app], pairs) for app, pairs in groups.items() if pairs]
