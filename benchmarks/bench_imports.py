"""A clinic's card file of 20,000 rows: checked, then loaded, as the worker does it."""

import datetime as dt
import io

import xlsxwriter
from django.utils import timezone

from benchmarks import data
from benchmarks.measure import Measured, Run, at_least, bench
from callcenter.clinics.models import Clinic
from callcenter.imports import actions
from callcenter.imports.kinds import kinds
from callcenter.imports.states import ImportState

HEAD = (
    "Код пациента",
    "ФИО",
    "Дата рождения",
    "Телефон",
    "E-mail",
    "Клиника",
    "Реклама: SMS",
    "Дата согласия",
)


def card_file(rows: int) -> bytes:
    """A workbook with that many new patients of all clinics, two in three with a dated consent."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"constant_memory": True, "in_memory": True}) as book:
        sheet, days = book.add_worksheet(), book.add_format({"num_format": "dd.mm.yyyy"})
        sheet.write_row(0, 0, HEAD)
        for n in range(rows):
            name = (
                f"{data.LAST[n % len(data.LAST)]} {data.MEN[n % 16]} {data.FATHERS[n // 16 % 16]}ич"
            )
            phone = f"8 (9{n % 29:02}) {n // 29 % 1000:03}-{n // 29_000:02}-{n % 7 + 10:02}"
            row = [
                f"P{n}",
                name,
                None,
                phone,
                "",
                f"Клиника {n % data.CLINICS:02}",
                "да" if n % 3 else "",
            ]
            sheet.write_row(n + 1, 0, row)
            sheet.write_datetime(
                n + 1, 2, dt.date(1940, 1, 1) + dt.timedelta(days=n % 25_000), days
            )
            sheet.write_datetime(n + 1, 7, dt.date(2025, 6, 1), days)
    return stream.getvalue()


@bench(rows=(20_000,), aim=at_least(1_000))
def import_patients(run: Run) -> Measured:
    """Both passes of the worker over the file: the preview, and everything written in one
    transaction.
    """
    senior, now = data.senior(), timezone.now()
    one = actions.start_import(
        kind=kinds()["patients"],
        clinic=Clinic.objects.order_by("pk")[0],
        file_name="картотека.xlsx",
        content=card_file(run.rows),
        by=senior,
        now=now,
    )
    columns = {int(column): name for column, name in one.columns.items()}
    actions.choose_columns(one, columns=columns, by=senior, now=now)

    def work() -> None:
        actions.work_on_due(clock=timezone.now, pk=one.pk)
        actions.confirm_import(one, cancel_missing=False, by=senior, now=now)
        actions.work_on_due(clock=timezone.now, pk=one.pk)

    measured = run.once(work, count=run.rows)
    one.refresh_from_db()
    if one.state != ImportState.DONE or one.counts["created"] != run.rows:
        raise AssertionError(f"the import is {one.state}: {one.counts} {one.error}")
    return measured
