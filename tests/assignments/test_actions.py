"""Verbs of a task: given, taken, handed over, moved, talked about, closed, escalated."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from callcenter.assignments import actions
from callcenter.assignments.models import Task, TaskMessage
from callcenter.assignments.schedule import next_step
from callcenter.assignments.states import Department, TaskState
from callcenter.audit.models import AuditEntry
from callcenter.clinics.actions import close_waiting, give_waiting
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from tests.assignments.conftest import HOUR, MakeTask, MakeWait
from tests.concurrency.race import no_row_locks, overlapping
from tests.conftest import World, make_user

DAY = dt.timedelta(days=1)


def test_a_task_of_one_origin_is_given_once(world: World, task: MakeTask) -> None:
    first, second = (task(origin="callback.callbackrequest:1 escalation") for _ in range(2))
    assert first.pk == second.pk
    assert AuditEntry.objects.filter(action="assignments.create_task").count() == 1


def test_a_task_to_nobody_is_refused(world: World, task: MakeTask) -> None:
    with pytest.raises(Refused) as refusal:
        task(assignee=None)
    assert refusal.value.field == "assignee"


def test_who_takes_it_has_it_and_the_next_one_is_told_who(world: World, task: MakeTask) -> None:
    given = task()
    taken = actions.take_task(given, by=world.administrator, now=world.now)
    assert (taken.assignee, taken.state) == (world.administrator, TaskState.IN_WORK)
    actions.take_task(given, by=world.administrator, now=world.now)  # a second click
    assert AuditEntry.objects.filter(action="assignments.take_task").count() == 1
    with pytest.raises(Conflict, match="Орлова"):
        actions.take_task(given, by=world.administrator2, now=world.now)


def test_a_task_for_a_role_is_taken_by_that_role_or_a_leader(world: World, task: MakeTask) -> None:
    with pytest.raises(NotAllowed):
        actions.take_task(task(role=Role.LEAD), by=world.administrator, now=world.now)
    assert (
        actions.take_task(task(role=Role.LEAD), by=world.senior, now=world.now).assignee
        == world.senior
    )


def test_the_task_of_a_dismissed_colleague_may_be_taken(world: World, task: MakeTask) -> None:
    given = task(assignee=world.administrator2)
    User.objects.filter(pk=world.administrator2.pk).update(is_active=False)
    assert (
        actions.take_task(given, by=world.administrator, now=world.now).assignee
        == world.administrator
    )


def test_handing_over_keeps_the_deadline_and_writes_into_the_dialogue(
    world: World, task: MakeTask
) -> None:
    given = actions.take_task(task(), by=world.administrator, now=world.now)
    passed = actions.hand_over_task(
        given,
        assignee=world.administrator2,
        text="Просила вечером",
        by=world.administrator,
        now=world.now,
    )
    assert (passed.assignee, passed.state, passed.role) == (
        world.administrator2,
        TaskState.OPEN,
        "",
    )
    assert passed.deadline_at == given.deadline_at
    assert "Просила вечером" in TaskMessage.objects.get().text
    with pytest.raises(NotAllowed):  # it is not hers any more
        actions.hand_over_task(passed, role=Role.SENIOR, by=world.administrator, now=world.now)
    back = actions.hand_over_task(
        passed, role=Role.LEAD, department=Department.OKS, by=world.administrator2, now=world.now
    )
    assert (back.assignee, back.role, back.department) == (None, Role.LEAD, Department.OKS)


def test_nothing_is_handed_to_nobody_or_to_one_who_left(world: World, task: MakeTask) -> None:
    with pytest.raises(Refused):
        actions.hand_over_task(task(), by=world.senior, now=world.now)
    world.administrator2.is_active = False
    with pytest.raises(Refused, match="больше не работает"):
        actions.hand_over_task(
            task(), assignee=world.administrator2, by=world.senior, now=world.now
        )


def test_a_deadline_moves_only_into_the_future(world: World, task: MakeTask) -> None:
    given = task(assignee=world.administrator)
    moved = actions.move_task(
        given,
        deadline_at=world.now + DAY,
        reason="Врач в отпуске",
        by=world.administrator,
        now=world.now,
    )
    assert moved.deadline_at == moved.due_at == world.now + DAY
    with pytest.raises(Refused) as refusal:
        actions.move_task(given, deadline_at=world.now, by=world.administrator, now=world.now)
    assert refusal.value.field == "deadline_at"


def test_a_task_is_closed_once_with_its_outcome(world: World, task: MakeTask) -> None:
    given = task(assignee=world.administrator)
    with pytest.raises(Refused):
        actions.close_task(given, outcome="  ", by=world.administrator, now=world.now)
    done = actions.close_task(given, outcome="Дозвонились", by=world.administrator, now=world.now)
    assert (done.state, done.due_at, done.closed_by) == (TaskState.DONE, None, world.administrator)
    deeds: tuple[Callable[[], object], ...] = (
        lambda: actions.close_task(given, outcome="Ещё раз", by=world.administrator, now=world.now),
        lambda: actions.move_task(
            given, deadline_at=world.now + DAY, by=world.administrator, now=world.now
        ),
        lambda: actions.take_task(given, by=world.administrator, now=world.now),
    )
    for deed in deeds:
        with pytest.raises(Conflict):
            deed()
    actions.add_message(
        given, text="А результат?", by=world.senior, now=world.now
    )  # one may still talk about it


def test_a_colleagues_task_is_closed_by_a_leader_or_the_product_only(
    world: World, task: MakeTask
) -> None:
    with pytest.raises(NotAllowed):
        actions.close_task(
            task(assignee=world.administrator), outcome="х", by=world.administrator2, now=world.now
        )
    assert actions.close_task(
        task(assignee=world.administrator), outcome="х", by=world.senior, now=world.now
    )
    cancelled = actions.close_task(
        task(assignee=world.administrator),
        outcome="уже не нужно",
        by=None,
        now=world.now,
        cancelled=True,
    )
    assert cancelled.state == TaskState.CANCELLED


def test_an_empty_message_is_refused(world: World, task: MakeTask) -> None:
    with pytest.raises(Refused):
        actions.add_message(task(), text=" ", by=world.senior, now=world.now)


def test_a_waiting_entry_is_taken_by_one_of_two(world: World, wait: MakeWait) -> None:
    entry = wait()
    for _ in range(2):  # the second click of the same person changes nothing
        give_waiting(
            entry, owner=world.administrator, by=world.administrator, now=world.now, shown=""
        )
    for shown in ("", None):
        with pytest.raises(Conflict, match="Орлова"):
            give_waiting(
                entry,
                owner=world.administrator2,
                by=world.administrator2,
                now=world.now,
                shown=shown,
            )
    seen = str(world.administrator.pk)  # knowing whose it is, a colleague may take it over
    give_waiting(
        entry, owner=world.administrator2, by=world.administrator2, now=world.now, shown=seen
    )
    with pytest.raises(Conflict, match="Зимина"):
        give_waiting(entry, owner=world.senior, by=world.senior, now=world.now, shown=seen)
    assert AuditEntry.objects.filter(action="clinics.give_waiting").count() == 2
    close_waiting(entry, reason="Записался сам", by=world.administrator, now=world.now)
    entry.refresh_from_db()
    with pytest.raises(Conflict):
        give_waiting(entry, owner=None, by=world.senior, now=world.now)


# --- the ladder


def test_an_overdue_task_goes_up_one_step_a_working_day(world: World, task: MakeTask) -> None:
    given = task()
    assert actions.escalate_due_tasks(now=world.now) == 0
    overdue = world.now + 2 * HOUR
    assert actions.escalate_due_tasks(now=overdue) == 1
    assert actions.escalate_due_tasks(now=overdue + HOUR) == 0
    assert not Task.objects.visible_to(world.manager).filter(escalated__gte=2).exists()
    assert actions.escalate_due_tasks(now=overdue + DAY) == 1
    given.refresh_from_db()
    assert (given.escalated, given.due_at) == (2, None)
    assert TaskMessage.objects.filter(task=given, by=None).count() == 2
    assert actions.escalate_due_tasks(now=overdue + 9 * DAY) == 0


def test_nothing_goes_up_at_night(world: World, task: MakeTask) -> None:
    given = task()
    night = world.local(world.now.date(), 23)
    assert actions.escalate_due_tasks(now=night) == 0
    given.refresh_from_db()
    assert (given.escalated, given.due_at) == (0, world.local(world.now.date() + DAY, 8))


def test_a_closed_or_moved_task_does_not_go_up(world: World, task: MakeTask) -> None:
    closed, moved = task(assignee=world.administrator), task(assignee=world.administrator)
    actions.close_task(closed, outcome="готово", by=world.administrator, now=world.now)
    actions.move_task(
        moved, deadline_at=world.now + 5 * HOUR, by=world.administrator, now=world.now
    )
    assert actions.escalate_due_tasks(now=world.now + 2 * HOUR) == 0


def test_moving_the_deadline_takes_no_step_back(world: World, task: MakeTask) -> None:
    given = task(assignee=world.administrator)
    actions.escalate_due_tasks(now=world.now + 2 * HOUR)
    actions.move_task(
        given, deadline_at=world.now + DAY, by=world.administrator, now=world.now + 3 * HOUR
    )
    assert actions.escalate_due_tasks(now=world.now + DAY + HOUR) == 1
    given.refresh_from_db()
    assert given.escalated == 2


def test_a_task_that_fails_says_why_and_the_others_go_on(
    world: World, task: MakeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick, sound = task(title="sick"), task(title="sound")

    def fails_first(**facts: Any) -> Any:
        if not hasattr(fails_first, "done"):
            fails_first.done = True  # type: ignore[attr-defined]
            raise RuntimeError("no such hours")
        return next_step(**facts)

    monkeypatch.setattr("callcenter.assignments.actions.next_step", fails_first)
    overdue = world.now + 2 * HOUR
    assert actions.escalate_due_tasks(now=overdue) == 1
    sick.refresh_from_db()
    sound.refresh_from_db()
    assert sick.last_error == "RuntimeError: no such hours"
    assert sick.due_at == overdue + dt.timedelta(minutes=10)
    assert sound.escalated == 1
    assert actions.escalate_due_tasks(now=overdue + HOUR) == 1
    sick.refresh_from_db()
    assert (sick.last_error, sick.escalated) == ("", 1)


def _two_tickers(now: dt.datetime) -> list[int | Exception]:
    return overlapping([lambda: actions.escalate_due_tasks(now=now)] * 2)


@pytest.mark.django_db(transaction=True)
def test_two_tickers_make_each_step_once(world: World, task: MakeTask) -> None:
    for _ in range(20):
        task()
    assert sum(map(int, map(str, _two_tickers(world.now + 2 * HOUR)))) == 20
    assert set(Task.objects.values_list("escalated", flat=True)) == {1}
    assert TaskMessage.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_two_tickers_make_a_step_twice(
    world: World, task: MakeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    task()
    with no_row_locks(monkeypatch):
        assert _two_tickers(world.now + 2 * HOUR) == [1, 1]
    assert TaskMessage.objects.count() == 2


def test_who_sees_what_has_gone_up(world: World, task: MakeTask) -> None:
    lead = make_user("lead", "Ведущая Ева Олеговна", Role.LEAD, clinics=[world.clinic_b])
    head = make_user("head", "Руководов Рем Ильич", Role.HEAD, clinics=[world.clinic_b])
    given = task(clinic=None, department=Department.OKS, role=Role.CONSULTANT)
    for steps, seen in ((0, [False, False]), (1, [True, False]), (2, [True, True])):
        Task.objects.filter(pk=given.pk).update(escalated=steps)
        assert [
            Task.objects.visible_to(user).filter(pk=given.pk).exists() for user in (lead, head)
        ] == seen
