"""The demo as a whole: it comes up, repairs itself, stops in time, and never leaves anything
running.
"""

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from callcenter.runtime.__main__ import DATA_FORMAT
from callcenter.runtime.embedded_servers import free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """As of `make demo`: where `nobody` can reach it. Marked as loaded: loading has tests of its
    own.
    """
    reachable = "/var/tmp" if os.geteuid() == 0 else None  # noqa: S108
    path = Path(tempfile.mkdtemp(prefix="dozvon-demo-test-", dir=reachable))
    path.chmod(0o755)
    (path / "loaded").write_text(DATA_FORMAT)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def demo(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    log = folder / "terminal.log"
    command = [sys.executable, "-m", "callcenter.runtime", str(folder), str(port)]
    with log.open("ab") as out:
        runner = subprocess.Popen(
            # SIGINT ignored, as a shell starts a job in the background
            ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *command],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield runner
    finally:
        if runner.poll() is None:
            runner.kill()
            runner.wait()
        print(log.read_text())  # noqa: T201


def test_it_comes_up_repairs_itself_and_stops_with_everything_it_started(folder: Path) -> None:
    port = free_port()
    with demo(folder, port) as runner:
        _until(lambda: "is ready" in (folder / "terminal.log").read_text(), runner, seconds=150)
        assert _healthy(port)
        family = _family(runner)
        for words in ("celery -A callcenter worker", "valkey-server", "/postgres -D"):
            victim = next(
                one for one in family if words in _command(one) and one.ppid() == runner.pid
            )
            victim.kill()
        _until(
            lambda: (folder / "terminal.log").read_text().count("starting it again") >= 3,
            runner,
            seconds=60,
        )
        _until(lambda: _healthy(port), runner, seconds=60)

        family = _family(runner)
        assert len(family) >= 10
        asked = time.monotonic()
        runner.send_signal(signal.SIGTERM)
        assert runner.wait(30) == 0
        assert time.monotonic() - asked < 10
    assert [one for one in family if one.is_running()] == []


@pytest.mark.skipif(
    sys.platform != "linux",
    reason="only Linux ends a child with its parent; ARCHITECTURE.md says so",
)
def test_a_killed_runner_takes_everything_with_it(folder: Path) -> None:
    with demo(folder, free_port()) as runner:
        _until(lambda: "is ready" in (folder / "terminal.log").read_text(), runner, seconds=150)
        family = _family(runner)
        runner.kill()
        runner.wait()
        _, alive = psutil.wait_procs(family, timeout=15)
        assert alive == []


def test_what_can_not_start_is_said_in_words_and_leaves_nothing_running(folder: Path) -> None:
    (folder / "postgres" / "data").mkdir(parents=True)
    (folder / "postgres" / "data" / "PG_VERSION").write_text("12\n")
    with demo(folder, free_port()) as runner:
        assert runner.wait(120) == 1
    said = (folder / "terminal.log").read_text()
    assert "PostgreSQL ended at once" in said
    assert "Traceback" not in said


def _command(process: psutil.Process) -> str:
    """Its command line; '' of one that has just ended, as PostgreSQL's short-lived ones do all the
    time.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def _family(runner: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    return psutil.Process(runner.pid).children(recursive=True)


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _until(true: Callable[[], bool], runner: "subprocess.Popen[bytes]", *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert runner.poll() is None, "the demo ended"
        if true():
            return
        time.sleep(0.1)
    pytest.fail(f"not within {seconds:g} s")


def test_data_of_a_former_version_is_refused_in_one_sentence(folder: Path) -> None:
    (folder / "loaded").write_text("")
    with demo(folder, free_port()) as runner:
        assert runner.wait(timeout=60) == 1
    last = (folder / "terminal.log").read_text().strip().splitlines()[-1]
    assert (
        last == "The demo's data is of a former version. Run `make demo-reset`, then `make demo`."
    )
