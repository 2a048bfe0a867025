"""The verbs of an import: start, choose columns, check, confirm, load, drop. Nothing of a file is
written before `load`.
"""

import contextlib
import datetime as dt
import hashlib
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from django.db import DatabaseError, connection, transaction
from django.db.models import F

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.imports import columns as headings_of
from callcenter.imports import file_reader
from callcenter.imports.cell_parsers import shown
from callcenter.imports.file_reader import BadFile
from callcenter.imports.jobs import BATCH, ImportJob, ImportKind, ImportRow, ImportScope, Report
from callcenter.imports.kinds import kinds
from callcenter.imports.models import ImportFile, ImportFinding, ImportRun
from callcenter.imports.states import OPEN, FindingKind, ImportState
from callcenter.lib.errors import Conflict, DomainError, Refused
from callcenter.lib.leases import claim
from callcenter.lib.localtime import local
from callcenter.staff.models import User

log = logging.getLogger(__name__)

LEASE: Final = dt.timedelta(minutes=2)
PULSE: Final = dt.timedelta(seconds=1)
MAX_CRASHES: Final = 3
# An import that nobody confirms is dropped with its file; findings hold names and phones and go
# after a month.
KEEP_OPEN: Final = dt.timedelta(days=3)
KEEP_FINDINGS: Final = dt.timedelta(days=30)
SAMPLES: Final = 3
_ONE_AT_A_TIME: Final = 0x1A_0A_D5  # advisory lock: two imports never write into each other

Clock = Callable[[], dt.datetime]


def start_import(
    *,
    kind: ImportKind,
    clinic: Clinic,
    file_name: str,
    content: bytes,
    by: User | None,
    now: dt.datetime,
) -> ImportRun:
    """Takes a file in and guesses its columns. Raises Refused (field `file`) for one that is no
    table: nothing is kept.
    """
    file_name = file_name.rpartition("/")[2].rpartition("\\")[2][-200:]
    try:
        sheet = file_reader.read(content, file_name)
        layout = headings_of.layout(sheet.lines, kind.fields)
    except BadFile as bad:
        raise Refused(str(bad), field="file") from bad
    with transaction.atomic():
        run = ImportRun.objects.create(
            kind=kind.name,
            clinic=clinic,
            file_name=file_name,
            digest=hashlib.sha256(content).hexdigest(),
            sheet=sheet.name[:100],
            rows=len(layout.lines),
            headings=layout.headings,
            samples=[[shown(cell)[:60] for cell in line.cells] for line in layout.lines[:SAMPLES]],
            columns={
                str(column): name
                for column, name in headings_of.guess(layout.headings, kind.fields).items()
            },
            created_at=now,
            created_by=by,
        )
        ImportFile.objects.create(run=run, content=content)
        audit.record("clinics.start_import", run, by=by, now=now, clinic_id=clinic.pk)
    return run


def choose_columns(
    run: ImportRun, *, columns: Mapping[int, str], by: User | None, now: dt.datetime
) -> ImportRun:
    """Sets which column is what and asks for a check. Raises Refused when something needed is not
    pointed out, or a field is given twice; Conflict when the import has gone on meanwhile.
    """
    kind = kinds()[run.kind]
    labels = {field.name: field.label for field in kind.fields}
    chosen = {column: name for column, name in sorted(columns.items()) if name}
    if unknown := set(chosen.values()) - labels.keys():
        raise Refused(f"Неизвестное поле: {', '.join(sorted(unknown))}.")
    for name in chosen.values():
        if list(chosen.values()).count(name) > 1:
            raise Refused(f"«{labels[name]}» выбрано для двух столбцов. Оставьте один.")
    if missing := headings_of.missing(chosen, kind.needed, kind.fields):
        raise Refused(f"Укажите, в каком столбце {', '.join(missing)}.")
    with transaction.atomic():
        run = _locked(run, OPEN)
        run.state, run.columns = (
            ImportState.CHECKING,
            {str(column): name for column, name in chosen.items()},
        )
        run.error, run.progress, run.crash_count, run.claimed_at = "", 0, 0, None
        run.save()
        audit.record("clinics.check_import", run, by=by, now=now)
    return run


def confirm_import(
    run: ImportRun, *, cancel_missing: bool, by: User | None, now: dt.datetime
) -> ImportRun:
    """«Загрузить»: what the preview showed is to be written. Raises Conflict for the second of two
    confirmations.
    """
    with transaction.atomic():
        run = _locked(run, (ImportState.READY,))
        run.state, run.cancel_missing = ImportState.RUNNING, cancel_missing
        run.confirmed_at, run.confirmed_by = now, by
        run.error, run.progress, run.crash_count, run.claimed_at = "", 0, 0, None
        run.save()
        audit.record(
            "clinics.confirm_import", run, by=by, now=now, after={"cancel_missing": cancel_missing}
        )
    return run


