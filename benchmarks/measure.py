"""How a measurement is written. A module `benchmarks/bench_<what>.py` holds functions such as

    @bench(rows=(10_000, 1_000_000), aim=near_bare(1.5, plus_ms=30))
    def journal_page(run: Run) -> Measured:
        data.recall_entries(run.rows)  # makes the rows that are still missing
        run.settle()  # VACUUM ANALYZE: measured as a database that has been at work
        client = run.client(data.senior())
        get = lambda: run.get(client, "/journals/")
        return run.beside(get, "journal_page", clinics=data.clinic_ids())

`benchmarks/sql/journal_page.sql` is the bare SQL with `%(clinics)s` for its parameters: the least
that the database must do for the page. A test of the app proves that it returns what the page shows
(`bare("journal_page", clinics=…)` works in pytest too). Page and SQL are run by turns, so that both
see the same machine.

Each module has its own database, empty but migrated, and its functions run in the order of `rows`,
so data only grows. PostgreSQL is as durable as in production. `run.env` lets a module's own
processes (workers) work on the same database. An action: `run.time(lambda: save_outcome(…))`, each
call with a fresh row. A bulk run: `run.once(…, count=20_000)`.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.http import HttpResponseBase
from django.test import Client

from callcenter.staff.models import User

SQL: Final = Path(__file__).parent / "sql"
WARM_UP: Final = 2


@dataclass(frozen=True)
class Measured:
    """Milliseconds of each call; of the bare SQL's calls beside them; the rate of a bulk run; a
    remark for the table.
    """

    samples: Sequence[float]
    bare: Sequence[float] = ()
    per_second: float | None = None
    note: str = ""

    @property
    def median_ms(self) -> float:
        return statistics.median(self.samples)

    @property
    def p95_ms(self) -> float:
        ordered = sorted(self.samples)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]

    @property
    def bare_ms(self) -> float | None:
        return statistics.median(self.bare) if self.bare else None

    @property
    def ratio(self) -> float | None:
        return self.median_ms / self.bare_ms if self.bare_ms else None


@dataclass(frozen=True)
class Aim:
    words: str
    met: Callable[[Measured], bool]

    def __and__(self, other: "Aim") -> "Aim":
        return Aim(
            f"{self.words}, {other.words}",
            lambda measured: self.met(measured) and other.met(measured),
        )


def p95(ms: float) -> Aim:
    return Aim(f"p95 ≤ {ms:g} ms", lambda measured: measured.p95_ms <= ms)


def p99(ms: float) -> Aim:
    return Aim(f"p99 ≤ {ms:g} ms", lambda measured: p99_of(measured.samples) <= ms)


def p99_of(samples: Sequence[float]) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def median(ms: float) -> Aim:
    return Aim(f"median ≤ {ms:g} ms", lambda measured: measured.median_ms <= ms)


def near_bare(ratio: float, *, plus_ms: float) -> Aim:
    """The median of the page is at most `ratio` times the median of the bare SQL and `plus_ms`
    more.
    """
    return Aim(
        f"≤ {ratio:g} × bare SQL + {plus_ms:g} ms",
        lambda measured: (
            measured.bare_ms is not None
            and measured.median_ms <= ratio * measured.bare_ms + plus_ms
        ),
    )


def at_least(per_second: float) -> Aim:
    return Aim(
        f"≥ {per_second:g} a second", lambda measured: (measured.per_second or 0) >= per_second
    )


@dataclass(frozen=True)
class Bench:
    name: str
    rows: int
    aim: Aim
    call: "Callable[[Run], Measured]"
    module: str


REGISTRY: Final[list[Bench]] = []


def bench(
    *, aim: Aim, rows: int | Iterable[int] = 0, name: str = ""
) -> "Callable[[Callable[[Run], Measured]], Callable[[Run], Measured]]":
    """Registers the function as a measurement, once for each size in `rows`."""

    def register(function: "Callable[[Run], Measured]") -> "Callable[[Run], Measured]":
        for size in [rows] if isinstance(rows, int) else sorted(rows):
            REGISTRY.append(
                Bench(name or function.__name__, size, aim, function, function.__module__)
            )
        return function

    return register


def bare(name: str, **params: Any) -> list[dict[str, Any]]:
    """The rows of `benchmarks/sql/<name>.sql`."""
    with connection.cursor() as cursor:
        cursor.execute((SQL / f"{name}.sql").read_text(), params)
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


@dataclass
class Run:
    """One measurement under way."""

    rows: int
    database_url: str = ""
    env: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.env = {**os.environ, "DATABASE_URL": self.database_url}

    def settle(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")

    def client(self, user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def get(self, client: Client, url: str, **headers: str) -> HttpResponseBase:
        """The page, whole: read to its end and certainly a page, since a fast 404 would please
        every aim.
        """
        answer = client.get(url, headers=headers)
        if answer.status_code != 200:
            raise AssertionError(f"{url} answered {answer.status_code}")
        answer.getvalue()
        return answer

    def time(self, call: Callable[[], object], *, times: int = 30) -> Measured:
        for _ in range(WARM_UP):
            call()
        return Measured([_ms(call) for _ in range(times)])

    def each(self, calls: Sequence[Callable[[], object]]) -> Measured:
        """Different calls of one kind, e.g. 40 searches; the first of them once more beforehand, to
        warm up.
        """
        for call in calls[:WARM_UP]:
            call()
        return Measured([_ms(call) for call in calls])

    def beside(
        self, call: Callable[[], object], sql: str, *, times: int = 20, **params: Any
    ) -> Measured:
        """The call and the bare SQL by turns."""
        for _ in range(WARM_UP):
            call()
            bare(sql, **params)
        samples, beside = [], []
        for _ in range(times):
            samples.append(_ms(call))
            beside.append(_ms(lambda: bare(sql, **params)))
        return Measured(samples, beside)

    def once(self, call: Callable[[], object], *, count: int, note: str = "") -> Measured:
        """A bulk run of `count` things: its whole time, and how many a second."""
        ms = _ms(call)
        return Measured(
            [ms], per_second=count / ms * 1000, note=note or f"{count / ms * 1000:.0f} a second"
        )


def _ms(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000
