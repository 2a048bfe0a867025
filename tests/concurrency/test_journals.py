"""Two at once, each race shown twice: what the guard prevents, and that without it the same start
goes wrong.
"""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError

from callcenter.contacts.models import Interaction
from callcenter.lib.errors import Conflict
from journals.actions import auto_close
from journals.actions.cards import open_card, record_call
from journals.actions.plans import give_plan, return_uncalled
from journals.models import (
    CallPlan,
    PlanItem,
    PlanState,
    RecallCall,
    RecallEntry,
    RecallPolicy,
    SyncCursor,
)
from journals.outcome_rules import CallOutcome
from tests.concurrency.race import no_row_locks, overlapping
from tests.journals.conftest import Recall

pytestmark = pytest.mark.django_db(transaction=True)


def two_open_one_card(recall: Recall) -> list[Any]:
    entry = recall.entry()
    senior = recall.world.senior
    recall.world.administrator.roles = ["senior"]
    recall.world.administrator.save()
    return overlapping(
        [
            lambda: open_card(entry, by=senior, now=recall.world.now),
            lambda: open_card(entry, by=recall.world.administrator, now=recall.world.now),
        ]
    )


def test_two_who_open_one_card_get_one_reservation(recall: Recall) -> None:
    assert [type(result) for result in two_open_one_card(recall)] == [RecallEntry, Conflict]


def test_without_the_row_lock_both_hold_the_card(
    recall: Recall, monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_row_locks(monkeypatch):
        results = two_open_one_card(recall)
    assert [type(result) for result in results] == [RecallEntry, RecallEntry]


def two_clicks(recall: Recall) -> list[Any]:
    entry = open_card(recall.entry(), by=recall.world.senior, now=recall.world.now)
    token = uuid.uuid4()
    answer = recall.answer(CallOutcome.UNREACHED)

    def click() -> RecallCall:
        return record_call(
            entry,
            answer,
            version=entry.version,
            token=token,
            by=recall.world.senior,
            now=recall.world.now,
        )

    return overlapping([click, click])


def test_two_clicks_at_once_are_one_call(recall: Recall) -> None:
    first, second = two_clicks(recall)
    assert first == second
    assert (RecallCall.objects.count(), Interaction.objects.count()) == (1, 1)


def test_without_the_row_lock_the_second_click_breaks(
    recall: Recall, monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_row_locks(monkeypatch):
        results = two_clicks(recall)
    assert [type(result) for result in results] == [RecallCall, IntegrityError]


def test_two_administrators_who_end_one_entry_end_it_once(recall: Recall) -> None:
    """The patient calls in while the administrator of the plan is talking to his wife."""
    entry = recall.entry()
    answer = recall.answer(CallOutcome.REFUSED)

    def end(by: Any) -> Callable[[], RecallCall]:
        return lambda: record_call(
            entry,
            answer,
            version=entry.version,
            token=uuid.uuid4(),
            by=by,
            now=recall.world.now,
            patient_called=True,
        )

    results = overlapping([end(recall.world.administrator), end(recall.world.administrator2)])
    assert [type(result) for result in results] == [RecallCall, Conflict]


def two_plans(recall: Recall) -> list[Any]:
    RecallPolicy.objects.create(clinic=recall.world.clinic)
    for _number in range(4):
        recall.entry()
    world = recall.world

    def give(person: Any) -> Callable[[], Any]:
        return lambda: give_plan(
            recall.segment(), shares={person: 4}, by=world.senior, now=world.now
        )

    return overlapping([give(world.administrator), give(world.administrator2)])


def test_two_plans_at_once_give_each_entry_once(recall: Recall) -> None:
    assert [type(result) for result in two_plans(recall)] == [CallPlan, Conflict]
    assert PlanItem.objects.count() == PlanItem.objects.values("entry").distinct().count() == 4


def test_without_the_givers_lock_two_plans_collide(
    recall: Recall, monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_row_locks(monkeypatch):
        results = two_plans(recall)
    assert [type(result) for result in results] == [CallPlan, IntegrityError]


def test_two_workers_return_each_row_once(recall: Recall) -> None:
    for _number in range(6):
        recall.entry()
    recall.plan(recall.world.administrator, 6)
    closing = recall.world.local(recall.today, 20)
    returned = overlapping(
        [
            lambda: return_uncalled(now=closing, limit=4),
            lambda: return_uncalled(now=closing, limit=4),
        ]
    )
    assert returned == [4, 2]
    assert PlanItem.objects.filter(state=PlanState.RETURNED).count() == 6


def test_two_workers_close_a_found_entry_once(recall: Recall) -> None:
    entry = recall.entry()
    recall.world.visit(entry.patient)
    assert overlapping([lambda: auto_close.close_found(now=recall.world.now)] * 2) == [1, 0]


def test_without_the_locks_two_workers_close_it_twice(
    recall: Recall, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = recall.entry()
    recall.world.visit(entry.patient)
    SyncCursor.objects.create(name="appointments", at=recall.world.now - auto_close.OVERLAP)
    with no_row_locks(monkeypatch):
        assert overlapping([lambda: auto_close.close_found(now=recall.world.now)] * 2) == [1, 1]
