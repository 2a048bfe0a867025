"""The recall journal at 10,000 and 1,000,000 entries: its first page, the senior's segment counts,
saving an outcome.
"""

import datetime as dt
import functools
import re
import uuid

from django.db import connection
from django.test import Client
from django.utils import timezone

from benchmarks import data
from benchmarks.measure import Measured, Run, bench, near_bare, p95
from callcenter.clinics.models import Doctor, ScheduleWindow
from callcenter.clinics.queries import hours_of
from callcenter.clinics.schedule import next_working_day
from callcenter.contacts.models import Reason
from callcenter.lib.localtime import local_day
from journals.models import RecallEntry
from journals.queries.journal import CAP

PATIENTS = 200_000
SIZES = (10_000, 1_000_000)


def entries(total: int) -> None:
    """Makes the entries that miss up to `total`: a quarter to be called (a third of them resting),
    the rest closed.

    Entry n is of doctor 1 + n % 600 and his clinic; a patient has several, each with another
    doctor.
    """
    data.patients(min(total, PATIENTS))
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM journals_recallentry")
        start = cursor.fetchone()[0]
        if start >= total:
            return
        cursor.execute("SET synchronous_commit = off")
        parameters = {
            "start": start + 1,
            "end": total,
            "patients": min(total, PATIENTS),
            "today": timezone.now().date(),
        }
        cursor.execute(_ENTRIES, parameters)
        cursor.execute(_PLANS, parameters)
        cursor.execute("SELECT setval('journals_recallentry_id_seq', %s)", [total])
        cursor.execute("RESET synchronous_commit")


_ENTRIES = """
INSERT INTO journals_recallentry (id, clinic_id, patient_id, doctor_id, doctor_comment, stage, call_on, call_half,
    unreached, talks, granted, calls, flagged, last_outcome, last_reason_id, last_comment, last_caller_id, last_call_at,
    touched_at, several_visits, visits_from, closed_at, reserved_key, version, last_error, created_at, source, source_id)
SELECT n, place.clinic_id, 1 + n %% %(patients)s, doctor.id, 'Проверить коронку, продолжить протезирование ' || n,
    stage, day, '', CASE WHEN called THEN 1 ELSE 0 END, 0, 0, CASE WHEN called THEN 1 ELSE 0 END, n %% 997 = 0,
    CASE WHEN called THEN 'unreached' ELSE '' END, CASE WHEN called THEN reason.id END, 'гудки, никто не отвечает',
    CASE WHEN called THEN caller.id END, moment, moment, false, moment, CASE WHEN stage <> 'call' THEN moment END,
    '', 1, '', moment, 'hand', ''
FROM (
    SELECT n, CASE WHEN n %% 4 = 0 THEN 'call' WHEN n %% 5 < 3 THEN 'booked' ELSE 'refused' END AS stage,
        n %% 3 = 0 AS called, timestamptz '2025-01-01' + n * interval '30 seconds' AS moment,
        %(today)s::date - 40 + (hashint8(n) & 63) AS day
    FROM generate_series(%(start)s::bigint, %(end)s::bigint) AS n
) AS made
JOIN LATERAL (SELECT id FROM clinics_doctor ORDER BY id OFFSET (n + n / %(patients)s) %% 600 LIMIT 1) AS doctor ON true
JOIN clinics_doctor_clinics AS place ON place.doctor_id = doctor.id
CROSS JOIN (SELECT min(id) AS id FROM contacts_reason) AS reason
CROSS JOIN (SELECT id FROM staff_user WHERE login = 'administrator0') AS caller
"""
_PLANS = """
WITH given AS (
    INSERT INTO journals_callplan (clinic_id, "on", segment, given_at, given_by_id)
    SELECT clinic.id, %(today)s, '{}', now(), senior.id
    FROM clinics_clinic AS clinic CROSS JOIN (SELECT id FROM staff_user WHERE login = 'senior') AS senior
    RETURNING id, clinic_id
)
INSERT INTO journals_planitem (plan_id, entry_id, clinic_id, "on", assignee_id, state, outcome, stage_after, due_at)
SELECT given.id, entry.id, entry.clinic_id, %(today)s, person.id, 'open', '', '', now() + interval '8 hours'
FROM journals_recallentry AS entry
JOIN given USING (clinic_id)
CROSS JOIN (SELECT id FROM staff_user WHERE login = 'administrator0') AS person
WHERE entry.id BETWEEN %(start)s AND %(end)s AND entry.stage = 'call' AND entry.id %% 400 = 0
"""


