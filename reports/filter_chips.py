"""What is switched on, as chips with words, each with the address of the report without it."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Final

from callcenter.clinics.models import Patient
from callcenter.contacts.states import CallerType, ContactOutcome, ContactType
from reports.dimensions import DIMENSIONS
from reports.filters import FLAGS, ReportFilter, address
from reports.lookups import Lookups


@dataclass(frozen=True)
class Chip:
    name: str
    value: str
    without: str


def chips_of(report_filter: ReportFilter, lookups: Lookups) -> list[Chip]:
    """Every filter that is on; the period and the view have their own places on the page."""
    chips: list[Chip] = []
    for field, name, labels in _lists(report_filter, lookups):
        values = getattr(report_filter, field)
        for value in values:
            rest = tuple(one for one in values if one != value)
            text = "не указано" if value is None else labels.get(value, str(value))
            chips.append(Chip(name, text, address(report_filter, **{field: rest}, before=None)))
    for flag in report_filter.flags:
        rest = tuple(one for one in report_filter.flags if one != flag)
        chips.append(
            Chip("Только", FLAGS[flag].lower(), address(report_filter, flags=rest, before=None))
        )
    for drill_down in report_filter.drill_downs:
        dimension = DIMENSIONS[drill_down.dimension]
        label = (
            dimension.empty
            if drill_down.value is None
            else dimension.labels(lookups, {drill_down.value}).get(drill_down.value, "?")
        )
        rest = tuple(one for one in report_filter.drill_downs if one != drill_down)
        chips.append(
            Chip(dimension.title, label, address(report_filter, drill_downs=rest, before=None))
        )
    if report_filter.patient is not None:
        patient = Patient.objects.filter(pk=report_filter.patient).first()
        plain = dataclasses.replace(report_filter, patient=None, before=None)
        chips.append(Chip("Пациент", patient.short_name if patient else "?", address(plain)))
    return chips


_NAMES: Final = {
    "who": "Кто, тип",
    "types": "Тип",
    "outcomes": "Успешность",
    "topics": "Тема",
    "owners": "Сотрудник",
    "channels": "Канал",
    "clinics": "Клиника",
    "lines": "Линия",
}


def _lists(report_filter: ReportFilter, lookups: Lookups) -> list[tuple[str, str, dict[Any, str]]]:
    lookups.learn(report_filter.owners)
    labels: dict[str, dict[Any, str]] = {
        "who": {str(one): one.label for one in CallerType},
        "types": {str(one): one.label for one in ContactType},
        "outcomes": {str(one): one.label for one in ContactOutcome},
        "topics": lookups.topics,
        "owners": lookups.people,
        "channels": {
            pk: lookups.channel_path(pk) for pk in report_filter.channels if pk in lookups.channels
        },
        "clinics": lookups.clinics,
        "lines": {},
    }
    return [(field, name, labels[field]) for field, name in _NAMES.items()]
