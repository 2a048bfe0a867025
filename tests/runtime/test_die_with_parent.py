"""What is started never outlives its starter, whenever that one dies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from callcenter.runtime.supervisor import DIE_WITH_PARENT

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux ends a child with its parent"
)


def _run(starter: int, left: Path) -> int:
    command = [
        sys.executable,
        "-I",
        "-S",
        str(DIE_WITH_PARENT),
        str(starter),
        "15",
        "-",
        "-",
        "/usr/bin/touch",
        str(left),
    ]
    return subprocess.run(command, check=False, timeout=30).returncode


def test_a_command_whose_starter_is_gone_before_it_begins_does_not_begin(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(30)
    assert _run(gone.pid, tmp_path / "ran") == 1
    assert not (tmp_path / "ran").exists()


def test_a_command_whose_starter_lives_runs(tmp_path: Path) -> None:
    assert _run(os.getpid(), tmp_path / "ran") == 0
    assert (tmp_path / "ran").exists()
