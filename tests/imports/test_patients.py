"""Import of patients: matched, completed, never duplicated; what is wrong is said by line and
column.
"""

import datetime as dt
import io

import pytest
import xlsxwriter
from django.db import connection
from django.test.utils import CaptureQueriesContext

from callcenter.audit.models import AuditEntry
from callcenter.clinics.models import Consent, Patient
from callcenter.clinics.states import ConsentChannel, ConsentPurpose
from callcenter.imports.models import ImportRun
from callcenter.imports.states import FindingKind, ImportState
from tests.conftest import NOON, World
from tests.imports.files import check, csv, load, start, through, words, xlsx

pytestmark = pytest.mark.django_db

HEAD = ("Код пациента", "ФИО", "Дата рождения", "Телефон", "Телефон 2", "E-mail")
OLGA = (
    "P1",
    "Щёголева Ольга Петровна",
    dt.date(1985, 3, 12),
    "8 (900) 000-10-01",
    "",
    "Olga@example.org",
)
IVAN = ("P2", "Иванов Иван", dt.date(1990, 1, 2), 79000001002, "+7 900 000-10-03", "")


def run_it(world: World, content: bytes) -> ImportRun:
    return through("patients", content, clinic=world.clinic, by=world.senior, now=NOON)


def test_cards_come_in_with_everything_they_say(world: World) -> None:
    run = run_it(world, xlsx(HEAD, OLGA, IVAN))
    assert run.state == ImportState.DONE
    assert run.counts["created"] == 2
    olga = Patient.objects.get(source_id="P1")
    assert (olga.full_name, olga.birth_date, olga.email) == (
        "Щёголева Ольга Петровна", dt.date(1985, 3, 12), "olga@example.org",
    )  # fmt: skip
    assert [(p.number, p.is_main) for p in olga.phones.all()] == [("+79000001001", True)]
    assert list(olga.clinics.all()) == [world.clinic]
    ivan = Patient.objects.get(source_id="P2")
    assert {p.number for p in ivan.phones.all()} == {"+79000001002", "+79000001003"}
    assert (
        AuditEntry.objects.filter(
            action="clinics.create_patient", note__contains="файл.xlsx"
        ).count()
        == 2
    )


def test_nothing_is_written_before_the_confirmation(world: World) -> None:
    run = check(
        start("patients", xlsx(HEAD, OLGA), clinic=world.clinic, by=world.senior, now=NOON),
        by=world.senior,
        now=NOON,
    )
    assert run.state == ImportState.READY
    assert run.counts["created"] == 1
    assert not Patient.objects.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_same_from_any_csv(world: World, encoding: str, delimiter: str) -> None:
    run = run_it(
        world,
        csv(
            ("ФИО", "Д.р.", "Тел."),
            ("Щёголева Ольга", "12.03.1985", "89000001001"),
            encoding=encoding,
            delimiter=delimiter,
        ),
    )
    assert run.counts["created"] == 1
    assert Patient.objects.get().birth_date == dt.date(1985, 3, 12)


def test_the_same_file_twice_changes_nothing(world: World) -> None:
    content = xlsx(
        HEAD,
        OLGA,
        IVAN,
        ("", "Безымянная Анна", "", "", "", ""),
        ("", "Деева Яна", dt.date(2001, 1, 1), "", "", ""),
    )
    run_it(world, content)
    before = AuditEntry.objects.filter(object_kind="clinics.patient").count()
    run = run_it(world, content)
    assert (run.counts.get("created"), run.counts.get("changed"), run.counts["unchanged"]) == (
        None,
        None,
        4,
    )
    assert Patient.objects.count() == 4
    assert AuditEntry.objects.filter(object_kind="clinics.patient").count() == before
    assert (
        "уже загружали"
        in words(
            check(
                start("patients", content, clinic=world.clinic, by=world.senior, now=NOON),
                by=world.senior,
                now=NOON,
            ),
            "notice",
        )[0]
    )


