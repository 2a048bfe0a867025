"""Diagrams with the path of a run or the head's figures, a function's page, the report and its
XLSX.
"""

import datetime as dt
import io
from typing import Any

import xlsxwriter
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe

from b2c_procedures import diagrams as drawing
from b2c_procedures.definition import Book, Procedure
from b2c_procedures.forms import PeriodForm
from b2c_procedures.queries import metrics
from b2c_procedures.queries.runs import done_path, performer_label
from b2c_procedures.schedule import MOSCOW
from b2c_procedures.version_lookup import book_of, current_book
from b2c_procedures.views.runs import number_of, visible_run
from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.lib.localtime import day_bounds
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_READ_METRICS, CAN_VIEW_PROCEDURES

_DAYS = 30


def _procedure(book: Book, number: int) -> Procedure:
    if number not in book:
        raise Http404
    return book[number]


@allow(*CAN_VIEW_PROCEDURES)
def diagrams(request: StaffRequest) -> HttpResponse:
    """The fifteen procedures, each with its steps, norms and diagram."""
    return render(request, "b2c_procedures/diagrams.html", {"procedures": sorted(current_book(timezone.now()).values(), key=lambda p: p.number)})  # fmt: skip


@allow(*CAN_VIEW_PROCEDURES)
def diagram(request: StaffRequest, number: int) -> HttpResponse:
    """The EPC diagram; with `?run=` the path of that run, with `?figures=1` the head's figures on
    it.
    """
    context = _drawn(request, number)
    return render(request, "b2c_procedures/diagram.html", context)


@allow(*CAN_VIEW_PROCEDURES)
def diagram_sheets(request: StaffRequest, number: int) -> HttpResponse:
    """The same for the printer: A4 landscape pages, row by row."""
    context = _drawn(request, number)
    return render(
        request,
        "b2c_procedures/diagram_sheets.html",
        {**context, "sheets": drawing.sheets(context["picture"])},
    )


def _drawn(request: StaffRequest, number: int) -> dict[str, Any]:
    book, run = current_book(timezone.now()), None
    run_id = number_of(request.GET.get("run"))
    if run_id:
        run = visible_run(request.user, run_id)
        book = book_of(run)
    procedure = _procedure(book, number)
    counted = request.GET.get("figures") == "1" and request.user.has(*CAN_READ_METRICS)
    form, period = _period(request)
    picture = drawing.svg(procedure, metrics.figures_of(number, period) if counted else None)
    if run is not None:
        here = run.at_function if run.at_procedure == number else ""
        picture = drawing.lit(picture, now=here, done=done_path(run))
    return {
        "procedure": procedure,
        # Drawn by Graphviz from our own definitions, every text of them escaped.
        "picture": mark_safe(_linked(picture, procedure)),  # noqa: S308
        "run": run,
        "figures": counted,
        "may_count": request.user.has(*CAN_READ_METRICS),
        "form": form,
    }


def _linked(picture: str, procedure: Procedure) -> str:
    """A click on a function opens its page, one on a process its diagram."""
    for function in procedure.functions:
        page = reverse("b2c_procedures:function", args=[function.id])
        picture = picture.replace(f'href="#{function.id}"', f'href="{page}"')
    return picture.replace('href="#procedure-', f'href="{reverse("b2c_procedures:diagrams")}')


@allow(*CAN_VIEW_PROCEDURES)
def function(request: StaffRequest, function_id: str) -> HttpResponse:
    """One function: performer, norm, documents, systems, results, and the readings of the
    document's gaps.
    """
    book = current_book(timezone.now())
    procedure = _procedure(book, number_of(function_id.split(".")[0]) or 0)
    if function_id not in procedure.by_id:
        raise Http404
    found = procedure.function(function_id)
    before = [
        (source, result.event)
        for source, result, item in procedure.edges()
        if item is not None and item.function == function_id
    ]
    context = {
        "procedure": procedure,
        "function": found,
        "performer": performer_label(found.performer),
        "before": before,
        "results": [
            (result, [_follows(item, book, procedure) for item in result.nexts])
            for result in found.results
        ],
    }
    return render(request, "b2c_procedures/function.html", context)


