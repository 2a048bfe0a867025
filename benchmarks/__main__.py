"""`make bench`: finds benchmarks/bench_*.py, measures, prints a table, writes
benchmarks/results/latest.json.

Exit code 1 when an aim is missed or a measurement failed. ONLY=name (or a part of one) measures
only that and keeps the other results of the file.
"""

import argparse
import contextlib
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from callcenter.runtime.embedded_servers import throwaway

if TYPE_CHECKING:
    from benchmarks.measure import Bench

HERE: Final = Path(__file__).parent
LATEST: Final = HERE / "results" / "latest.json"
LIMIT: Final = 20 * 60  # seconds for the whole run
TEMPLATE: Final = "bench_template"


@dataclass(frozen=True)
class Options:
    only: str = ""
    rows: int | None = None  # not above this size


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--only", default=os.environ.get("ONLY", ""), help="measure only names with this in them"
    )
    parser.add_argument("--rows", type=int, default=None, help="leave out sizes above this")
    given = parser.parse_args()
    os.environ["DEMO"] = "1"
    os.environ["DJANGO_SETTINGS_MODULE"] = "callcenter.settings"
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    with throwaway(durable=True) as (postgres, valkey):
        os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = postgres.url, valkey.url
        import django

        django.setup()
        results = _measure_all(Options(given.only, given.rows))
    if not results:
        print(f"No measurement has «{given.only}» in its name.")
        return 1
    _write(results, keep_others=bool(given.only or given.rows))
    return 0 if all(result["ok"] for result in results) else 1


def _measure_all(options: Options) -> list[dict[str, Any]]:
    from django.core.management import call_command
    from django.urls import get_resolver

    from benchmarks import measure
    from callcenter.lib.gc_tuning import shorten_pauses

    for path in sorted(HERE.glob("bench_*.py")):
        importlib.import_module(f"benchmarks.{path.stem}")
    chosen = [
        entry
        for entry in measure.REGISTRY
        if options.only in entry.name and (options.rows is None or entry.rows <= options.rows)
    ]
    if not chosen:
        return []
    call_command("migrate", verbosity=0)
    _sql(f"CREATE DATABASE {TEMPLATE} TEMPLATE {_own_database()}")
    get_resolver().url_patterns  # noqa: B018 (loads every view, as the web process does)
    shorten_pauses()
    _heading()
    started = time.monotonic()
    results = []
    for module in dict.fromkeys(entry.module for entry in chosen):
        with _database(module.rpartition(".")[2]) as url:
            for entry in sorted(
                (entry for entry in chosen if entry.module == module), key=lambda entry: entry.rows
            ):
                late = time.monotonic() - started > LIMIT
                results.append(_late(entry) if late else _measure(entry, url))
                _line(results[-1])
    print(f"\n{len(results)} measurements in {time.monotonic() - started:.0f} s")
    return results


def _measure(entry: "Bench", url: str) -> dict[str, Any]:
    from benchmarks.measure import Run

    try:
        measured = entry.call(Run(entry.rows, url))
    # One failed measurement is a line of the table, the others go on
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        return _result(entry, ok=False, note=f"failed: {type(error).__name__}: {error}"[:200])
    return _result(
        entry,
        median_ms=round(measured.median_ms, 2),
        p95_ms=round(measured.p95_ms, 2),
        bare_ms=None if measured.bare_ms is None else round(measured.bare_ms, 2),
        ratio=None if measured.ratio is None else round(measured.ratio, 2),
        ok=entry.aim.met(measured),
        note=measured.note,
    )


def _late(entry: "Bench") -> dict[str, Any]:
    return _result(entry, ok=False, note=f"not measured: {LIMIT // 60} minutes are over")


def _result(entry: "Bench", **found: Any) -> dict[str, Any]:
    empty = {"median_ms": None, "p95_ms": None, "bare_ms": None, "ratio": None}
    return {"name": entry.name, "rows": entry.rows, **empty, "aim": entry.aim.words, **found}


def _own_database() -> str:
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    connection.close()
    return name


@contextlib.contextmanager
def _database(module: str) -> Iterator[str]:
    """A migrated, empty database for one module; Django is turned to it. Yields its address."""
    from django.db import connection

    home = _own_database()
    _sql(f"CREATE DATABASE {module} TEMPLATE {TEMPLATE}")
    connection.close()
    connection.settings_dict["NAME"] = module
    try:
        yield os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{module}"
    finally:
        connection.close()
        connection.settings_dict["NAME"] = home
        _sql(f"DROP DATABASE {module} WITH (FORCE)")


def _sql(statement: str) -> None:
    """On a connection of its own to `postgres`: a database can't be copied while anyone is in it."""
    import psycopg

    with psycopg.connect(
        os.environ["DATABASE_URL"].rpartition("/")[0] + "/postgres", autocommit=True
    ) as outside:
        outside.execute(statement.encode())


def _heading() -> None:
    print(f"{'':2}{'name':<34}{'rows':>10}{'median':>10}{'p95':>10}{'bare':>10}{'ratio':>7}  aim")


def _line(result: dict[str, Any]) -> None:
    def number(key: str, width: int) -> str:
        value = result[key]
        return f"{value:>{width}.2f}" if value is not None else " " * width

    sign = "✓ " if result["ok"] else "✗ "
    numbers = (
        number("median_ms", 10) + number("p95_ms", 10) + number("bare_ms", 10) + number("ratio", 7)
    )
    note = f"  ({result['note']})" if result.get("note") else ""
    print(
        f"{sign}{result['name']:<34}{result['rows']:>10}{numbers}  {result['aim']}{note}",
        flush=True,
    )


def _write(results: list[dict[str, Any]], *, keep_others: bool) -> None:
    measured = {(result["name"], result["rows"]) for result in results}
    old = json.loads(LATEST.read_text()) if keep_others and LATEST.exists() else []
    kept = [result for result in old if (result["name"], result["rows"]) not in measured]
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_text(json.dumps(kept + results, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
