"""The report as a workbook: exactly what the screen shows, row by row in constant memory."""

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import IO, Any, Final

import xlsxwriter

from callcenter.clinics.models import Clinic
from callcenter.lib.localtime import local
from callcenter.lib.phones import format_phone, masked
from callcenter.staff.models import User
from reports.filter_chips import chips_of
from reports.filters import ALL, VIEWS, ReportFilter
from reports.lookups import Lookups, lookups_of
from reports.queries import (
    Measures,
    TotalsGroup,
    contacts_of,
    contacts_page,
    interactions_of,
    interactions_page,
    totals,
    zone_of,
)
from reports.row_presenter import ReportRow, contact_rows, interaction_rows

_CHUNK: Final = 400  # rows in memory at a time
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f]")
# Excel takes these at the beginning of a text for a formula when a person edits the cell.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
Progress = Callable[[int], None]

_ROW_HEADS: Final = (
    ("Когда", 17), ("Тип", 32), ("Кто", 30), ("Телефон", 20), ("Кто, тип", 26), ("Первичный", 10), ("Тема", 20),
    ("Успешность", 26), ("Записей", 9), ("Статус записи", 22), ("Сотрудник", 22), ("Канал", 24), ("Клиника", 20),
    ("Комментарий", 50), ("Ожидание, с", 11), ("Длительность, с", 13), ("Сумма, ₽", 12),
)  # fmt: skip
_SUM_HEADS: Final = (
    ("Обращений", 11), ("Доля", 8), ("Записались", 11), ("Записались, %", 12), ("Пришли", 9), ("Сумма, ₽", 13),
    ("Ожидание, с", 12), ("Длительность, с", 14), ("Раньше: обращений", 17), ("Раньше: записались", 18),
)  # fmt: skip


def count_rows(report_filter: ReportFilter, clinics: Sequence[Clinic], *, today: dt.date) -> int:
    """How many rows the sheet will have: the choice between at once and in the background."""
    if report_filter.grouped:
        return 0
    found = (
        interactions_of(report_filter, clinics, today=today)
        if report_filter.view == ALL
        else contacts_of(report_filter, clinics, today=today)
    )
    return found.count()


def write_report(
    target: IO[bytes],
    report_filter: ReportFilter,
    *,
    user: User,
    clinics: Sequence[Clinic],
    today: dt.date,
    now: dt.datetime,
    progress: Progress | None = None,
) -> int:
    """Writes the workbook of an Ask: its rows or totals, and its filters on a sheet of their own.
    Returns the rows.

    Dates are dates (local to the clinic), phones text, masked for a user without the right to see
    them.
    """
    book = xlsxwriter.Workbook(
        target, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet("История обращений")
    lookups = lookups_of(clinics)
    written = (
        _totals(book, sheet, report_filter, clinics, lookups, today)
        if report_filter.grouped
        else _rows(book, sheet, report_filter, user, clinics, lookups, today, progress)
    )
    _filters(book, report_filter, user, clinics, lookups, now)
    book.close()
    return written


def _heads(book: Any, sheet: Any, heads: Sequence[tuple[str, int]]) -> None:
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    for column, (title, width) in enumerate(heads):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, bold)
    sheet.freeze_panes(1, 0)


def lines(
    report_filter: ReportFilter, clinics: Sequence[Clinic], lookups: Lookups, *, today: dt.date
) -> Iterator[ReportRow]:
    """Every row of the list, a chunk at a time, by the same queries as the screen's pages."""
    while True:
        if report_filter.view == ALL:
            page = interactions_page(report_filter, clinics, today=today, limit=_CHUNK)
            yield from interaction_rows(page.rows, clinics, lookups, today)
        else:
            page = contacts_page(report_filter, clinics, today=today, limit=_CHUNK)
            yield from contact_rows(page.rows, clinics, lookups, today)
        if page.next is None:
            return
        report_filter = dataclasses.replace(report_filter, before=page.next)


def _rows(
    book: Any,
    sheet: Any,
    report_filter: ReportFilter,
    user: User,
    clinics: Sequence[Clinic],
    lookups: Lookups,
    today: dt.date,
    progress: Progress | None,
) -> int:
    _heads(book, sheet, _ROW_HEADS)
    when = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
    money = book.add_format({"num_format": "#,##0.00"})
    row = 0
    for row, line in enumerate(lines(report_filter, clinics, lookups, today=today), start=1):
        for column, value in enumerate(_cells(line, user)):
            if value is None or value == "":
                continue
            if isinstance(value, dt.datetime):
                sheet.write_datetime(row, column, value, when)
            elif isinstance(value, Decimal):
                sheet.write_number(row, column, float(value), money)
            elif isinstance(value, int):
                sheet.write_number(row, column, value)
            else:
                sheet.write_string(row, column, safe(value))
        if progress is not None and row % _CHUNK == 0:
            progress(row)
    sheet.autofilter(0, 0, max(row, 1), len(_ROW_HEADS) - 1)
    return row


