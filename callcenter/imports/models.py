"""An import from the upload to the end: a row that a worker claims, the file it reads, and what was
found in it.
"""

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from callcenter.imports.states import WORK, FindingKind, ImportState
from callcenter.staff.models import User


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    def visible_to(self, user: User) -> Self:
        """Imports that speak of the user's clinics only; of which they speak is known once the file
        is checked, and till then it is the affair of whoever brought it.
        """
        own = user.clinics.all()
        named = ImportRun.clinics.through.objects.filter(importrun=OuterRef("pk"))
        checked = Q(Exists(named)) | Q(created_by=user)
        return self.filter(checked, ~Exists(named.exclude(clinic__in=own)), clinic__in=own)

    def due(self) -> Self:
        """A worker must check or load these, and none has taken them."""
        return self.filter(state__in=WORK, claimed_at__isnull=True).order_by("pk")

    def abandoned(self, claimed_before: dt.datetime) -> Self:
        """Claimed, and not a sign of life since."""
        return self.filter(state__in=WORK, claimed_at__lt=claimed_before)


class ImportRun(models.Model):
    """One file on its way in. `clinic` is that of the rows which name none, `clinics` are those of
    all its rows, known after the check; `columns` maps column index → field name.
    """

    kind = models.CharField("что", max_length=20)
    clinic = models.ForeignKey(
        "clinics.Clinic", models.CASCADE, related_name="+", verbose_name="клиника"
    )
    clinics = models.ManyToManyField(
        "clinics.Clinic", related_name="+", verbose_name="клиники строк"
    )
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.COLUMNS)
    file_name = models.CharField("файл", max_length=200)
    digest = models.CharField(max_length=64)  # sha256 of the file
    sheet = models.CharField("лист", max_length=100, blank=True)
    rows = models.PositiveIntegerField("строк")
    headings = models.JSONField(default=list)
    samples = models.JSONField(default=list)  # the first rows as text, for the choice of columns
    columns = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)  # of the preview, then of what was done
    cancel_missing = models.BooleanField("отменить визиты, которых нет в файле", default=False)
    error = models.TextField(blank=True)
    # The lease: who works on it (`token`), his last sign of life, how far he is, and how often
    # somebody died over it.
    claimed_at = models.DateTimeField(null=True, blank=True)
    token = models.CharField(max_length=32, blank=True)
    progress = models.PositiveIntegerField(default=0)
    crash_count = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField("выбран")
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField("подтверждён", null=True, blank=True)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    finished_at = models.DateTimeField("закончен", null=True, blank=True)

    objects: ClassVar[models.Manager["ImportRun"]] = ImportRunQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]
        verbose_name = "импорт"
        indexes: ClassVar[list[models.Index]] = [
            # readers: the ticker that takes due imports, the reaper of abandoned ones
            models.Index(
                fields=["claimed_at"],
                name="import_work",
                condition=Q(state__in=["checking", "running"]),
            ),
            # reader: «этот файл уже загружали»
            models.Index(fields=["digest"], name="import_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} · {self.get_state_display()}"

    @property
    def percent(self) -> int:
        """How far the worker is. A loading goes over the rows twice: once to plan, once to write."""
        passes = 2 if self.state == ImportState.RUNNING else 1
        return min(100, self.progress * 100 // (self.rows * passes or 1))


class ImportFile(models.Model):
    """The bytes themselves, here and not on a disk, since the worker may be another machine.
    Deleted when it is over.
    """

    run = models.OneToOneField(ImportRun, models.CASCADE, related_name="file")
    content = models.BinaryField()


class ImportFinding(models.Model):
    """What a person must see: a row that will not load, a visit that moves or is missing, a notice."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="findings", db_index=False)
    kind = models.CharField(max_length=9, choices=FindingKind.choices)
    line = models.PositiveIntegerField(default=0)  # 0: not a line of the file
    problems = models.JSONField()  # [{"column", "what", "todo"}]
    cells = models.JSONField(default=list)  # of a rejected row, as text
    # Of a missing visit: which one, in which version a person saw it.
    subject_id = models.BigIntegerField(null=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # readers: the preview's lists, the file of rejected rows
            models.Index(fields=["run", "kind", "line", "id"], name="finding_of_run")
        ]
