"""Report: requests by source and hour, at which attempt they were connected, how long it took, what
was saved.
"""

import datetime as dt
import io
from typing import Any

import xlsxwriter
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from callback.report import CallbackReport, report_of
from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.lib.localtime import local_day
from callcenter.lib.query_params import date
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_READ_CALLBACKS

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@allow(*CAN_READ_CALLBACKS)
def report(request: StaffRequest) -> HttpResponse:
    """Local days, both included; by default the last 30. `?format=xlsx` gives the same as a
    workbook.
    """
    now = timezone.now()
    clinics = list(Clinic.objects.filter(staff=request.user))
    chosen = [one for one in clinics if str(one.pk) == request.GET.get("clinic")] or clinics
    today = local_day(now, chosen[0].zone if chosen else "Europe/Moscow")
    since = date(request.GET.get("since")) or today - dt.timedelta(days=29)
    until = date(request.GET.get("until")) or today
    made = report_of(chosen, since=min(since, until), until=max(since, until))
    if request.GET.get("format") == "xlsx":
        audit.record("callback.export_report", by=request.user, now=now, note=f"{since}–{until}")
        answer = HttpResponse(workbook(made), content_type=XLSX)
        answer["Content-Disposition"] = f'attachment; filename="callback_{since}_{until}.xlsx"'
        return answer
    context = {
        "report": made,
        "clinics": clinics,
        "since": made.since,
        "until": made.until,
        "chosen": chosen,
    }
    return render(request, "callback/report.html", context)


def workbook(made: CallbackReport) -> bytes:
    """Two sheets: totals and sources, hours."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet("Источники")
    sheet.set_column(0, 0, 34)
    sheet.write(0, 0, f"Обратный звонок, {made.since:%d.%m.%Y}–{made.until:%d.%m.%Y}", bold)
    _table(sheet, 2, made.source_head, made.source_rows, bold)
    hours = book.add_worksheet("По часам")
    _table(hours, 0, ["Час", *made.sources, "Всего"], made.hour_rows, bold)
    tries = book.add_worksheet("Попытки")
    _table(tries, 0, ["Соединены с попытки", "Заявок"], made.try_rows, bold)
    book.close()
    return buffer.getvalue()


def _table(sheet: Any, top: int, head: list[str], rows: list[list[Any]], bold: Any) -> None:
    for column, title in enumerate(head):
        sheet.write(top, column, title, bold)
    for line, row in enumerate(rows, top + 1):
        for column, value in enumerate(row):
            sheet.write(line, column, value)
