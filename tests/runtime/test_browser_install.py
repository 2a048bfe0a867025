"""Where the stories' browser comes from on a machine that has none: each way tried, and what is
said when none is left.
"""

import os
from pathlib import Path

import pytest

from tests.e2e import chromium
from tests.e2e.chromium import NoBrowser, find, find_or_install

WORKS = "#!/bin/sh\necho Chromium 150\n"
# Debian's installer as far as we use it: `update` does nothing, `install … chromium …` puts one
# beside itself.
INSTALLER = '#!/bin/sh\n[ "$1" = install ] || exit 0\nprintf \'#!/bin/sh\\necho 150\\n\' > "{bin}/chromium"; /bin/chmod +x "{bin}/chromium"\n'


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one empty folder, root's rights, and nothing to download from."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "downloads"))
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:1")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(chromium, "MAC", tmp_path / "no-mac")
    return tmp_path


def put(path: Path, script: str) -> Path:
    path.write_text(script)
    path.chmod(0o755)
    return path


def test_one_that_does_not_run_is_passed_over(machine: Path) -> None:
    put(machine / "chromium", "#!/bin/sh\nexit 1\n")
    assert find(machine / "own") is None
    works = put(machine / "google-chrome", WORKS)
    assert find(machine / "own") == works


def test_playwrights_own_download_is_taken_when_it_comes(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = machine / "own"
    ran: list[list[str]] = []

    def run(command: list[str], *, seconds: int, **env: str) -> str:
        ran.append(command)
        put(own, WORKS)
        return ""

    monkeypatch.setattr(chromium, "_run", run)
    assert find_or_install(own) == own
    assert [command[1:] for command in ran] == [["-m", "playwright", "install", "chromium"]]


def test_else_the_package_of_debian_is(machine: Path) -> None:
    put(machine / "apt-get", INSTALLER.format(bin=machine))
    assert find_or_install(machine / "own") == machine / "chromium"


def test_else_it_says_what_was_tried_and_what_to_do(machine: Path) -> None:
    put(
        machine / "apt-get",
        "#!/bin/sh\necho 'E: Unable to locate package chromium' >&2\nexit 100\n",
    )
    with pytest.raises(NoBrowser) as told:
        find_or_install(machine / "own")
    assert "Install Debian's `chromium`" in str(told.value)
    assert "ECONNREFUSED" in str(told.value)
    assert "Unable to locate package chromium" in str(told.value)


def test_an_ordinary_user_is_not_made_to_wait_for_apt(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(machine / "apt-get", INSTALLER.format(bin=machine))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoBrowser, match="name one in the variable CHROMIUM"):
        find_or_install(machine / "own")
