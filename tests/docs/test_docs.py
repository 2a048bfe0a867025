"""What the documents say of the code is so."""

import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from callcenter import timers
from callcenter.celery import app
from tests.docs import generated

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
HELP = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))


def test_architecture_shows_the_timers_and_machines_as_they_are() -> None:
    assert generated.PAGE.read_text() == generated.page(), "run `make docs`"


def test_each_timer_has_a_task_and_no_task_waits_in_a_queue_that_nobody_reads() -> None:
    app.loader.import_default_modules()
    missing = [timer.task for timer in timers.TIMERS if timer.task not in app.tasks]
    assert missing == []
    queues = {getattr(task, "queue", None) or "celery" for task in app.tasks.values()}
    assert queues <= set(timers.queues())
    assert len({timer.name for timer in timers.TIMERS}) == len(timers.TIMERS)


def test_each_task_has_a_timer() -> None:
    """What nothing ticks for never runs: pages order work as rows, they call no task."""
    app.loader.import_default_modules()
    ours = {name for name in app.tasks if not name.startswith("celery.")}
    assert ours == {timer.task for timer in timers.TIMERS}


def test_help_lists_every_target() -> None:
    assert {"ready"} == TARGETS - HELP
    said = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert {line.split()[1] for line in said.splitlines()} == HELP


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_what_is_there(page: Path) -> None:
    text = page.read_text()
    assert set(re.findall(r"`make ([a-z-]+)", text)) - TARGETS == set()
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) - set(get_commands()) == set()
    links = [
        link
        for link in re.findall(r"\]\(([^)#]+)", text)
        if not link.startswith(("http:", "https:", "mailto:"))
    ]
    assert [link for link in links if not (page.parent / link).exists()] == []
    paths = re.findall(
        r"`((?:callcenter|journals|reminders|callback|b2c_procedures|reports|tests|docs|benchmarks"
        r"|templates|static|requirements)/[\w./-]+)`",
        text,
    )
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_documents_that_a_contributor_looks_for_are_there() -> None:
    pages = {"README", "ARCHITECTURE", "CHANGELOG", "CONTRIBUTING", "SECURITY", "TESTING"}
    assert {path.stem for path in ROOT.glob("*.md")} == pages
    assert (ROOT / ".github" / "pull_request_template.md").exists()
    assert list((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"))


def test_the_workflow_calls_targets_that_exist() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    called = re.findall(r"- run: (.+)", workflow)
    assert {"make lint", "make test"} <= set(called)
    assert {line.removeprefix("make ") for line in called} <= TARGETS


def test_hooks_call_tools_that_the_make_targets_call() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    for tool in re.findall(r"entry: .*?(?:bin/)(ruff|djangofmt|prettier|lint-imports)", hooks):
        assert f"bin/{tool} " in MAKEFILE or f"bin/{tool}\n" in MAKEFILE
    assert "http" not in hooks


def test_every_dependency_has_its_reason() -> None:
    """Each line of requirements/*.in and package.json stands in the table of docs/adr/0001."""
    stack = (ROOT / "docs" / "adr" / "0001-the-stack.md").read_text()
    named = set()
    for path in (ROOT / "requirements").glob("*.in"):
        named |= set(re.findall(r"^([A-Za-z][\w.-]*)", path.read_text(), re.MULTILINE))
    named |= set(re.findall(r'"([@\w/-]+)": "\d', (ROOT / "package.json").read_text()))
    assert sorted(name for name in named if f"`{name}`" not in stack) == []


def test_lock_files_name_no_address() -> None:
    for path in [*(ROOT / "requirements").glob("*.txt"), ROOT / "package-lock.json"]:
        text = path.read_text()
        assert "index-url" not in text
        assert "resolved" not in text
        assert not re.search(
            r"https?://(?!.*\"(?:url|funding)\")[^\s\"]*(?:simple|registry)", text
        ), path
