"""«Результаты прозвона КОСы»: the table, the rows behind each number, the same in Excel."""

import datetime as dt
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.lib.errors import Refused
from callcenter.lib.localtime import local_day
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_READ_REPORTS
from journals.forms import ResultsForm
from journals.queries import results
from journals.queries.results import ResultsPeriod
from journals.xlsx import results as results_workbook

PAGE = 50


def _form(request: StaffRequest) -> ResultsForm:
    """The period asked for; by default from the first of the month till today."""
    data = request.GET.copy()
    today = _today(request)
    data.setdefault("since", today.replace(day=1).isoformat())
    data.setdefault("until", today.isoformat())
    return ResultsForm(data, user=request.user)


def _today(request: StaffRequest) -> dt.date:
    """The local day of the user's easternmost clinic, so that no call of today is left out."""
    now = timezone.now()
    zones = Clinic.objects.filter(staff=request.user).values_list("zone", flat=True)
    return max((local_day(now, zone) for zone in zones), default=now.date())


def _period(request: StaffRequest) -> ResultsPeriod:
    form = _form(request)
    if not form.is_valid():
        raise Refused(
            "Проверьте период: "
            + " ".join(str(error) for errors in form.errors.values() for error in errors)
        )
    return form.period()


@allow(*CAN_READ_REPORTS)
def report(request: StaffRequest) -> HttpResponse:
    """The whole report; 422 with the form for a wrong period."""
    form = _form(request)
    if not form.is_valid():
        return render(request, "journals/results.html", {"form": form}, status=422)
    period = form.period()
    found = results.results(period, user=request.user)
    context = {
        "form": form,
        "many_clinics": Clinic.objects.filter(staff=request.user).count() > 1,
        "period": period,
        "results": found,
        "measures": results.measures(),
        "grouping": results.GROUPINGS[period.by],
        "presets": _presets(_today(request)),
        "refused_total": found.total.numbers["refused"],
    }
    return render(request, "journals/results.html", context)


def _presets(today: dt.date) -> list[tuple[str, dt.date, dt.date]]:
    monday = today - dt.timedelta(days=today.weekday())
    first = today.replace(day=1)
    last_month = first - dt.timedelta(days=1)
    return [
        ("сегодня", today, today),
        ("вчера", today - dt.timedelta(days=1), today - dt.timedelta(days=1)),
        ("неделя", monday, today),
        ("месяц", first, today),
        ("прошлый месяц", last_month.replace(day=1), last_month),
    ]


@allow(*CAN_READ_REPORTS)
def rows(request: StaffRequest) -> HttpResponse:
    """The rows behind one number of the report, as many as it says."""
    period = _period(request)
    measure, columns = request.GET.get("measure", "called"), results.measures()
    if measure not in columns:
        raise Refused("Такого числа в отчёте нет. Вернитесь к отчёту и нажмите на число.")
    key, reason, number = (_number(request.GET.get(name)) for name in ("key", "reason", "number"))
    found: Any
    if measure == "planned":
        found = results.item_rows(period, user=request.user, key=key)
    else:
        found = results.call_rows(
            period, measure, user=request.user, key=key, reason=reason, number=number
        )
    context = {
        "period": period,
        "measure": columns[measure],
        "is_plan": measure == "planned",
        "page": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "number": number,
    }
    return render(request, "journals/result_rows.html", context)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 18 else None


@allow(*CAN_READ_REPORTS)
def xlsx(request: StaffRequest) -> HttpResponse:
    """The report with the same totals, its calls on a sheet of their own. The export is written
    into the journal.
    """
    period = _period(request)
    content = results_workbook(period, user=request.user)
    audit.record(
        "journals.export_results",
        by=request.user,
        now=timezone.now(),
        after={"since": period.since.isoformat(), "until": period.until.isoformat()},
    )
    answer = HttpResponse(
        content, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    answer["Content-Disposition"] = (
        f'attachment; filename="kos-{period.since:%Y-%m-%d}-{period.until:%Y-%m-%d}.xlsx"'
    )
    return answer
