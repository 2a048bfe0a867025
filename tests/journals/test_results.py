"""«Результаты прозвона КОСы»: every number equals its rows, the columns add up, and Excel says the
same.
"""

import datetime as dt
import html
import io
import random
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from callcenter.audit.models import AuditEntry
from callcenter.lib.errors import Conflict
from callcenter.staff.models import User
from journals.actions.plans import return_uncalled
from journals.models import RecallPolicy
from journals.outcome_rules import CallOutcome
from journals.queries import results
from journals.queries.results import GROUPINGS, ResultsPeriod
from tests.journals.conftest import Recall

Login = Callable[[User], Client]
DAY = dt.timedelta(days=1)


@pytest.fixture
def season(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> Recall:
    """Three weeks of calls of two administrators, a fixed random stream."""
    monkeypatch.setattr(timezone, "now", lambda: recall.world.now)
    rng = random.Random(7)
    world = recall.world
    RecallPolicy.objects.create(clinic=world.clinic, calls=2)
    entries = [recall.entry() for _number in range(14)]
    people = [world.administrator, world.administrator2]
    for _week in range(3):
        for person in people:
            recall_ready(recall, person)
        for entry in entries:
            item = entry.plan_items.filter(state="open").first()
            if item is None or rng.random() < 0.15:
                continue
            outcome = rng.choice([*CallOutcome, CallOutcome.UNREACHED, CallOutcome.UNREACHED])
            entry.refresh_from_db()
            extra: dict[str, Any] = {}
            if outcome is CallOutcome.UNREACHED and entry.unreached:
                extra["refusal_reason"] = recall.not_reached
            recall.call(entry, outcome, by=item.assignee, **extra)
        return_uncalled(now=world.local(recall.today, 20))
        world.now += 7 * DAY
    recall.call(recall.entry(), CallOutcome.REFUSED, by=world.administrator, patient_called=True)
    return recall


def recall_ready(recall: Recall, person: User) -> None:
    try:
        recall.plan(person, 7)
    except Conflict:
        return


def whole(recall: Recall, **fields: Any) -> ResultsPeriod:
    return ResultsPeriod(recall.today - 60 * DAY, recall.today + DAY, **fields)


@pytest.mark.parametrize("by", list(GROUPINGS))
def test_every_number_is_the_count_of_its_rows(season: Recall, by: Any) -> None:
    user = season.world.senior
    period = whole(season, by=by)
    found = results.results(period, user=user)
    assert found.total.numbers["called"] > 10
    for line in [*found.lines, found.total]:
        for name, count in line.numbers.items():
            rows = (
                results.item_rows(period, user=user, key=line.key)
                if name == "planned"
                else results.call_rows(period, name, user=user, key=line.key)
            )
            assert rows.count() == count, (line.name, name)
    for reason, count in found.reasons:
        assert results.call_rows(period, "refused", user=user, reason=reason.pk).count() == count
    for number in found.numbers:
        for name in ("called", "reached", "booked"):
            rows = results.call_rows(period, name, user=user, number=number.number)
            assert rows.count() == getattr(number, name)


def test_the_columns_add_up(season: Recall) -> None:
    found = results.results(whole(season), user=season.world.senior)
    numbers = found.total.numbers
    assert numbers["called"] == numbers["reached"] + numbers["unreached"]
    refused_in_a_talk = (
        numbers["reached"] - numbers["booked"] - numbers["thinking"] - numbers["remind"]
    )
    assert 0 <= refused_in_a_talk <= numbers["refused"]
    assert sum(count for _reason, count in found.reasons) == numbers["refused"]
    assert sum(line.called for line in found.numbers) == numbers["called"]
    assert sum(line.booked for line in found.numbers) == numbers["booked"]
    assert numbers["incoming"] == 1


def test_the_groupings_share_one_total_and_filters_narrow_it(season: Recall) -> None:
    world = season.world
    totals = [
        results.results(whole(season, by=by), user=world.senior).total.numbers for by in GROUPINGS
    ]
    assert totals[0] == totals[1] == totals[2]
    parts = [
        results.results(whole(season, caller=person), user=world.senior).total.numbers
        for person in (world.administrator, world.administrator2)
    ]
    assert {name: parts[0][name] + parts[1][name] for name in results.measures()} == totals[0]
    assert (
        results.results(whole(season, doctor=world.doctor_b), user=world.senior).total.numbers[
            "called"
        ]
        == 0
    )


def test_another_clinics_senior_sees_nothing(season: Recall) -> None:
    assert results.results(whole(season), user=season.world.senior_b).lines == []


def test_excel_read_back_says_what_the_screen_says(season: Recall, as_user: Login) -> None:
    client = as_user(season.world.manager)
    query = f"?since={season.today - 60 * DAY}&until={season.today + DAY}&by=caller"
    answer = client.get(f"/journals/results/xlsx/{query}")
    assert answer.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    rows = list(book["Итоги"].iter_rows(values_only=True))
    found = results.results(whole(season), user=season.world.manager)
    assert list(rows[0][1 : len(results.measures()) + 1]) == [
        measure.label for measure in results.measures().values()
    ]
    for row, line in zip(rows[1:], [*found.lines, found.total], strict=False):
        assert row[0] == line.name
        assert list(row[1 : len(results.measures()) + 1]) == [
            line.numbers[name] for name in results.measures()
        ]
    calls = list(book["Звонки"].iter_rows(min_row=2, values_only=True))
    assert len(calls) == found.total.numbers["called"] + found.total.numbers["incoming"]
    assert isinstance(calls[0][0], dt.datetime)
    assert str(calls[0][3]).startswith("+7 (900)")
    assert len(list(book["По плану"].iter_rows(min_row=2))) == found.total.numbers["planned"]
    assert AuditEntry.objects.filter(action="journals.export_results").count() == 1
    page = client.get(f"/journals/results/{query}").content.decode()
    for name in results.call_measures():
        link = re.search(rf'href="([^"]*measure={name})">(\d+)</a>', page)
        if found.total.numbers[name]:
            assert link
            assert int(link[2]) == found.total.numbers[name]
            listed = client.get(html.unescape(link[1])).content.decode()
            assert f": {link[2]} <span" in listed


def test_excel_masks_phones_for_those_without_the_right(season: Recall, as_user: Login) -> None:
    season.world.manager.sees_phones = False
    season.world.manager.save()
    query = f"?since={season.today - 60 * DAY}&until={season.today + DAY}"
    answer = as_user(season.world.manager).get(f"/journals/results/xlsx/{query}")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    numbers = [row[3] for row in book["Звонки"].iter_rows(min_row=2, values_only=True)]
    assert all("***" in str(number) for number in numbers)


def test_a_formula_in_a_comment_stays_text(
    recall: Recall, as_user: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: recall.world.now)
    recall.call(recall.entry(), CallOutcome.REMIND, comment='=HYPERLINK("http://x","y")')
    answer = as_user(recall.world.senior).get("/journals/results/xlsx/")
    cell = openpyxl.load_workbook(io.BytesIO(answer.content))["Звонки"]["K2"]
    assert (cell.data_type, cell.value) == ("s", '=HYPERLINK("http://x","y")')


@pytest.mark.parametrize(
    "query", ["since=2026-03-20&until=2026-03-01", "since=x", "since=2020-01-01&until=2026-01-01"]
)
def test_a_wrong_period_is_said_in_words(recall: Recall, as_user: Login, query: str) -> None:
    client = as_user(recall.world.senior)
    assert client.get(f"/journals/results/?{query}").status_code == 422
    assert client.get(f"/journals/results/xlsx/?{query}").status_code == 422
    assert client.get(f"/journals/results/rows/?{query}").status_code == 422


def test_an_unknown_measure_is_refused(recall: Recall, as_user: Login) -> None:
    assert (
        as_user(recall.world.senior).get("/journals/results/rows/?measure=luck").status_code == 422
    )
