"""Write the audit log: one row for each meaningful write, and for each look at what is secret."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Model
from psycopg.types.json import Jsonb

from callcenter.audit.models import AuditEntry
from callcenter.lib.bulk_sql import copy_rows

if TYPE_CHECKING:
    from callcenter.staff.models import User


def record(
    action: str,
    obj: Model | None = None,
    *,
    by: "User | None",
    now: dt.datetime,
    clinic_id: int | None = None,
    patient_id: int | None = None,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
    note: str = "",
) -> AuditEntry:
    """Writes one entry in the caller's transaction. `action` is '<app>.<verb>', e.g.
    'clinics.book_appointment'.

    `before` and `after` hold only what changed, as JSON values (dates as ISO text). `by=None` is
    the product itself (a timer, an import in the background). `clinic_id` and `patient_id` default
    to those of `obj`.
    """
    return AuditEntry.objects.create(
        at=now,
        by=by,
        action=action,
        object_kind=obj._meta.label_lower if obj is not None else "",
        object_id=obj.pk if obj is not None else None,
        object_name=str(obj)[:200] if obj is not None else "",
        clinic_id=clinic_id if clinic_id is not None else getattr(obj, "clinic_id", None),
        patient_id=patient_id if patient_id is not None else getattr(obj, "patient_id", None),
        before=before,
        after=after,
        note=note,
    )


@dataclass(frozen=True, slots=True)
class LogRow:
    """What differs between the entries that `record_many` writes."""

    object_id: int
    object_name: str
    clinic_id: int | None = None
    patient_id: int | None = None
    before: dict[str, object] | None = None
    after: dict[str, object] | None = None


def record_many(
    action: str,
    object_kind: str,
    rows: Iterable[LogRow],
    *,
    by: "User | None",
    now: dt.datetime,
    note: str = "",
) -> None:
    """`record` for the many rows of an import, one entry each."""
    by_id = by.pk if by else None
    names = (
        *("at", "by", "action", "object_kind", "object_id", "object_name"),
        *("clinic_id", "patient_id", "before", "after", "note"),
    )
    tuples = (
        (
            *(
                now,
                by_id,
                action,
                object_kind,
                row.object_id,
                row.object_name[:200],
                row.clinic_id,
                row.patient_id,
            ),
            Jsonb(row.before) if row.before is not None else None,
            Jsonb(row.after) if row.after is not None else None,
            note,
        )
        for row in rows
    )
    copy_rows(AuditEntry, names, tuples)


def values(obj: Model, *names: str) -> dict[str, object]:
    """The named fields of `obj` as JSON values: dates and times as ISO text, another row by its
    name.
    """
    return {name: _json(getattr(obj, name)) for name in names}


def _json(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dt.date | dt.time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_json(item) for item in value]
    return str(value)


def changes(
    before: dict[str, object], after: dict[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """What differs between two `values` of one object, as the (before, after) of an entry; both
    empty when nothing does.
    """
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}