@bench(rows=SIZES, aim=near_bare(1.5, plus_ms=30))
def journal_page(run: Run) -> Measured:
    """«3. Звать» with all its counters, for the senior who sees all fifty clinics."""
    entries(run.rows)
    run.settle()
    senior = data.senior()
    client = run.client(senior)
    return run.beside(
        lambda: run.get(client, "/journals/?tab=call", **{"HX-Request": "true"}),
        "journal_page",
        user=senior.pk,
        cap=CAP + 1,
    )


@bench(rows=SIZES, aim=near_bare(1.5, plus_ms=30))
def segment_counts(run: Run) -> Measured:
    """The senior's plan page of one clinic: the segment counted, callers and board beside it."""
    entries(run.rows)
    run.settle()
    client = run.client(data.senior())
    now = timezone.now()
    clinic = data.clinic_ids()[0]
    return run.beside(
        lambda: run.get(client, f"/journals/plan/?clinic={clinic}"),
        "journal_segment",
        clinic=clinic,
        now=now,
        on=local_day(now, "Europe/Moscow"),
    )


@bench(rows=SIZES, aim=p95(60))
def save_an_outcome(run: Run) -> Measured:
    """The POST that ends a call, each time another card, all six outcomes in turn."""
    entries(run.rows)
    run.settle()
    client = run.client(data.senior())
    today = timezone.now().date()
    first = 200 * SIZES.index(run.rows)  # later windows than those that the smaller size has booked
    ready = (
        RecallEntry.objects.to_call()
        .filter(call_on__lt=today, plan_items__isnull=True)
        .order_by("-pk")[:62]
    )
    return run.each(
        [
            functools.partial(_post, client, entry, _form(client, entry, n))
            for n, entry in enumerate(ready, start=first)
        ]
    )


def _form(client: Client, entry: RecallEntry, n: int) -> dict[str, object]:
    """What the opened card's form would send."""
    later = timezone.now() + dt.timedelta(days=2, minutes=31 * n)
    reason = Reason.objects.filter(uses__contains=["unreached"])[0]
    thinking, refusing = (
        Reason.objects.filter(uses__contains=[use])[0] for use in ("thinking", "refused")
    )
    window = ScheduleWindow.objects.create(
        clinic_id=entry.clinic_id,
        doctor=Doctor.objects.get(pk=entry.doctor_id),
        starts_at=later,
        ends_at=later + dt.timedelta(minutes=30),
    )
    ways: list[dict[str, object]] = [
        {"outcome": "booked", "window": window.pk},
        {"outcome": f"unreached:{reason.pk}", "refusal_reason": refusing.pk},
        {"outcome": "thinking", "reason_thinking": thinking.pk},
        {
            "outcome": "remind",
            "call_on_remind": next_working_day(hours_of(entry.clinic), later.date()).isoformat(),
        },
        {"outcome": "refused", "reason_refused": refusing.pk},
    ]
    page = client.get(f"/journals/{entry.pk}/?call=out").content.decode()
    version = re.search(r'name="version"\s+value="(\d+)"', page)
    if version is None:
        raise AssertionError(f"the card of {entry.pk} has no form")
    return {"version": version[1], "token": str(uuid.uuid4()), "comment": "поговорили"} | ways[
        n % len(ways)
    ]


def _post(client: Client, entry: RecallEntry, form: dict[str, object]) -> None:
    answer = client.post(f"/journals/{entry.pk}/", form)
    if answer.status_code != 302:
        raise AssertionError(f"saving answered {answer.status_code}")
    client.cookies.pop(
        "messages", None
    )  # a browser's next page shows the message; here they would pile up unread
