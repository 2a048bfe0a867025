"""Users, their roles and shifts, and the journal of who did what."""

import datetime as dt
from collections.abc import Collection
from typing import ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models

from callcenter.lib.names import short_name
from callcenter.staff.roles import Role, ShiftColour


class UserManager(BaseUserManager["User"]):
    def create_user(self, login: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(login=login, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def with_role(self, *roles: Role) -> models.QuerySet["User"]:
        """Active users who have at least one of the roles."""
        return self.filter(is_active=True, roles__overlap=[str(role) for role in roles])


class User(AbstractBaseUser):
    """A person who logs in. The clinics he may see stand in `clinics` (the clinic's own list of its staff)."""

    login = models.CharField("логин", max_length=60, unique=True)
    full_name = models.CharField("ФИО", max_length=150)
    email = models.EmailField("e-mail", blank=True)
    extension = models.CharField("внутренний номер", max_length=20, blank=True)
    roles = ArrayField(models.CharField(max_length=20, choices=Role.choices), verbose_name="роли", default=list)
    sees_phones = models.BooleanField("видит номера телефонов", default=True)
    capacity = models.PositiveSmallIntegerField("звонков по плану в день", default=40)
    is_active = models.BooleanField("работает", default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        ordering: ClassVar[list[str]] = ["full_name"]
        verbose_name = "сотрудник"
        verbose_name_plural = "сотрудники"

    def __str__(self) -> str:
        return self.full_name

    @property
    def short_name(self) -> str:
        """'Иванова О. П.' of 'Иванова Ольга Петровна'."""
        return short_name(self.full_name)

    @property
    def role_names(self) -> list[str]:
        """The roles in words, in the order of the list of roles."""
        return [str(role.label) for role in Role if str(role) in self.roles]

    def works_in(self, clinic_id: int | None) -> bool:
        """Whether the work of this clinic (None: of no clinic) can still lie with the person."""
        return self.is_active and (clinic_id is None or self.clinics.filter(pk=clinic_id).exists())

    def has(self, *roles: Role) -> bool:
        """Whether the user has at least one of the roles."""
        return any(str(role) in self.roles for role in roles)


class Shift(models.Model):
    """Who works on a day, and under which colour (seed 001: «администратор желтой смены КЦ»)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="shifts")
    on = models.DateField("день")
    colour = models.CharField("смена", max_length=10, choices=ShiftColour.choices)

    class Meta:
        ordering: ClassVar[list[str]] = ["on", "colour"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "on", "colour"], name="shift_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            # read by: who is on the yellow shift of a day, which is its next day
            models.Index(fields=["colour", "on"], name="shift_colour_day"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.on:%d.%m.%Y} · {self.get_colour_display()}"

    @property
    def in_words(self) -> str:
        """'жёлтой', as in «вы на жёлтой смене»."""
        return self.get_colour_display().removesuffix("ая").removesuffix("яя") + (
            "ей" if self.colour == ShiftColour.BLUE else "ой"
        )


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def about(self, kind: str, pk: int) -> Self:
        return self.filter(object_kind=kind, object_id=pk)

    def about_many(self, kind: str, pks: Collection[int]) -> Self:
        return self.filter(object_kind=kind, object_id__in=pks)


class AuditEntry(models.Model):
    """One deed: who, when, what, before and after. Written by `staff.audit.record` only, never changed."""

    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
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
            # readers: the journal's page (newest first), one object's history, one patient's
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["object_kind", "object_id"], name="audit_object"),
            # readers: the same page of one person, of one kind of deed
            models.Index(fields=["by", "-at", "-id"], name="audit_by"),
            models.Index(fields=["action", "-at", "-id"], name="audit_action"),
            models.Index(
                fields=["patient_id", "-at"], name="audit_patient", condition=models.Q(patient_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%d.%m.%Y %H:%M} {self.action}"

    @property
    def day(self) -> dt.date:
        return self.at.date()
