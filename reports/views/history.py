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
from reports.filters import ALL, FLAGS, PRESETS, VIEWS, ReportFilter, address, narrowed, read_ask
from reports.lookups import Lookups, names_of
from reports.metric_help import rules_of
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
from reports.row_data import parts_of_contacts
from reports.row_presenter import (
    contact_lines,
    interaction_lines,
    line_of_contact,
    line_of_interaction,
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
    ask, names = read_ask(request.GET, today), names_of(clinics)
    context = {
        "ask": ask,
        "today": today,
        "clinics": clinics,
        "chips": chips_of(ask, names),
        "presets": [
            (slug, title, address(ask, preset=slug, before=None, opened=()))
            for slug, title in PRESETS.items()
        ],
        "views": VIEWS,
        "dimensions": DIMENSIONS.values(),
        "filters": _filters(ask, names),
        "flags": [(flag, title, flag in ask.flags) for flag, title in FLAGS.items()],
        "saved": SavedView.objects.visible_to(request.user, "reports:history"),
        "query": address(ask),
        "plain": address(ask, before=None),
        "rules": rules_of(clinics),
        "charts": [(slug, title, address(ask, chart=slug)) for slug, title in _CHARTS],
        "no_chart": address(ask, chart=""),
        "topics": [f"contacts:clinic:{clinic.pk}" for clinic in clinics],
        **_body(ask, clinics, names, today),
    }
    template = "reports/history.html"
    if request.headers.get("HX-Request") and request.headers.get("HX-Target") == "report":
        template += "#report"
    return render(request, template, context)


_CHARTS: Final = (("day", "По дням"), ("funnel", "Воронка"), ("heat", "Пропущенные по часам"))


def _body(
    ask: ReportFilter, clinics: Sequence[Clinic], names: Lookups, today: dt.date
) -> dict[str, Any]:
    """What differs by the view: totals with opened groups, or rows under their sums."""
    found = totals(ask, clinics, names, today=today)
    body: dict[str, Any] = {"totals": found}
    if ask.chart:
        body["chart"] = chart_of(ask, clinics, today=today)
    if ask.grouped:
        body["groups"] = _groups(ask, found.groups)
        everything = tuple(group.key for group in found.groups if group.children)
        body["open_all"] = (
            address(ask, opened=everything) if set(everything) - set(ask.opened) else ""
        )
        body["close_all"] = address(ask, opened=()) if ask.opened else ""
        return body
    if ask.view == ALL:
        page = interactions_page(ask, clinics, today=today)
        body["lines"] = interaction_lines(page.rows, clinics, names, today)
    else:
        page = contacts_page(ask, clinics, today=today)
        body["lines"] = contact_lines(page.rows, clinics, names, today)
    body["next"] = address(ask, before=page.next) if page.next else ""
    return body


def _groups(ask: ReportFilter, groups: Sequence[TotalsGroup]) -> list[dict[str, Any]]:
    """Rows of totals with their addresses: open or close, and the rows behind each number."""
    rows_of, open_of = address(narrowed(ask)), address(ask)
    shown = []
    for group in groups:
        is_open = group.key in ask.opened
        rows = rows_of + _in(group)
        toggle = f"{open_of}&open={quote(group.key, safe=':')}" if group.children else rows
        if is_open:
            toggle = address(ask, opened=tuple(key for key in ask.opened if key != group.key))
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
    return "".join(f"&in={quote(drill.text, safe=':')}" for drill in group.drills)


def _filters(ask: ReportFilter, names: Lookups) -> list[dict[str, Any]]:
    """The drop-downs with check boxes: name of the parameter, title, (value, label, on)."""
    keys: list[tuple[str, str, list[tuple[Any, str]], tuple[Any, ...]]] = [
        ("who", "Кто, тип", [(str(one), one.label) for one in CallerType], ask.who),
        ("type", "Тип обращения", [(str(one), one.label) for one in ContactType], ask.types),
        ("topic", "Тема", [*names.topics.items(), (None, "без темы")], ask.topics),
        ("outcome", "Успешность", [(str(one), one.label) for one in ContactOutcome], ask.outcomes),
        ("owner", "Сотрудник", [*names.people.items(), (None, "без сотрудника")], ask.owners),
        ("channel", "Канал", [*names.channel_tree(), (None, "канал не определён")], ask.channels),
    ]
    if len(names.clinics) > 1:
        keys.append(("clinic", "Клиника", list(names.clinics.items()), ask.clinics))
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
    parts = parts_of_contacts([found.pk], [found.clinic], names_of([found.clinic]))
    said = parts.said.get(found.pk, [])
    context = {
        "line": line_of_contact(parts.contacts[found.pk], parts, today),
        "contact": found,
        "rows": [
            line_of_interaction(one, parts, today) for one in said if one.joined_call_id is None
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
    ask = dataclasses.replace(read_ask(QueryDict(query), today), before=None)
    if count_rows(ask, clinics, today=today) > AT_ONCE:
        actions.order_export(query=query, by=request.user, now=now)
        return redirect("reports:exports")
    target = io.BytesIO()
    rows = write_report(target, ask, user=request.user, clinics=clinics, today=today, now=now)
    actions.audit_export(None, rows=rows, query=query, by=request.user, now=now)
    answer = HttpResponse(target.getvalue(), content_type=XLSX)
    answer["Content-Disposition"] = (
        f'attachment; filename="istoriya-{ask.since:%Y%m%d}-{ask.until:%Y%m%d}.xlsx"'
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
