"""Users, their roles and shifts, and the journal of who did what."""

from typing import ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models

from callcenter.lib.person_names import short_name
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
    """A person who logs in. The clinics he may see stand in `clinics` (the clinic's own list of its
    staff).
    """

    login = models.CharField("логин", max_length=60, unique=True)
    full_name = models.CharField("ФИО", max_length=150)
    email = models.EmailField("e-mail", blank=True)
    extension = models.CharField("внутренний номер", max_length=20, blank=True)
    roles = ArrayField(
        models.CharField(max_length=20, choices=Role.choices), verbose_name="роли", default=list
    )
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
    """Who works on a day, and under which colour («администратор желтой смены КЦ»).

    Source: «Дозвон».
    """

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


class TableColumns(models.Model):
    """The columns that a person wants to see in one list, in their order."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    table = models.CharField(max_length=60)  # `ListTable.key`
    columns = ArrayField(models.CharField(max_length=60))

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "table"], name="table_columns_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.table}"


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: User, page: str) -> Self:
        """Keep a page's views that are the user's own or shared in one of the user's clinics."""
        colleagues = User.clinics.through.objects.filter(
            user=models.OuterRef("owner"), clinic__staff=user
        )
        shared = models.Q(models.Exists(colleagues), is_shared=True)
        return self.filter(models.Q(owner=user) | shared, page=page)


class SavedView(models.Model):
    """A named set of conditions of a list: the query string of its page."""

    page = models.CharField(max_length=60)  # the name of its address, 'staff:people'
    name = models.CharField("название", max_length=80)
    query = models.CharField(max_length=2000)
    owner = models.ForeignKey(User, models.CASCADE, related_name="saved_views")
    is_shared = models.BooleanField("показывать коллегам", default=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "page", "name"], name="saved_view_once")
        ]

    def __str__(self) -> str:
        return self.name
