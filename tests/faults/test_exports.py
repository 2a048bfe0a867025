"""An export in the background whose worker is killed: never half a file, and written in the end."""

import datetime as dt
from pathlib import Path

import openpyxl
import pytest
from django.utils import timezone

from callcenter.clinics.models import Clinic, Patient, PatientPhone
from callcenter.contacts.models import Contact
from callcenter.contacts.states import JobState
from callcenter.demo.history import make_history
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from reports.actions import order_export
from reports.models import Export
from tests.faults.conftest import Stack

DAY = dt.date(2026, 3, 18)
CONTACTS = 12_000


@pytest.mark.faults
def test_a_killed_worker_leaves_no_half_file_and_another_writes_it(
    stack: Stack, tmp_path: Path
) -> None:
    clinic = Clinic.objects.create(name="Клиника")
    manager = User.objects.create_user(
        "manager",
        full_name="Орлова Ольга Петровна",
        roles=[str(Role.MANAGER), str(Role.ADMINISTRATOR)],
    )
    clinic.staff.add(manager)
    for number in range(300):
        patient = Patient.objects.create(last_name=f"Кедрова{number}", first_name="Анна")
        patient.clinics.add(clinic)
        PatientPhone.objects.create(patient=patient, number=f"+7900000{number:04}", is_main=True)
    made = make_history(contacts=CONTACTS, until=DAY, days=300)["contact"]
    files = tmp_path / "files"
    quick = {"DJANGO_SETTINGS_MODULE": "tests.faults.settings_quick", "FILES_DIR": str(files)}
    order_export(
        query="since=2025-01-01&until=2026-03-18&view=contacts", by=manager, now=timezone.now()
    )

    worker = stack.worker(processes=1, **quick)
    stack.call("reports.tasks.write_exports")
    stack.wait_until(
        lambda: Export.objects.get().done >= 2000, seconds=120, what="the export is under way"
    )
    stack.kill(worker)
    export = Export.objects.get()
    assert export.done < made, "it was killed too late to prove anything"
    assert (export.state, str(export.file)) == (JobState.RUNNING, ""), "nothing is offered"

    stack.worker(processes=1, **quick)
    stack.beat(**quick)
    stack.wait_until(
        lambda: Export.objects.get().state == JobState.DONE,
        seconds=180,
        what="another worker wrote it",
    )
    export = Export.objects.get()
    (written,) = files.rglob("*.xlsx")
    assert written == files / str(export.file)
    book = openpyxl.load_workbook(written)
    assert book.worksheets[0].max_row == made + 1 == Contact.objects.count() + 1
    assert (export.attempts, export.done) == (2, made)
