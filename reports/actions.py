"""Writes of the report: saved views and exports."""

import datetime as dt
import tempfile
from typing import Final

from django.core.files import File
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.http import QueryDict

from callcenter.contacts.states import JobState
from callcenter.lib import live
from callcenter.lib.claims import claim
from callcenter.lib.errors import NotAllowed, Refused
from callcenter.staff import audit
from callcenter.staff.models import User
from reports.ask import address, read_ask
from reports.models import Export, SavedView
from reports.queries import clinics_of, today_of
from reports.xlsx import count_rows, write_report

_LEASE: Final = dt.timedelta(minutes=10)
_ATTEMPTS: Final = 3
_KEEP: Final = dt.timedelta(days=7)


def save_view(*, name: str, query: str, is_shared: bool, by: User, now: dt.datetime) -> SavedView:
    """Keeps the filters under a name; the same name again replaces them. Raises Refused without a name."""
    name = name.strip()[:80]
    if not name:
        raise Refused("Назовите вид, чтобы его можно было найти.", field="name")
    if len(query) > 2000:
        raise Refused("Слишком много фильтров для сохранённого вида.", field="name")
    with transaction.atomic():
        view, _ = SavedView.objects.update_or_create(
            owner=by, name=name, defaults={"query": query, "is_shared": is_shared}
        )
        audit.record("reports.save_view", view, by=by, now=now, after={"query": query})
    return view


def delete_view(view: SavedView, *, by: User, now: dt.datetime) -> None:
    """Forgets a saved view; only its owner may."""
    if view.owner_id != by.pk:
        raise NotAllowed("Удалить сохранённый вид может тот, кто его сохранил.")
    with transaction.atomic():
        audit.record("reports.delete_view", view, by=by, now=now, before={"query": view.query})
        view.delete()


def order_export(*, query: str, by: User, now: dt.datetime) -> Export:
    """Orders an XLSX in the background. Audited: what was asked, by whom."""
    clinics = clinics_of(by)
    today = today_of(clinics, now)
    # A preset moves with the days: the export keeps the days that were on the screen.
    ask = read_ask(QueryDict(query), today)
    fixed = address(ask, preset="", before=None).lstrip("?")
    with transaction.atomic():
        export = Export.objects.create(
            query=fixed, owner=by, created_at=now, due_at=now, total=count_rows(ask, clinics, today=today)
        )
        audit_export(export, rows=export.total, query=fixed, by=by, now=now)
    return export


def audit_export(export: Export | None, *, rows: int, query: str, by: User, now: dt.datetime) -> None:
    audit.record("reports.export", export, by=by, now=now, after={"query": query[:1000], "rows": rows})


def write_due_exports(*, now: dt.datetime) -> int:
    """Takes one ordered export and writes its file; one left by a killed worker is taken again, three times at most."""
    due = Export.objects.filter(Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - _LEASE), due_at__lte=now)
    exports = claim(due.order_by("due_at"), now=now, limit=1, state=JobState.RUNNING, attempts=F("attempts") + 1)
    for export in exports:
        try:
            _write(Export.objects.select_related("owner").get(pk=export.pk), now=now)
        except (DatabaseError, OSError, ValueError) as error:
            _failed(export.pk, f"{type(error).__name__}: {error}", now=now)
        live.bump(f"exports:{export.owner_id}")
    return len(exports)


def _write(export: Export, *, now: dt.datetime) -> None:
    clinics = clinics_of(export.owner)
    ask = read_ask(QueryDict(export.query), today_of(clinics, now))

    def progress(done: int) -> None:
        Export.objects.filter(pk=export.pk).update(done=done, claimed_at=now)
        live.bump(f"exports:{export.owner_id}")

    with tempfile.TemporaryFile() as target:
        rows = write_report(
            target,
            ask,
            user=export.owner,
            clinics=clinics,
            today=today_of(clinics, export.created_at),
            now=now,
            progress=progress,
        )
        target.seek(0)
        export.file.save(f"istoriya-{ask.since:%Y%m%d}-{ask.until:%Y%m%d}.xlsx", File(target), save=False)
    export.state, export.done, export.total, export.finished_at = JobState.DONE, rows, rows, now
    export.due_at, export.claimed_at, export.last_error = None, None, ""
    export.save()


def _failed(pk: int, error: str, *, now: dt.datetime) -> None:
    export = Export.objects.get(pk=pk)
    over = export.attempts >= _ATTEMPTS
    export.state = JobState.FAILED if over else JobState.WAITING
    export.due_at = None if over else now + dt.timedelta(seconds=30)
    export.claimed_at, export.last_error = None, error[:250]
    export.save()


def drop_old_exports(*, now: dt.datetime) -> int:
    """A file of phone numbers does not lie about: exports are removed after a week."""
    old = list(Export.objects.filter(created_at__lt=now - _KEEP, due_at__isnull=True))
    for export in old:
        if export.file:
            export.file.delete(save=False)
        export.delete()
    return len(old)
