"""Exports of the report, written in the background."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from callcenter.contacts.states import JobState
from callcenter.staff.models import User


def export_path(export: "Export", filename: str) -> str:
    """One path an export: what a killed worker has left there is written over by the next."""
    return f"exports/{export.created_at:%Y/%m/%d}/{export.pk}/{filename}"


class Export(models.Model):
    """One XLSX of the report, written in the background: what was asked, how far it is, the file."""

    query = models.CharField(max_length=2000)
    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=JobState.choices, default=JobState.WAITING)
    done = models.PositiveIntegerField("строк готово", default=0)
    total = models.PositiveIntegerField("строк всего", default=0)
    file = models.FileField(upload_to=export_path, max_length=250, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        indexes: ClassVar[list[models.Index]] = [
            # reader: `write_due_exports`
            models.Index(fields=["due_at"], name="export_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["owner", "-created_at"], name="export_mine"),
        ]
