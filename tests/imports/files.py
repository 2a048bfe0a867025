"""Files for the tests of imports, and the way through one."""

import datetime as dt
import io
from collections.abc import Sequence

import xlsxwriter

from callcenter.clinics.models import Clinic
from callcenter.imports import actions
from callcenter.imports.cell_parsers import Cell
from callcenter.imports.kinds import kinds
from callcenter.imports.models import ImportRun
from callcenter.imports.states import ImportState
from callcenter.staff.models import User


def xlsx(*rows: Sequence[Cell]) -> bytes:
    """A workbook of one sheet; the first row is the headings."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "dd.mm.yyyy hh:mm"}) as book:
        sheet = book.add_worksheet("Лист1")
        for index, row in enumerate(rows):
            sheet.write_row(index, 0, row)
    return out.getvalue()


def csv(*rows: Sequence[object], encoding: str = "utf-8", delimiter: str = ";") -> bytes:
    return "\r\n".join(delimiter.join(map(str, row)) for row in rows).encode(encoding)


def start(
    kind: str, content: bytes, *, clinic: Clinic, by: User | None, now: dt.datetime, name: str = ""
) -> ImportRun:
    name = name or ("файл.xlsx" if content.startswith(b"PK") else "файл.csv")
    return actions.start_import(
        kind=kinds()[kind], clinic=clinic, file_name=name, content=content, by=by, now=now
    )


def check(run: ImportRun, *, by: User | None, now: dt.datetime, **columns: int) -> ImportRun:
    """Takes the guessed columns, corrected by `columns` (field=index), and checks."""
    chosen = {int(column): name for column, name in run.columns.items() if name not in columns}
    chosen |= {column: name for name, column in columns.items()}
    actions.choose_columns(run, columns=chosen, by=by, now=now)
    return work(run, now=now)


def load(
    run: ImportRun, *, by: User | None, now: dt.datetime, cancel_missing: bool | None = None
) -> ImportRun:
    wanted = run.cancel_missing if cancel_missing is None else cancel_missing
    actions.confirm_import(run, cancel_missing=wanted, by=by, now=now)
    return work(run, now=now)


def work(run: ImportRun, *, now: dt.datetime) -> ImportRun:
    assert actions.work_on_due(clock=lambda: now, pk=run.pk)
    run.refresh_from_db()
    return run


def through(
    kind: str, content: bytes, *, clinic: Clinic, by: User | None, now: dt.datetime
) -> ImportRun:
    """From the upload to the end."""
    run = check(start(kind, content, clinic=clinic, by=by, now=now), by=by, now=now)
    assert run.state == ImportState.READY, run.error
    return load(run, by=by, now=now)


def words(run: ImportRun, kind: str = "rejected") -> list[str]:
    """What was found, a line each: '3 Телефон: не хватает цифр…'."""
    return [
        f"{finding.line} {problem['column']}: {problem['what']} {problem['todo']}".strip()
        for finding in run.findings.filter(kind=kind).order_by("line", "pk")
        for problem in finding.problems
    ]
