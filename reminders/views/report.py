"""The report's page and its Excel file: the same lines."""

import datetime as dt
import io
from decimal import Decimal
from urllib.parse import urlencode

import xlsxwriter
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.lib.localtime import local_day
from callcenter.lib.query_params import date
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.queries import zone_of
from callcenter.staff.roles import CAN_READ_REPORTS
from reminders.report import (
    GROUPS,
    SHARES,
    WORDS,
    ReminderReportLine,
    columns_of,
    report_lines,
    report_rows,
    sheet_rows,
)

LONGEST = dt.timedelta(days=366)
PAGE = 100  # rows behind a number on a page


@require_safe
@allow(*CAN_READ_REPORTS)
def report(request: StaffRequest) -> HttpResponse:
    """By day, clinic or administrator, for a period of at most a year."""
    chosen = _chosen(request)
    lines, total = _lines(chosen)
    columns = columns_of([*lines, total])
    shown = [
        (
            line,
            [(line.counts[name], _rows_url(chosen, line, name)) for name, _ in columns],
            [
                (
                    line.share(name),
                    *line.shares[name],
                    _rows_url(chosen, line, name),
                    _rows_url(chosen, line, of),
                )
                for name, of, _ in SHARES
            ],
            _rows_url(chosen, line, "at_risk"),
        )
        for line in [*lines, total]
    ]
    context = {
        **chosen,
        "groups": [(name, group.word) for name, group in GROUPS.items()],
        "columns": [word for _, word in columns],
        "shares": [word for *_, word in SHARES],
        "shown": shown,
        "has_rows": bool(lines),
    }
    return render(request, "reminders/report.html", context)


def _rows_url(chosen: dict[str, object], line: ReminderReportLine, what: str) -> str:
    """The address of the reminders behind a number."""
    asked = {name: str(chosen[name]) for name in ("since", "until", "clinic", "group")}
    of_line = {} if line.key is None else {"line": line.key}
    return f"{reverse('reminders:report_rows')}?{urlencode({**asked, **of_line, 'what': what})}"


@require_safe
@allow(*CAN_READ_REPORTS)
def rows_behind(request: StaffRequest) -> HttpResponse:
    """The reminders that one number of the report counts, a hundred a page. Audited: they name
    patients.
    """
    chosen = _chosen(request)
    what = request.GET.get("what", "")
    if what not in WORDS:
        raise Http404
    found = report_rows(
        clinics=chosen["chosen"],  # type: ignore[arg-type]
        since=chosen["since"],  # type: ignore[arg-type]
        until=chosen["until"],  # type: ignore[arg-type]
        group=str(chosen["group"]),
        name=_line_key(request.GET.get("line"), str(chosen["group"])),
        what=what,
    )
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    audit.record(
        "reminders.open_report_rows",
        by=request.user,
        now=timezone.now(),
        note=f"{chosen['since']:%d.%m.%Y}–{chosen['until']:%d.%m.%Y}, {WORDS[what]}",
    )
    back = urlencode({name: str(chosen[name]) for name in ("since", "until", "clinic", "group")})
    context = {
        **chosen,
        "page": page,
        "word": WORDS[what],
        "back": f"{reverse('reminders:report')}?{back}",
    }
    return render(request, "reminders/report_rows.html", context)


def _line_key(text: str | None, group: str) -> str | None:
    """The line named in the address; Http404 for one that can't be."""
    if text is None or not text:
        return text
    if (date(text) is None) if group == "day" else not (text.isdigit() and len(text) < 18):
        raise Http404
    return text


@require_safe
@allow(*CAN_READ_REPORTS)
def report_xlsx(request: StaffRequest) -> HttpResponse:
    """The same as an Excel sheet: dates as dates, roubles as numbers, the filters on a sheet of
    their own. Audited.
    """
    chosen = _chosen(request)
    lines, total = _lines(chosen)
    audit.record(
        "reminders.export_report",
        by=request.user,
        now=timezone.now(),
        note=f"{chosen['since']:%d.%m.%Y}–{chosen['until']:%d.%m.%Y}, {chosen['group']}",
    )
    answer = HttpResponse(
        _workbook(chosen, [*lines, total]),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
    answer["Content-Disposition"] = (
        f'attachment; filename="dozvon-{chosen["since"]:%Y-%m-%d}-{chosen["until"]:%Y-%m-%d}.xlsx"'
    )
    return answer


def _lines(chosen: dict[str, object]) -> tuple[list[ReminderReportLine], ReminderReportLine]:
    return report_lines(
        clinics=chosen["chosen"],  # type: ignore[arg-type]
        since=chosen["since"],  # type: ignore[arg-type]
        until=chosen["until"],  # type: ignore[arg-type]
        group=str(chosen["group"]),
    )


def _chosen(request: StaffRequest) -> dict[str, object]:
    clinics = list(Clinic.objects.visible_to(request.user).order_by("name"))
    today = local_day(timezone.now(), zone_of(request.user))
    until = date(request.GET.get("until")) or today
    since = max(date(request.GET.get("since")) or until - dt.timedelta(days=6), until - LONGEST)
    wanted = request.GET.get("clinic", "")
    group = request.GET.get("group", "day")
    return {
        "clinics": clinics,
        "chosen": [clinic for clinic in clinics if str(clinic.pk) == wanted] or clinics,
        "clinic": wanted,
        "since": since,
        "until": until,
        "group": group if group in GROUPS else "day",
    }


def _workbook(chosen: dict[str, object], lines: list[ReminderReportLine]) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    head, day = (
        book.add_format({"bold": True, "text_wrap": True}),
        book.add_format({"num_format": "dd.mm.yyyy"}),
    )
    percent, money = (
        book.add_format({"num_format": "0.0%"}),
        book.add_format({"num_format": "# ##0"}),
    )
    sheet = book.add_worksheet("Дозвон")
    headings = [
        GROUPS[str(chosen["group"])].word,
        *(word for _, word in columns_of(lines)),
        *(word for *_, word in SHARES),
        "деньги под риском, ₽",
    ]
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, head)
    for number, cells in enumerate(sheet_rows(lines), start=1):
        for column, value in enumerate(cells):
            if isinstance(value, dt.date):
                sheet.write_datetime(number, column, dt.datetime.combine(value, dt.time()), day)
            elif isinstance(value, Decimal):
                sheet.write_number(number, column, float(value), money)
            elif isinstance(value, float):
                sheet.write_number(number, column, value, percent)
            elif isinstance(value, int):
                sheet.write_number(number, column, value)
            elif value is not None:
                sheet.write_string(number, column, str(value))
    sheet.set_column(0, 0, 28)
    sheet.freeze_panes(1, 1)
    filters = book.add_worksheet("Фильтры")
    clinics = ", ".join(clinic.name for clinic in chosen["chosen"])  # type: ignore[attr-defined]
    for number, (name, text) in enumerate(
        [("Период", f"{chosen['since']:%d.%m.%Y}–{chosen['until']:%d.%m.%Y}"), ("Клиники", clinics)]
    ):
        filters.write_string(number, 0, name, head)
        filters.write_string(number, 1, text)
    book.close()
    return target.getvalue()
