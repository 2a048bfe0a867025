"""Procedures: a step shown, its outcome saved with 100,000 runs in the table, 500 chats shared out,
a diagram drawn.
"""

import itertools
import json
from typing import Any

from django.db import connection
from django.utils import timezone

from b2c_procedures import diagrams
from b2c_procedures.actions.chat_distribution import gather_due_chats
from b2c_procedures.actions.runs import start_run
from b2c_procedures.definition import packaged
from b2c_procedures.models import Chat
from b2c_procedures.models import Run as ProcedureRun
from benchmarks import data
from benchmarks.measure import Measured, Run, at_least, bench, p95
from callcenter.clinics.models import Clinic
from callcenter.messaging.actions.chats import receive_reply
from callcenter.messaging.gateways.base import Reply
from callcenter.messaging.models import CascadeStep, Provider

_MANY_RUNS = """
INSERT INTO b2c_procedures_run (clinic_id, number, source, procedure, procedure_versions, state, holder_id, waits_for, version, facts,
    at_procedure, at_function, step_started_at, held_seconds, started_at, started_by_id, finished_at, finish_note)
SELECT %(clinic)s, '', 'call', 1 + n %% 15, %(procedure_versions)s::jsonb, CASE WHEN n %% 50 = 0 THEN 'open' ELSE 'finished' END,
       %(user)s, '', 6, '{}', 1 + n %% 15, '', now(), 0, now() - make_interval(mins => n), %(user)s, now(), ''
  FROM generate_series(1, %(rows)s) n
"""
_THEIR_ENTRIES = """
INSERT INTO b2c_procedures_runentry (run_id, seq, at, by_id, kind, data)
SELECT run.id, seq, now(), %(user)s, 'note', '{"text": "x"}'
  FROM b2c_procedures_run run, generate_series(0, 5) seq
 WHERE NOT EXISTS (SELECT 1 FROM b2c_procedures_runentry entry WHERE entry.run_id = run.id)
"""
_THEIR_STEPS = """
INSERT INTO b2c_procedures_steprecord (run_id, seq, clinic_id, procedure, function, choice, event, by_id, started_at,
    finished_at, seconds, norm_seconds, is_undone)
SELECT run.id, seq, run.clinic_id, run.procedure, run.procedure || '.' || (1 + seq), '1', '', %(user)s, now(), now(), 40, 60,
       false
  FROM b2c_procedures_run run, generate_series(0, 4) seq
 WHERE NOT EXISTS (SELECT 1 FROM b2c_procedures_steprecord step WHERE step.run_id = run.id)
"""


def _runs(total: int) -> None:
    """Finished and open runs with their histories and measured steps, until there are `total`."""
    missing = total - ProcedureRun.objects.count()
    if missing <= 0:
        return
    clinic, user = _clinic(), data.administrator()
    start_run(procedure=1, clinic=clinic, by=user, now=timezone.now())  # stores the versions
    digests = {str(number): procedure.digest for number, procedure in packaged().items()}
    values: dict[str, Any] = {
        "clinic": clinic.pk,
        "user": user.pk,
        "rows": missing,
        "procedure_versions": json.dumps(digests),
    }
    with connection.cursor() as cursor:
        for statement in (_MANY_RUNS, _THEIR_ENTRIES, _THEIR_STEPS):
            cursor.execute(statement, values)


def _clinic() -> Clinic:
    data.people()
    return Clinic.objects.order_by("pk")[0]


@bench(rows=(1_000, 100_000), aim=p95(60))
def procedure_step_shown(run: Run) -> Measured:
    """The runner's page at step 1.2, with its script, the tests beside it and the history."""
    _runs(run.rows)
    run.settle()
    user = data.administrator()
    client = run.client(user)
    here = start_run(procedure=1, clinic=_clinic(), by=user, now=timezone.now())
    client.post(f"/b2c_procedures/runs/{here.pk}/", {"version": here.version, "key": "1"})
    return run.time(lambda: run.get(client, f"/b2c_procedures/runs/{here.pk}/"), times=60)


@bench(rows=(1_000, 100_000), aim=p95(60))
def procedure_outcome_saved(run: Run) -> Measured:
    """One press through the page: the engine, the entry, the measured step, the run's columns, the
    audit log.
    """
    _runs(run.rows)
    run.settle()
    user, clinic = data.administrator(), _clinic()
    client = run.client(user)
    fresh = iter(
        [start_run(procedure=1, clinic=clinic, by=user, now=timezone.now()) for _ in range(64)]
    )

    def press() -> None:
        here = next(fresh)
        answer = client.post(
            f"/b2c_procedures/runs/{here.pk}/", {"version": here.version, "key": "1"}
        )
        if answer.status_code != 302:
            raise AssertionError(answer.status_code)

    return run.time(press, times=60)


@bench(rows=500, aim=at_least(500 / 60))
def chats_shared_out(run: Run) -> Measured:
    """Chats that arrive within a minute, gathered into conversations and shared out in batches of a
    second's tick.
    """
    now = timezone.now()
    provider = Provider.objects.create(name="bench", kind="simulator", channels=["telegram"])
    CascadeStep.objects.create(clinic=_clinic(), position=1, channel="telegram", provider=provider)
    for number in range(run.rows):
        reply = Reply(
            id=f"b{number}",
            sender=f"client{number}",
            name="Клиент",
            text="Здравствуйте",
            channel="telegram",
            key="",
            at=now,
        )
        receive_reply(reply, provider=provider, now=now)
    run.settle()

    def gather() -> None:
        while gather_due_chats(now=now, limit=50):
            pass

    measured = run.once(gather, count=run.rows)
    if Chat.objects.filter(manager__isnull=False).count() < run.rows:
        raise AssertionError("some chats found no manager")
    return measured


@bench(aim=p95(150))
def diagram_drawn(run: Run) -> Measured:
    """The largest diagram, laid out anew each time."""
    procedures = itertools.cycle(packaged().values())

    def draw() -> None:
        diagrams._plain.cache_clear()
        diagrams.svg(next(procedures))

    return run.time(draw, times=45)


@bench(aim=p95(5))
def diagram_from_the_cache(run: Run) -> Measured:
    """A diagram that has been laid out before, with the path of a run put onto it."""
    procedure = packaged()[15]
    done = [(function.id, "1") for function in procedure.functions]
    return run.time(lambda: diagrams.lit(diagrams.svg(procedure), now="15.4", done=done), times=60)
