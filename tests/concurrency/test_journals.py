"""Two at once, each race shown twice: what the guard prevents, and that without it the same start goes wrong."""

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import QuerySet

from callcenter.contacts.models import Interaction
from callcenter.lib.errors import Conflict
from journals import plan_split
from journals.actions import auto_close, cards
from journals.actions.cards import open_card, record_call
from journals.actions.plans import give_plan, return_uncalled
from journals.models import PlanItem, PlanState, RecallCall, RecallEntry, RecallPolicy, SyncCursor
from journals.outcome_rules import CallOutcome
from journals.queries import segments
from tests.concurrency.race import at_once
from tests.journals.conftest import Recall, recall

__all__ = ["recall"]  # the fixture of the journal's tests

pytestmark = pytest.mark.django_db(transaction=True)


@contextlib.contextmanager
def no_row_locks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The guard taken away: FOR UPDATE reads as a plain SELECT."""
    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "select_for_update", lambda self, **options: self)
        yield


@contextlib.contextmanager
def meet_after(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, parties: int = 2) -> Iterator[None]:
    """Both sides wait for each other after `module.name` returned, so that a race that can happen does."""
    real = getattr(module, name)
    barrier = threading.Barrier(parties)

    def slow(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        # With the guard only one side comes here at a time: it goes on alone.
        with contextlib.suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=0.5)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(module, name, slow)
        yield


def two_open_one_card(recall: Recall) -> list[Any]:
    entry = recall.entry()
    senior = recall.world.senior
    recall.world.administrator.roles = ["senior"]
    recall.world.administrator.save()
    return at_once(
        [
            lambda: open_card(entry, by=senior, now=recall.world.now),
            lambda: open_card(entry, by=recall.world.administrator, now=recall.world.now),
        ]
    )


def test_two_who_open_one_card_get_one_reservation(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    with meet_after(monkeypatch, cards, "_refuse_held"):
        results = two_open_one_card(recall)
    assert sum(isinstance(result, RecallEntry) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 1


def test_without_the_row_lock_both_hold_the_card(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    with no_row_locks(monkeypatch), meet_after(monkeypatch, cards, "_refuse_held"):
        results = two_open_one_card(recall)
    assert sum(isinstance(result, RecallEntry) for result in results) == 2


def two_clicks(recall: Recall) -> list[Any]:
    entry = open_card(recall.entry(), by=recall.world.senior, now=recall.world.now)
    token = uuid.uuid4()
    answer = recall.answer(CallOutcome.UNREACHED)

    def click() -> RecallCall:
        return record_call(
            entry, answer, version=entry.version, token=token, by=recall.world.senior, now=recall.world.now
        )

    return at_once([click, click])


def test_two_clicks_at_once_are_one_call(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    with meet_after(monkeypatch, cards, "_refuse_held"):
        first, second = two_clicks(recall)
    assert first == second
    assert (RecallCall.objects.count(), Interaction.objects.count()) == (1, 1)


def test_without_the_row_lock_the_second_click_breaks(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    with no_row_locks(monkeypatch), meet_after(monkeypatch, cards, "_refuse_held"):
        results = two_clicks(recall)
    assert any(isinstance(result, IntegrityError) for result in results)


def test_two_administrators_who_end_one_entry_end_it_once(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    """The patient calls in while the administrator of the plan is talking to his wife."""
    entry = recall.entry()
    answer = recall.answer(CallOutcome.REFUSED)

    def end(by: Any) -> Callable[[], RecallCall]:
        return lambda: record_call(
            entry, answer, version=entry.version, token=uuid.uuid4(), by=by, now=recall.world.now, patient_called=True
        )

    with meet_after(monkeypatch, cards, "_refuse_held"):
        results = at_once([end(recall.world.administrator), end(recall.world.administrator2)])
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "RecallCall"]


def two_plans(recall: Recall) -> list[Any]:
    RecallPolicy.objects.create(clinic=recall.world.clinic)
    for _number in range(4):
        recall.entry()
    world = recall.world

    def give(person: Any) -> Callable[[], Any]:
        return lambda: give_plan(recall.segment(), shares={person: 4}, by=world.senior, now=world.now)

    return at_once([give(world.administrator), give(world.administrator2)])


def test_two_plans_at_once_give_each_entry_once(recall: Recall) -> None:
    results = two_plans(recall)
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert PlanItem.objects.count() == PlanItem.objects.values("entry").distinct().count() == 4


def test_without_the_givers_lock_two_plans_collide(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        no_row_locks(monkeypatch),
        meet_after(monkeypatch, segments, "classified"),
        meet_after(monkeypatch, plan_split, "deal"),
    ):
        results = two_plans(recall)
    assert any(isinstance(result, IntegrityError) for result in results), results


def test_two_workers_return_each_row_once(recall: Recall) -> None:
    for _number in range(6):
        recall.entry()
    recall.plan(recall.world.administrator, 6)
    closing = recall.world.local(recall.today, 20)
    returned = at_once([lambda: return_uncalled(now=closing, limit=4), lambda: return_uncalled(now=closing, limit=4)])
    assert sum(count for count in returned if isinstance(count, int)) == 6 - PlanItem.objects.open().count()
    return_uncalled(now=closing)
    assert PlanItem.objects.filter(state=PlanState.RETURNED).count() == 6


def test_two_workers_close_a_found_entry_once(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = recall.entry()
    recall.world.visit(entry.patient)
    with meet_after(monkeypatch, auto_close, "matching_visits"):
        closed = at_once(
            [lambda: auto_close.close_found(now=recall.world.now), lambda: auto_close.close_found(now=recall.world.now)]
        )
    assert closed in ([0, 1], [1, 0])


def test_without_the_locks_two_workers_close_it_twice(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = recall.entry()
    recall.world.visit(entry.patient)
    SyncCursor.objects.create(name="appointments", at=recall.world.now - auto_close.OVERLAP)
    with no_row_locks(monkeypatch), meet_after(monkeypatch, auto_close, "matching_visits"):
        closed = at_once(
            [lambda: auto_close.close_found(now=recall.world.now), lambda: auto_close.close_found(now=recall.world.now)]
        )
    assert closed == [1, 1]
