"""Lists of rows: what each list's columns are, how it is sorted, paged, shown and written to Excel.

A list is a `ListTable` in its app's `tables.py`. A column says its heading, what it is sorted by,
its value for Excel (`value_<column>`) and, by `phone=False` in `attrs`, whether a phone leaves it
out. `callcenter.staff.list_pages.open_list` joins a table with the request: sorting and page of the
address, the columns that this person has chosen.
"""

import datetime as dt
import functools
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final

import django_tables2 as tables
import xlsxwriter
from django.db.models import QuerySet
from django.template import Context, Template
from django.template.loader import get_template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tables2.utils import OrderByTuple

PER_PAGE: Final = 50
# Rows of one workbook that a page writes at once; longer reports are written in the background.
EXCEL_ROWS: Final = 20_000
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NUMBER: Final = {"td": {"class": "num"}, "th": {"class": "num"}}
DASH: Final = "—"


def link_column(url_name: str, heading: str, **more: Any) -> tables.Column:
    """Return the column whose text leads to the row's own page (Enter opens it, too)."""
    attrs = {"a": {"data-open": ""}, **more.pop("attrs", {})}
    return tables.Column(
        verbose_name=heading, linkify=(url_name, [tables.A("pk")]), attrs=attrs, **more
    )


class PartialColumn(tables.Column):
    """A cell with a template of its own, rendered with `record` alone.

    The library's TemplateColumn runs every context processor for each cell: ten times as slow.
    """

    def __init__(self, template_name: str, **more: Any) -> None:
        super().__init__(**{"empty_values": (), **more})
        self.template_name = template_name

    def render(self, record: object) -> SafeString:
        return _compiled(self.template_name).render(Context({"record": record}))


@functools.cache
def _compiled(template_name: str) -> Template:
    template: Template = get_template(template_name).template  # type: ignore[attr-defined]
    return template


@dataclass(frozen=True, slots=True)
class Heading:
    """One column of the head: attributes as HTML, what a click sorts by, how it is sorted now."""

    text: str
    attributes: SafeString
    next_sort: str  # '' where the list cannot be sorted by it
    direction: str  # '', 'ascending', 'descending'


class ListTable(tables.Table):
    """One list of the workbench; subclasses name the columns and what to do when it is empty."""

    key: ClassVar[str]  # 'staff.people': by it a person's columns are remembered
    title: ClassVar[str]  # the sheet's name and the file's heading
    empty: ClassVar[str] = "Ничего не нашлось. Снимите часть условий."
    counted: ClassVar[str] = "строка,строки,строк"  # one, two, five

    class Meta:
        attrs: ClassVar[dict[str, str]] = {"class": "table table-vcenter stack"}
        row_attrs: ClassVar[dict[str, str]] = {"data-row": ""}
        template_name = "tables/table.html"
        order_by_field = "sort"
        page_field = "page"
        default = DASH

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.per_page = PER_PAGE
        self.saved_views: Sequence[Any] = ()
        self.total = 0

    def orderable_names(self) -> list[str]:
        """Return the columns that the address may sort by."""
        return [column.name for column in self.columns.iterall() if column.orderable]

    def sort(self, names: Sequence[str]) -> None:
        """Sort by the names of an address (`-name` descends); names that cannot be sorted by are
        left out.

        The key is added as the last one, so that equal rows keep their place from page to page.
        """
        known = set(self.orderable_names())
        chosen = [name for name in names if name.removeprefix("-") in known]
        if chosen:
            self.order_by = OrderByTuple(chosen)
        rows = self.data.data
        if isinstance(rows, QuerySet):
            order = rows.query.order_by or rows.model._meta.ordering or ()
            if "pk" not in {str(name).lstrip("-") for name in order}:
                self.data.data = rows.order_by(*order, "pk")

    def headings(self) -> list[Heading]:
        """Return the head's columns in their order."""
        return [_heading(column) for column in self.columns]

    def lean_rows(self) -> Iterator[tuple[SafeString, list[tuple[SafeString, object]]]]:
        """Yield each row of the page: its attributes, and of each cell the attributes and content.

        A cell's attributes depend on its column alone, so they are put together once for all rows.
        """
        columns = [
            (column.name, format_html('data-label="{}" {}', column.header, _html(column, "td")))
            for column in self.columns
        ]
        for row in self.paginated_rows:
            cells = [(attributes, row.get_cell(name)) for name, attributes in columns]
            yield row.attrs.as_html(), cells

    def choices(self) -> list[tuple[str, str, bool]]:
        """Return (name, heading, whether shown) of every column, the shown ones first, in their
        order.
        """
        every = {column.name: str(column.header) for column in self.columns.iterall()}
        shown = [column.name for column in self.columns]
        hidden = [name for name in self.base_columns if name in every and name not in shown]
        hidden += [name for name in every if name not in shown and name not in hidden]
        return [(name, every[name], True) for name in shown] + [
            (name, every[name], False) for name in hidden
        ]


def _html(column: Any, part: str) -> SafeString:
    attributes: SafeString = column.attrs[part].as_html()
    return attributes


def _heading(column: Any) -> Heading:
    order = column.order_by_alias
    direction = ("descending" if order.is_descending else "ascending") if column.is_ordered else ""
    following = str(order.next) if column.orderable else ""
    return Heading(str(column.header), _html(column, "th"), following, direction)


def write_xlsx(table: ListTable) -> bytes:
    """Return the list as a workbook: the shown columns, every row in the shown order.

    Text is written as text (a cell that begins with '=' stays words), dates and numbers as such.
    """
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    hidden = [name for name, _, is_shown in table.choices() if not is_shown]
    with xlsxwriter.Workbook(out, {**options, "remove_timezone": True}) as book:
        sheet = book.add_worksheet(table.title[:31])
        bold = book.add_format({"bold": True})
        formats = {
            dt.datetime: book.add_format({"num_format": "dd.mm.yyyy hh:mm"}),
            dt.date: book.add_format({"num_format": "dd.mm.yyyy"}),
            dt.time: book.add_format({"num_format": "hh:mm"}),
        }
        sheet.freeze_panes(1, 0)
        for line, values in enumerate(table.as_values(exclude_columns=hidden)):
            for place, value in enumerate(values):
                _write_cell(
                    sheet, line, place, value, bold if line == 0 else formats.get(type(value))
                )
        sheet.autofit()
    return out.getvalue()


def _write_cell(sheet: Any, line: int, place: int, value: object, cell_format: Any) -> None:
    if value is None or value == DASH:
        sheet.write_blank(line, place, None)
    elif isinstance(value, bool):
        sheet.write_string(line, place, "да" if value else "нет")
    elif isinstance(value, (int, float, Decimal)):
        sheet.write_number(line, place, value, cell_format)
    elif isinstance(value, (dt.datetime, dt.date, dt.time)):
        sheet.write_datetime(line, place, value, cell_format)
    else:
        sheet.write_string(line, place, str(value).strip(), cell_format)
