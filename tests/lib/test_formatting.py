"""The filters of every template: what stands on a page is the clinic's wall clock, whichever filter
writes it.
"""

import datetime as dt

import pytest
from django.template import Context, Template

MOMENT = dt.datetime(2026, 3, 18, 21, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        ("date_time", "19.03.2026 09:30"),
        ("day", "19.03.2026"),
        ("clock", "09:30"),
        ('date:"d.m H:i"', "19.03 09:30"),
        ('date:"j E, l"', "19 марта, Четверг"),
        ('date:"c"', "2026-03-19T09:30:00+12:00"),
    ],
)
def test_an_instant_is_written_by_the_clock_of_its_zone_with_any_filter(
    filters: str, shown: str
) -> None:
    template = Template("{{ moment|at:zone|" + filters + " }}")
    assert template.render(Context({"moment": MOMENT, "zone": "Asia/Kamchatka"})) == shown


def test_no_instant_is_written_as_nothing() -> None:
    assert (
        Template("{{ moment|at:zone|date_time }}").render(
            Context({"moment": None, "zone": "Europe/Moscow"})
        )
        == ""
    )