def test_each_bad_row_says_where_what_and_what_to_do(world: World) -> None:
    run = run_it(
        world,
        xlsx(
            HEAD,
            OLGA,
            ("", "", "", "+79000001009", "", ""),
            ("", "Иванов 2", dt.date(1990, 1, 1), "010-10-01", "", ""),
            (
                "",
                "Петров Пётр",
                dt.date(2030, 1, 1),
                "+7 900 000-10-07, +7 900 000-10-08",
                "",
                "не почта",
            ),
        ),
    )
    assert (run.counts["created"], run.counts["rejected"]) == (1, 3)
    assert words(run) == [
        "3 ФИО: Не заполнено ФИО. Напишите фамилию, имя и отчество.",
        "4 ФИО: «2» не похоже на имя. Оставьте буквы, пробелы и дефис.",
        "4 Телефон: «010-10-01» — не хватает цифр. Добавьте код города или оператора.",
        "5 Телефон: «+7 900 000-10-07, +7 900 000-10-08» — похоже на два номера в одной ячейке. Оставьте один номер.",
        "5 Дата рождения: Дата рождения 01.01.2030 ещё не наступила. Проверьте год.",
        "5 E-mail: «не почта» не похоже на e-mail. Пример: ivanova@example.org.",
    ]  # fmt: skip


def test_phone_and_birth_date_find_the_card_and_complete_it(world: World) -> None:
    known = world.patient(
        "Щеголева", "Ольга", "", birth_date=dt.date(1985, 3, 12), phones=["+79000001001"]
    )
    run = run_it(world, xlsx(HEAD, OLGA))
    assert run.counts["changed"] == 1
    known.refresh_from_db()
    assert (known.source_id, known.middle_name, known.email) == (
        "P1",
        "Петровна",
        "olga@example.org",
    )
    change = AuditEntry.objects.get(action="clinics.change_patient")
    assert change.before is not None
    assert change.before["last_name"] == "Щеголева"


def test_a_family_on_one_phone_stays_several_people(world: World) -> None:
    rows = [
        ("", "Ким Анна", dt.date(1980, 1, 1), "+79000001001", "", ""),
        ("", "Ким Пётр", dt.date(2015, 5, 5), "+79000001001", "", ""),
        ("", "Ким Павел", dt.date(2015, 5, 5), "+79000001001", "", ""),  # a twin
    ]
    assert run_it(world, xlsx(HEAD, *rows)).counts["created"] == 3
    assert run_it(world, xlsx(HEAD, *rows)).counts["unchanged"] == 3
    assert Patient.objects.count() == 3


def test_of_two_namesakes_a_person_must_choose(world: World) -> None:
    for _ in range(2):
        world.patient("Ким", "Анна", "", phones=["+79000001001"])
    run = run_it(world, xlsx(HEAD, ("", "Ким Анна", "", "+79000001001", "", "")))
    assert "Подходят несколько пациентов" in words(run)[0]
    assert Patient.objects.count() == 2


def test_a_code_of_somebody_else_is_refused(world: World) -> None:
    world.patient("Петров", "Пётр", source_id="P1", birth_date=dt.date(1970, 1, 1))
    run = run_it(world, xlsx(HEAD, OLGA))
    assert "Код «P1» уже у другого пациента: Петров Пётр" in words(run)[0]


def test_a_clinic_where_the_person_does_not_work_is_unknown(world: World) -> None:
    run = run_it(
        world,
        xlsx(("ФИО", "Телефон", "Клиника"), ("Ким Анна", "+79000001001", world.clinic_b.name)),
    )
    assert "нет среди ваших" in words(run)[0]
    assert not Patient.objects.exists()


def test_do_not_call_is_set_and_never_taken_back(world: World) -> None:
    head = ("ФИО", "Телефон", "Не звонить")
    run_it(world, xlsx(head, ("Ким Анна", "+79000001001", "да")))
    anna = Patient.objects.get()
    assert anna.do_not_call
    assert run_it(world, xlsx(head, ("Ким Анна", "+79000001001", "нет"))).counts["unchanged"] == 1
    anna.refresh_from_db()
    assert anna.do_not_call


def test_a_refusal_outweighs_an_undated_consent_but_not_the_other_way(world: World) -> None:
    head = ("ФИО", "Телефон", "Реклама: СМС", "Дата согласия")
    anna = world.patient("Ким", "Анна", "", phones=["+79000001001"])

    def say(answer: str, on: dt.date | None = None) -> bool:
        run_it(world, xlsx(head, ("Ким Анна", "+79000001001", answer, on)))
        newest = Consent.objects.filter(
            patient=anna, purpose=ConsentPurpose.ADVERTISING, channel=ConsentChannel.SMS
        ).first()
        assert newest is not None
        return newest.granted

    assert say("да", dt.date(2026, 1, 10))
    assert not say("нет")
    assert not say("да")
    assert not say("да", dt.date(2026, 2, 1))  # older than the refusal, which came today
    assert Consent.objects.count() == 2