def drop_import(run: ImportRun, *, by: User | None, now: dt.datetime) -> ImportRun:
    """Leaves an import that has not been confirmed: the file and everything found in it are
    deleted.
    """
    with transaction.atomic():
        run = _locked(run, OPEN)
        run.state, run.finished_at, run.samples = ImportState.DROPPED, now, []
        run.save()
        run.findings.all().delete()
        ImportFile.objects.filter(run=run).delete()
        audit.record("clinics.drop_import", run, by=by, now=now)
    return run


def _locked(run: ImportRun, states: tuple[ImportState, ...]) -> ImportRun:
    fresh = (
        ImportRun.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=run.pk)
    )
    if fresh.state not in states:
        raise Conflict(
            f"Этот импорт уже «{fresh.get_state_display()}». Откройте его снова, чтобы увидеть, что вышло."
        )
    return fresh


def work_on_due(*, clock: Clock, pk: int | None = None) -> bool:
    """Claims one import that waits for a worker (the one given, if any) and checks or loads it.

    False when there is nothing to do now: none waits, or another is being loaded and this one must
    wait for its end.
    """
    due = ImportRun.objects.due()
    if pk is not None:
        due = due.filter(pk=pk)
    taken = claim(due, now=clock(), limit=1, token=secrets.token_hex(16), progress=0)
    worked = bool(taken)
    for run in taken:
        try:
            worked = _check(run, clock) if run.state == ImportState.CHECKING else _load(run, clock)
        except (BadFile, DomainError, DatabaseError) as error:
            log.warning("import %s failed: %s", run.pk, type(error).__name__)
            _fail(run, error, clock())
        except Exception as error:
            # A defect of ours is stored on the run as well: a claim left behind would go round
            # until it is given up.
            log.exception("import %s failed", run.pk)
            _fail(run, error, clock())
    return worked


def release_abandoned(*, now: dt.datetime) -> int:
    """Gives imports whose worker has died back to the others; after the third death a person must
    look.
    """
    abandoned = ImportRun.objects.abandoned(now - LEASE)
    given_up = abandoned.filter(crash_count__gte=MAX_CRASHES - 1).update(
        state=ImportState.FAILED,
        claimed_at=None,
        token="",
        error="Загрузка трижды прервалась на середине. Ничего не записано; попробуйте файл поменьше.",
        finished_at=now,
    )
    return given_up + abandoned.update(claimed_at=None, token="", crash_count=F("crash_count") + 1)


def clean_up(*, now: dt.datetime) -> None:
    """Drops imports that nobody confirmed, and the findings and first rows of old ones: all hold
    people's data.
    """
    for run in ImportRun.objects.filter(state__in=OPEN, created_at__lt=now - KEEP_OPEN):
        with contextlib.suppress(Conflict):  # somebody has just gone on with it
            drop_import(run, by=None, now=now)
    ImportFinding.objects.filter(run__finished_at__lt=now - KEEP_FINDINGS).delete()
    ImportRun.objects.filter(finished_at__lt=now - KEEP_FINDINGS).exclude(samples=[]).update(
        samples=[]
    )


def _check(run: ImportRun, clock: Clock) -> bool:
    """The preview: everything is planned, nothing but the findings is written."""
    with _pulse(run, clock) as report:
        job, rows = _prepared(run, by=run.created_by, now=clock())
        job.plan(rows, report)
    with transaction.atomic():
        fresh = _still_ours(run)
        if fresh is None:
            return True
        _keep_findings(fresh, job, rows)
        _note_old_file(fresh)
        fresh.state, fresh.claimed_at, fresh.token = ImportState.READY, None, ""
        missing = job.counts["missing"]
        # More missing than present: rather a part of the schedule than a schedule with so much
        # cancelled.
        fresh.cancel_missing = 0 < missing <= max(10, fresh.rows - job.counts["rejected"])
        fresh.save()
    return True


def _load(run: ImportRun, clock: Clock) -> bool:
    """All good rows in one transaction; a worker that has lost its lease meanwhile takes everything
    back. False when another import is being loaded: this one goes back to those that wait.
    """
    with _pulse(run, clock) as report, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
            if cursor.fetchone() != (True,):
                ImportRun.objects.filter(pk=run.pk, token=run.token).update(
                    claimed_at=None, token=""
                )
                return False
        now = clock()
        job, rows = _prepared(run, by=run.confirmed_by, now=now)
        job.plan(rows, report)
        job.write(lambda done: report(len(rows) + done))
        fresh = _still_ours(run)
        if fresh is None:
            transaction.set_rollback(True)
            return True
        _keep_findings(fresh, job, rows)
        fresh.state, fresh.claimed_at, fresh.token, fresh.finished_at = (
            ImportState.DONE,
            None,
            "",
            clock(),
        )
        fresh.progress = fresh.rows
        fresh.save()
        ImportFile.objects.filter(run=fresh).delete()
        audit.record(
            "clinics.load_import", fresh, by=run.confirmed_by, now=now, after=dict(job.counts)
        )
    return True