def _cells(line: ReportRow, user: User) -> list[Any]:
    contact = line.contact
    return [
        line.at.replace(tzinfo=None),
        line.badge.word,
        line.patient.full if line.patient else "",
        phone_text(line.number, user),
        line.who,
        "да" if contact.is_first_time else "",
        line.topic,
        line.outcome,
        contact.results_count or None,
        line.sign.word if line.sign else "",
        line.employee,
        line.channel_path,
        line.clinic.name,
        line.comment,
        line.wait_seconds,
        line.talk_seconds,
        contact.money or None,
    ]


def phone_text(number: str, user: User) -> str:
    if not number:
        return ""
    return format_phone(number) if user.sees_phones else masked(number)


def safe(text: str) -> str:
    """A comment that begins like a formula stays a text, also after a person has edited the cell."""
    text = _CONTROL.sub("", text)[:32_000]
    return f"'{text}" if text.startswith(_FORMULA) and not text.startswith("+7 (") else text


def _totals(
    book: Any,
    sheet: Any,
    report_filter: ReportFilter,
    clinics: Sequence[Clinic],
    lookups: Lookups,
    today: dt.date,
) -> int:
    found = totals(report_filter, clinics, lookups, today=today)
    titles = [group.dimension.title for group in found.groups[:1]] or ["Группа"]
    second = next((child.dimension.title for group in found.groups for child in group.children), "")
    levels = [(titles[0], 32), *([(second, 32)] if second else [])]
    _heads(book, sheet, [*levels, *_SUM_HEADS])
    formats = {
        "percent": book.add_format({"num_format": "0.0%"}),
        "money": book.add_format({"num_format": "#,##0.00"}),
        "bold": book.add_format({"bold": True}),
        "bold_percent": book.add_format({"bold": True, "num_format": "0.0%"}),
        "bold_money": book.add_format({"bold": True, "num_format": "#,##0.00"}),
    }
    row = 1
    for group in found.groups:
        _group(sheet, row, group, len(levels), formats, bold=bool(group.children), level=0)
        row += 1
        for child in group.children:
            sheet.set_row(row, None, None, {"level": 1})
            _group(sheet, row, child, len(levels), formats, bold=False, level=1, parent=group)
            row += 1
    sheet.write_string(row, 0, "Всего", formats["bold"])
    _measures(sheet, row, len(levels), found.now, found.before, 1.0, formats, bold=True)
    return row


def _group(
    sheet: Any,
    row: int,
    group: TotalsGroup,
    first: int,
    formats: Any,
    *,
    bold: bool,
    level: int,
    parent: TotalsGroup | None = None,
) -> None:
    sheet.write_string(row, level, safe(group.label), formats["bold"] if bold else None)
    if parent is not None:
        sheet.write_string(row, 0, safe(parent.label))
    _measures(sheet, row, first, group.now, group.before, group.share, formats, bold=bold)


def _measures(
    sheet: Any,
    row: int,
    first: int,
    now: Measures,
    before: Measures,
    share: float,
    formats: Any,
    *,
    bold: bool,
) -> None:
    percent, money = (
        (formats["bold_percent"], formats["bold_money"])
        if bold
        else (formats["percent"], formats["money"])
    )
    plain = formats["bold"] if bold else None
    values: list[tuple[float | int | None, Any]] = [
        (now.count, plain),
        (share, percent),
        (now.booked, plain),
        (now.booked_share, percent),
        (now.came, plain),
        (float(now.money), money),
        (now.mean_wait, plain),
        (now.mean_talk, plain),
        (before.count, plain),
        (before.booked, plain),
    ]
    for column, (value, style) in enumerate(values, start=first):
        if value is not None:
            sheet.write_number(row, column, value, style)


def _filters(
    book: Any,
    report_filter: ReportFilter,
    user: User,
    clinics: Sequence[Clinic],
    lookups: Lookups,
    now: dt.datetime,
) -> None:
    sheet = book.add_worksheet("Фильтры")
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 60)
    pairs = [
        ("Период", f"{report_filter.since:%d.%m.%Y} – {report_filter.until:%d.%m.%Y}"),
        ("Вид отчёта", VIEWS[report_filter.view]),
        *((chip.name, chip.value) for chip in chips_of(report_filter, lookups)),
        ("Клиники", ", ".join(clinic.name for clinic in clinics)),
        ("Кто выгрузил", user.full_name),
        ("Когда", f"{local(now, zone_of(clinics)):%d.%m.%Y %H:%M}"),
        ("Телефоны", "полностью" if user.sees_phones else "скрыты: нет права видеть номера"),
    ]
    for row, (name, value) in enumerate(pairs):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, safe(value))
