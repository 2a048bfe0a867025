"""The outbox drained: 20,000 messages through a simulated gateway of 50 ms, two worker processes of
eight threads each.
"""

import subprocess
import sys
import time

from benchmarks import data
from benchmarks.bench_reminders import ROOT, VISITS, clinic_with_visits, queue_all, run_of
from benchmarks.measure import Measured, Run, at_least, bench
from callcenter.messaging.models import Message
from callcenter.messaging.states import MessageState

WORKERS, THREADS, LATENCY = 2, 8, 0.05
LIMIT = WORKERS * THREADS / LATENCY  # a second: more is impossible, however fast our part is
_DRAIN = """
import django; django.setup()
from django.utils import timezone
from callcenter.messaging.actions import send_due
while send_due(clock=timezone.now, seconds=600, threads=8): pass
"""


@bench(rows=VISITS, aim=at_least(160))
def messages_drain(run: Run) -> Measured:
    """From the first claim to the last answer written; nothing lost, nothing twice."""
    data.people()
    clinic = clinic_with_visits("Большая", VISITS)
    queue_all(run_of(clinic))
    run.settle()
    begun = time.perf_counter()
    workers = [
        subprocess.Popen([sys.executable, "-c", _DRAIN], cwd=ROOT, env=run.env)
        for _ in range(WORKERS)
    ]
    for worker in workers:
        worker.wait(900)
    seconds = time.perf_counter() - begun
    sent = Message.objects.filter(state=MessageState.ACCEPTED).count()
    assert sent == VISITS, f"only {sent} of {VISITS} went out"
    rate = VISITS / seconds
    return Measured(
        [seconds * 1000],
        per_second=rate,
        note=f"{rate:.0f} a second of {LIMIT:.0f} that the gateway allows",
    )
