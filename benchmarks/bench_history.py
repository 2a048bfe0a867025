"""«История обращений» at three sizes of the table: a page may grow with the period it shows, never
with the table.
"""

import json
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any, Final

from django.test import Client

from benchmarks import data
from benchmarks.measure import Aim, Measured, Run, bench, median, near_bare, p95
from callcenter.clinics.models import Clinic
from callcenter.contacts.api_keys import create_key
from callcenter.contacts.models import Interaction, Topic
from callcenter.demo.history import make_history

ROOT: Final = Path(__file__).resolve().parents[1]
SIZES = (15_000, 150_000, 1_500_000)
LAST_DAY = data.NOW.date()
MONTH = "since=2026-02-01&until=2026-02-28"
YEAR = "since=2025-03-19&until=2026-03-18"
_made: dict[str, int] = {}


def history(run: Run) -> dict[str, Any]:
    """The generated history of this size, once; the parameters of the bare SQL."""
    if _made.get("contacts") != run.rows:
        data.patients(300_000)
        make_history(contacts=run.rows, until=LAST_DAY)
        run.settle()
        _made["contacts"] = run.rows
    return {"clinics": data.clinic_ids(), "topic": Topic.objects.get(name="Имплантация").pk}


@bench(rows=SIZES, aim=median(60))
def history_today(run: Run) -> Measured:
    """A day without grouping, the first page."""
    params = history(run)
    client = run.client(data.manager())
    url = f"/history/?since={LAST_DAY}&until={LAST_DAY}&view=all"
    return run.beside(lambda: run.get(client, url), "history_today", clinics=params["clinics"])


@bench(rows=SIZES, aim=near_bare(1.5, plus_ms=30))
def history_month(run: Run) -> Measured:
    """A month by contacts, the first page and its sums, three filters."""
    params = history(run)
    client = run.client(data.manager())
    url = f"/history/?{MONTH}&view=contacts&who=wants_booking&outcome=not_booked&topic={params['topic']}"
    return run.beside(lambda: run.get(client, url), "history_month", **params)


@bench(rows=SIZES, aim=near_bare(1.5, plus_ms=30))
def history_month_totals(run: Run) -> Measured:
    params = history(run)
    client = run.client(data.manager())
    url = f"/history/?{MONTH}&by1=owner&by2=outcome"
    return run.beside(
        lambda: run.get(client, url),
        "history_totals",
        clinics=params["clinics"],
        before="2026-01-01",
        since="2026-02-01",
        until="2026-02-28",
    )


@bench(rows=SIZES, aim=near_bare(1.2, plus_ms=30) & median(600))
def history_year_totals(run: Run) -> Measured:
    params = history(run)
    client = run.client(data.manager())
    url = f"/history/?{YEAR}&by1=owner&by2=outcome"
    return run.beside(
        lambda: run.get(client, url),
        "history_totals",
        clinics=params["clinics"],
        before="2024-03-19",
        since="2025-03-19",
        until="2026-03-18",
    )


XLSX_ROWS = 100_000
XLSX_AIM = Aim(
    "100,000 rows in ≤ 30 s, under 150 MB",
    lambda measured: measured.median_ms <= 30_000 and "too much" not in measured.note,
)


@bench(rows=(1_500_000,), aim=XLSX_AIM)
def history_xlsx(run: Run) -> Measured:
    """A workbook of about a hundred thousand contacts in a process of its own: the time a hundred
    thousand take, its memory.
    """
    history(run)
    data.manager()
    query = "since=2026-01-25&until=2026-03-18&view=contacts"
    command = [
        sys.executable,
        "-m",
        "benchmarks.workbook",
        query,
        LAST_DAY.isoformat(),
        data.NOW.isoformat(),
    ]
    told = subprocess.run(
        command, env=run.env, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    found = json.loads(told)
    word = "too much memory" if found["mb"] > 150 else "memory"
    note = f"{found['rows']} rows in {found['seconds']:.0f} s, {word} of the whole process {found['mb']:.0f} MB"
    return Measured([found["seconds"] * 1000 * XLSX_ROWS / found["rows"]], note=note)


INTAKE_SECONDS = 60
INTAKE_RATE = 50


@bench(rows=(1_500_000,), aim=p95(60))
def history_intake(run: Run) -> Measured:
    """Fifty requests a second for a minute through the HTTP API: calls in two phases, every tenth
    one repeated.
    """
    history(run)
    clinic = Clinic.objects.order_by("pk").first()
    if clinic is None:
        raise RuntimeError("There are no clinics.")
    _, key = create_key(
        name=f"bench-{uuid.uuid4().hex[:8]}", clinic=clinic, by=data.senior(), now=data.NOW
    )
    client = Client(headers={"Authorization": f"Bearer {key}"})
    before = Interaction.objects.count()
    samples: list[float] = []
    sent: set[str] = set()
    started = time.perf_counter()
    for number in range(INTAKE_SECONDS * INTAKE_RATE):
        call = (number - 2 if number % 10 == 8 else number) // 2
        sent.add(f"call-{call}")
        body: dict[str, Any] = {
            "id": f"call-{call}",
            "kind": "call",
            "phone": f"+7900{call * 7919 % 10_000_000:07}",
            "started_at": "2026-03-18T12:00:00+03:00",
        }
        if number % 2:
            body |= {
                "answered_at": "2026-03-18T12:00:09+03:00",
                "ended_at": "2026-03-18T12:02:00+03:00",
            }
        due = started + number / INTAKE_RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        begun = time.perf_counter()
        answer = client.post(
            "/api/v1/interactions", json.dumps(body), content_type="application/json"
        )
        samples.append((time.perf_counter() - begun) * 1000)
        if answer.status_code not in (200, 201):
            raise RuntimeError(f"{answer.status_code}: {answer.content[:200]!r}")
    rate = len(samples) / (time.perf_counter() - started)
    written = Interaction.objects.count() - before
    if written != len(sent):
        raise RuntimeError(f"{len(sent)} calls were sent, {written} stand in the database")
    return Measured(
        samples,
        per_second=rate,
        note=f"{rate:.0f} a second, {written} calls, none lost, none doubled",
    )
