"""`manage.py import_patients FILE` and its sisters: the same way as in the browser, on a terminal."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from callcenter.clinics.models import Clinic
from callcenter.imports import actions, workbooks
from callcenter.imports.kinds import kinds
from callcenter.imports.models import ImportRun
from callcenter.imports.states import WORK, FindingKind, ImportState
from callcenter.lib.errors import DomainError

SHOWN = 20


class ImportCommand(BaseCommand):
    """Checks the file, prints what would happen, and loads it after a yes (or with --yes)."""

    kind: ClassVar[str]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--clinic",
            help="name or id of the clinic of rows that name none; not needed if there is one",
        )
        parser.add_argument("--yes", action="store_true", help="load without asking")
        parser.add_argument(
            "--keep-missing", action="store_true", help="do not cancel visits that the file lacks"
        )
        parser.add_argument(
            "--column", action="append", default=[], metavar="HEADING=FIELD", help="correct a guess"
        )
        parser.add_argument(
            "--rejected", type=Path, help="write rejected rows with reasons into this .xlsx"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            self._import(**options)
        except DomainError as error:
            raise CommandError(str(error)) from error

    def _import(self, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"Нет такого файла: {path}")
        run = actions.start_import(
            kind=kinds()[self.kind],
            clinic=_clinic(options["clinic"]),
            file_name=path.name,
            content=path.read_bytes(),
            by=None,
            now=timezone.now(),
        )
        try:
            columns = _columns(run, options["column"])
            actions.choose_columns(run, columns=columns, by=None, now=timezone.now())
            _work(run)
            self._show(run)
            if run.state != ImportState.READY or not (options["yes"] or self._agreed()):
                raise CommandError(
                    run.error or "Не загружено. Чтобы загрузить без вопроса, добавьте --yes."
                )
        except (CommandError, DomainError):
            actions.drop_import(run, by=None, now=timezone.now())
            raise
        cancel = run.cancel_missing and not options["keep_missing"]
        actions.confirm_import(run, cancel_missing=cancel, by=None, now=timezone.now())
        _work(run)
        if run.state != ImportState.DONE:
            raise CommandError(run.error)
        self.stdout.write("Загружено: " + _counts(run))
        if options["rejected"] and run.counts.get("rejected"):
            findings = run.findings.filter(kind=FindingKind.REJECTED).order_by("line", "pk")
            options["rejected"].write_bytes(workbooks.rejected(run.headings, findings))

    def _show(self, run: ImportRun) -> None:
        self.stdout.write(f"{run.file_name}, строк {run.rows}: {_counts(run)}")
        for finding in run.findings.order_by("kind", "line", "pk")[:SHOWN]:
            where = f"строка {finding.line}, " if finding.line else ""
            for problem in finding.problems:
                self.stdout.write(
                    f"  {finding.get_kind_display()}: {where}{problem['column']} {problem['what']} {problem['todo']}"
                )
        if (left := run.findings.count() - SHOWN) > 0:
            self.stdout.write(f"  … и ещё {left}")

    def _agreed(self) -> bool:
        return sys.stdin.isatty() and input("Загрузить? [да/нет] ").strip().lower() in {
            "да",
            "д",
            "yes",
            "y",
        }


def _clinic(wanted: str | None) -> Clinic:
    clinics = list(Clinic.objects.all())
    if wanted is None and len(clinics) == 1:
        return clinics[0]
    found = next((clinic for clinic in clinics if wanted in (clinic.name, str(clinic.pk))), None)
    if found is None:
        names = ", ".join(f"{clinic.pk} — {clinic.name}" for clinic in clinics)
        raise CommandError(
            f"Укажите клинику: --clinic НАЗВАНИЕ или номер. Есть: {names or 'ни одной'}."
        )
    return found


def _columns(run: ImportRun, corrections: list[str]) -> dict[int, str]:
    columns = {int(column): name for column, name in run.columns.items()}
    for correction in corrections:
        heading, _, name = correction.rpartition("=")
        if heading not in run.headings:
            raise CommandError(
                f"Нет столбца «{heading}». Есть: {', '.join(filter(None, run.headings))}."
            )
        columns = {column: field for column, field in columns.items() if field != name}
        columns[run.headings.index(heading)] = name
    return columns


def _work(run: ImportRun) -> None:
    """Does the work here, or waits for the worker that was quicker."""
    run.refresh_from_db()
    while run.state in WORK:
        if not actions.work_on_due(clock=timezone.now, pk=run.pk):
            time.sleep(0.5)
        run.refresh_from_db()


def _counts(run: ImportRun) -> str:
    words = {
        "created": "новых",
        "changed": "изменений",
        "moved": "переносов",
        "cancelled": "отмен",
        "closed": "снято окон",
        "unchanged": "без изменений",
        "rejected": "не годится",
        "missing": "нет в файле",
    }
    return (
        ", ".join(
            f"{word} {run.counts[name]}" for name, word in words.items() if run.counts.get(name)
        )
        or "ничего"
    )
