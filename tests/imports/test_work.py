"""The worker's side: leases, dead workers, two of them over one import, 100,000 rows' way in small."""

import datetime as dt
import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

from callcenter.audit.models import AuditEntry
from callcenter.clinics.models import Patient
from callcenter.imports import actions
from callcenter.imports.jobs import ImportJob, Report
from callcenter.imports.models import ImportFile, ImportFinding, ImportRun
from callcenter.imports.patients import PatientsJob
from callcenter.imports.states import ImportState
from tests.conftest import NOON, World
from tests.imports.files import check, csv, load, start, work

PATIENTS = csv(("ФИО", "Телефон"), ("Ким Анна", "+79000001001"), ("Ким", "1"))
WORKER = """
import django, os, sys
django.setup()
from django.utils import timezone
from callcenter.imports import actions, patients
from callcenter.clinics.models import Patient
write = patients.PatientsJob.write
def slow_write(job, report):
    write(job, report)
    print("written", Patient.objects.count(), flush=True)
    import time
    time.sleep(60)  # killed here: everything is written, nothing is committed
patients.PatientsJob.write = slow_write
actions.work_on_due(clock=timezone.now)
"""


def ready(world: World, content: bytes = PATIENTS) -> ImportRun:
    run = start("patients", content, clinic=world.clinic, by=world.senior, now=NOON)
    return check(run, by=world.senior, now=NOON)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_leaves_nothing_half_written(world: World) -> None:
    rows = [("Ким Анна", f"+7900000{n:04}") for n in range(3_000)]
    run = ready(world, csv(("ФИО", "Телефон"), *rows))
    actions.confirm_import(run, cancel_missing=False, by=world.senior, now=NOON)
    database = connection.settings_dict
    url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "callcenter.settings"},
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    with worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "written 3000\n"
        worker.send_signal(signal.SIGKILL)
    run.refresh_from_db()
    assert (run.state, bool(run.token)) == (ImportState.RUNNING, True)
    assert Patient.objects.count() == 0
    assert run.claimed_at is not None
    # Nobody else takes it while the lease runs; afterwards it is done from the beginning.
    assert not actions.work_on_due(clock=lambda: NOON)
    assert actions.release_abandoned(now=run.claimed_at + dt.timedelta(minutes=1)) == 0
    assert actions.release_abandoned(now=run.claimed_at + dt.timedelta(minutes=3)) == 1
    assert work(run, now=NOON).state == ImportState.DONE
    assert (Patient.objects.count(), run.crash_count) == (3_000, 1)
    assert AuditEntry.objects.filter(action="clinics.load_import").count() == 1


@pytest.mark.django_db
class TestLeases:
    def test_the_third_death_is_shown_to_a_person(self, world: World) -> None:
        run = ready(world)
        actions.confirm_import(run, cancel_missing=False, by=world.senior, now=NOON)
        for death in range(3):
            ImportRun.objects.filter(pk=run.pk).update(claimed_at=NOON, token=f"dead{death}")
            assert actions.release_abandoned(now=NOON + dt.timedelta(minutes=3)) == 1
        run.refresh_from_db()
        assert run.state == ImportState.FAILED
        assert "Ничего не записано" in run.error
        assert (
            check(run, by=world.senior, now=NOON).state == ImportState.READY
        )  # and it can be tried again

    def test_a_worker_that_lost_its_lease_takes_everything_back(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = ready(world)
        write = PatientsJob.write

        def taken_over(job: PatientsJob, report: Report) -> None:
            write(job, report)
            ImportRun.objects.filter(pk=run.pk).update(token="another")

        monkeypatch.setattr(PatientsJob, "write", taken_over)
        actions.confirm_import(run, cancel_missing=False, by=world.senior, now=NOON)
        actions.work_on_due(clock=lambda: NOON)
        assert not Patient.objects.exists()
        assert ImportFile.objects.exists()

    def test_a_failure_of_the_database_is_stored_on_the_import(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = ready(world)

        def fail(job: ImportJob, report: Report) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1/0")

        monkeypatch.setattr(PatientsJob, "write", fail)
        run = load(run, by=world.senior, now=NOON)
        assert run.state == ImportState.FAILED
        assert "Ничего не записано" in run.error
        monkeypatch.undo()
        check(run, by=world.senior, now=NOON)
        run.refresh_from_db()
        assert load(run, by=world.senior, now=NOON).counts["created"] == 1

    @pytest.mark.parametrize("half", ["plan", "write"])
    def test_a_defect_of_the_program_is_stored_too_and_no_claim_is_left_behind(
        self, world: World, monkeypatch: pytest.MonkeyPatch, half: str
    ) -> None:
        run = ready(world)

        def stumble(job: ImportJob, *args: object) -> None:
            raise KeyError("")

        monkeypatch.setattr(PatientsJob, half, stumble)
        run = load(run, by=world.senior, now=NOON)
        assert (run.state, run.claimed_at, run.token) == (ImportState.FAILED, None, "")
        assert run.error == (
            f"В самой программе ошибка (KeyError). Ничего не записано; "
            f"передайте номер импорта {run.pk} тому, кто обслуживает Дозвон."
        )

    def test_old_files_and_findings_are_deleted(self, world: World) -> None:
        left, done = ready(world), load(ready(world), by=world.senior, now=NOON)
        actions.clean_up(now=NOON + dt.timedelta(days=2))
        assert ImportFile.objects.count() == 1
        actions.clean_up(now=NOON + dt.timedelta(days=4))
        left.refresh_from_db()
        assert left.state == ImportState.DROPPED
        assert not ImportFile.objects.exists()
        assert done.findings.exists()
        actions.clean_up(now=NOON + dt.timedelta(days=31))
        assert not ImportFinding.objects.exists()
        done.refresh_from_db()
        assert done.samples == []


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_while_the_transaction_is_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ready(world)
    actions.confirm_import(run, cancel_missing=False, by=world.senior, now=NOON)
    seen = []
    later = iter(range(1, 1_000))

    def write(job: PatientsJob, report: Report) -> None:
        report(1)
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT progress, claimed_at FROM imports_importrun WHERE id = %s", [run.pk]
            )
            seen.extend(cursor.fetchall())
        other.close()

    monkeypatch.setattr(PatientsJob, "write", write)
    actions.work_on_due(clock=lambda: NOON + dt.timedelta(seconds=2 * next(later)))
    (progress, claimed_at), *_ = seen
    assert progress == 3
    assert claimed_at > NOON
