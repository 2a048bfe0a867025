"""A list for one person: sorted and paged by the address, with the columns and views they have
saved.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from callcenter.audit import actions as audit
from callcenter.lib.errors import Refused
from callcenter.lib.query_params import number
from callcenter.lib.tables import EXCEL_ROWS, XLSX_TYPE, ListTable, write_xlsx
from callcenter.staff.access import StaffRequest
from callcenter.staff.models import SavedView, TableColumns

T = TypeVar("T", bound=ListTable)


def open_list(request: StaffRequest, kind: type[T], rows: "QuerySet[Any] | Iterable[object]") -> T:
    """Return the table of `rows` as the address and the person want it.

    `sort` (repeated) and `page` of the address; unreadable ones are as good as absent. Two queries
    of its own: the chosen columns, the saved views; a third counts.
    """
    chosen = _columns_of(request, kind)
    hidden = [name for name in kind.base_columns if chosen and name not in chosen]
    table = kind(
        rows,
        request=request,
        sequence=[*chosen, "..."] if chosen else None,
        exclude=hidden or None,
    )
    table.sort(request.GET.getlist("sort"))
    match = request.resolver_match
    page = match.view_name if match is not None else ""
    table.saved_views = list(SavedView.objects.visible_to(request.user, page))
    if not wants_excel(request):
        _open_page(table, number(request.GET.get("page")) or 1)
    return table


def list_page(
    request: StaffRequest,
    template: str,
    kind: type[ListTable],
    rows: "QuerySet[Any] | Iterable[object]",
    context: Mapping[str, object] | None = None,
) -> HttpResponse:
    """Return the page of a list, or with `format=xlsx` in the address the same list as a file."""
    table = open_list(request, kind, rows)
    if wants_excel(request):
        return excel_response(request, table)
    return render(request, template, {**(context or {}), "table": table})


def _columns_of(request: StaffRequest, kind: type[ListTable]) -> list[str]:
    found = TableColumns.objects.filter(user=request.user, table=kind.key).first()
    return [name for name in found.columns if name in kind.base_columns] if found else []


def _open_page(table: ListTable, page: int) -> None:
    paginator = Paginator(table.rows, table.per_page)
    table.total = paginator.count
    table.paginator = paginator
    table.page = paginator.page(min(page, paginator.num_pages))


def wants_excel(request: StaffRequest) -> bool:
    return request.GET.get("format") == "xlsx"


def excel_response(request: StaffRequest, table: ListTable) -> HttpResponse:
    """Return the list as a file, exactly as shown but for the paging, and write that into the audit
    log.

    Raises Refused for a list that is too long to be written while the person waits.
    """
    rows = len(table.rows)
    if rows > EXCEL_ROWS:
        raise Refused(f"В списке {rows} строк. Сузьте его до {EXCEL_ROWS} и повторите.")
    content = write_xlsx(table)
    query = request.GET.copy()
    query.pop("format", None)
    audit.record(
        "staff.export_list",
        by=request.user,
        now=timezone.now(),
        after={"rows": rows, "query": query.urlencode()},
        note=table.title,
    )
    answer = HttpResponse(content, content_type=XLSX_TYPE)
    name = table.key.replace(".", "-")
    answer["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return answer
