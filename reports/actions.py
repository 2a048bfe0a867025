"""Writes of the report: saved views and exports."""

import datetime as dt
import tempfile
from typing import Final

from django.core.files import File
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.http import QueryDict

from callcenter.audit import actions as audit
from callcenter.contacts.states import JobState
from callcenter.lib import live_updates
from callcenter.lib.leases import claim
from callcenter.staff.models import User
from reports.filters import address, read_filter
from reports.models import Export, export_path
from reports.queries import clinics_of, today_of
from reports.xlsx import count_rows, write_report

LEASE = dt.timedelta(minutes=1)
ATTEMPTS: Final = 3
_KEEP: Final = dt.timedelta(days=7)


def order_export(*, query: str, by: User, now: dt.datetime) -> Export:
    """Orders an XLSX in the background. Audited: what was asked, by whom."""
    clinics = clinics_of(by)
    today = today_of(clinics, now)
    # A preset moves with the days: the export keeps the days that were on the screen.
    report_filter = read_filter(QueryDict(query), today)
    fixed = address(report_filter, preset="", before=None).lstrip("?")
    with transaction.atomic():
        export = Export.objects.create(
            query=fixed,
            owner=by,
            created_at=now,
            due_at=now,
            total=count_rows(report_filter, clinics, today=today),
        )
        audit_export(export, rows=export.total, query=fixed, by=by, now=now)
    return export


def audit_export(
    export: Export | None, *, rows: int, query: str, by: User, now: dt.datetime
) -> None:
    audit.record(
        "reports.export", export, by=by, now=now, after={"query": query[:1000], "rows": rows}
    )


def write_due_exports(*, now: dt.datetime) -> int:
    """Takes one ordered export and writes its file; one left by a killed worker is taken again,
    three times at most.

    A worker that writes keeps its lease young with every thousand rows, so a dead one is noticed
    within a minute.
    """
    due = Export.objects.filter(
        Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - LEASE), due_at__lte=now
    )
    exports = claim(
        due.order_by("due_at"), now=now, limit=1, state=JobState.RUNNING, attempts=F("attempts") + 1
    )
    for claimed in exports:
        export = Export.objects.select_related("owner").get(pk=claimed.pk)
        try:
            if export.attempts > ATTEMPTS:
                raise ExportInterrupted(
                    f"прервана {ATTEMPTS} раза подряд. Сузьте период или фильтры и закажите снова"
                )
            _write(export, now=now)
        except (DatabaseError, OSError, ValueError, ExportInterrupted) as error:
            _failed(export, error, now=now)
        live_updates.bump(f"exports:{export.owner_id}")
    return len(exports)


class ExportInterrupted(Exception):
    """The export is not this worker's any more, or has cost too many of them."""


def _write(export: Export, *, now: dt.datetime) -> None:
    """The file lies under a path of its own and is named on the row only when it is whole."""
    clinics = clinics_of(export.owner)
    today = today_of(clinics, export.created_at)
    report_filter = read_filter(QueryDict(export.query), today)
    mine = Export.objects.filter(pk=export.pk, attempts=export.attempts, state=JobState.RUNNING)

    def progress(done: int) -> None:
        # The database's clock: this may last longer than a lease, and `now` stands still.
        if not mine.update(done=done, claimed_at=Now()):
            raise ExportInterrupted("взята другим обработчиком")
        live_updates.bump(f"exports:{export.owner_id}")

    with tempfile.TemporaryFile() as target:
        rows = write_report(
            target,
            report_filter,
            user=export.owner,
            clinics=clinics,
            today=today,
            now=now,
            progress=progress,
        )
        progress(rows)
        target.seek(0)
        name = export_path(
            export, f"istoriya-{report_filter.since:%Y%m%d}-{report_filter.until:%Y%m%d}.xlsx"
        )
        storage = Export._meta.get_field("file").storage
        storage.delete(name)  # what a killed worker has left of it
        name = storage.save(name, File(target))
    whole = dict(
        state=JobState.DONE, done=rows, total=rows, file=name, finished_at=Now(), last_error=""
    )
    if not mine.update(due_at=None, claimed_at=None, **whole):
        raise ExportInterrupted("взята другим обработчиком")


def _failed(export: Export, error: Exception, *, now: dt.datetime) -> None:
    """The row says why, to whoever ordered it; it is tried again in half a minute, unless that was
    the last time.
    """
    over = export.attempts >= ATTEMPTS
    words = (
        str(error) if isinstance(error, ExportInterrupted) else f"{type(error).__name__}: {error}"
    )
    Export.objects.filter(pk=export.pk, attempts=export.attempts).update(
        state=JobState.FAILED if over else JobState.WAITING,
        due_at=None if over else now + dt.timedelta(seconds=30),
        claimed_at=None,
        last_error=words[:250],
    )


def drop_old_exports(*, now: dt.datetime) -> int:
    """A file of phone numbers does not lie about: exports are removed after a week."""
    old = list(Export.objects.filter(created_at__lt=now - _KEEP, due_at__isnull=True))
    for export in old:
        if export.file:
            export.file.delete(save=False)
        export.delete()
    return len(old)