def _prepared(
    run: ImportRun, *, by: User | None, now: dt.datetime
) -> tuple[ImportJob, list[ImportRow]]:
    """The job over the file's rows. The clinics are those where the person works now."""
    kind = kinds()[run.kind]
    content = ImportFile.objects.only("content").get(run=run).content
    layout = headings_of.layout(file_reader.read(bytes(content), run.file_name).lines, kind.fields)
    columns = {name: int(column) for column, name in run.columns.items()}
    confirmed: dict[int, int] | None = {} if run.state == ImportState.RUNNING else None
    if confirmed is not None and run.cancel_missing:
        missing = run.findings.filter(kind=FindingKind.MISSING, subject_id__isnull=False)
        confirmed = {
            pk: version
            for pk, version in missing.values_list("subject_id", "version")
            if pk is not None
        }
    scope = ImportScope(
        clinic=run.clinic,
        clinics=list(Clinic.objects.visible_to(by) if by else Clinic.objects.all()),
        by=by,
        now=now,
        file_name=run.file_name,
        confirmed_missing=confirmed,
    )
    return kind.job(scope), [ImportRow(line, columns, layout.headings) for line in layout.lines]


def _still_ours(run: ImportRun) -> ImportRun | None:
    """The run under a lock, unless another worker has taken it over since."""
    fresh = (
        ImportRun.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=run.pk)
    )
    return fresh if fresh.token == run.token else None


def _keep_findings(run: ImportRun, job: ImportJob, rows: list[ImportRow]) -> None:
    rejected = [row for row in rows if row.problems]
    job.counts["rejected"] = len(rejected)
    run.counts = dict(job.counts)
    run.clinics.set(job.places.named)
    run.findings.all().delete()
    ImportFinding.objects.bulk_create(
        (
            ImportFinding(
                run=run,
                kind=FindingKind.REJECTED,
                line=row.line.number,
                problems=[
                    {"column": p.column, "what": p.what, "todo": p.todo} for p in row.problems
                ],
                cells=[shown(cell).replace("\x00", "") for cell in row.line.cells],
            )
            for row in rejected
        ),
        batch_size=BATCH,
    )
    ImportFinding.objects.bulk_create(
        (
            ImportFinding(
                run=run,
                kind=finding.kind,
                line=finding.line,
                problems=[{"column": "", "what": finding.what, "todo": finding.todo}],
                subject_id=finding.subject_id,
                version=finding.version,
            )
            for finding in job.findings
        ),
        batch_size=BATCH,
    )


def _note_old_file(run: ImportRun) -> None:
    """Says when this very file has been loaded already, and whether another came after it."""
    done = ImportRun.objects.filter(
        kind=run.kind, clinic=run.clinic, state=ImportState.DONE
    ).exclude(pk=run.pk)
    earlier = done.filter(digest=run.digest).first()
    if earlier is None or earlier.finished_at is None:
        return
    what = (
        f"Этот файл уже загружали {local(earlier.finished_at, run.clinic.zone):%d.%m.%Y в %H:%M}."
    )
    todo = "Повторная загрузка ничего не изменит, если с тех пор ничего не меняли."
    later = done.filter(finished_at__gt=earlier.finished_at).first()
    if later is not None:
        todo = (
            f"После него загружали «{later.file_name}»: старый файл вернёт то, что изменил новый."
        )
    ImportFinding.objects.create(
        run=run, kind=FindingKind.NOTICE, problems=[{"column": "", "what": what, "todo": todo}]
    )


def _fail(run: ImportRun, error: Exception, now: dt.datetime) -> None:
    """Stores the failure on the row; the file stays, so that it can be tried again."""
    match error:
        case BadFile() | DomainError():
            words = str(error)
        case DatabaseError():
            words = (
                "Пока файл загружался, данные изменили. Ничего не записано; проверьте файл ещё раз."
            )
        case _:
            words = (
                f"В самой программе ошибка ({type(error).__name__}). Ничего не записано; "
                f"передайте номер импорта {run.pk} тому, кто обслуживает Дозвон."
            )
    ImportRun.objects.filter(pk=run.pk, token=run.token).update(
        state=ImportState.FAILED, error=words, claimed_at=None, token="", finished_at=now
    )


@contextlib.contextmanager
def _pulse(run: ImportRun, clock: Clock) -> Iterator[Report]:
    """A report that shows progress and life at most once a second, over a connection of its own:
    the import's own transaction is open all the while and nobody could see what it writes.
    """
    own = connection.copy()
    last = clock()

    def report(done: int) -> None:
        nonlocal last
        now = clock()
        if now - last < PULSE:
            return
        last = now
        with own.cursor() as cursor:
            cursor.execute(
                "UPDATE imports_importrun SET progress = %s, claimed_at = %s WHERE id = %s AND token = %s",
                [done, now, run.pk, run.token],
            )

    try:
        yield report
    finally:
        own.close()
