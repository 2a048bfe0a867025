"""Reference data: imports from XLSX, lists, the orders journal, the report and the figures on a
diagram.
"""

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
import python_calamine
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from b2c_procedures import diagrams
from b2c_procedures.actions.reference import IMPORTERS, import_reference
from b2c_procedures.actions.runs import press, start_run, stop_run
from b2c_procedures.definition import packaged
from b2c_procedures.models import Branch, CourierCity, Institution, Order, Study
from b2c_procedures.queries.metrics import (
    MetricsPeriod,
    by_employee,
    by_function,
    by_procedure,
    figures_of,
)
from b2c_procedures.version_lookup import current_book
from callcenter.lib.errors import Refused
from callcenter.staff.models import User
from tests.b2c_procedures.conftest import Service

AsUser = Callable[[User], Client]


def sheet(*rows: list[Any]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as workbook:
        page = workbook.add_worksheet()
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return out.getvalue()


def take(service: Service, kind: str, *rows: list[Any]) -> tuple[int, int, int, list[str]]:
    report = import_reference(kind, sheet(*rows), by=service.lead, now=service.world.now)
    return report.made, report.changed, report.same, report.errors


def test_studies_come_from_a_table_and_again_change_nothing(service: Service) -> None:
    rows: list[list[Any]] = [
        ["Код", "Исследование", "Цена", "Срок", "Ответственный"],
        ["NG-5", "Панель", "12 500,50", 14, "responsible"],
        ["EX-1", "Экзом", 50000, 30, ""],
        ["BAD", "Без цены", "дорого", 1, ""],
        ["BAD2", "Чужой", 1, 1, "nobody"],
    ]
    made, changed, same, errors = take(service, "studies", *rows)
    assert (made, changed, same) == (1, 1, 0)
    assert errors == [
        "Строка 4: «дорого» в столбце «Цена» — не сумма",
        "Строка 5: сотрудника с логином «nobody» нет",
    ]
    assert str(Study.objects.get(code="NG-5").price) == "12500.50"
    assert take(service, "studies", *rows[:3])[2] == 2


def test_institutions_couriers_branches_and_orders_come_from_tables(service: Service) -> None:
    assert (
        take(
            service,
            "institutions",
            ["Город", "Учреждение", "Исследования"],
            ["Тула", "ТОКБ", "EX-1; GE-1"],
        )[0]
        == 1
    )
    assert Institution.objects.get(city="Тула").studies.count() == 2
    assert take(service, "couriers", ["Город", "Дни"], ["Тверь", "пн, ср"], ["Уфа", "всегда"])[
        3
    ] == ["Строка 3: «всегда» — не день недели; пишите пн, вт, ср…"]
    assert CourierCity.objects.get(city="Тверь").days == "пн, ср"
    assert (
        take(
            service,
            "branches",
            ["МО", "Город", "Адрес", "График"],
            ["МО 2", "Тула", "ул. 1", "9–18"],
        )[0]
        == 1
    )
    assert Branch.objects.filter(city="Тула").exists()
    rows = [
        ["Номер", "Клиника", "Пациент", "Исследования", "Статус", "Срок выдачи", "Новый срок"],
        [
            "7-1",
            "Клиника А",
            "Клиентова Мария Ивановна",
            "EX-1",
            "Оплачено",
            "01.04.2026",
            "10.04.2026",
        ],
        ["7-2", "Клиника Б", "Клиентова Мария Ивановна", "EX-1", "", "", ""],
    ]
    made, _, _, errors = take(service, "orders", *rows)
    assert (made, errors) == (1, ["Строка 3: такой клиники у вас нет"])
    order = Order.objects.get(number="7-1")
    assert (order.status, order.due_on, order.readiness) == (
        "paid",
        dt.date(2026, 4, 10),
        "Результат не готов, перенос срока выдачи",
    )
    assert take(service, "orders", *rows[:2])[2] == 1
    Order.objects.filter(pk=order.pk).update(status="refused")
    assert take(service, "orders", *rows[:2])[3] == [
        "Строка 2: в заказе 7-1 стоит «Отказ»: его снимает аудитор, а не таблица"
    ]


def test_a_file_that_is_no_table_is_refused_in_words(service: Service, as_user: AsUser) -> None:
    with pytest.raises(Refused, match="не файл XLSX"):
        import_reference("studies", b"no table", by=service.lead, now=service.world.now)
    with pytest.raises(Refused, match="Нет столбцов: Цена"):
        take(service, "studies", ["Код", "Исследование"])
    file = SimpleUploadedFile("x.xlsx", b"no table")
    assert (
        as_user(service.lead)
        .post("/b2c_procedures/reference/studies/import/", {"file": file})
        .status_code
        == 422
    )
    assert (
        as_user(service.manager)
        .post("/b2c_procedures/reference/studies/import/", {"file": file})
        .status_code
        == 403
    )


@pytest.mark.parametrize("kind", sorted(IMPORTERS))
def test_the_empty_table_has_the_headings_that_the_import_wants(
    kind: str, service: Service, as_user: AsUser
) -> None:
    answer = as_user(service.lead).get(f"/b2c_procedures/reference/{kind}/import/")
    rows = (
        python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        .get_sheet_by_index(0)
        .to_python()
    )
    assert rows[0] == [*IMPORTERS[kind].needed, *IMPORTERS[kind].optional]


@pytest.mark.parametrize("kind", ["studies", "institutions", "couriers", "branches"])
def test_a_row_is_added_and_changed_on_the_page(
    kind: str, service: Service, as_user: AsUser
) -> None:
    client = as_user(service.lead)
    rows: dict[str, dict[str, Any]] = {
        "studies": {"code": "Z", "name": "Зет", "price": "1", "term_days": "2"},
        "institutions": {"city": "Тула", "name": "Т", "studies": []},
        "couriers": {"city": "Тверь", "weekdays": ["0", "3"]},
        "branches": {"name": "Т", "city": "Тула", "address": "у", "hours": "ч"},
    }
    values = rows[kind]
    assert (
        client.post(
            f"/b2c_procedures/reference/{kind}/new/", {**values, "is_active": "on"}
        ).status_code
        == 302
    )
    assert client.post(f"/b2c_procedures/reference/{kind}/new/", {}).status_code == 422
    page = client.get(f"/b2c_procedures/reference/{kind}/")
    assert page.status_code == 200
    assert client.get("/b2c_procedures/reference/unknown/").status_code == 404


@pytest.mark.parametrize("count", [3, 30])
def test_the_journal_of_orders_asks_the_same_number_of_questions(
    count: int, service: Service, as_user: AsUser, django_assert_max_num_queries: Any
) -> None:
    for _ in range(count):
        service.order()
    client = as_user(service.manager)
    with django_assert_max_num_queries(9):
        page = client.get("/b2c_procedures/orders/?q=клиент").content.decode()
    assert page.count("data-row>") == count


def test_the_date_of_a_result_is_moved_by_hand(service: Service, as_user: AsUser) -> None:
    order = service.order()
    client = as_user(service.responsible)
    assert (
        client.post(f"/b2c_procedures/orders/{order.pk}/", {"on": "2026-05-05"}).status_code == 302
    )
    assert "05.05.2026" in client.get(f"/b2c_procedures/orders/{order.pk}/").content.decode()
    assert client.get(f"/b2c_procedures/orders/{order.pk}/receipt/").status_code == 200
    assert (
        as_user(service.world.administrator_b)
        .get(f"/b2c_procedures/orders/{order.pk}/")
        .status_code
        == 404
    )


def a_few_runs(service: Service) -> MetricsPeriod:
    """Three consultations: one within its norms, one late with a repeated question, one broken off
    at 1.2.
    """
    now = service.world.now
    for late, keys in ((30, "1111"), (90, "1111"), (30, "1")):
        run = start_run(procedure=1, clinic=service.clinic, by=service.manager, now=now)
        at = now
        for turn, key in enumerate(keys):
            at += dt.timedelta(seconds=late)
            chosen = "2" if turn == 3 and late == 30 else key
            run = press(run, version=run.version, key=chosen, by=service.manager, now=at)
        if keys == "1":
            stop_run(run, version=run.version, reason="положил трубку", by=service.manager, now=at)
    return MetricsPeriod(
        now - dt.timedelta(days=1), now + dt.timedelta(days=1), (service.clinic.pk,)
    )


def test_the_report_counts_runs_norms_stops_and_repeated_questions(service: Service) -> None:
    period, book = a_few_runs(service), current_book(service.world.now)
    row = by_procedure(period, book)[0]
    assert (row.runs, row.finished, row.stopped, row.live) == (3, 1, 1, 1)
    assert (row.steps, row.repeated) == (9, 1)
    assert row.kept == pytest.approx(7 / 9)  # 1.1 and 1.4 of the late one took 90 s of 60
    functions = {line.key: line for line in by_function(period, book, 1)}
    assert (functions["1.2"].stopped, functions["1.2"].live) == (1, 1)
    assert functions["1.1"].median == 30
    people = by_employee(period, book)
    assert [(line.title, line.steps) for line in people] == [("Орлова Ольга Петровна", 9)]


def test_the_diagram_carries_the_heads_figures(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    period = a_few_runs(service)
    figures = figures_of(1, period)
    assert figures.taken["1.4", "1"] == 1
    assert figures.share["1.4", "2"] == pytest.approx(0.5)
    picture = diagrams.svg(packaged()[1], figures)
    assert "1 · 50" in picture
    assert "медиана 0:30 из 1:00" in picture
    page = as_user(service.head).get(
        "/b2c_procedures/diagrams/1/?figures=1&since=2026-03-01&until=2026-03-31"
    )
    assert "медиана 0:30 из 1:00" in page.content.decode()
    assert (
        "медиана"
        not in as_user(service.manager)
        .get("/b2c_procedures/diagrams/1/?figures=1")
        .content.decode()
    )


def test_the_report_is_the_same_as_a_file(service: Service, as_user: AsUser, noon: Any) -> None:
    a_few_runs(service)
    client = as_user(service.head)
    assert client.get("/b2c_procedures/report/?procedure=1").status_code == 200
    answer = client.get("/b2c_procedures/report/file/?since=2026-03-18&until=2026-03-18")
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    rows = book.get_sheet_by_name("Процедуры").to_python()
    assert rows[1][:4] == ["1. Консультация по исследованию", 3.0, 1.0, 1.0]
    assert book.sheet_names == ["Процедуры", "Функции", "Сотрудники"]


def test_the_lit_diagram_marks_the_present_step_and_the_done_path() -> None:
    picture = diagrams.lit(
        diagrams.svg(packaged()[3]), now="3.3", done=[("3.1", "1"), ("3.2", "1")]
    )
    for mark in (
        'id="f-3.3" class="node now"',
        'id="f-3.1" class="node done"',
        'id="e-3.2-1" class="node done"',
    ):
        assert mark in picture
    assert 'id="f-3.5" class="node"' in picture


@pytest.mark.parametrize("number", sorted(packaged()))
def test_every_diagram_shows_every_function_event_and_operator(number: int) -> None:
    procedure = packaged()[number]
    picture = diagrams.svg(procedure)
    for function in procedure.functions:
        assert f'id="f-{function.id}"' in picture
        assert (f'id="s-{function.id}"' in picture) == bool(function.split)
        assert (f'id="j-{function.id}"' in picture) == bool(function.join)
        for position in range(1, len(function.results) + 1):
            assert f'id="e-{function.id}-{position}"' in picture


@pytest.mark.parametrize("number", [1, 4, 15])
def test_a_diagram_is_parted_into_sheets_that_can_be_read(
    number: int, service: Service, as_user: AsUser
) -> None:
    picture = diagrams.svg(packaged()[number])
    sheets = diagrams.sheets(picture)
    left, top, wide, high = (float(part) for part in sheets[0].box.split())
    assert (left, top) == (0, 0)
    assert 785 / wide >= 0.69  # points of paper to a point of the picture: a name is 7 points high
    assert high == pytest.approx(500 / 785 * wide, abs=1)
    page = (
        as_user(service.manager).get(f"/b2c_procedures/diagrams/{number}/print/").content.decode()
    )
    assert page.count('class="sheet"') == len(sheets)
