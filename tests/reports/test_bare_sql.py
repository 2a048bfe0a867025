"""The bare SQL of the benchmark returns what the pages show."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.http import QueryDict
from django.test import Client

from benchmarks.measure import bare
from callcenter.contacts.models import Contact
from callcenter.staff.models import User
from reports.filters import read_filter
from reports.lookups import lookups_of
from reports.queries import clinics_of, contacts_page, interactions_page, totals
from tests.conftest import World

TODAY = dt.date(2026, 3, 18)


def test_a_day_without_grouping(
    world: World, day: dict[str, Any], as_user: Callable[[User], Client]
) -> None:
    rows = bare("history_today", clinics=[world.clinic.pk])
    page = interactions_page(
        read_filter(QueryDict("since=2026-03-18&until=2026-03-18"), TODAY),
        clinics_of(world.manager),
        today=TODAY,
    )
    assert [row["id"] for row in rows] == [one.pk for one in page.rows]
    assert {row["total"] for row in rows} == {len(page.rows)} == {8}
    text = as_user(world.manager).get("/history/").content.decode()
    assert all(f'id="i{row["id"]}"' in text for row in rows)


def test_a_month_by_contacts_with_three_filters(world: World, day: dict[str, Any]) -> None:
    Contact.objects.filter(patient=day["patient"]).update(
        on=dt.date(2026, 2, 10), outcome="not_booked"
    )
    rows = bare("history_month", clinics=[world.clinic.pk], topic=day["topic"].pk)
    query = f"since=2026-02-01&until=2026-02-28&view=contacts&who=wants_booking&outcome=not_booked&topic={day['topic'].pk}"
    report_filter = read_filter(QueryDict(query), TODAY)
    page = contacts_page(report_filter, clinics_of(world.manager), today=TODAY)
    assert [row["id"] for row in rows] == page.rows != []
    found = totals(
        report_filter, clinics_of(world.manager), lookups_of(clinics_of(world.manager)), today=TODAY
    )
    assert (rows[0]["total"], rows[0]["before"]) == (found.now.count, found.before.count)


def test_two_levels_of_totals(world: World, day: dict[str, Any]) -> None:
    Contact.objects.filter(patient=day["patient"]).update(on=dt.date(2026, 3, 10))
    params = dict(before="2026-03-09", since="2026-03-14", until="2026-03-18")
    rows = bare("history_totals", clinics=[world.clinic.pk], **params)
    report_filter = read_filter(
        QueryDict("since=2026-03-14&until=2026-03-18&by1=owner&by2=outcome"), TODAY
    )
    found = totals(
        report_filter, clinics_of(world.manager), lookups_of(clinics_of(world.manager)), today=TODAY
    )
    shown = {
        (group.value, child.value): (child.now.count, child.now.wait_seconds, child.now.talks)
        for group in found.groups
        for child in group.children
    }
    assert {
        (row["owner_id"], row["outcome"]): (row["now"], row["wait_seconds"], row["talks"])
        for row in rows
        if row["now"]
    } == shown
    assert sum(row["before"] for row in rows) == found.before.count == 1
