"""The pages of imports: upload, columns, preview, confirmation, rejected rows; who may see what."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from callcenter.audit.models import AuditEntry
from callcenter.clinics.models import Patient
from callcenter.imports import file_reader, views
from callcenter.imports.columns import guess
from callcenter.imports.kinds import kinds
from callcenter.imports.models import ImportFile, ImportFinding, ImportRun
from callcenter.imports.states import ImportState
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from journals.models import RecallEntry
from tests.conftest import NOON, World, make_user
from tests.imports.files import check, csv, start, through, xlsx

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]

PATIENTS = csv(
    ("ФИО", "Телефон", "Какой-то номер"),
    ("Ким Анна", "+79000001001", "P1"),
    ("Ким 2", "010-10-01", "P2"),
    ("=HYPERLINK(1)", "+79000001003", "P3"),
)


def upload(
    client: Client,
    world: World,
    content: bytes = PATIENTS,
    name: str = "картотека.csv",
    kind: str = "patients",
) -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post(
        reverse("imports:list"), {"kind": kind, "clinic": world.clinic.pk, "file": file}
    )


def test_from_the_upload_to_the_rejected_rows(world: World, as_user: AsUser) -> None:
    client = as_user(world.senior)
    answer = upload(client, world)
    run = ImportRun.objects.get()
    assert answer.url == reverse("imports:run", args=[run.pk])
    page = client.get(answer.url).content.decode()
    assert "Какой-то номер" in page
    assert "Проверить файл" in page
    answer = client.post(
        reverse("imports:columns", args=[run.pk]),
        {"column-0": "full_name", "column-1": "phone", "column-2": "patient_id"},
        follow=True,
    )
    page = answer.content.decode()
    assert "не хватает цифр" in page
    assert "Загрузить годные строки" in page
    assert not Patient.objects.exists()
    page = client.post(reverse("imports:confirm", args=[run.pk]), follow=True).content.decode()
    assert "добавлено" in page
    assert Patient.objects.get().source_id == "P1"
    assert not ImportFile.objects.exists()
    book = client.get(reverse("imports:rejected", args=[run.pk]))
    assert "attachment" in book["Content-Disposition"]
    lines = [line.cells for line in file_reader.read(book.content, "a.xlsx").lines]
    assert lines[0] == ["ФИО", "Телефон", "Какой-то номер", "Строка файла", "Что исправить"]
    assert lines[1][:4] == ["Ким 2", "010-10-01", "P2", 3]
    assert lines[2][0] == "=HYPERLINK(1)"
    assert b"<f>" not in book.content
    assert AuditEntry.objects.filter(action="clinics.export_rejected").exists()


def test_the_corrected_rejected_rows_can_be_loaded(world: World, as_user: AsUser) -> None:
    run = through("patients", PATIENTS, clinic=world.clinic, by=world.senior, now=NOON)
    content = as_user(world.senior).get(reverse("imports:rejected", args=[run.pk])).content
    rows = [line.cells for line in file_reader.read(content, "a.xlsx").lines]
    rows[1][:2] = ["Ким Ольга", "89000001002"]
    again = through("patients", xlsx(*rows), clinic=world.clinic, by=world.senior, now=NOON)
    assert (again.counts["created"], again.counts["rejected"]) == (1, 1)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "Файл пуст"),
        ("a.xlsx", "ФИО;Телефон".encode(), "не книга Excel"),
        ("a.csv", "ФИО;Телефон\n".encode(), "Под заголовками нет ни одной строки"),
        ("a.csv", ";".join(map(str, range(300))).encode(), "больше 60 столбцов"),
    ],
)
def test_a_bad_file_is_answered_with_the_form_and_leaves_nothing(
    world: World, as_user: AsUser, name: str, content: bytes, words: str
) -> None:
    answer = upload(as_user(world.senior), world, content, name)
    assert answer.status_code == 422
    assert words in answer.content.decode() or not content
    assert not ImportRun.objects.exists()
    assert not ImportFile.objects.exists()


def test_a_needed_column_must_be_pointed_out_and_none_twice(world: World, as_user: AsUser) -> None:
    client = as_user(world.senior)
    upload(client, world)
    url = reverse("imports:columns", args=[ImportRun.objects.get().pk])
    answer = client.post(url, {"column-0": "", "column-1": "phone"})
    assert answer.status_code == 422
    assert "«ФИО пациента» или «Фамилия»" in answer.content.decode()
    answer = client.post(url, {"column-0": "full_name", "column-1": "full_name"})
    assert answer.status_code == 422
    assert "выбрано для двух столбцов" in answer.content.decode()
    assert client.post(url, {"column-0": "evil"}).status_code == 422


def test_the_second_confirmation_gets_409(world: World, as_user: AsUser) -> None:
    client = as_user(world.senior)
    run = check(
        start("patients", PATIENTS, clinic=world.clinic, by=world.senior, now=NOON),
        by=world.senior,
        now=NOON,
    )
    url = reverse("imports:confirm", args=[run.pk])
    assert client.post(url).status_code == 302
    answer = client.post(url)
    assert answer.status_code == 409
    assert "уже «загружен»" in answer.content.decode()
    assert Patient.objects.count() == 1


def test_leaving_an_import_deletes_the_file(world: World, as_user: AsUser) -> None:
    run = check(
        start("patients", PATIENTS, clinic=world.clinic, by=world.senior, now=NOON),
        by=world.senior,
        now=NOON,
    )
    assert ImportFinding.objects.exists()
    as_user(world.senior).post(reverse("imports:drop", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == ImportState.DROPPED
    assert not ImportFile.objects.exists()
    assert not ImportFinding.objects.exists()
    assert run.samples == []  # the first rows of the file


def test_a_large_file_waits_for_a_worker_under_a_progress_bar(
    world: World, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "AT_ONCE", 2)
    client = as_user(world.senior)
    upload(client, world)
    run = ImportRun.objects.get()
    url = reverse("imports:columns", args=[run.pk])
    page = client.post(
        url, {"column-0": "full_name", "column-1": "phone"}, follow=True
    ).content.decode()
    assert 'role="progressbar"' in page
    part = client.get(
        reverse("imports:run", args=[run.pk]), headers={"HX-Request": "true"}
    ).content.decode()
    assert part.lstrip().startswith('<div id="state" hx-get')
    assert "<html" not in part


def test_the_other_clinic_sees_nothing(world: World, as_user: AsUser) -> None:
    run = check(
        start("patients", PATIENTS, clinic=world.clinic, by=world.senior, now=NOON),
        by=world.senior,
        now=NOON,
    )
    client = as_user(world.senior_b)
    assert "файл.csv" not in client.get(reverse("imports:list")).content.decode()
    assert client.get(reverse("imports:run", args=[run.pk])).status_code == 404
    assert client.get(reverse("imports:rejected", args=[run.pk])).status_code == 404
    for verb in ("columns", "confirm", "drop"):
        assert client.post(reverse(f"imports:{verb}", args=[run.pk])).status_code == 404
    assert upload(client, world).status_code == 422  # his form does not offer that clinic


def test_an_import_that_names_another_clinic_is_seen_by_people_of_both_only(
    world: World, as_user: AsUser
) -> None:
    both = make_user(
        "boss", "Общая Анна Петровна", Role.SENIOR, clinics=[world.clinic, world.clinic_b]
    )
    content = csv(
        ("ФИО", "Телефон", "Клиника"),
        ("Тайный Пациент", "010", world.clinic_b.name),
        ("Ким Анна", "1", ""),
    )
    run = start("patients", content, clinic=world.clinic, by=both, now=NOON)
    colleague = make_user(
        "boss2", "Общий Пётр Ильич", Role.SENIOR, clinics=[world.clinic, world.clinic_b]
    )
    url = reverse("imports:run", args=[run.pk])

    def who_sees() -> list[int]:
        return [
            as_user(user).get(url).status_code
            for user in (both, colleague, world.senior, world.senior_b)
        ]

    assert who_sees() == [200, 404, 404, 404]  # nobody knows yet of whom it speaks
    check(run, by=both, now=NOON)
    assert who_sees() == [200, 200, 404, 404]
    assert "файл.csv" not in as_user(world.senior).get(reverse("imports:list")).content.decode()


def test_who_may_not_see_numbers_sees_none_in_an_import(world: World, as_user: AsUser) -> None:
    world.senior.sees_phones = False
    world.senior.save()
    rows = [
        ("Ким Анна", "+7 900 000-10-01", "звонить 8(900)000-10-02 с 05.11.2026 10:30", ""),
        ("Ким 2", "900-10-03", "", "P1"),
    ]
    content = csv(("ФИО", "Телефон", "Заметка", "Дата рождения"), *rows)
    run = start("patients", content, clinic=world.clinic, by=world.senior, now=NOON)
    client = as_user(world.senior)
    pages = [client.get(reverse("imports:run", args=[run.pk])).content.decode()]
    check(run, by=world.senior, now=NOON)
    pages.append(client.get(reverse("imports:run", args=[run.pk])).content.decode())
    book = file_reader.read(
        client.get(reverse("imports:rejected", args=[run.pk])).content, "a.xlsx"
    )
    pages.append(" ".join(str(cell) for line in book.lines for cell in line.cells))
    for page in pages:
        assert not re.search(r"000-10-0[12]|900-10-03", page)
    assert "+7 (900) ***-**-02 с 05.11.2026 10:30" in pages[0]
    assert "«***03» — не хватает цифр" in pages[1]
    assert "Ким 2" in pages[2]
    world.senior.sees_phones = True
    world.senior.save()
    assert (
        "«900-10-03» — не хватает цифр"
        in client.get(reverse("imports:run", args=[run.pk])).content.decode()
    )


def test_an_administrator_and_a_doctor_load_recalls_only(world: World, as_user: AsUser) -> None:
    run = start("patients", PATIENTS, clinic=world.clinic, by=world.senior, now=NOON)
    recalls = csv(
        ("Пациент", "Врач", "Комментарий врача", "Дата прозвона"),
        ("Ким Анна", "Белов О. И.", "гигиена", "20.03.2026"),
    )
    for user in (world.administrator, world.doctor_user):
        client = as_user(user)
        page = client.get(reverse("imports:list")).content.decode()
        assert "Журнал КОС" in page
        assert "Свободные окна" not in page
        assert upload(client, world).status_code == 422
        assert client.get(reverse("imports:run", args=[run.pk])).status_code == 404
        assert client.get(reverse("imports:example", args=["patients"])).status_code == 404
        assert upload(client, world, recalls, kind="recalls").status_code == 302
    own = ImportRun.objects.first()
    assert own is not None
    client.post(reverse("imports:columns", args=[own.pk]), {"column-0": "full_name", "column-1": "doctor", "column-2": "comment", "column-3": "call_on"})  # fmt: skip
    client.post(reverse("imports:confirm", args=[own.pk]))
    assert RecallEntry.objects.get().created_by == world.doctor_user


def test_a_manager_has_no_imports(world: World, as_user: AsUser) -> None:
    assert as_user(world.manager).get(reverse("imports:list")).status_code == 403


@pytest.mark.parametrize("kind", ["patients", "appointments", "windows", "recalls"])
def test_the_example_has_every_column_and_each_is_recognised(
    world: World, as_user: AsUser, kind: str
) -> None:
    content = as_user(world.senior).get(reverse("imports:example", args=[kind])).content
    headings = [str(cell) for cell in file_reader.read(content, "a.xlsx").lines[0].cells]
    assert list(guess(headings, kinds()[kind].fields).values()) == [
        field.name for field in kinds()[kind].fields
    ]


def test_the_pages_take_the_same_queries_for_3_rows_and_30(world: World, as_user: AsUser) -> None:
    client = as_user(world.senior)
    counts: dict[str, list[int]] = {"list": [], "run": []}
    for rows in (3, 30):
        for _ in range(rows):
            start("patients", PATIENTS, clinic=world.clinic, by=world.senior, now=NOON)
        bad = csv(("ФИО", "Телефон"), *(("Ким", "1") for _ in range(rows)))
        run = check(
            start("patients", bad, clinic=world.clinic, by=world.senior, now=NOON),
            by=world.senior,
            now=NOON,
        )
        for name, url in (
            ("list", reverse("imports:list")),
            ("run", reverse("imports:run", args=[run.pk])),
        ):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            counts[name].append(len(queries))
    assert counts["list"][0] == counts["list"][1]
    assert counts["run"][0] == counts["run"][1]


def test_the_command_goes_the_same_way(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, bad = tmp_path / "картотека.csv", tmp_path / "плохие.xlsx"
    path.write_bytes(PATIENTS)
    options = {
        "clinic": world.clinic.name,
        "column": ["Какой-то номер=patient_id"],
        "rejected": bad,
    }
    with pytest.raises(CommandError, match="--yes"):
        call_command("import_patients", path, **options)
    assert not Patient.objects.exists()
    call_command("import_patients", path, yes=True, **options)
    assert Patient.objects.get().source_id == "P1"
    assert "строка 3, Телефон «010-10-01» — не хватает цифр" in capsys.readouterr().out
    assert len(file_reader.read(bad.read_bytes(), "a.xlsx").lines) == 3
    with pytest.raises(CommandError, match="--clinic"):
        call_command("import_patients", path, yes=True)
    (tmp_path / "b.csv").write_bytes(io.BytesIO(b"\x00\x01").getvalue())
    with pytest.raises(CommandError, match="не похож на текст"):
        call_command("import_patients", tmp_path / "b.csv", yes=True, clinic=world.clinic.name)
