"""Templates of messages: `{{ поле }}` in a text, filled with a visit's values. Pure.

Only the fields below exist; a text with any other is refused when it is saved, so that nothing
unfilled is ever sent.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from callcenter.lib.calendar_names import month_in_date, weekday_name
from callcenter.lib.localtime import local
from callcenter.lib.phones import format_phone

FIELDS: Final[dict[str, str]] = {
    "пациент": "ФИО пациента",
    "имя": "имя и отчество пациента",
    "врач": "ФИО врача",
    "врач_кратко": "фамилия и инициалы врача",
    "клиника": "название клиники",
    "адрес": "адрес клиники",
    "телефон": "телефон клиники",
    "дата": "дата приёма, дд.мм.гггг",
    "день": "день недели и число: «среда, 22 ноября»",
    "время": "время приёма на часах клиники",
    "ссылка": "адрес страницы пациента",
}
_FIELD: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")

VISIT_MESSENGER: Final = (
    "{{ имя }}, здравствуйте! Напоминаем: {{ день }} в {{ время }} вас ждут в клинике «{{ клиника }}», {{ адрес }}. "
    "Врач: {{ врач }}.\nПодтвердите, перенесите или отмените приём: {{ ссылка }}"
)
VISIT_SMS: Final = "{{ клиника }}: ждём вас {{ дата }} в {{ время }}. Ответить: {{ ссылка }}"


@dataclass(frozen=True)
class TemplateVisit:
    """What a template may tell of a visit. `starts_at` UTC, `zone` of the clinic, `link` '' while
    there is none.
    """

    patient: str
    first_name: str
    middle_name: str
    doctor: str
    doctor_short: str
    clinic: str
    address: str
    phone: str
    starts_at: dt.datetime
    zone: str
    link: str


def values_of(visit: TemplateVisit) -> dict[str, str]:
    here = local(visit.starts_at, visit.zone)
    return {
        "пациент": visit.patient,
        "имя": " ".join(part for part in (visit.first_name, visit.middle_name) if part)
        or visit.patient,
        "врач": visit.doctor,
        "врач_кратко": visit.doctor_short,
        "клиника": visit.clinic,
        "адрес": visit.address,
        "телефон": format_phone(visit.phone) if visit.phone else "",
        "дата": f"{here:%d.%m.%Y}",
        "день": f"{weekday_name(here.weekday())}, {here.day} {month_in_date(here.month)}",
        "время": f"{here:%H:%M}",
        "ссылка": visit.link,
    }


def unknown_fields(text: str) -> list[str]:
    """Names in `{{ … }}` that are no fields, in the order of the text, and a lone brace as '{{'."""
    wrong = [name or "{{ }}" for name in _FIELD.findall(text) if name not in FIELDS]
    rest = _FIELD.sub("", text)
    return wrong + [brace for brace in ("{{", "}}") if brace in rest]


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its fields filled; a field that is no key raises KeyError (saving has refused
    it before).
    """
    filled = _FIELD.sub(lambda match: values[match.group(1)], text)
    return re.sub(r"[ \t]{2,}", " ", filled).strip()