def test_the_number_of_queries_does_not_grow_with_the_rows(world: World) -> None:
    def content(rows: int, first: int) -> bytes:
        return xlsx(
            HEAD,
            *(
                (f"N{n}", "Ким Анна", dt.date(1980, 1, 1), f"+7900000{n:04}", "", "")
                for n in range(first, first + rows)
            ),
        )

    counts = []
    for rows, first in ((3, 0), (30, 100)):
        run = check(
            start("patients", content(rows, first), clinic=world.clinic, by=world.senior, now=NOON),
            by=world.senior,
            now=NOON,
        )
        with CaptureQueriesContext(connection) as queries:
            load(run, by=world.senior, now=NOON)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_second_row_of_one_patient_is_refused_and_loaded_once_corrected(world: World) -> None:
    head = ("ФИО", "Телефон", "Заметка", "Не звонить")
    rows = [("Ким Анна", "+79000001001", "а", ""), ("Ким Анна", "+79000001001", "б", "да")]
    run = run_it(world, xlsx(head, *rows))
    assert words(run) == ["3 ФИО: Этот пациент уже есть в строке 2. Соедините строки."]
    run = run_it(world, xlsx(head, *rows))
    assert (run.counts["unchanged"], run.counts["rejected"]) == (1, 1)
    assert run_it(world, xlsx(head, rows[1])).counts["changed"] == 1
    assert Patient.objects.get().do_not_call


def test_namesakes_with_different_birth_dates_on_one_phone_stay_two(world: World) -> None:
    card = world.patient("Ким", "Иван", "", phones=["+79000001001"])
    born = [dt.date(1960, 1, 1), dt.date(1990, 1, 1)]
    content = xlsx(
        ("ФИО", "Дата рождения", "Телефон"), *(("Ким Иван", day, "+79000001001") for day in born)
    )
    run = run_it(world, content)
    assert (run.counts["changed"], run.counts["created"]) == (1, 1)
    assert list(Patient.objects.order_by("birth_date").values_list("birth_date", flat=True)) == born
    card.refresh_from_db()
    assert card.birth_date == born[0]
    assert run_it(world, content).counts["unchanged"] == 2


@pytest.mark.parametrize("name", ["Иванов И.И.", "Иванов И. И.", "Иванов Иван И."])
def test_initials_find_the_card_and_never_replace_its_names(world: World, name: str) -> None:
    born = dt.date(1985, 3, 12)
    world.patient("Иванов", "Иван", "Иванович", birth_date=born, phones=["+79000001001"])
    head = ("ФИО", "Дата рождения", "Телефон")
    assert run_it(world, xlsx(head, (name, born, "+79000001001"))).counts["unchanged"] == 1
    assert Patient.objects.get().full_name == "Иванов Иван Иванович"
    run_it(world, xlsx(head, ("Иванов П.И.", born, "+79000001001")))  # a twin
    assert Patient.objects.count() == 2


def test_a_name_in_full_replaces_an_initial(world: World) -> None:
    world.patient("Иванов", "И.", "", phones=["+79000001001"])
    assert (
        run_it(world, xlsx(("ФИО", "Телефон"), ("Иванов Иван Иванович", "+79000001001"))).counts[
            "changed"
        ]
        == 1
    )
    assert Patient.objects.get().full_name == "Иванов Иван Иванович"


def test_a_row_tells_all_its_faults_at_once(world: World) -> None:
    run = run_it(world, xlsx(HEAD, ("P1", "", "31.02.1985", "010-10-01", "", "olga@")))
    (finding,) = run.findings.filter(kind=FindingKind.REJECTED)
    assert {problem["column"] for problem in finding.problems} == {
        "ФИО",
        "Дата рождения",
        "Телефон",
        "E-mail",
    }


def test_a_bad_name_is_not_called_an_empty_one_too(world: World) -> None:
    run = run_it(world, xlsx(HEAD, ("P1", "Иванов 2", "", "", "", "")))
    (finding,) = run.findings.filter(kind=FindingKind.REJECTED)
    assert [problem["column"] for problem in finding.problems] == ["ФИО"]


def test_a_formula_that_failed_refuses_its_row(world: World) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["ФИО", "Телефон", "Не звонить"])
        sheet.write_row(1, 0, ["Ким Анна", "+79000001001"])
        sheet.write_formula(1, 2, "=VLOOKUP(1,A1,2)", None, "#N/A")
    run = run_it(world, out.getvalue())
    assert words(run) == [
        "2 Не звонить: В ячейке ошибка Excel #N/A. Исправьте формулу или впишите значение."
    ]
    assert not Patient.objects.exists()
