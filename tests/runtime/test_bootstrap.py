"""What `make` says when a step can't be done: which, and what to do."""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.runtime import bootstrap
from callcenter.runtime.bootstrap import SetupFailed


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder of its own with lock files, nothing installed."""
    (tmp_path / "requirements").mkdir()
    for name in ("demo", "dev"):
        (tmp_path / "requirements" / f"{name}.txt").write_text(f"# {name}\n")
    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    return tmp_path


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_an_old_python_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "NEEDED", (3, 99))
    with pytest.raises(SetupFailed, match=r"too old.*3\.99.*make demo PYTHON="):
        bootstrap._check_python()


def test_an_old_python_can_read_the_file_far_enough_to_say_so() -> None:
    """It compiles as Python 3.8, which is what an old machine would run it with."""
    import ast

    ast.parse(Path(bootstrap.__file__).read_text(), feature_version=(3, 8))


def test_a_taken_port_is_named_with_another(taken_port: int) -> None:
    with pytest.raises(SetupFailed, match=rf"{taken_port} is taken.*PORT={taken_port + 1}"):
        bootstrap._check_port(taken_port)


@pytest.mark.parametrize("given", ["http", "0", "70000", "-1"])
def test_a_port_that_is_none(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", given)
    with pytest.raises(SetupFailed, match="is no port"):
        bootstrap._port()


def test_a_full_disk_is_told_before_anything_is_installed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10**6}))
    with pytest.raises(SetupFailed, match="Only 1 MB are free"):
        bootstrap._check_disk(project / "var" / "demo")


def test_a_second_demo_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    (tmp_path / "address").write_text("http://127.0.0.1:8000\n")
    with (tmp_path / "lock").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        with pytest.raises(SetupFailed, match=r"already running at http://127\.0\.0\.1:8000"):
            bootstrap._lock(tmp_path)
    held = bootstrap._lock(tmp_path)
    with pytest.raises(SetupFailed, match=rf"Ctrl-C in its window, or `kill {os.getpid()}`"):
        bootstrap._lock(tmp_path)
    os.close(held)


def test_a_folder_of_somebody_elses_is_named_and_not_one_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(SetupFailed, match=rf"No right to write to {tmp_path}\. .*copy the project"):
        bootstrap._lock(tmp_path / "var" / "demo")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            "ERROR: No matching distribution found for pygraphviz==2.0",
            "no ready-made package of pygraphviz",
        ),
        (
            "error: failed-wheel-build\nFailed building wheel for lxml",
            "no ready-made package of lxml",
        ),
        ("NewConnectionError('<…>: Failed to establish a new connection", "can't be reached"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        (
            "THESE PACKAGES DO NOT MATCH THE HASHES from the requirements file",
            "differs from what was locked",
        ),
    ],
)
def test_pips_failures_become_sentences(output: str, words: str) -> None:
    assert words in bootstrap._why(output)


def test_a_failing_pip_stops_with_its_reason(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "requirements" / "demo.txt").write_text(
        "no-such-package-of-dozvon==1.0 --hash=sha256:" + "0" * 64 + "\n"
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (project / ".venv").symlink_to(Path(sys.prefix))
    with pytest.raises(SetupFailed, match="no ready-made package of no-such-package-of-dozvon"):
        bootstrap._install_packages("demo")


def test_what_is_installed_is_not_installed_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **_: str) -> tuple[int, str]:
        ran.append(command)
        return 0, ""

    monkeypatch.setattr(bootstrap, "run", run)
    monkeypatch.setattr(bootstrap, "_make_venv", lambda: None)
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "npm").touch()
    (project / "node_modules").mkdir()
    bootstrap.install("dev")
    first = len(ran)
    assert first >= 2  # packages and assets
    bootstrap.install("dev")
    bootstrap.install("demo")  # dev contains it
    assert len(ran) == first
    (project / "package-lock.json").write_text("{ }")
    bootstrap.install("demo")
    assert len(ran) == first + 1


def test_stopping_the_installation_stops_the_installer(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import bootstrap, signal;"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143));"
        "bootstrap.run(['/bin/sh', '-c', 'echo $$ > ' + sys.argv[2] + '; exec sleep 60'])"
    )
    where = Path(bootstrap.__file__).parent
    installing = subprocess.Popen([sys.executable, "-c", code, str(where), str(mark)])
    while not (mark.exists() and mark.read_text().strip()):
        assert installing.poll() is None
    installing.terminate()
    assert installing.wait(10) == 143
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
