"""Several at once, each in a thread with a connection of its own.

`overlapping` forces the worst meeting there can be, so that a race either happens every time or
never: nobody commits before everybody has done all that he does before his commit, or waits for a
lock of another, or is over. Where the guard holds, the first one gets through; without it, each has
looked and written before he could see anything of the others. `at_once` only starts them together;
what happens then is up to the machine. It is for what must hold in any order.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final, TypeVar

import psycopg
import pytest
from django.db import connection
from django.db.models import Model, QuerySet

Result = TypeVar("Result")

# Seconds; a machine that does much else at the same time must not fail a race.
PATIENCE: Final = 60


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """What each call returned or raised. Needs `transactional_db`: the threads see only what is
    committed.
    """
    barrier = threading.Barrier(len(calls))

    def released(call: Callable[[], Result]) -> Result:
        connection.ensure_connection()
        barrier.wait(PATIENCE)
        return call()

    return _in_threads([partial(released, call) for call in calls])


def overlapping(
    calls: Sequence[Callable[[], Result]], *, before: str = "", waited: set[int] | None = None
) -> list[Result | Exception]:
    """The same, but one walks at a time: he begins, or goes on, when all who have begun stand at a
    halt or at a lock.

    A halt is every commit; and with `before`, once, the first statement that contains these words
    of SQL. They take turns in the order of `calls`. `waited` is told the positions of those who had
    to wait for a lock.
    """
    steps = _Steps(len(calls), set() if waited is None else waited)
    outcome = _in_threads(
        [partial(steps.walk, index, call, before) for index, call in enumerate(calls)], steps.lead
    )
    if steps.trouble is not None:
        raise steps.trouble
    return outcome


def _in_threads(
    calls: Sequence[Callable[[], Result]], meanwhile: Callable[[], object] = lambda: None
) -> list[Result | Exception]:
    results: list[Result | Exception] = [RuntimeError("did not run")] * len(calls)

    def run(index: int, call: Callable[[], Result]) -> None:
        try:
            results[index] = call()
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            results[index] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(index, call), daemon=True)
        for index, call in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    meanwhile()
    until = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    assert not any(thread.is_alive() for thread in threads), (
        "a party of the race has not come to its end"
    )
    return results


class _Steps:
    """Where each party is; who leads lets the next one go when nobody is on his way any more."""

    def __init__(self, parties: int, waited: set[int]) -> None:
        self.waited = waited
        self.trouble: AssertionError | None = None
        self._change = threading.Condition()
        self._on_the_way: set[int] = set()
        self._halted: set[int] = set()
        self._turns = list(range(parties))
        self._over: set[int] = set()
        self._servers: dict[int, int] = {}

    def walk(self, party: int, call: Callable[[], Result], before: str) -> Result:
        """One party, in its own thread."""
        commit = connection._commit  # type: ignore[attr-defined]
        is_ahead = bool(before)

        def halt_and_commit() -> None:
            self._halt(party)
            commit()

        def halt_at(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal is_ahead
            if is_ahead and before in sql:
                is_ahead = False
                self._halt(party)
            return execute(sql, params, many, context)

        try:
            connection.ensure_connection()
            self._servers[party] = connection.connection.info.backend_pid
            self._halt(party)
            connection._commit = halt_and_commit  # type: ignore[attr-defined]
            with connection.execute_wrapper(halt_at):
                return call()
        finally:
            with suppress(AttributeError):
                del connection._commit  # type: ignore[attr-defined]
            with self._change:
                self._on_the_way.discard(party)
                self._over.add(party)
                self._change.notify_all()

    def _halt(self, party: int) -> None:
        with self._change:
            self._on_the_way.discard(party)
            self._halted.add(party)
            self._change.notify_all()
            self._change.wait_for(
                lambda: party not in self._halted or self.trouble is not None, 2 * PATIENCE
            )

    def lead(self) -> None:
        """In the test's own thread: lets one after another begin, then go on in turn."""
        parties = len(self._turns)
        until = time.monotonic() + PATIENCE
        with self._change:
            self._change.wait_for(lambda: len(self._halted | self._over) == parties, PATIENCE)
        with _outside() as ask:
            while len(self._over) < parties:
                if time.monotonic() > until:
                    self._give_up()
                    return
                if self._all_stand(ask):
                    self._let_go()

    def _give_up(self) -> None:
        with self._change:
            where = f"{sorted(self._on_the_way)} are on their way, {sorted(self._halted)} at a halt"
            self.trouble = AssertionError(f"the race does not go on: {where}")
            self._change.notify_all()

    def _let_go(self) -> None:
        with self._change:
            going = next(party for party in self._turns if party in self._halted)
            self._turns.remove(going)
            self._turns.append(going)
            self._halted.remove(going)
            self._on_the_way.add(going)
            self._change.notify_all()

    def _all_stand(self, ask: Callable[[list[int]], set[int]]) -> bool:
        with self._change:
            self._change.wait_for(lambda: not self._on_the_way, 0.005)
            moving = set(self._on_the_way)
        if not moving:
            return bool(self._halted)
        waiting = ask([self._servers[party] for party in moving])
        with self._change:
            stand = moving == self._on_the_way and all(
                self._servers[party] in waiting for party in moving
            )
            if stand:
                self.waited |= moving
            return stand and bool(self._halted)


@contextmanager
def _outside() -> Iterator[Callable[[list[int]], set[int]]]:
    """Asks PostgreSQL which of its processes wait for a lock, on a connection beside Django's."""
    params = connection.get_connection_params()
    server = {
        key: params[key] for key in ("host", "port", "user", "password", "dbname") if key in params
    }
    with psycopg.connect(**server, autocommit=True) as outside:

        def waiting(processes: list[int]) -> set[int]:
            rows = outside.execute(
                "SELECT pid FROM unnest(%s::int[]) AS asked (pid) WHERE cardinality(pg_blocking_pids(pid)) > 0",
                [processes],
            )
            return {pid for (pid,) in rows}

        yield waiting


@contextmanager
def without_constraint(model: type[Model], name: str) -> Iterator[None]:
    """The table without one of its constraints; its rows are gone afterwards, since they may break
    it.
    """
    constraint = next(one for one in model._meta.constraints if one.name == name)
    with connection.schema_editor() as editor:
        editor.remove_constraint(model, constraint)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'TRUNCATE "{model._meta.db_table}" CASCADE')
        with connection.schema_editor() as editor:
            editor.add_constraint(model, constraint)


@contextmanager
def no_row_locks(
    monkeypatch: pytest.MonkeyPatch, of: type[QuerySet[Any]] = QuerySet
) -> Iterator[None]:
    """The guard taken away: FOR UPDATE reads as a plain SELECT (of one model alone, if its own
    query set is given).
    """
    with monkeypatch.context() as patch:
        patch.setattr(of, "select_for_update", lambda self, **options: self)
        yield
