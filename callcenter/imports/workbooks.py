"""Workbooks that go out: the rows that were not loaded, and empty tables to fill in."""

import io

import xlsxwriter
from django.db.models import QuerySet

from callcenter.imports.jobs import ImportKind
from callcenter.imports.models import ImportFinding
from callcenter.imports.phone_masking import NO_MASKING, PhoneMasking


def rejected(
    headings: list[str], findings: QuerySet[ImportFinding], masking: PhoneMasking = NO_MASKING
) -> bytes:
    """The rejected rows as they were, each with its line and the reasons: corrected, the table can
    be loaded again.

    `masking` hides numbers from who may not see them. Everything is written as text: a phone keeps its
    plus, and a cell that begins with '=' stays words.
    """
    out = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "in_memory": True,
    }
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet("Не загружено")
        bold, wrap = (
            book.add_format({"bold": True}),
            book.add_format({"text_wrap": True, "font_color": "#b02a37"}),
        )
        sheet.set_column(0, len(headings), 18)
        sheet.set_column(len(headings) + 1, len(headings) + 1, 70)
        sheet.freeze_panes(1, 0)
        for column, heading in enumerate([*headings, "Строка файла", "Что исправить"]):
            sheet.write_string(0, column, heading, bold)
        for index, finding in enumerate(findings.iterator(), 1):
            for column, cell in enumerate(finding.cells):
                sheet.write_string(index, column, masking.cell(column, cell))
            sheet.write_number(index, len(headings), finding.line)
            reasons = (
                " ".join(
                    filter(None, (f"{p['column']}:" if p["column"] else "", p["what"], p["todo"]))
                )
                for p in masking.problems(finding.problems)
            )
            sheet.write_string(index, len(headings) + 1, "\n".join(reasons), wrap)
    return out.getvalue()


def example(kind: ImportKind) -> bytes:
    """An empty table with every column that this kind of import knows."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet(kind.label)
        bold = book.add_format({"bold": True})
        for column, field in enumerate(kind.fields):
            sheet.write_string(0, column, field.headings[0], bold)
            sheet.set_column(column, column, max(12, len(field.headings[0]) + 3))
        sheet.freeze_panes(1, 0)
    return out.getvalue()
