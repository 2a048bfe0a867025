"""Which versions of the procedures count: today's for a new run, its own for a run that has begun."""

import datetime as dt
import functools
from collections.abc import Mapping

from b2c_procedures.definition import Book, Procedure, packaged, parse
from b2c_procedures.models import ProcedureVersion, Run
from b2c_procedures.schedule import MOSCOW


@functools.lru_cache(maxsize=512)
def procedure_by_digest(digest: str) -> Procedure:
    """A procedure by the hash of its file; parsed once a process. Raises
    ProcedureVersion.DoesNotExist.
    """
    for procedure in packaged().values():
        if procedure.digest == digest:
            return procedure
    row = ProcedureVersion.objects.filter(digest=digest).order_by("pk").first()
    if row is None:
        raise ProcedureVersion.DoesNotExist(digest)
    return parse(row.text, file=row.file_name)


def current_digests(now: dt.datetime) -> dict[int, str]:
    """Number → hash of the newest published version whose day has come (Moscow); the packaged file
    where there is none.
    """
    today = now.astimezone(MOSCOW).date()
    digests = {number: procedure.digest for number, procedure in packaged().items()}
    rows = ProcedureVersion.objects.filter(valid_from__lte=today).order_by(
        "number", "procedure_version"
    )
    digests |= dict(rows.values_list("number", "digest"))
    return digests


def current_book(now: dt.datetime) -> Book:
    """Today's versions of all fifteen."""
    return {number: procedure_by_digest(digest) for number, digest in current_digests(now).items()}


def book_of(run: Run) -> Book:
    """The versions the run began with."""
    return _book(tuple(sorted(run.procedure_versions.items())))


@functools.lru_cache(maxsize=64)
def _book(digests: tuple[tuple[str, str], ...]) -> Mapping[int, Procedure]:
    return {int(number): procedure_by_digest(digest) for number, digest in digests}