def _follows(item: Any, book: Book, procedure: Procedure) -> str:
    if item.function:
        return f"{item.function} {procedure.function(item.function).name}"
    if item.procedure:
        return f"процедура {item.procedure} «{book[item.procedure].title}»"
    return f"процесс «{item.process}»" + (f" (процедура {item.opens})" if item.opens else "")


def _period(request: StaffRequest) -> tuple[PeriodForm, metrics.MetricsPeriod]:
    """The days of the form in Moscow time; the last thirty when none are given."""
    form = PeriodForm(request.GET or None, user=request.user)
    data = form.cleaned_data if form.is_bound and form.is_valid() else {}
    today = timezone.now().astimezone(MOSCOW).date()
    since = data.get("since") or today - dt.timedelta(days=_DAYS)
    until = data.get("until") or today
    chosen = data.get("clinic")
    clinics = (
        (chosen.pk,)
        if chosen
        else tuple(Clinic.objects.visible_to(request.user).values_list("pk", flat=True))
    )
    if (
        form.is_valid() or not form.is_bound
    ):  # the days that are shown stand in the fields, also when nobody chose them
        form = PeriodForm(
            initial={"since": since, "until": until, "clinic": chosen}, user=request.user
        )
    begins, ends = day_bounds(since, "Europe/Moscow")[0], day_bounds(until, "Europe/Moscow")[1]
    return form, metrics.MetricsPeriod(begins, ends, clinics)


@allow(*CAN_READ_METRICS)
def report(request: StaffRequest) -> HttpResponse:
    """Runs, finished, norm kept, where they stop, repeated questions; by procedure, its functions,
    employee.
    """
    form, period = _period(request)
    book = current_book(timezone.now())
    wanted = number_of(request.GET.get("procedure"))
    number = wanted if wanted in book else None
    context = {
        "form": form,
        "period": period,
        "until": period.until - dt.timedelta(seconds=1),
        "by_procedure": metrics.by_procedure(period, book),
        "by_employee": metrics.by_employee(period, book),
        "procedure": book[number] if number else None,
        "by_function": metrics.by_function(period, book, number) if number else [],
    }
    return render(request, "b2c_procedures/report.html", context)


_COLUMNS = (
    "Начато", "Закончено", "Прервано", "Идёт", "Шагов", "В нормативе, %", "Медиана, с", "Повторные вопросы",
)  # fmt: skip


@allow(*CAN_READ_METRICS)
def report_file(request: StaffRequest) -> HttpResponse:
    """The report as XLSX: three sheets, the same figures as on the screen."""
    _, period = _period(request)
    now = timezone.now()
    book = current_book(now)
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as workbook:
        _sheet(workbook, "Процедуры", "Процедура", metrics.by_procedure(period, book))
        functions = [
            row for number in sorted(book) for row in metrics.by_function(period, book, number)
        ]
        _sheet(workbook, "Функции", "Функция", functions)
        _sheet(workbook, "Сотрудники", "Сотрудник", metrics.by_employee(period, book))
    audit.record("b2c_procedures.export_report", by=request.user, now=now)
    answer = HttpResponse(
        out.getvalue(),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
    answer["Content-Disposition"] = 'attachment; filename="procedures.xlsx"'
    return answer


def _sheet(
    workbook: xlsxwriter.Workbook, name: str, first: str, rows: list[metrics.MetricsRow]
) -> None:
    sheet = workbook.add_worksheet(name)
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, len(_COLUMNS), 16)
    bold = workbook.add_format({"bold": True})
    sheet.write_row(0, 0, [first, *_COLUMNS], bold)
    for line, row in enumerate(rows, 1):
        kept = None if row.kept is None else round(row.kept * 100, 1)
        values = [
            row.runs,
            row.finished,
            row.stopped,
            row.live,
            row.steps,
            kept,
            row.median,
            row.repeated,
        ]
        sheet.write_string(line, 0, row.title)
        sheet.write_row(line, 1, values)
