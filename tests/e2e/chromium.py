"""Where the stories' browser comes from: one that the machine has, else one that is installed.
Never 'no browser, so skip'.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "chrome-browser",
)
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class NoBrowser(RuntimeError):
    """No Chromium here and none could be installed; the message says what was tried and what to do."""


def find(playwrights_own: Path) -> Path | None:
    """The first Chromium or Chrome that answers `--version`: $CHROMIUM, the names on PATH,
    Playwright's own download.
    """
    named = os.environ.get("CHROMIUM")
    candidates = [named] if named else []
    candidates += [found for name in NAMES if (found := shutil.which(name))]
    for candidate in [*map(Path, candidates), MAC, playwrights_own]:
        if candidate.exists() and _runs(candidate):
            return candidate
    return None


def find_or_install(playwrights_own: Path) -> Path:
    """`find`, else Playwright's own download, else (as root on Debian) the `chromium` package.
    Raises NoBrowser.
    """
    with _one_at_a_time():
        if found := find(playwrights_own):
            return found
        said = [_run([sys.executable, "-m", "playwright", "install", "chromium"], seconds=300)]
        if found := find(playwrights_own):
            return found
        if os.geteuid() == 0 and shutil.which("apt-get"):
            quiet = {"DEBIAN_FRONTEND": "noninteractive"}
            said.append(_run(["apt-get", "update"], seconds=180, **quiet))
            install = [
                "apt-get",
                "install",
                "-y",
                "--no-install-recommends",
                "chromium",
                "fonts-dejavu-core",
            ]
            said.append(_run(install, seconds=600, **quiet))
            if found := find(playwrights_own):
                return found
    raise NoBrowser(
        "The browser stories need Chromium or Chrome. None is on PATH, and installing one failed. Install Debian's"
        " `chromium` (or Google Chrome) and run again, or name one in the variable CHROMIUM. What was tried:\n"
        + "\n".join(said)
    )


def _runs(path: Path) -> bool:
    try:
        done = subprocess.run(
            [str(path), "--version"], capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _run(command: list[str], *, seconds: int, **env: str) -> str:
    """Runs it and returns one line on how it went, for NoBrowser."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env={**os.environ, **env},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{' '.join(command)}: {error}"
    words = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["no output"]
    told = next((line for line in words if line.startswith(("Error:", "E:"))), words[-1])
    return f"{' '.join(command)}: exit {done.returncode}; {told}"


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two pytest workers must not run two installers."""
    with (Path(tempfile.gettempdir()) / f"dozvon-browser-{os.geteuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
