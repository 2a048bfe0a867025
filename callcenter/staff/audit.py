"""The journal of deeds: one row for each meaningful write, and for each look at what is secret."""

import datetime as dt

from django.db.models import Model

from callcenter.staff.models import AuditEntry, User


def record(
    action: str,
    obj: Model | None = None,
    *,
    by: User | None,
    now: dt.datetime,
    clinic_id: int | None = None,
    patient_id: int | None = None,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
    note: str = "",
) -> AuditEntry:
    """Writes one entry in the caller's transaction. `action` is '<app>.<verb>', e.g. 'clinics.book_appointment'.

    `before` and `after` hold only what changed, as JSON values (dates as ISO text). `by=None` is the product itself
    (a timer, an import in the background). `clinic_id` and `patient_id` default to those of `obj`.
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
