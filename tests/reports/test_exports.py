"""Exports in the background: whole or not at all, once, and never without a word."""

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from callcenter.contacts.states import JobState
from callcenter.staff.models import User
from reports import actions, xlsx
from reports.models import Export
from tests.conftest import World

AsUser = Callable[[User], Client]


@pytest.fixture
def ordered(world: World, day: dict[str, Any]) -> Export:
    return actions.order_export(query="period=today&view=all", by=world.manager, now=timezone.now())


def test_an_ordered_export_is_written_once_and_downloaded_by_its_owner(
    world: World, ordered: Export, as_user: AsUser
) -> None:
    assert as_user(world.manager).get(f"/history/exports/{ordered.pk}/").status_code == 404, (
        "not written yet"
    )
    assert actions.write_due_exports(now=timezone.now()) == 1
    assert actions.write_due_exports(now=timezone.now()) == 0
    answer = as_user(world.manager).get(f"/history/exports/{ordered.pk}/")
    table = list(
        openpyxl.load_workbook(io.BytesIO(answer.getvalue()))
        .worksheets[0]
        .iter_rows(values_only=True)
    )
    ordered.refresh_from_db()
    assert (ordered.state, ordered.done, len(table)) == (JobState.DONE, 8, 9)
    assert as_user(world.senior).get(f"/history/exports/{ordered.pk}/").status_code == 404
    assert "готово, 8 строк" in as_user(world.manager).get("/history/exports/").content.decode()


def test_what_a_killed_worker_left_is_taken_again_after_its_lease(
    world: World, ordered: Export
) -> None:
    now = timezone.now()
    Export.objects.filter(pk=ordered.pk).update(state=JobState.RUNNING, claimed_at=now, attempts=1)
    assert actions.write_due_exports(now=now + actions.LEASE) == 0
    assert actions.write_due_exports(now=now + actions.LEASE + dt.timedelta(seconds=1)) == 1
    ordered.refresh_from_db()
    assert (ordered.state, ordered.attempts) == (JobState.DONE, 2)


def test_what_has_cost_three_workers_fails_in_words(
    world: World, ordered: Export, as_user: AsUser
) -> None:
    now = timezone.now()
    Export.objects.filter(pk=ordered.pk).update(
        state=JobState.RUNNING, claimed_at=now, attempts=actions.ATTEMPTS
    )
    actions.write_due_exports(now=now + 2 * actions.LEASE)
    ordered.refresh_from_db()
    assert (ordered.state, ordered.due_at, str(ordered.file)) == (JobState.FAILED, None, "")
    text = as_user(world.manager).get("/history/exports/").content.decode()
    assert "не вышло: прервана" in text
    assert "Скачать" not in text


def test_a_worker_that_lost_its_lease_leaves_the_file_to_the_other(
    ordered: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = xlsx.write_report

    def slow(*args: Any, **more: Any) -> int:
        """Another worker takes the export up and finishes it, while this one still writes."""
        monkeypatch.setattr("reports.actions.write_report", real)
        actions.write_due_exports(now=timezone.now() + 2 * actions.LEASE)
        return real(*args, **more)

    monkeypatch.setattr("reports.actions.write_report", slow)
    actions.write_due_exports(now=timezone.now())
    ordered.refresh_from_db()
    assert (ordered.state, ordered.attempts, ordered.last_error) == (JobState.DONE, 2, "")
    assert ordered.file.size


def test_a_failed_export_comes_again_and_says_why_in_the_end(
    ordered: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **more: Any) -> int:
        raise OSError("No space left on device")

    monkeypatch.setattr("reports.actions.write_report", full)
    now = timezone.now()
    for attempt in range(1, actions.ATTEMPTS + 1):
        assert actions.write_due_exports(now=now) == 1
        now += dt.timedelta(seconds=31)
        ordered.refresh_from_db()
        assert ordered.attempts == attempt
    assert actions.write_due_exports(now=now) == 0
    assert (ordered.state, ordered.last_error) == (
        JobState.FAILED,
        "OSError: No space left on device",
    )


def test_files_are_removed_after_a_week(ordered: Export) -> None:
    actions.write_due_exports(now=timezone.now())
    assert actions.drop_old_exports(now=timezone.now() + dt.timedelta(days=6)) == 0
    ordered.refresh_from_db()
    storage, name = ordered.file.storage, str(ordered.file.name)
    assert storage.exists(name)
    assert actions.drop_old_exports(now=timezone.now() + dt.timedelta(days=8)) == 1
    assert not storage.exists(name)
