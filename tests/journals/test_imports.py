"""Import of КОС entries: the doctor's comment is required, open entries are kept up, closed ones
stay closed.
"""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from callcenter.audit.models import AuditEntry
from callcenter.clinics.models import Patient
from callcenter.imports.models import ImportRun
from callcenter.imports.states import FindingKind
from journals.models import RecallEntry
from journals.outcome_rules import Stage
from tests.conftest import NOON, World
from tests.imports.files import check, load, start, through, words, xlsx

pytestmark = pytest.mark.django_db

HEAD = (
    "Пациент",
    "Дата рождения",
    "Телефон",
    "Врач",
    "Комментарий врача",
    "Дата прозвона",
    "Код КОС",
)
DAY = dt.date(2026, 3, 20)


def row(comment: str = "Проверить пломбу 36 зуба", on: object = DAY, code: str = "", name: str = "Щёголева Ольга", phone: str = "+79000001001") -> tuple[object, ...]:  # fmt: skip
    return (name, dt.date(1985, 3, 12), phone, "Белов О. И.", comment, on, code)


def run_it(world: World, *rows: tuple[object, ...]) -> ImportRun:
    return through(
        "recalls",
        xlsx(HEAD, *rows),  # type: ignore[arg-type]
        clinic=world.clinic,
        by=world.doctor_user,
        now=NOON,
    )


def test_an_entry_comes_into_call_with_its_patient(world: World) -> None:
    run = run_it(world, row())
    entry = RecallEntry.objects.get()
    assert (entry.stage, entry.doctor_comment, entry.call_on, entry.doctor) == (
        Stage.CALL, "Проверить пломбу 36 зуба", DAY, world.doctor,
    )  # fmt: skip
    assert (run.counts["created"], entry.patient.full_name, entry.created_by) == (
        1,
        "Щёголева Ольга",
        world.doctor_user,
    )
    assert AuditEntry.objects.filter(action="journals.open_entry", object_id=entry.pk).exists()


@pytest.mark.parametrize("code", ["", "K1"])
def test_the_same_file_twice_changes_nothing_and_a_new_comment_one_thing(
    world: World, code: str
) -> None:
    run_it(world, row(code=code))
    assert run_it(world, row(code=code)).counts["unchanged"] == 1
    assert run_it(world, row("Пора на гигиену", code=code)).counts["changed"] == 1
    entry = RecallEntry.objects.get()
    assert (entry.doctor_comment, entry.version) == ("Пора на гигиену", 2)


def test_what_has_been_called_keeps_its_date_and_what_is_closed_stays_closed(world: World) -> None:
    run_it(world, row(code="K1"), row(code="K2", name="Ким Анна", phone="+79000001002"))
    RecallEntry.objects.filter(source_id="K1").update(calls=1, call_on=DAY + dt.timedelta(days=7))
    RecallEntry.objects.filter(source_id="K2").update(stage=Stage.REFUSED)
    run = run_it(
        world, row(code="K1"), row("Другое", code="K2", name="Ким Анна", phone="+79000001002")
    )
    assert run.counts["unchanged"] == 2
    assert RecallEntry.objects.get(source_id="K1").call_on == DAY + dt.timedelta(days=7)


def test_five_bad_rows_are_named(world: World) -> None:
    run = run_it(
        world,
        row(),
        row("", name="Ким Анна", phone="+79000001002"),
        row(on="весной", name="Ким Анна", phone="+79000001002"),
        row(phone="010-10-01"),
        row(name="", phone="+79000001009"),
        row("ещё раз"),
    )
    assert words(run) == [
        "3 Комментарий врача: Не заполнено. Впишите предложение врача: продолжить лечение или проверить работу.",
        "4 Дата прозвона: «весной» не похоже на дату. Напишите день, месяц и год: 05.11.2026.",
        "5 Телефон: «010-10-01» — не хватает цифр. Добавьте код города или оператора.",
        "6 Пациент: Такого пациента нет. Добавьте ФИО и телефон или исправьте код.",
        "7 Комментарий врача: Этот пациент у этого врача уже есть в строке 2. Соедините строки.",
    ]
    assert RecallEntry.objects.count() == Patient.objects.count() == 1


def test_the_number_of_queries_does_not_grow_with_the_rows(world: World) -> None:
    counts = []
    for rows, first in ((3, 0), (30, 100)):
        content = xlsx(HEAD, *(row(phone=f"+7900000{n:04}") for n in range(first, first + rows)))  # type: ignore[arg-type]
        run = check(
            start("recalls", content, clinic=world.clinic, by=world.senior, now=NOON),
            by=world.senior,
            now=NOON,
        )
        with CaptureQueriesContext(connection) as queries:
            load(run, by=world.senior, now=NOON)
        assert run.counts["created"] == rows
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_row_tells_of_an_unknown_patient_and_of_its_empty_comment_at_once(world: World) -> None:
    run = run_it(world, row("", None, name="", phone="+79000009999"))
    (finding,) = run.findings.filter(kind=FindingKind.REJECTED)
    assert {problem["column"] for problem in finding.problems} == {
        "Пациент",
        "Комментарий врача",
        "Дата прозвона",
    }


def test_the_same_file_again_calls_nobody_who_has_refused_or_come(world: World) -> None:
    run_it(world, row())
    entry = RecallEntry.objects.get()
    RecallEntry.objects.update(stage=Stage.REFUSED, closed_at=NOON)
    run = run_it(world, row())
    assert (run.counts["unchanged"], RecallEntry.objects.count()) == (1, 1)
    assert (
        run_it(world, row(on=entry.call_on + dt.timedelta(days=180))).counts["created"] == 1
    )  # a new invitation


def test_an_entry_put_in_by_hand_gets_the_code_of_the_row_that_means_it(world: World) -> None:
    run_it(world, row())
    run_it(world, row("Другой комментарий", code="K7"))
    entry = RecallEntry.objects.get()
    assert (entry.source, entry.source_id, entry.doctor_comment) == (
        "import",
        "K7",
        "Другой комментарий",
    )
    RecallEntry.objects.update(stage=Stage.BOOKED, closed_at=NOON)
    assert run_it(world, row("И ещё один", code="K7")).counts["unchanged"] == 1


def test_a_code_that_stands_twice_is_named(world: World) -> None:
    run = run_it(world, row(code="K1"), row(code="K1", name="Ким Анна", phone="+79000001002"))
    assert words(run) == [
        "3 Код КОС: Этот код записи уже есть в строке 2. Исправьте код или удалите строку."
    ]
    assert run.counts["created"] == 1
