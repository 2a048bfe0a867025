"""Обратный звонок: a morning's heap claimed by two workers, how late redials are, what a call
costs.
"""

import datetime as dt
import multiprocessing
import resource
import time
from collections.abc import Iterable

from django.db import connection, connections
from django.utils import timezone

from benchmarks.measure import Measured, Run, at_least, bench, p99, p99_of
from callback import tasks
from callback.actions import due_requests, run_due_requests
from callback.models import CallbackAttempt, CallbackRequest, CallbackSettings
from callback.queries import DueBatch
from callback.state_machine import FINAL, RequestState
from callcenter.clinics.models import Clinic, OpeningHours
from callcenter.staff.models import User
from callcenter.telephony.models import Leg, PbxCommand, PhoneBinding, RobotLease
from callcenter.telephony.pbx.simulator import PhonePersona, SimulatorPbx
from callcenter.telephony.robot import Robot
from callcenter.telephony.states import PhoneKind
from callcenter.timers import TIMERS


def _clinic() -> Clinic:
    """Open around the clock, so that the hour of the measurement does not matter."""
    every = dt.time(0), dt.time(23, 59, 59)
    clinic, made = Clinic.objects.get_or_create(
        name="Замеры: обратный звонок",
        defaults={
            "observes_holidays": False,
            "calls_from": every[0],
            "calls_to": every[1],
            "calls_dayoff_from": every[0],
            "calls_dayoff_to": every[1],
        },
    )
    if made:
        OpeningHours.objects.bulk_create(
            OpeningHours(clinic=clinic, weekday=day, opens=every[0], closes=every[1])
            for day in range(7)
        )
        CallbackSettings.objects.create(clinic=clinic, talk_seconds=3, choice_seconds=1)
    return clinic


def _requests(clinic: Clinic, count: int, due_at: dt.datetime) -> None:
    CallbackRequest.objects.bulk_create(
        [
            CallbackRequest(
                clinic=clinic,
                name=f"Пациент {n}",
                number=f"+7900{n:07}",
                asked_at=due_at,
                due_at=due_at,
            )
            for n in range(count)
        ],
        batch_size=2000,
    )


def _lease() -> None:
    """The link is up for as long as the measurement lasts."""
    now = timezone.now() + dt.timedelta(minutes=10)
    RobotLease.objects.update_or_create(
        pk=1,
        defaults={"holder": "bench", "heartbeat_at": now, "connected": True, "connected_at": now},
    )


def _days() -> set[dt.date]:
    """Today and what follows, by whatever clock."""
    now = timezone.now()
    return {(now + dt.timedelta(hours=hours)).date() for hours in (0, 3, 6)}


def _clear() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE callback_callbackrequest, telephony_call, telephony_phonebinding CASCADE"
        )


def _worker(_number: int) -> int:
    """A worker of its own process: looks until nothing is due."""
    connections.close_all()
    looked = 0
    while done := run_due_requests(now=timezone.now()):
        looked += done
    connections.close_all()
    return looked


@bench(rows=(10_000,), aim=at_least(100))
def callback_due_at_once(run: Run) -> Measured:
    """All due in the same second, looked at by two workers: each once, its first decision written."""
    _clear()
    clinic = _clinic()
    _lease()
    _requests(clinic, run.rows, timezone.now())
    run.settle()
    looked: list[int] = []

    def both() -> None:
        connections.close_all()
        with multiprocessing.get_context("fork").Pool(2) as pool:
            looked.extend(pool.map(_worker, range(2)))

    measured = run.once(both, count=run.rows, note="")
    assert sum(looked) == run.rows, f"{sum(looked)} looks at {run.rows} requests"
    once = CallbackRequest.objects.filter(lines__isnull=False).distinct().count()
    return Measured(
        measured.samples,
        per_second=measured.per_second,
        note=f"{looked} looks; {once} rows, none twice",
    )


def _people(clinic: Clinic, count: int, *, endpoint: str, days: Iterable[dt.date]) -> None:
    """Administrators at telephones."""
    users = []
    for n in range(count):
        user, _ = User.objects.get_or_create(
            login=f"bench{n}", defaults={"full_name": f"Оператор {n}", "roles": ["administrator"]}
        )
        user.clinics.add(clinic)
        users.append(user)
    now = timezone.now()
    PhoneBinding.objects.bulk_create(
        PhoneBinding(user=user, on=day, kind=PhoneKind.PBX, endpoint=endpoint, bound_at=now)
        for user in users
        for day in days
    )


