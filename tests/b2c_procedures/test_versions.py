"""Versions: uploaded, linted, compared, published; the yearly review; texts and settings."""

import datetime as dt
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from b2c_procedures.actions import versions as actions
from b2c_procedures.actions.runs import start_run
from b2c_procedures.definition import FOLDER, BadDefinition, packaged
from b2c_procedures.models import (
    DocumentText,
    ForbiddenPhrase,
    ProcedureSettings,
    ProcedureVersion,
    ReviewDecision,
)
from callcenter.assignments.models import Task
from callcenter.lib.errors import Conflict, Refused
from callcenter.staff.models import User
from tests.b2c_procedures.conftest import Service

AsUser = Callable[[User], Client]
FILE = "08_hours_location.yaml"


def text(version: int = 2, **changes: str) -> str:
    new = (FOLDER / FILE).read_text(encoding="utf-8").replace("version: 1", f"version: {version}")
    for old, replacement in changes.items():
        new = new.replace(old, replacement)
    return new


def test_the_packaged_versions_are_stored_once_with_the_first_decision(service: Service) -> None:
    now = service.world.now
    actions.store_packaged(now=now)
    actions.store_packaged(now=now)
    assert ProcedureVersion.objects.count() == 15
    assert {row.digest for row in ProcedureVersion.objects.all()} == {
        p.digest for p in packaged().values()
    }
    decision = ReviewDecision.objects.get()
    assert decision.due_at == now.replace(year=now.year + 1)


def test_publishing_wants_a_newer_version_and_a_change(service: Service) -> None:
    now = service.world.now
    with pytest.raises(Refused, match="уже опубликован"):
        actions.publish_version(text(1), file_name=FILE, by=service.head, now=now)
    with pytest.raises(Conflict, match="version: 2"):
        actions.publish_version(text(1) + "\n# другое\n", file_name=FILE, by=service.head, now=now)
    row = actions.publish_version(
        text().replace("1 minute", "2 minutes", 1), file_name=FILE, by=service.head, now=now
    )
    assert row.differences == ["8.1: норматив: 1 минута → 2 минуты"]


def test_a_future_version_waits_for_its_day(service: Service) -> None:
    from b2c_procedures.version_lookup import current_digests

    now = service.world.now
    row = actions.publish_version(
        text().replace("valid_from: 2024-01-01", "valid_from: 2026-04-01"),
        file_name=FILE,
        by=service.head,
        now=now,
    )
    assert current_digests(now)[8] != row.digest
    assert (
        current_digests(dt.datetime(2026, 3, 31, 21, 1, tzinfo=dt.UTC))[8] == row.digest
    )  # 00:01 in Moscow


def test_a_broken_file_is_not_published_and_says_where(service: Service, as_user: AsUser) -> None:
    broken = text().replace('next: ["8.6"]', 'next: ["8.9"]')
    with pytest.raises(BadDefinition, match=r"08_hours_location.yaml:\d+: \[known-target\]"):
        actions.publish_version(broken, file_name=FILE, by=service.head, now=service.world.now)
    file = SimpleUploadedFile(FILE, broken.encode())
    page = as_user(service.head).post("/b2c_procedures/versions/", {"file": file})
    assert page.status_code == 422
    assert "known-target" in page.content.decode()
    assert not ProcedureVersion.objects.filter(procedure_version=2).exists()


def test_the_head_sees_the_differences_and_publishes(service: Service, as_user: AsUser) -> None:
    new = text().replace("1 minute", "2 minutes", 1)
    client = as_user(service.head)
    page = client.post(
        "/b2c_procedures/versions/", {"file": SimpleUploadedFile(FILE, new.encode())}
    ).content.decode()
    assert "8.1: норматив: 1 минута → 2 минуты" in page
    answer = client.post("/b2c_procedures/versions/", {"text": new, "name": FILE, "publish": "1"})
    assert answer.status_code == 302
    assert ProcedureVersion.objects.get(number=8, procedure_version=2).published_by == service.head
    refused = as_user(service.lead).post("/b2c_procedures/versions/", {"text": new, "publish": "1"})
    assert refused.status_code == 422


def test_the_review_is_reminded_of_after_twelve_months_once(service: Service) -> None:
    now = service.world.now
    actions.store_packaged(now=now)
    assert actions.remind_due_reviews(now=now + dt.timedelta(days=364)) == 0
    year = now + dt.timedelta(days=366)
    assert actions.remind_due_reviews(now=year) == 1
    assert actions.remind_due_reviews(now=year) == 0
    task = Task.objects.get(title="Пересмотреть процедуры B2C")
    assert task.role == "head"
    decision = actions.confirm_versions(note="проверили", by=service.head, now=year)
    assert decision.due_at is not None
    assert decision.due_at > year + dt.timedelta(days=360)


def test_publish_procedure_checks_shows_and_publishes(service: Service, tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text(text().replace("1 minute", "2 minutes", 1), encoding="utf-8")
    out = StringIO()
    call_command("publish_procedure", str(file), "--check", stdout=out)
    assert "норматив: 1 минута → 2 минуты" in out.getvalue()
    assert not ProcedureVersion.objects.filter(procedure_version=2).exists()
    call_command("publish_procedure", str(file), stdout=out)
    assert ProcedureVersion.objects.filter(number=8, procedure_version=2).exists()
    file.write_text("number: 8", encoding="utf-8")
    with pytest.raises(CommandError):
        call_command("publish_procedure", str(file), stdout=out)


def test_the_words_of_a_document_are_edited_and_filled_in(
    service: Service, as_user: AsUser
) -> None:
    client = as_user(service.lead)
    answer = client.post(
        "/b2c_procedures/texts/",
        {"name": "Скрипт Приветствие/Прощание", "text": "Добрый день, {клиент}! Это {клиника}."},
    )
    assert answer.status_code == 302
    assert DocumentText.objects.get().changed_by == service.lead
    run = start_run(
        procedure=1,
        clinic=service.clinic,
        patient=service.patient,
        by=service.manager,
        now=service.world.now,
    )
    page = as_user(service.manager).get(f"/b2c_procedures/runs/{run.pk}/").content.decode()
    assert "Добрый день, Мария Ивановна! Это Клиника А." in page
    assert client.post("/b2c_procedures/texts/", {"name": "x", "text": " "}).status_code == 422


def test_settings_and_forbidden_wordings_are_saved_by_the_lead(
    service: Service, as_user: AsUser
) -> None:
    client = as_user(service.lead)
    assert client.get("/b2c_procedures/settings/").status_code == 200
    form = {
        f.name: getattr(ProcedureSettings(), f.name)
        for f in ProcedureSettings._meta.fields
        if f.name != "id"
    }
    assert (
        client.post(
            "/b2c_procedures/settings/", form | {"team_name": "Команда клиники"}
        ).status_code
        == 302
    )
    assert ProcedureSettings.present().team_name == "Команда клиники"
    assert client.post("/b2c_procedures/settings/", form | {"team_name": ""}).status_code == 422
    answer = client.post(
        "/b2c_procedures/settings/phrases/new/",
        {"phrase": "никогда*", "why": "обещание", "is_active": "on"},
    )
    assert answer.status_code == 302
    assert ForbiddenPhrase.objects.get(phrase="никогда*").is_active
    assert as_user(service.manager).get("/b2c_procedures/settings/").status_code == 403
