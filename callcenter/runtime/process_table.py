"""The table of the demo's processes: the same commands that production runs, each a line."""

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    name: str
    command: tuple[str, ...]
    pool: bool = False  # a pool of database connections: the web process only


def table(folder: Path, port: int) -> tuple[Process, ...]:
    """What runs beside PostgreSQL and Valkey, in the order of starting: the web first."""
    celery = (sys.executable, "-m", "celery", "-A", "callcenter")
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return (
        Process(
            "web",
            (sys.executable, "-m", "gunicorn", "callcenter.wsgi", *_gunicorn(port)),
            pool=True,
        ),
        Process("worker", (*celery, "worker", "-l", "INFO", "-c", "2", "-Q", "celery", *quiet)),
        Process(
            "worker-long",
            (
                *celery,
                "worker",
                "-l",
                "INFO",
                "-c",
                "2",
                "-Q",
                "messages,long",
                "-n",
                "worker-long@%h",
                *quiet,
            ),
        ),
        Process("robot", (sys.executable, "manage.py", "run_robot")),
        Process("beat", (*celery, "beat", "-l", "INFO", "-s", str(folder / "beat.schedule"))),
    )


def _gunicorn(port: int) -> tuple[str, ...]:
    where = ("--bind", f"127.0.0.1:{port}", "--no-control-socket")
    return (
        *where,
        "--worker-class",
        "gthread",
        "--threads",
        "8",
        "--graceful-timeout",
        "3",
        "--timeout",
        "60",
    )
