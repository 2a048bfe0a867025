"""Real processes that a test starts, kills and starts again, on servers of their own.

    @pytest.mark.faults
    def test_a_killed_worker_sends_nothing_twice(stack: Stack) -> None:
        ...rows made with the ORM: this test's Django works on the stack's database... workers =
        [stack.worker(), stack.worker()] beat = stack.beat() stack.kill(workers[0])
        # -9, with its children stack.restart_valkey()                     # comes back empty
        stack.postgres.kill(); stack.postgres.start() stack.wait_until(lambda: not
        Message.objects.filter(state="queued").exists(), seconds=60, what="queue drained")

Each test has a fresh, migrated database. What the processes wrote is printed when the test fails.
`env=` of a process may name other settings
(`DJANGO_SETTINGS_MODULE="tests.faults.settings_without_guard"`). Without the marker `faults` a test
runs in `make test` too: keep those to a few seconds.
"""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from celery import Celery
from django.db import OperationalError, connections
from pytest_django import DjangoDbBlocker

from callcenter.lib import live_updates
from callcenter.runtime import supervisor
from callcenter.runtime.embedded_servers import Postgres, Valkey, throwaway

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "faults_template"
Process = subprocess.Popen[bytes]
_serial = itertools.count(1)


@dataclass
class Stack:
    """PostgreSQL, Valkey and whatever of the product's processes the test starts."""

    postgres: Postgres
    valkey: Valkey
    database: str
    logs: Path
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def database_url(self) -> str:
        return self.postgres.url.rpartition("/")[0] + f"/{self.database}"

    @property
    def env(self) -> dict[str, str]:
        ours = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.valkey.url,
            "DEMO": "1",
            "LOG_LEVEL": "INFO",
        }
        return {
            **os.environ,
            **ours,
            "DJANGO_SETTINGS_MODULE": "callcenter.settings",
            "PYTHONUNBUFFERED": "1",
        }

    def start(self, *command: str, name: str = "", **env: str) -> Process:
        """Runs `python <command>` in the project's folder until the test ends or kills it."""
        label = f"{name or command[0].rpartition('/')[2]}-{next(_serial)}"
        process = supervisor.start(
            [sys.executable, *command],
            log=self.logs / f"{label}.log",
            env={**self.env, **env},
            cwd=ROOT,
        )
        self.processes[label] = process
        return process

    def worker(
        self, *, processes: int = 2, pool: str = "prefork", queues: str = "", **env: str
    ) -> Process:
        """A Celery worker of every queue (or of `queues`); returns when it has answered a ping."""
        node = f"worker{next(_serial)}"
        flags = [
            "-n",
            f"{node}@stack",
            "-c",
            str(processes),
            "-P",
            pool,
            "--without-gossip",
            "--without-mingle",
        ]
        listen = ["-Q", queues] if queues else []
        started = self.start(
            "-m", "celery", "-A", "callcenter", "worker", *flags, *listen, name=node, **env
        )
        self.wait_until(
            lambda: bool(self._broker().control.ping([f"{node}@stack"], timeout=0.5)),
            seconds=150,
            what=f"{node} is up",
        )
        return started

    def beat(self, **env: str) -> Process:
        """A ticker; two at once are a fault that must not matter."""
        memory = self.logs / f"beat-{next(_serial)}.schedule"
        return self.start(
            "-m", "celery", "-A", "callcenter", "beat", "-s", str(memory), name="beat", **env
        )

    def manage(self, *command: str, **env: str) -> Process:
        """A long-running management command, such as `run_robot`."""
        return self.start("manage.py", *command, name=command[0], **env)

    def call(self, task: str, *args: object, queue: str = "celery") -> None:
        """Hands the workers a task by its name, over a link of its own: one kept from before may
        lead to a killed Valkey.
        """
        broker = self._broker()
        with broker.connection_for_write() as link:
            broker.send_task(task, args, queue=queue, connection=link)

    def waiting(self, queue: str = "celery") -> int:
        """Tasks that no worker has taken yet."""
        with redis.Redis.from_url(self.valkey.url) as client:
            return int(client.llen(queue))

    def kill(self, process: Process) -> None:
        """kill -9 of the process and everything it has started."""
        supervisor.kill(process)

    def restart_valkey(self) -> None:
        """Killed and started again: whatever it held is gone."""
        self.valkey.kill()
        self.valkey.start()

    def empty_valkey(self) -> None:
        with redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()

    def restart_postgres(self) -> None:
        """Killed under its clients and started again: every connection breaks, what was committed
        stays.
        """
        self.postgres.kill()
        self.postgres.start()

    def wait_until(self, true: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Asks again and again, also while the database is away. Fails with `what` when the time is
        over.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with suppress(OperationalError):
                if true():
                    return
            connections["default"].close_if_unusable_or_obsolete()
            time.sleep(0.1)
        pytest.fail(f"not within {seconds:g} s: {what}")

    def _broker(self) -> Celery:
        app = Celery(broker=self.valkey.url, set_as_current=False)
        app.conf.task_ignore_result = True
        return app


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[Postgres, Valkey]]:
    """As durable as in production: a killed PostgreSQL keeps every commit."""
    with throwaway(durable=True) as (postgres, valkey):
        env = {**os.environ, "DATABASE_URL": postgres.url, "REDIS_URL": valkey.url}
        subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env=env,
            check=True,
        )
        _sql(postgres, f"CREATE DATABASE {TEMPLATE} TEMPLATE dozvon")
        yield postgres, valkey


@pytest.fixture
def stack(
    servers: tuple[Postgres, Valkey],
    tmp_path: Path,
    settings: Any,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Stack]:
    postgres, valkey = servers
    database = f"faults_{next(_serial)}"
    _sql(postgres, f"CREATE DATABASE {database} TEMPLATE {TEMPLATE}")
    stack = Stack(postgres, valkey, database, tmp_path)
    stack.empty_valkey()
    settings.REDIS_URL = valkey.url
    live_updates._valkey.cache_clear()
    with django_db_blocker.unblock(), _django_on(stack):
        try:
            yield stack
        finally:
            for process in stack.processes.values():
                supervisor.kill(process)
            for log in sorted(tmp_path.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}")  # noqa: T201
    live_updates._valkey.cache_clear()
    _sql(postgres, f"DROP DATABASE {database} WITH (FORCE)")


@contextmanager
def _django_on(stack: Stack) -> Iterator[None]:
    """Turns this process's Django to the stack's database and back."""
    connection = connections["default"]
    connection.close()
    ours = {
        "NAME": stack.database,
        "HOST": "127.0.0.1",
        "PORT": stack.postgres.port,
        "USER": "dozvon",
        "PASSWORD": "",
    }
    before = {key: connection.settings_dict[key] for key in ours}
    connection.settings_dict.update(ours)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def _sql(postgres: Postgres, statement: str) -> None:
    with psycopg.connect(postgres.url.rpartition("/")[0] + "/postgres", autocommit=True) as outside:
        outside.execute(statement.encode())
