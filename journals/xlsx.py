"""«Результаты прозвона КОСы» in Excel: the same totals, dates as dates, phones as text (masked as
on the screen).
"""

import io
from typing import Any

import xlsxwriter

from callcenter.lib import phones
from callcenter.lib.localtime import local
from callcenter.staff.models import User
from journals.queries import results as report
from journals.queries.results import GROUPINGS, ResultsPeriod


def results(period: ResultsPeriod, *, user: User) -> bytes:
    """The workbook of the report as this user sees it: «Итоги», «Звонки», «По плану», «Отбор»."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(
        stream,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "remove_timezone": True,
        },
    ) as book:
        formats = {
            "head": book.add_format(
                {"bold": True, "bg_color": "#DDEAE7", "text_wrap": True, "valign": "top"}
            ),
            "bold": book.add_format({"bold": True}),
            "percent": book.add_format({"num_format": "0.0%"}),
            "date": book.add_format({"num_format": "dd.mm.yyyy"}),
            "moment": book.add_format({"num_format": "dd.mm.yyyy hh:mm"}),
        }
        _totals(book, formats, period, user)
        _calls(book, formats, period, user)
        _items(book, formats, period, user)
        _conditions(book, formats, period)
    return stream.getvalue()


def _head(
    sheet: Any,
    formats: dict[str, Any],
    row: int,
    titles: list[str],
    widths: list[int] | None = None,
) -> None:
    for column, title in enumerate(titles):
        sheet.write_string(row, column, title, formats["head"])
        if widths:
            sheet.set_column(column, column, widths[column])


def _totals(book: Any, formats: dict[str, Any], period: ResultsPeriod, user: User) -> None:
    found = report.results(period, user=user)
    columns = report.measures()
    sheet = book.add_worksheet("Итоги")
    titles = [
        GROUPINGS[period.by].capitalize(),
        *(measure.label for measure in columns.values()),
        "Конверсия",
    ]
    _head(sheet, formats, 0, titles, [34, *(13 for _title in titles[1:])])
    sheet.freeze_panes(1, 1)
    for row, line in enumerate([*found.lines, found.total], start=1):
        bold = formats["bold"] if line is found.total else None
        sheet.write_string(row, 0, line.name, bold)
        for column, name in enumerate(columns, start=1):
            sheet.write_number(row, column, line.numbers[name], bold)
        if line.conversion is not None:
            sheet.write_number(row, len(columns) + 1, line.conversion, formats["percent"])
    row = len(found.lines) + 4
    _head(sheet, formats, row, ["Отказ: причина", "Записей"])
    for reason, count in found.reasons:
        row += 1
        sheet.write_string(row, 0, reason.name)
        sheet.write_number(row, 1, count)
    row += 3
    _head(
        sheet, formats, row, ["Который звонок", "Звонков", "Дозвонились", "Записано", "Конверсия"]
    )
    for line_of in found.numbers:
        row += 1
        last = line_of.number == report.LAST_NUMBER
        sheet.write_string(row, 0, f"{line_of.number}-й{' и дальше' if last else ''}")
        for column, count in enumerate((line_of.called, line_of.reached, line_of.booked), start=1):
            sheet.write_number(row, column, count)
        if line_of.conversion is not None:
            sheet.write_number(row, 4, line_of.conversion, formats["percent"])


def _calls(book: Any, formats: dict[str, Any], period: ResultsPeriod, user: User) -> None:
    sheet = book.add_worksheet("Звонки")
    titles = [
        "Когда",
        "Клиника",
        "Пациент",
        "Телефон",
        "Врач",
        "Который",
        "Признак",
        "Итог",
        "Статус",
        "Причина",
    ]
    titles += ["Комментарий", "Следующая дата", "Записан на", "Кто"]
    _head(sheet, formats, 0, titles, [16, 18, 32, 20, 28, 9, 13, 17, 10, 24, 50, 15, 17, 28])
    sheet.freeze_panes(1, 0)
    found = report.calls(period, user=user).select_related(
        "entry__patient",
        "clinic",
        "doctor",
        "by",
        "reason",
        "refusal_reason",
        "appointment__clinic",
        "interaction",
    )
    for row, call in enumerate(found.order_by("at", "pk").iterator(chunk_size=2000), start=1):
        zone = call.clinic.zone
        number = call.interaction.number
        sheet.write_datetime(row, 0, local(call.at, zone), formats["moment"])
        sheet.write_string(row, 1, call.clinic.name)
        sheet.write_string(row, 2, call.entry.patient.full_name)
        sheet.write_string(
            row,
            3,
            phones.format_phone(number) if user.sees_phones and number else phones.masked(number),
        )
        sheet.write_string(row, 4, call.doctor.full_name)
        sheet.write_number(row, 5, call.number)
        sheet.write_string(row, 6, call.get_direction_display())
        sheet.write_string(row, 7, call.get_outcome_display())
        sheet.write_string(row, 8, call.get_stage_after_display())
        sheet.write_string(row, 9, str(call.refusal_reason or call.reason or ""))
        sheet.write_string(row, 10, call.comment)
        if call.next_on:
            sheet.write_datetime(row, 11, call.next_on, formats["date"])
        if call.appointment:
            sheet.write_datetime(row, 12, call.appointment.local_start, formats["moment"])
        sheet.write_string(row, 13, call.by.full_name)


def _items(book: Any, formats: dict[str, Any], period: ResultsPeriod, user: User) -> None:
    sheet = book.add_worksheet("По плану")
    titles = ["День", "Клиника", "Кому", "Пациент", "Врач", "Что с ней", "Итог"]
    _head(sheet, formats, 0, titles, [12, 18, 28, 32, 28, 24, 18])
    sheet.freeze_panes(1, 0)
    for row, item in enumerate(
        report.item_rows(period, user=user).iterator(chunk_size=2000), start=1
    ):
        sheet.write_datetime(row, 0, item.on, formats["date"])
        sheet.write_string(row, 1, item.clinic.name)
        sheet.write_string(row, 2, item.assignee.full_name)
        sheet.write_string(row, 3, item.entry.patient.full_name)
        sheet.write_string(row, 4, item.entry.doctor.full_name)
        sheet.write_string(row, 5, item.get_state_display())
        sheet.write_string(row, 6, item.get_outcome_display() if item.outcome else "")


def _conditions(book: Any, formats: dict[str, Any], period: ResultsPeriod) -> None:
    sheet = book.add_worksheet("Отбор")
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 70)
    lines = [
        (
            "Период",
            f"{period.since:%d.%m.%Y} — {period.until:%d.%m.%Y}, дни клиник по их местному времени",
        ),
        ("Клиника", period.clinic.name if period.clinic else "все мои"),
        ("Врач", period.doctor.full_name if period.doctor else "все"),
        ("Администратор", period.caller.full_name if period.caller else "все"),
        *((measure.label, measure.meaning) for measure in report.measures().values()),
        ("Конверсия", "записано от дозвонившихся; по номеру звонка — от звонков"),
    ]
    for row, (name, value) in enumerate(lines):
        sheet.write_string(row, 0, name, formats["bold"])
        sheet.write_string(row, 1, value)