def _tick(moment: float) -> list[tuple[int, float]]:
    """One tick of the timer in a worker's process, at its moment: (request, when its decision was
    committed).
    """
    time.sleep(max(0.0, moment - time.time()))
    decided: list[tuple[int, float]] = []
    look = due_requests.process_due_request

    def noted(known: CallbackRequest, batch: DueBatch) -> None:
        look(known, batch)
        decided.append((known.pk, time.time()))

    due_requests.process_due_request = noted
    try:
        tasks.run_due_requests()
    finally:
        due_requests.process_due_request = look
    return decided


def _lateness(run: Run, spread: float) -> Measured:
    """Ticks by the timer's own period in two workers' processes, as beat gives them; ms from due to
    the commit.

    Half of the requests find an administrator free (an attempt begins), the others wait for the
    next five minutes.
    """
    _clear()
    clinic = _clinic()
    _lease()
    _people(clinic, run.rows // 2, endpoint="persona/quick", days=_days())
    every = next(timer.every for timer in TIMERS if timer.task == "callback.tasks.run_due_requests")
    start = timezone.now() + dt.timedelta(seconds=4)
    _requests(clinic, run.rows, start)
    rows = list(CallbackRequest.objects.order_by("pk"))
    for place, row in enumerate(rows):
        row.due_at = start + dt.timedelta(seconds=spread * place / run.rows)
    CallbackRequest.objects.bulk_update(rows, ["due_at"], batch_size=500)
    due = {row.pk: row.due_at.timestamp() for row in rows if row.due_at is not None}
    run.settle()
    # the worst phase of the timer: a tick just before the first is due
    began = max(start.timestamp(), time.time() + 0.5) - 0.1
    moments = [began + every * n for n in range(int((spread + 40) / every))]
    connections.close_all()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        decided = [one for told in pool.imap_unordered(_tick, moments) for one in told]
    late = sorted((at - due[pk]) * 1000 for pk, at in decided)
    assert len(late) == len({pk for pk, _ in decided}) == run.rows, (
        f"{len(late)} decisions of {run.rows} requests"
    )
    rung = Leg.objects.count()
    return Measured(late, note=f"p99 {p99_of(late):.0f} ms; {rung} rung, a tick every {every:g} s")


@bench(rows=(1_000,), aim=p99(6_000))
def callback_redial_lateness(run: Run) -> Measured:
    """1,000 live requests whose redials fall due over ten seconds."""
    return _lateness(run, 10)


@bench(rows=(1_000,), aim=p99(6_000))
def callback_redial_together(run: Run) -> Measured:
    """1,000 live requests due in the same second."""
    return _lateness(run, 1)


@bench(rows=(100,), aim=at_least(1))
def callback_concurrent_calls(run: Run) -> Measured:
    """100 simulated calls at once through the whole scenario, on a clock that is turned: CPU of
    each call.
    """
    _clear()
    clinic = _clinic()
    RobotLease.objects.all().delete()
    now = [timezone.now()]
    persona = PhonePersona("quick", answers=0.5, digits=((1.0, "1"),))
    simulator = SimulatorPbx(lambda: now[0], personas={"quick": persona}, wait=lambda _s: None)
    robot = Robot(lambda: simulator, holder="bench", clock=lambda: now[0], workers=0)
    _people(clinic, run.rows, endpoint="persona/quick", days=_days())
    _requests(clinic, run.rows, now[0])
    CallbackRequest.objects.update(number="+79000000001")
    for place, row in enumerate(CallbackRequest.objects.order_by("pk")):
        CallbackRequest.objects.filter(pk=row.pk).update(number=f"+7900{place:06}1")
    robot.run_once(0)
    robot.run_once(0)
    began = resource.getrusage(resource.RUSAGE_SELF)

    def play() -> None:
        for _ in range(900):
            run_due_requests(now=now[0])
            while robot.run_once(0):
                pass
            if not CallbackRequest.objects.exclude(state__in=FINAL).exists():
                return
            now[0] += dt.timedelta(seconds=0.25)

    measured = run.once(play, count=run.rows)
    ended = resource.getrusage(resource.RUSAGE_SELF)
    cpu = (ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime) / run.rows * 1000
    done = CallbackRequest.objects.filter(state=RequestState.DONE).count()
    note = (
        f"CPU of a call {cpu:.0f} ms; {done} talked, {CallbackAttempt.objects.count()} attempts, "
        f"{PbxCommand.objects.count() // run.rows} commands a call"
    )
    return Measured(measured.samples, per_second=measured.per_second, note=note)
