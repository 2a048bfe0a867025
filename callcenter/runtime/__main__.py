"""The running demo: `python -m callcenter.runtime FOLDER PORT`, started by bootstrap.py, which
holds the folder's lock.

Starts PostgreSQL, Valkey and the table of processes, starts again what dies, and on Ctrl-C, SIGTERM
or a closed terminal stops all of it within 10 seconds. Should it be killed itself, everything it
started gets a signal from the kernel (Linux).
"""

import contextlib
import hashlib
import http.client
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from callcenter.demo.logins import LOGINS, PASSWORD
from callcenter.runtime import supervisor
from callcenter.runtime.embedded_servers import Postgres, ServiceFailed, Valkey, free_port
from callcenter.runtime.process_table import Process, table

# Of a demo's tables; one more whenever migrations are made again from nothing, so that no new one
# is ever tried on tables of a former version.
DATA_FORMAT = "2"
ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 120  # seconds
# Seconds to stop: the processes together, then PostgreSQL; with Valkey's fraction it stays under
# 10.
STOP_PROCESSES, STOP_POSTGRES = 3.5, 3.5
# A process that dies this often within a minute is broken, not unlucky.
DEATHS_A_MINUTE = 5


class Failed(RuntimeError):
    """A step can't be done; the message says which and what to do."""


class Stopped(BaseException):
    """A signal has come: whatever we are doing, the next thing is to stop."""


def say(text: str) -> None:
    with contextlib.suppress(OSError):  # who started us may have gone, and his terminal with him
        print(text, flush=True)


