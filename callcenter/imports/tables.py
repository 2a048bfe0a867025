"""The list of imports."""

import datetime as dt
from typing import ClassVar

import django_tables2 as tables

from callcenter.imports.kinds import kinds
from callcenter.imports.models import ImportRun
from callcenter.lib.localtime import local
from callcenter.lib.tables import NUMBER, ListTable, PartialColumn, link_column


class ImportsTable(ListTable):
    """«Последние файлы»."""

    key = "imports.runs"
    title = "Импорт"
    empty = "Файлов пока не загружали. Выберите файл выше."
    counted = "файл,файла,файлов"

    file_name = link_column("imports:run", "Файл", attrs={"td": {"class": "clip"}})
    kind = tables.Column(verbose_name="Что")
    state = PartialColumn("imports/_state_cell.html", verbose_name="Состояние")
    rows_count = tables.Column(verbose_name="Строк", accessor="rows", order_by="rows", attrs=NUMBER)
    clinic = tables.Column(verbose_name="Клиника", order_by="clinic__name")
    created_by = tables.Column(
        verbose_name="Кто", order_by="created_by__full_name", empty_values=()
    )
    created_at = tables.Column(verbose_name="Когда", attrs={"td": {"class": "text-nowrap"}})

    class Meta(ListTable.Meta):
        order_by: ClassVar[str] = "-created_at"

    def render_kind(self, value: str) -> str:
        return kinds()[value].label

    def value_state(self, record: ImportRun) -> str:
        return record.get_state_display()

    def render_created_by(self, record: ImportRun) -> str:
        return record.created_by.short_name if record.created_by else "командой"

    def render_created_at(self, record: ImportRun) -> str:
        return f"{self.value_created_at(record):%d.%m.%Y %H:%M}"

    def value_created_at(self, record: ImportRun) -> dt.datetime:
        """Return the wall clock of the import's clinic."""
        return local(record.created_at, record.clinic.zone).replace(tzinfo=None)
