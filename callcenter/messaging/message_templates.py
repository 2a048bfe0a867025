"""Templates of messages about a visit: their placeholders, and the values of a visit. Pure.

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
from callcenter.lib.placeholders import fill, unknown_names

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

VISIT_MESSENGER: Final = (
    "{{ имя }}, здравствуйте! Напоминаем: {{ день }} в {{ время }} вас ждут в клинике "
    "«{{ клиника }}», {{ адрес }}. "
    "Врач: {{ врач }}.\nПодтвердите, перенесите или отмените приём: {{ ссылка }}"
)
VISIT_SMS: Final = "{{ клиника }}: ждём вас {{ дата }} в {{ время }}. Ответить: {{ ссылка }}"


@dataclass(frozen=True)
class TemplateVisit:
    """What a template may tell of a visit.

    `starts_at` is UTC, `zone` the clinic's, `link` the patient's page or ''.
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
    """Return the value of every field, in the clinic's own time."""
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
    """Return the placeholders of a text that are no fields of a visit."""
    return unknown_names(text, FIELDS)


def fill_template(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its fields filled, without gaps where a value is empty.

    Raises KeyError for a field that does not exist: saving has refused such a text before.
    """
    return re.sub(r"[ \t]{2,}", " ", fill(text, values)).strip()
