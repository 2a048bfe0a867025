"""Two at once: each function runs in a thread with a connection of its own, all released by one barrier."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """What each call returned or raised. Needs `transactional_db`: the threads see only what is committed."""
    barrier = threading.Barrier(len(calls))
    results: list[Result | Exception] = [RuntimeError("did not run")] * len(calls)

    def run(index: int, call: Callable[[], Result]) -> None:
        try:
            barrier.wait(10)
            results[index] = call()
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index, call)) for index, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results
