"""Versions of the procedures, the decisions on the whole document, and the texts behind its
documents' names.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from callcenter.staff.models import User


class ProcedureVersion(models.Model):
    """One published version of one procedure: its very file, never changed. A run keeps the version
    it began with.
    """

    number = models.PositiveSmallIntegerField("процедура")
    procedure_version = models.PositiveIntegerField("редакция")
    title = models.CharField("название", max_length=200)
    valid_from = models.DateField("действует с")
    digest = models.CharField("хеш", max_length=64)
    text = models.TextField()
    file_name = models.CharField(max_length=120, blank=True)
    differences = models.JSONField(default=list)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["number", "-procedure_version"]
        verbose_name = "редакция процедуры"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["number", "procedure_version"], name="procedure_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.title}, редакция {self.procedure_version}"


class ReviewDecision(models.Model):
    """«…не реже 1 раза в 12 месяцев Руководитель … принимает решение о внесении изменений или
    подтверждает актуальность действующей редакции» (section 3). `due_at` of the newest one is when
    to remind him again.
    """

    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decision = models.CharField(
        max_length=12,
        choices=[("published", "внесены изменения"), ("confirmed", "актуальность подтверждена")],
    )
    note = models.CharField("основание", max_length=250, blank=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-pk"]
        indexes: ClassVar[list[models.Index]] = [
            # reader: remind_due_reviews
            models.Index(fields=["due_at"], name="review_due", condition=Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} {self.at:%d.%m.%Y}"


class DocumentText(models.Model):
    """The words behind a document's name («Скрипт Претензия»), edited by the lead and the head."""

    name = models.CharField("документ", max_length=150, unique=True)
    text = models.TextField(
        "текст",
        help_text="{клиент}, {клиника}, {адрес}, {телефон}, {команда}, {сотрудник} заменяются при показе",
    )
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        verbose_name = "текст документа"

    def __str__(self) -> str:
        return self.name
