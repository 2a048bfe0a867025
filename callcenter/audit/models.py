"""The audit log: who did what, when, and what was there before and after."""

import datetime as dt
from collections.abc import Collection
from typing import ClassVar, Self

from django.conf import settings
from django.db import models


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def about(self, kind: str, pk: int) -> Self:
        return self.filter(object_kind=kind, object_id=pk)

    def about_many(self, kind: str, pks: Collection[int]) -> Self:
        return self.filter(object_kind=kind, object_id__in=pks)


class AuditEntry(models.Model):
    """One entry of the audit log: who, when, what, before and after. Written by
    `audit.actions.record` only, never changed.
    """

    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40)
    object_id = models.BigIntegerField(null=True)
    object_name = models.CharField(max_length=200, blank=True)
    clinic_id = models.BigIntegerField(null=True)
    patient_id = models.BigIntegerField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    note = models.TextField(blank=True)

    objects: ClassVar[models.Manager["AuditEntry"]] = AuditQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-pk"]
        indexes: ClassVar[list[models.Index]] = [
            # readers: the log's page (newest first), one object's history, one patient's
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["object_kind", "object_id"], name="audit_object"),
            # readers: the same page of one person, of one action
            models.Index(fields=["by", "-at", "-id"], name="audit_by"),
            models.Index(fields=["action", "-at", "-id"], name="audit_action"),
            models.Index(
                fields=["patient_id", "-at"],
                name="audit_patient",
                condition=models.Q(patient_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%d.%m.%Y %H:%M} {self.action}"

    @property
    def day(self) -> dt.date:
        return self.at.date()
