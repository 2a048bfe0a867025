"""Gives the suite its own PostgreSQL and Valkey (or uses DATABASE_URL and REDIS_URL), before Django
reads its settings.
"""

import contextlib
import faulthandler
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

if TYPE_CHECKING:
    from callcenter.runtime.embedded_servers import Postgres

ROOT = Path(__file__).resolve().parents[1]

# Seconds that the fixtures of a test, or the end of a process once its tests are over, may take to
# put all away.
_LAST_STEPS: Final = 180

_stack = contextlib.ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    os.environ.setdefault("DEMO", "1")
    os.environ.setdefault(
        "DJANGO_ALLOW_ASYNC_UNSAFE", "1"
    )  # Playwright's sync API keeps a loop in this thread
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        _own_valkey_database(int(worker.removeprefix("gw")))
        return
    if {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        _own_valkey_database(0)
        return
    if early_config.known_args_namespace.collectonly or early_config.known_args_namespace.help:
        return
    from callcenter.runtime.embedded_servers import throwaway

    postgres, valkey = _stack.enter_context(throwaway())
    os.environ.setdefault("DATABASE_URL", postgres.url)
    os.environ.setdefault("REDIS_URL", valkey.url)
    if os.environ["DATABASE_URL"] == postgres.url:
        _make_template(postgres)


def _make_template(postgres: "Postgres") -> None:
    """A migrated database; each worker's test database is a copy. Nobody ever connects to the
    original.

    What the migrations make is kept in var/tests until one of them, or a package, changes: they
    take ten seconds.
    """
    template = "dozvon_template"
    kept = ROOT / "var" / "tests" / f"migrated-{_digest()}.sql"
    reach = [
        "--host=127.0.0.1",
        f"--port={postgres.port}",
        "--username=dozvon",
        "--quiet",
        f"--dbname={template}",
    ]
    if kept.exists():
        _create(postgres, template)
        restored = subprocess.run(
            [
                str(postgres.binaries / "psql"),
                *reach,
                "--no-psqlrc",
                "--single-transaction",
                "--set=ON_ERROR_STOP=1",
            ],
            stdin=kept.open("rb"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if restored.returncode == 0:
            os.environ["TEST_TEMPLATE"] = template
            return
    _create(postgres, template)
    url = postgres.url.rpartition("/")[0] + f"/{template}"
    command = [sys.executable, "-W", "ignore", "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=True)
    reach.remove("--quiet")
    dumped = subprocess.run(
        [str(postgres.binaries / "pg_dump"), *reach], capture_output=True, check=True
    )
    kept.parent.mkdir(parents=True, exist_ok=True)
    for old in kept.parent.glob("migrated-*"):
        old.unlink(missing_ok=True)
    making = kept.with_suffix(f".{os.getpid()}")
    making.write_bytes(dumped.stdout)
    making.rename(kept)
    os.environ["TEST_TEMPLATE"] = template


def _create(postgres: "Postgres", database: str) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {database}")
        connection.execute(f"CREATE DATABASE {database}")


def _digest() -> str:
    """Of all that decides what the migrations make."""
    parts = [ROOT / "requirements" / "dev.txt", *sorted(ROOT.glob("*/migrations/*.py"))]
    parts += sorted(ROOT.glob("callcenter/*/migrations/*.py"))
    found = hashlib.sha256()
    for part in parts:
        found.update(str(part.relative_to(ROOT)).encode() + b"\0" + part.read_bytes() + b"\0")
    return found.hexdigest()[:16]


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if template := os.environ.get("TEST_TEMPLATE"):
        # Django copies the template and, MIGRATE being off, finds every table there.
        settings.DATABASES["default"].setdefault("TEST", {}).update(
            TEMPLATE=template, MIGRATE=False
        )


def _own_valkey_database(worker: int) -> None:
    """pytest-django gives each worker a database of its own in PostgreSQL; this does it for Valkey
    (it has 16).

    Every test empties it. Never the first one: at an address given from outside something may live
    there.
    """
    server = os.environ["REDIS_URL"].rpartition("/")[0]
    os.environ["REDIS_URL"] = f"{server}/{1 + worker % 15}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """Renews the ini file's `faulthandler_timeout`, which pytest drops at the first exception of a
    test.
    """
    faulthandler.dump_traceback_later(_LAST_STEPS, file=sys.__stderr__ or 2, exit=True)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """No test is left to time out: a thread or a server that does not end shows its stack and ends
    the process.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        return  # it waits for the others, and is ended by the first process
    faulthandler.dump_traceback_later(_LAST_STEPS, file=sys.__stderr__ or 2, exit=True)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """A failure that depends on the order can be had again, in the same number of workers."""
    terminalreporter.write_line(
        f"order of --randomly-seed={config.getoption('randomly_seed', None)}"
    )


def pytest_unconfigure() -> None:
    _stack.close()
