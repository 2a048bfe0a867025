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


def chips_of(ask: ReportFilter, names: Lookups) -> list[Chip]:
    """Every filter that is on; the period and the view have their own places on the page."""
    chips: list[Chip] = []
    for field, name, labels in _lists(ask, names):
        values = getattr(ask, field)
        for value in values:
            rest = tuple(one for one in values if one != value)
            text = "не указано" if value is None else labels.get(value, str(value))
            chips.append(Chip(name, text, address(ask, **{field: rest}, before=None)))
    for flag in ask.flags:
        rest = tuple(one for one in ask.flags if one != flag)
        chips.append(Chip("Только", FLAGS[flag].lower(), address(ask, flags=rest, before=None)))
    for drill in ask.drills:
        dimension = DIMENSIONS[drill.dimension]
        label = (
            dimension.empty
            if drill.value is None
            else dimension.labels(names, {drill.value}).get(drill.value, "?")
        )
        rest = tuple(one for one in ask.drills if one != drill)
        chips.append(Chip(dimension.title, label, address(ask, drills=rest, before=None)))
    if ask.patient is not None:
        patient = Patient.objects.filter(pk=ask.patient).first()
        plain = dataclasses.replace(ask, patient=None, before=None)
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


def _lists(ask: ReportFilter, names: Lookups) -> list[tuple[str, str, dict[Any, str]]]:
    names.learn(ask.owners)
    labels: dict[str, dict[Any, str]] = {
        "who": {str(one): one.label for one in CallerType},
        "types": {str(one): one.label for one in ContactType},
        "outcomes": {str(one): one.label for one in ContactOutcome},
        "topics": names.topics,
        "owners": names.people,
        "channels": {pk: names.channel_path(pk) for pk in ask.channels if pk in names.channels},
        "clinics": names.clinics,
        "lines": {},
    }
    return [(field, name, labels[field]) for field, name in _NAMES.items()]
