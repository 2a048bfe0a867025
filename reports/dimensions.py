"""By what the report groups: the table of «уровни отображения итогов»."""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F, Func, SmallIntegerField
from django.db.models.expressions import Combinable
from django.db.models.functions import ExtractIsoWeekDay

from callcenter.contacts.states import ContactOutcome, ContactType
from callcenter.lib.calendar_names import weekday_name
from reports.lookups import Lookups

NONE: Final = "none"
Labels = dict[Any, str]


class LocalHour(Func):
    """The hour of an instant on the wall clock of a zone."""

    template = "extract(hour FROM timezone(%(expressions)s))::smallint"
    output_field = SmallIntegerField()


@dataclass(frozen=True)
class Dimension:
    """One way to group. `parse` reads a value out of an address and raises ValueError for nonsense.

    `of_contact` is what «По обращениям» groups by, `of_said` what «Без группировки» does: an
    interaction has an employee, a topic and an hour of its own.
    """

    slug: str
    title: str
    of_contact: Combinable
    of_interaction: Combinable
    parse: Callable[[str], Any]
    labels: Callable[[Lookups, Collection[Any]], Labels]
    empty: str = "не указано"
    in_order: bool = False  # groups stand by their value (days, hours), not by how many they are

    def text(self, value: Any) -> str:
        """The value as it stands in an address."""
        if value is None:
            return NONE
        return str(value.isoformat()) if isinstance(value, dt.date) else str(value)

    def read(self, text: str) -> Any:
        return None if text == NONE else self.parse(text)


def _people(lookups: Lookups, values: Collection[Any]) -> Labels:
    lookups.learn(values)
    return {pk: lookups.person(pk) for pk in values}


def _words(
    choices: type[ContactOutcome] | type[ContactType],
) -> Callable[[Lookups, Collection[Any]], Labels]:
    words: Labels = {str(one): str(one.label) for one in choices}
    return lambda *_: words


def _days(_: Lookups, values: Collection[Any]) -> Labels:
    return {
        day: f"{day:%d.%m.%Y}, {weekday_name(day.weekday())}" for day in values if day is not None
    }


def _number(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**31:
        raise ValueError(text)
    return number


def _word(choices: type[ContactOutcome] | type[ContactType]) -> Callable[[str], str]:
    return lambda text: str(choices(text))


DIMENSIONS: Final[dict[str, Dimension]] = {
    one.slug: one
    for one in (
        Dimension(
            "owner",
            "Сотрудник",
            F("owner_id"),
            F("shown_employee_id"),
            _number,
            _people,
            empty="без сотрудника",
        ),
        Dimension(
            "outcome",
            "Успешность",
            F("outcome"),
            F("contact__outcome"),
            _word(ContactOutcome),
            _words(ContactOutcome),
        ),
        Dimension(
            "topic",
            "Тема разговора",
            F("topic_id"),
            F("shown_topic_id"),
            _number,
            lambda lookups, _: lookups.topics,
            empty="без темы",
        ),
        Dimension(
            "channel",
            "Канал",
            F("channel_id"),
            F("channel_id"),
            _number,
            lambda lookups, keys: {key: lookups.channel_path(key) for key in keys},
            empty="канал не определён",
        ),
        Dimension(
            "type",
            "Тип обращения",
            F("contact_type"),
            F("contact_type"),
            _word(ContactType),
            _words(ContactType),
        ),
        Dimension(
            "clinic",
            "Клиника",
            F("clinic_id"),
            F("clinic_id"),
            _number,
            lambda lookups, _: lookups.clinics,
        ),
        Dimension(
            "day", "День", F("on"), F("contact__on"), dt.date.fromisoformat, _days, in_order=True
        ),
        Dimension(
            "hour",
            "Час",
            F("start_hour"),
            LocalHour("clinic__zone", "at"),
            _number,
            lambda _, hours: {hour: f"{hour:02}:00–{hour:02}:59" for hour in hours},
            in_order=True,
        ),
        Dimension(
            "weekday",
            "День недели",
            ExtractIsoWeekDay("on"),
            ExtractIsoWeekDay("contact__on"),
            _number,
            lambda _, values: {day: weekday_name(day - 1) for day in values if 1 <= day <= 7},
            in_order=True,
        ),
    )
}
