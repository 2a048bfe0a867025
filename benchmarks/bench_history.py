"""«История обращений» at three sizes of the table: a page may grow with the period it shows, never with the table."""

from typing import Any

from benchmarks import data
from benchmarks.measure import Measured, Run, bench, median, near_bare
from callcenter.contacts.models import Topic
from callcenter.demo.history import make_history

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
