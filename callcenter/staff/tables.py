"""Lists of staff."""

from typing import ClassVar

import django_tables2 as tables

from callcenter.lib.tables import NUMBER, ListTable, PartialColumn
from callcenter.staff.models import User


class PeopleTable(ListTable):
    """«Сотрудники»."""

    key = "staff.people"
    title = "Сотрудники"
    empty = "Никого не нашлось. Снимите часть условий или заведите сотрудника."
    counted = "сотрудник,сотрудника,сотрудников"

    full_name = PartialColumn("staff/_person_name.html", verbose_name="ФИО", order_by="full_name")
    login = tables.Column(verbose_name="Логин")
    roles = tables.Column(verbose_name="Роли", accessor="role_names", orderable=False)
    clinics = tables.Column(verbose_name="Клиники", orderable=False, empty_values=())
    extension = tables.Column(verbose_name="Внутренний")
    capacity = tables.Column(verbose_name="Звонков в день", attrs=NUMBER)

    class Meta(ListTable.Meta):
        sequence: ClassVar[tuple[str, ...]] = ("full_name", "login", "roles", "clinics", "...")

    def value_full_name(self, record: User) -> str:
        return record.full_name

    def render_roles(self, value: list[str]) -> str:
        return ", ".join(value)

    def render_clinics(self, record: User) -> str:
        return ", ".join(str(clinic) for clinic in record.clinics.all())
