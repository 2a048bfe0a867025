"""By what the report groups: the table of «уровни отображения итогов»."""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import ExtractIsoWeekDay

from callcenter.clinics.models import Clinic
from callcenter.contacts.models import AdChannel, Topic
from callcenter.contacts.states import Outcome, Shape
from callcenter.staff.models import User

NONE: Final = "none"
_WEEKDAYS: Final = ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")
Labels = dict[Any, str]


@dataclass(frozen=True)
class Dimension:
    """One way to group contacts. `parse` reads a value out of an address and raises ValueError for nonsense."""

    slug: str
    title: str
    field: str
    expression: Callable[[], Combinable]
    parse: Callable[[str], Any]
    labels: Callable[[Collection[Any]], Labels]
    empty: str = "не указано"
    in_order: bool = False  # groups stand by their value (days, hours), not by how many they are

    def where(self, value: Any, *, of: str = "") -> Q:
        """The condition that gives exactly the rows of one group; `of` leads from another table to the contact."""
        return Q(**{f"{of}{self.field}__isnull": True}) if value is None else Q(**{f"{of}{self.field}": value})

    def text(self, value: Any) -> str:
        """The value as it stands in an address."""
        if value is None:
            return NONE
        return str(value.isoformat()) if isinstance(value, dt.date) else str(value)

    def read(self, text: str) -> Any:
        return None if text == NONE else self.parse(text)


def _users(values: Collection[Any]) -> Labels:
    return {user.pk: user.short_name for user in User.objects.filter(pk__in=values)}


def _channels(values: Collection[Any]) -> Labels:
    found = AdChannel.objects.filter(pk__in=values).select_related("parent")
    return {channel.pk: f"{channel.parent} / {channel}" if channel.parent else str(channel) for channel in found}


def _days(values: Collection[Any]) -> Labels:
    return {day: f"{day:%d.%m.%Y}, {_WEEKDAYS[day.weekday()]}" for day in values if day is not None}


def _number(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**31:
        raise ValueError(text)
    return number


def _word(choices: type[Outcome] | type[Shape]) -> Callable[[str], str]:
    return lambda text: str(choices(text))


DIMENSIONS: Final[dict[str, Dimension]] = {
    one.slug: one
    for one in (
        Dimension("owner", "Сотрудник", "owner", lambda: F("owner_id"), _number, _users, empty="без сотрудника"),
        Dimension(
            "outcome",
            "Успешность",
            "outcome",
            lambda: F("outcome"),
            _word(Outcome),
            lambda _: {str(one): one.label for one in Outcome},
        ),
        Dimension(
            "topic",
            "Тема разговора",
            "topic",
            lambda: F("topic_id"),
            _number,
            lambda values: dict(Topic.objects.filter(pk__in=values).values_list("pk", "name")),
            empty="без темы",
        ),
        Dimension(
            "channel", "Канал", "channel", lambda: F("channel_id"), _number, _channels, empty="канал не определён"
        ),
        Dimension(
            "type",
            "Тип обращения",
            "shape",
            lambda: F("shape"),
            _word(Shape),
            lambda _: {str(one): one.label for one in Shape},
        ),
        Dimension(
            "clinic",
            "Клиника",
            "clinic",
            lambda: F("clinic_id"),
            _number,
            lambda values: dict(Clinic.objects.filter(pk__in=values).values_list("pk", "name")),
        ),
        Dimension("day", "День", "on", lambda: F("on"), dt.date.fromisoformat, _days, in_order=True),
        Dimension(
            "hour",
            "Час",
            "hour",
            lambda: F("hour"),
            _number,
            lambda values: {hour: f"{hour:02}:00–{hour:02}:59" for hour in values},
            in_order=True,
        ),
        Dimension(
            "weekday",
            "День недели",
            "on__iso_week_day",
            lambda: ExtractIsoWeekDay("on"),
            _number,
            lambda values: {day: _WEEKDAYS[day - 1] for day in values if 1 <= day <= 7},
            in_order=True,
        ),
    )
}
