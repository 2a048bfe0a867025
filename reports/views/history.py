"""«История обращений»: the report itself, one URL for every view of it."""

import dataclasses
import datetime as dt
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from django.http import FileResponse, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.clinics.models import Clinic
from callcenter.contacts.models import Contact
from callcenter.contacts.states import CallerType, ContactOutcome, ContactType, JobState
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import SavedView
from callcenter.staff.roles import CAN_READ_CONTACTS
from reports import actions
from reports.charts import chart_of
from reports.dimensions import DIMENSIONS, NONE
from reports.filter_chips import chips_of
from reports.filters import ALL, FLAGS, PRESETS, VIEWS, ReportFilter, address, narrowed, read_filter
from reports.lookups import Lookups, lookups_of
from reports.metric_help import metric_help_of
from reports.models import Export
from reports.queries import (
    TotalsGroup,
    clinics_of,
    contacts_page,
    interactions_page,
    today_of,
    totals,
    zone_of,
)
from reports.row_data import row_data_of_contacts
from reports.row_presenter import (
    contact_rows,
    interaction_rows,
    row_of_contact,
    row_of_interaction,
)
from reports.xlsx import count_rows, write_report

# The right «История обращений»: «Кроме директора право по умолчанию есть и у администраторов».
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AT_ONCE: Final = 5_000  # rows of an XLSX written while the reader waits; more go to the background


@allow(*CAN_READ_CONTACTS)
def history(request: StaffRequest) -> HttpResponse:
    """The report: rows, contacts or totals, as the address says."""
    now = timezone.now()
    clinics = clinics_of(request.user)
    today = today_of(clinics, now)
    report_filter, lookups = read_filter(request.GET, today), lookups_of(clinics)
    context = {
        "report_filter": report_filter,
        "today": today,
        "clinics": clinics,
        "chips": chips_of(report_filter, lookups),
        "presets": [
            (slug, title, address(report_filter, preset=slug, before=None, opened=()))
            for slug, title in PRESETS.items()
        ],
        "views": VIEWS,
        "dimensions": DIMENSIONS.values(),
        "filters": _filters(report_filter, lookups),
        "flags": [(flag, title, flag in report_filter.flags) for flag, title in FLAGS.items()],
        "saved": SavedView.objects.visible_to(request.user, "reports:history"),
        "query": address(report_filter),
        "plain": address(report_filter, before=None),
        "metric_help": metric_help_of(clinics),
        "charts": [(slug, title, address(report_filter, chart=slug)) for slug, title in _CHARTS],
        "no_chart": address(report_filter, chart=""),
        "topics": [f"contacts:clinic:{clinic.pk}" for clinic in clinics],
        **_body(report_filter, clinics, lookups, today),
    }
    template = "reports/history.html"
    if request.headers.get("HX-Request") and request.headers.get("HX-Target") == "report":
        template += "#report"
    return render(request, template, context)


_CHARTS: Final = (("day", "По дням"), ("funnel", "Воронка"), ("heat", "Пропущенные по часам"))


def _body(
    report_filter: ReportFilter, clinics: Sequence[Clinic], lookups: Lookups, today: dt.date
) -> dict[str, Any]:
    """What differs by the view: totals with opened groups, or rows under their sums."""
    found = totals(report_filter, clinics, lookups, today=today)
    body: dict[str, Any] = {"totals": found}
    if report_filter.chart:
        body["chart"] = chart_of(report_filter, clinics, today=today)
    if report_filter.grouped:
        body["groups"] = _groups(report_filter, found.groups)
        everything = tuple(group.key for group in found.groups if group.children)
        body["open_all"] = (
            address(report_filter, opened=everything)
            if set(everything) - set(report_filter.opened)
            else ""
        )
        body["close_all"] = address(report_filter, opened=()) if report_filter.opened else ""
        return body
    if report_filter.view == ALL:
        page = interactions_page(report_filter, clinics, today=today)
        body["report_rows"] = interaction_rows(page.rows, clinics, lookups, today)
    else:
        page = contacts_page(report_filter, clinics, today=today)
        body["report_rows"] = contact_rows(page.rows, clinics, lookups, today)
    body["next"] = address(report_filter, before=page.next) if page.next else ""
    return body


def _groups(report_filter: ReportFilter, groups: Sequence[TotalsGroup]) -> list[dict[str, Any]]:
    """Rows of totals with their addresses: open or close, and the rows behind each number."""
    rows_of, open_of = address(narrowed(report_filter)), address(report_filter)
    shown = []
    for group in groups:
        is_open = group.key in report_filter.opened
        rows = rows_of + _in(group)
        toggle = f"{open_of}&open={quote(group.key, safe=':')}" if group.children else rows
        if is_open:
            toggle = address(
                report_filter, opened=tuple(key for key in report_filter.opened if key != group.key)
            )
        children = (
            [{"group": child, "rows": rows_of + _in(child)} for child in group.children]
            if is_open
            else []
        )
        shown.append(
            {
                "group": group,
                "is_open": bool(children),
                "toggle": toggle,
                "rows": rows,
                "children": children,
            }
        )
    return shown


