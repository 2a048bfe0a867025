"""Versions: the packaged ones stored, new ones checked, compared and published, the whole confirmed
once a year.
"""

import calendar
import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse

from b2c_procedures.definition import FOLDER, BadDefinition, Procedure, packaged, parse
from b2c_procedures.linting import lint
from b2c_procedures.models import DocumentText, ProcedureSettings, ProcedureVersion, ReviewDecision
from b2c_procedures.steps.action_names import ACTION_NAMES
from b2c_procedures.texts import packaged_texts
from b2c_procedures.version_diff import differences
from b2c_procedures.version_lookup import current_book, procedure_by_digest
from callcenter.assignments.actions import create_task
from callcenter.assignments.states import Department
from callcenter.audit import actions as audit
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, Refused
from callcenter.staff.models import User
from callcenter.staff.roles import Role


@dataclass(frozen=True)
class Draft:
    """An uploaded file that passed the linter: what it says and what it changes."""

    procedure: Procedure
    text: str
    old: Procedure | None
    differences: list[str]


def store_packaged(*, now: dt.datetime) -> None:
    """Keeps the packaged versions as rows, so that runs find them after an upgrade of the product.
    Idempotent.
    """
    known = set(ProcedureVersion.objects.values_list("number", flat=True))
    missing = [procedure for number, procedure in packaged().items() if number not in known]
    if not missing:
        return
    with transaction.atomic():
        ProcedureVersion.objects.bulk_create(
            [
                ProcedureVersion(
                    number=procedure.number,
                    procedure_version=procedure.version,
                    title=procedure.title,
                    valid_from=procedure.valid_from,
                    digest=procedure.digest,
                    text=(FOLDER / procedure.file).read_text(encoding="utf-8"),
                    file_name=procedure.file,
                    published_at=now,
                )
                for procedure in missing
            ],
            ignore_conflicts=True,
        )
        if not ReviewDecision.objects.exists():
            _decide("published", note="редакция 1 из состава продукта", by=None, now=now)


def draft_version(text: str, *, file_name: str, now: dt.datetime) -> Draft:
    """Reads and lints an uploaded file among today's other procedures; raises BadDefinition with
    every problem.
    """
    procedure = parse(text, file=file_name)
    book = dict(current_book(now))
    old = book.get(procedure.number)
    book[procedure.number] = procedure
    problems = lint(book, actions=ACTION_NAMES)
    if problems:
        raise BadDefinition(problems)
    return Draft(procedure, text, old, differences(old, procedure) if old else ["новая процедура"])


def publish_version(
    text: str, *, file_name: str, by: User | None, now: dt.datetime
) -> ProcedureVersion:
    """Publishes a checked file as the next version; runs that have begun keep theirs.

    Raises BadDefinition with the linter's problems, Conflict when its version is not newer, Refused
    for no change.
    """
    with transaction.atomic():
        store_packaged(now=now)
        draft = draft_version(text, file_name=file_name, now=now)
        rows = ProcedureVersion.objects.select_for_update().filter(number=draft.procedure.number)
        newest = max((row.procedure_version for row in rows), default=0)
        if any(row.digest == draft.procedure.digest for row in rows):
            raise Refused("Этот файл уже опубликован.", field="file")
        if draft.procedure.version <= newest:
            raise Conflict(
                f"Редакция {newest} уже опубликована. Укажите в файле version: {newest + 1}."
            )
        row = ProcedureVersion.objects.create(
            number=draft.procedure.number,
            procedure_version=draft.procedure.version,
            title=draft.procedure.title,
            valid_from=draft.procedure.valid_from,
            digest=draft.procedure.digest,
            text=text,
            file_name=file_name,
            differences=draft.differences,
            published_at=now,
            published_by=by,
        )
        _decide(
            "published",
            note=f"процедура {row.number}, редакция {row.procedure_version}",
            by=by,
            now=now,
        )
        audit.record(
            "b2c_procedures.publish_version",
            row,
            by=by,
            now=now,
            after={"differences": draft.differences},
        )
        live_updates.bump("b2c_procedures:versions")
    procedure_by_digest.cache_clear()
    return row


def confirm_versions(*, note: str, by: User, now: dt.datetime) -> ReviewDecision:
    """«Подтверждает актуальность действующей редакции»: the next review is a year away."""
    with transaction.atomic():
        decision = _decide("confirmed", note=note, by=by, now=now)
        audit.record("b2c_procedures.confirm_versions", decision, by=by, now=now, note=note)
    return decision


def _decide(decision: str, *, note: str, by: User | None, now: dt.datetime) -> ReviewDecision:
    ReviewDecision.objects.filter(due_at__isnull=False).update(due_at=None)
    months = ProcedureSettings.present().review_months
    return ReviewDecision.objects.create(
        at=now, by=by, decision=decision, note=note[:250], due_at=months_later(now, months)
    )


def months_later(moment: dt.datetime, months: int) -> dt.datetime:
    """The same day of a later month, or its last day when it has no such day."""
    year, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + year, month + 1
    return moment.replace(
        year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1])
    )


def remind_due_reviews(*, now: dt.datetime) -> int:
    """Gives the head of service one task when the last decision is twelve months old; returns how
    many were given.

    One transaction under the row's lock (SKIP LOCKED), no outside call: hence no lease and no
    reaper.
    """
    with transaction.atomic():
        due = list(
            ReviewDecision.objects.filter(due_at__lte=now).select_for_update(skip_locked=True)
        )
        for decision in due:
            create_task(
                title="Пересмотреть процедуры B2C",
                body="Прошло 12 месяцев с последнего решения. Внесите изменения (новая редакция) или подтвердите "
                "актуальность действующей редакции.",
                role=Role.HEAD,
                department=Department.OKS,
                deadline_at=now + dt.timedelta(days=7),
                origin=f"b2c_procedures.reviewdecision:{decision.pk}",
                link=reverse("b2c_procedures:versions"),
                by=None,
                now=now,
            )
            decision.due_at = None
            decision.save(update_fields=["due_at"])
    return len(due)


def save_text(name: str, *, text: str, by: User, now: dt.datetime) -> DocumentText:
    """Changes the words behind a document's name. Raises Refused for an empty text."""
    if not text.strip():
        raise Refused("Текст пуст.", field="text")
    with transaction.atomic():
        before = DocumentText.objects.filter(name=name).first()
        document, _ = DocumentText.objects.update_or_create(
            name=name, defaults=dict(text=text.strip(), changed_at=now, changed_by=by)
        )
        audit.record(
            "b2c_procedures.save_text",
            document,
            by=by,
            now=now,
            before={"text": before.text if before else packaged_texts().get(name, "")},
            after={"text": document.text},
        )
    return document
