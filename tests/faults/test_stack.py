"""The tools of the fault tests do what they say: a kill kills, a restart loses and keeps what it
should.
"""

import os

import psutil
import pytest

from callcenter.staff.models import User
from tests.faults.conftest import Stack


def test_a_worker_answers_and_a_kill_leaves_nothing_of_it(stack: Stack) -> None:
    worker = stack.worker()
    family = [
        worker.pid,
        *(child.pid for child in psutil.Process(worker.pid).children(recursive=True)),
    ]
    assert len(family) >= 3  # itself and its two processes
    stack.kill(worker)
    stack.wait_until(
        lambda: not any(map(_lives, family)), seconds=5, what="the whole family is gone"
    )


def test_a_killed_postgresql_keeps_what_was_committed_and_a_restarted_valkey_is_empty(
    stack: Stack,
) -> None:
    User.objects.create_user("before", full_name="До Сбоя")
    stack.restart_postgres()
    stack.wait_until(
        lambda: User.objects.filter(login="before").exists(),
        seconds=10,
        what="the user is there again",
    )
    stack.call("nobody.takes.this")
    assert stack.waiting() == 1
    stack.restart_valkey()
    assert stack.waiting() == 0


def test_each_test_has_a_database_of_its_own(stack: Stack) -> None:
    assert not User.objects.exists()


def test_what_never_comes_true_fails_with_its_name(stack: Stack) -> None:
    with pytest.raises(pytest.fail.Exception, match="pigs fly"):
        stack.wait_until(lambda: False, seconds=0.2, what="pigs fly")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