class Demo:
    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.logs = folder / "logs"
        self.postgres = Postgres(folder / "postgres" / "data", free_port())
        self.valkey = Valkey(folder / "valkey", free_port())
        self.running: dict[Process, subprocess.Popen[bytes]] = {}
        self.deaths: list[float] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def env(self, *, pool: bool = False) -> Mapping[str, str]:
        ours = {
            "DEMO": "1",
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "SECRET_KEY": self._secret(),
            "PUBLIC_URL": self.address,
            "FILES_DIR": str(self.folder / "files"),
            "DJANGO_SETTINGS_MODULE": "callcenter.settings",
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **ours, **({"DB_POOL": "1"} if pool else {})}

    def start(self) -> None:
        """Everything up and the web answering; prints the steps. Raises Failed or ServiceFailed."""
        started = time.monotonic()
        for private in (self.logs, self.folder / "files"):
            private.mkdir(mode=0o700, parents=True, exist_ok=True)
        say("Starting PostgreSQL and Valkey …")
        self.postgres.prepare_folder()
        self.postgres.start()
        self.valkey.start()
        self._migrate_and_load()
        say("Starting web, workers and timers …")
        web, *others = table(self.folder, self.port)
        self._start(web)
        self._wait_for(web)  # alone on the machine's cores, so that the page is there first
        for process in others:
            self._start(process)
        self._write_address()
        self._welcome(time.monotonic() - started)

    def watch(self) -> None:
        """Until a signal comes: what has died is started again, in the log and on the terminal."""
        while True:
            time.sleep(0.3)
            if self.postgres.process is not None and self.postgres.process.poll() is not None:
                self._died("PostgreSQL")
                self.postgres.start()
            if self.valkey.process is not None and self.valkey.process.poll() is not None:
                self._died("Valkey")
                self.valkey.start()
            for process, child in list(self.running.items()):
                if child.poll() is not None:
                    self._died(process.name)
                    supervisor.kill(child)  # what it may have left behind
                    self._start(process)

    def stop(self) -> None:
        supervisor.end_all(list(self.running.values()), seconds=STOP_PROCESSES)
        self.valkey.stop()
        self.postgres.stop(seconds=STOP_POSTGRES)
        (self.folder / "address").unlink(missing_ok=True)

    def _secret(self) -> str:
        """Made once for each demo, so that log-ins outlive a restart."""
        path = self.folder / "secret_key"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(60))
        return path.read_text()

    def _migrate_and_load(self) -> None:
        """The demo clinic is loaded whole or not at all: a load that was broken off is begun again
        on an empty database.
        """
        loaded, migrated = self.folder / "loaded", self.folder / "migrated"
        if loaded.exists() and loaded.read_text() != DATA_FORMAT:
            raise Failed(
                "The demo's data is of a former version. Run `make demo-reset`, then `make demo`."
            )
        if not loaded.exists():
            migrated.unlink(missing_ok=True)
            self.postgres.empty()
        if not migrated.exists() or migrated.read_text() != _migrations():
            say("Bringing the tables up to date …")
            self._manage("migrate", "--verbosity", "0")
            migrated.write_text(_migrations())
        if not loaded.exists():
            say("Loading the demo clinic through the import (a minute or two, once) …")
            if (ROOT / "callcenter/demo/management/commands/load_demo.py").exists():
                self._manage("load_demo")
            loaded.write_text(DATA_FORMAT)

    def _manage(self, *command: str) -> None:
        log = self.logs / f"{command[0]}.log"
        log.unlink(missing_ok=True)
        child = supervisor.start(
            [sys.executable, "manage.py", *command], log=log, env=self.env(), cwd=ROOT
        )
        try:
            code = child.wait()
        finally:
            supervisor.kill(child)
        if code:
            raise Failed(
                f"`manage.py {' '.join(command)}` failed:\n{_tail(log)}\nThe whole of it: {log}"
            )

    def _start(self, process: Process) -> None:
        log = self.logs / f"{process.name}.log"
        self.running[process] = supervisor.start(
            process.command, log=log, env=self.env(pool=process.pool), cwd=ROOT
        )

    def _died(self, name: str) -> None:
        now = time.monotonic()
        self.deaths = [moment for moment in self.deaths if now - moment < 60] + [now]
        if len(self.deaths) > DEATHS_A_MINUTE:
            log = self.logs / f"{name}.log"
            raise Failed(
                f"{name} ends again and again; its last words:\n{_tail(log)}\nThe whole of it: {log}"
            )
        say(f"{name} has ended by itself; starting it again.")

    def _wait_for(self, web: Process) -> None:
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until and self.running[web].poll() is None:
            if self._answers():
                return
            time.sleep(0.1)
        log = self.logs / "web.log"
        raise Failed(
            f"The web process did not answer at {self.address}; its last words:\n{_tail(log)}\nAll: {log}"
        )

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _write_address(self) -> None:
        """For `make demo` in a second window, and for who wants to run `manage.py` on this demo: `.
        demo/environment`.
        """
        (self.folder / "address").write_text(f"{self.address}\n")
        names = ("DEMO", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL", "FILES_DIR")
        environment = self.folder / "environment"
        environment.touch(mode=0o600)
        environment.write_text("".join(f"export {name}='{self.env()[name]}'\n" for name in names))

    def _welcome(self, seconds: float) -> None:
        say(f"\nDozvon is ready ({seconds:.0f} s): {self.address}\n")
        say(_logins())
        say(f"Logs: {self.logs}")
        say(
            f"manage.py on this demo: . {self.folder}/environment && .venv/bin/python manage.py help"
        )
        say("Ctrl-C stops everything.")


def _migrations() -> str:
    """A sum over all migrations: equal to the last start's, nothing is to be brought up to date,
    and a Django start saved.
    """
    files = sorted([*ROOT.glob("*/migrations/*.py"), *ROOT.glob("callcenter/*/migrations/*.py")])
    return hashlib.sha256(
        b"".join(path.name.encode() + path.read_bytes() for path in files)
    ).hexdigest()


def _logins() -> str:
    width = max(len(login) for login, *_ in LOGINS)
    lines = (f"  {login:<{width}}  {full_name}" for login, full_name, *_ in LOGINS)
    return "\n".join([f"Logins (password of each: {PASSWORD}):", *lines])


def _tail(log: Path) -> str:
    return (
        "\n".join(log.read_text(errors="replace").strip().splitlines()[-15:])
        if log.exists()
        else ""
    )


def _stop(*_: object) -> None:
    raise Stopped


def main(folder: Path, port: int) -> int:
    # Explicitly, since a shell starts background jobs with SIGINT ignored. A job under nohup keeps
    # ignoring SIGHUP.
    caught = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        caught.append(signal.SIGHUP)
    for number in caught:
        signal.signal(number, _stop)
    demo = Demo(folder, port)
    try:
        demo.start()
        demo.watch()
    except Stopped:
        say("\nStopping …")
    except (Failed, ServiceFailed) as reason:
        say(f"\n{reason}")
        return 1
    finally:
        for number in caught:
            signal.signal(
                number, signal.SIG_IGN
            )  # a second Ctrl-C must not leave half of it running
        demo.stop()
    say("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