def _in(group: TotalsGroup) -> str:
    return "".join(f"&in={quote(drill_down.text, safe=':')}" for drill_down in group.drill_downs)


def _filters(report_filter: ReportFilter, lookups: Lookups) -> list[dict[str, Any]]:
    """The drop-downs with check boxes: name of the parameter, title, (value, label, on)."""
    keys: list[tuple[str, str, list[tuple[Any, str]], tuple[Any, ...]]] = [
        ("who", "Кто, тип", [(str(one), one.label) for one in CallerType], report_filter.who),
        (
            "type",
            "Тип обращения",
            [(str(one), one.label) for one in ContactType],
            report_filter.types,
        ),
        ("topic", "Тема", [*lookups.topics.items(), (None, "без темы")], report_filter.topics),
        (
            "outcome",
            "Успешность",
            [(str(one), one.label) for one in ContactOutcome],
            report_filter.outcomes,
        ),
        (
            "owner",
            "Сотрудник",
            [*lookups.people.items(), (None, "без сотрудника")],
            report_filter.owners,
        ),
        (
            "channel",
            "Канал",
            [*lookups.channel_tree(), (None, "канал не определён")],
            report_filter.channels,
        ),
    ]
    if len(lookups.clinics) > 1:
        keys.append(("clinic", "Клиника", list(lookups.clinics.items()), report_filter.clinics))
    return [
        {
            "name": name,
            "title": title,
            "count": len(chosen),
            "choices": [
                (NONE if value is None else value, label, value in chosen)
                for value, label in choices
            ],
        }
        for name, title, choices, chosen in keys
    ]


@allow(*CAN_READ_CONTACTS)
def contact(request: StaffRequest, pk: int) -> HttpResponse:
    """One contact with all it holds: unfolded under its row, or as a page of its own."""
    now = timezone.now()
    found = get_object_or_404(
        Contact.objects.visible_to(request.user).select_related("clinic", "patient"), pk=pk
    )
    today = today_of([found.clinic], now)
    row_data = row_data_of_contacts([found.pk], [found.clinic], lookups_of([found.clinic]))
    interactions = row_data.interactions.get(found.pk, [])
    context = {
        "row": row_of_contact(row_data.contacts[found.pk], row_data, today),
        "contact": found,
        "rows": [
            row_of_interaction(one, row_data, today)
            for one in interactions
            if one.joined_call_id is None
        ],
        "back": reverse("reports:history"),
    }
    template = (
        "reports/contact.html#unfolded"
        if request.headers.get("HX-Request")
        else "reports/contact.html"
    )
    return render(request, template, context)


# --- Export
# ---------------------------------------------------------------------------------------------------------


@require_POST
@allow(*CAN_READ_CONTACTS)
def export(request: StaffRequest) -> HttpResponse:
    """The XLSX of the screen: at once, or an order with progress when it is long."""
    now = timezone.now()
    clinics = clinics_of(request.user)
    today = today_of(clinics, now)
    query = request.POST.get("query", "").lstrip("?")
    report_filter = dataclasses.replace(read_filter(QueryDict(query), today), before=None)
    if count_rows(report_filter, clinics, today=today) > AT_ONCE:
        actions.order_export(query=query, by=request.user, now=now)
        return redirect("reports:exports")
    target = io.BytesIO()
    rows = write_report(
        target, report_filter, user=request.user, clinics=clinics, today=today, now=now
    )
    actions.audit_export(None, rows=rows, query=query, by=request.user, now=now)
    answer = HttpResponse(target.getvalue(), content_type=XLSX)
    answer["Content-Disposition"] = (
        f'attachment; filename="istoriya-{report_filter.since:%Y%m%d}-{report_filter.until:%Y%m%d}.xlsx"'
    )
    return answer


@allow(*CAN_READ_CONTACTS)
def exports(request: StaffRequest) -> HttpResponse:
    """The reader's own orders, with progress."""
    clinics = clinics_of(request.user)
    context = {
        "exports": Export.objects.filter(owner=request.user)[:30],
        "topic": f"exports:{request.user.pk}",
        "zone": zone_of(clinics),
    }
    template = "reports/exports.html"
    if request.headers.get("HX-Request"):
        template += "#list"
    return render(request, template, context)


@allow(*CAN_READ_CONTACTS)
def download(request: StaffRequest, pk: int) -> FileResponse:
    """A finished export, to its owner alone."""
    found = get_object_or_404(Export.objects.filter(state=JobState.DONE), pk=pk, owner=request.user)
    return FileResponse(
        found.file.open("rb"),
        as_attachment=True,
        filename=Path(str(found.file.name)).name,
        content_type=XLSX,
    )
