"""Russian names of weekdays and months, as Django translates them. Weekdays count from 0, Monday.

Call these functions when a page is made, not at import: translations load after the apps.
"""

from django.utils.dates import MONTHS_3, MONTHS_ALT, WEEKDAYS, WEEKDAYS_ABBR


def weekday_name(weekday: int) -> str:
    """Name the weekday: 'понедельник'."""
    return str(WEEKDAYS[weekday]).lower()


def weekday_abbr(weekday: int) -> str:
    """Name the weekday in short: 'пн'."""
    return str(WEEKDAYS_ABBR[weekday]).lower()


def weekday_abbrs() -> list[str]:
    """Name the weekdays in short, from Monday."""
    return [weekday_abbr(weekday) for weekday in range(7)]


def month_in_date(month: int) -> str:
    """Name the month (from 1) as a date has it: 'января'."""
    return str(MONTHS_ALT[month])


def month_number(word: str) -> int | None:
    """Find the month (from 1) of a lower-case word: 'янв', 'январь', 'января'; None if none."""
    for month in MONTHS_3:
        if word[:3] in (MONTHS_3[month], str(MONTHS_ALT[month])[:3]):
            return month
    return None
