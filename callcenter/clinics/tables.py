"""Lists of clinics, doctors and services."""

from decimal import Decimal
from typing import ClassVar

import django_tables2 as tables

from callcenter.clinics.models import Clinic, Doctor, Service
from callcenter.lib.phones import format_phone
from callcenter.lib.tables import DASH, NUMBER, ListTable, PartialColumn, link_column
from callcenter.lib.templatetags.formatting import rub


class ClinicsTable(ListTable):
    """«Клиники»: rows carry `people`, `receiving`, `open_days`, `ground_count`."""

    key = "clinics.clinics"
    title = "Клиники"
    empty = (
        "У вас пока нет ни одной клиники. Добавьте первую: часы, пояс и почта нужны для звонков"
        " и напоминаний."
    )
    counted = "клиника,клиники,клиник"

    name = link_column("clinics:settings_clinic", "Клиника")
    zone = tables.Column(verbose_name="Часовой пояс")
    phone = tables.Column(verbose_name="Телефон", attrs={"td": {"class": "text-nowrap"}})
    address = tables.Column(verbose_name="Адрес")
    open_days = PartialColumn(
        "clinics/settings/_open_days.html", verbose_name="Рабочих дней", attrs=NUMBER
    )
    people = tables.Column(verbose_name="Сотрудников", attrs=NUMBER)
    receiving = tables.Column(verbose_name="Врачей", attrs=NUMBER)
    ground_count = PartialColumn("clinics/settings/_ground_count.html", verbose_name="Основания")

    def render_phone(self, value: str) -> str:
        return format_phone(value)

    def value_open_days(self, record: Clinic) -> int:
        return int(getattr(record, "open_days", 0))

    def value_ground_count(self, record: Clinic) -> int:
        return int(getattr(record, "ground_count", 0))


class DoctorsTable(ListTable):
    """«Врачи»."""

    key = "clinics.doctors"
    title = "Врачи"
    empty = "Никого не нашлось. Снимите часть условий или добавьте врача."
    counted = "врач,врача,врачей"

    full_name = link_column("clinics:settings_doctor", "ФИО")
    specialty = tables.Column(verbose_name="Специальность", order_by="specialty__name")
    clinics = tables.Column(verbose_name="Клиники", orderable=False)
    login = tables.Column(verbose_name="Логин", accessor="user__login")
    source_id = tables.Column(verbose_name="Код")

    class Meta(ListTable.Meta):
        order_by: ClassVar[str] = "full_name"

    def render_clinics(self, record: Doctor) -> str:
        return ", ".join(str(clinic) for clinic in record.clinics.all()) or DASH


class ServicesTable(ListTable):
    """«Услуги»: what is no longer rendered stands last."""

    key = "clinics.services"
    title = "Услуги"
    empty = "Услуг пока нет. Добавьте первую."
    counted = "услуга,услуги,услуг"

    name = link_column("clinics:settings_service", "Услуга")
    specialty = tables.Column(verbose_name="Специальность", order_by="specialty__name")
    minutes = tables.Column(verbose_name="Минут", attrs=NUMBER)
    price = tables.Column(verbose_name="Цена", attrs=NUMBER)
    is_active = PartialColumn("clinics/settings/_service_state.html", verbose_name="Состояние")

    class Meta(ListTable.Meta):
        order_by: ClassVar[tuple[str, ...]] = ("-is_active", "name")

    def render_price(self, value: Decimal) -> str:
        return rub(value)

    def value_price(self, record: Service) -> Decimal | None:
        return record.price

    def value_is_active(self, record: Service) -> str:
        return "оказывается" if record.is_active else "не оказывается"
