"""Patient search at 100,000 and 1,000,000 cards: the fixed list of queries, each one time after a
warm-up.
"""

import dataclasses
import functools
from pathlib import Path

from benchmarks import data
from benchmarks.measure import Measured, Run, bench, p95
from callcenter.staff.models import User

QUERIES = (Path(__file__).parent / "queries.txt").read_text().splitlines()


@bench(rows=(100_000, 1_000_000), aim=p95(100))
def patient_search(run: Run) -> Measured:
    """What the box at the top answers to each query, for an administrator who works for every
    clinic.
    """
    return _search(run, data.administrator())


@bench(rows=(1_000_000,), aim=p95(100))
def patient_search_of_one_clinic(run: Run) -> Measured:
    """The same for one who sees a fiftieth of the cards: most of what fits is not hers."""
    return _search(run, data.administrator_of_one())


def _search(run: Run, user: User) -> Measured:
    data.patients(run.rows)
    run.settle()
    client = run.client(user)
    get = functools.partial(client.get, "/patients/", headers={"HX-Request": "true"})
    measured = run.each([functools.partial(get, {"q": query}) for query in QUERIES])
    slowest = max(zip(measured.samples, QUERIES, strict=True))
    return dataclasses.replace(measured, note=f"slowest: «{slowest[1]}» {slowest[0]:.0f} ms")
