"""Processes that we start and that must never outlive us, however we end."""

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")


def unprivileged() -> tuple[str, str]:
    """Whom to be for what refuses to run as root: uid and gid of `nobody`, or ('-', '-') when we
    are not root.
    """
    if os.geteuid() != 0:
        return "-", "-"
    nobody = pwd.getpwnam("nobody")
    return str(nobody.pw_uid), str(nobody.pw_gid)


def start(
    command: Sequence[str],
    *,
    log: Path | IO[bytes],
    env: Mapping[str, str] | None = None,
    cwd: str | Path = "/",
    step_down: bool = False,
    dying: signal.Signals = signal.SIGTERM,
) -> "subprocess.Popen[bytes]":
    """Starts it as the leader of a session of its own, its output in `log`; when we die it gets the
    signal `dying`.

    Call it from a thread that lives as long as the child should: Linux ties the child to the
    thread. `step_down` runs it as `nobody` if we are root.
    """
    uid, gid = unprivileged() if step_down else ("-", "-")
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("ab")) if isinstance(log, Path) else log
        return subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                str(DIE_WITH_PARENT),
                str(os.getpid()),
                str(int(dying)),
                uid,
                gid,
                *command,
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=cwd,
            env=env,
        )


def end(
    process: "subprocess.Popen[bytes]",
    *,
    politely: signal.Signals = signal.SIGTERM,
    seconds: float = 5,
) -> None:
    """Asks it to end, then kills it and whatever it has started; returns when it is gone."""
    if process.poll() is None:
        process.send_signal(politely)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL to the whole session: the process and its children, at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def end_all(processes: Sequence["subprocess.Popen[bytes]"], *, seconds: float) -> None:
    """Asks all of them at once, so that the slowest alone decides how long it takes; kills what is
    left.
    """
    until = time.monotonic() + seconds
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, until - time.monotonic()))
        kill(process)
