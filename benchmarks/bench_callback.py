"""Обратный звонок: a morning's heap claimed by two workers, how late redials are, what a call costs."""

import datetime as dt
import multiprocessing
import resource
import time

from django.db import connection, connections
from django.utils import timezone

from benchmarks.measure import Measured, Run, at_least, bench, p95
from callback.actions import run_due_requests
from callback.machine import FINAL, State
from callback.models import CallbackAttempt, CallbackRequest, CallbackSettings, RequestLine
from callcenter.clinics.models import Clinic, OpeningHours
from callcenter.staff.models import User
from callcenter.telephony.models import Command, PhoneBinding, RobotLease
from callcenter.telephony.pbx.simulator import Persona, Simulator
from callcenter.telephony.robot import Robot
from callcenter.telephony.states import PhoneKind


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
            OpeningHours(clinic=clinic, weekday=day, opens=every[0], closes=every[1]) for day in range(7)
        )
        CallbackSettings.objects.create(clinic=clinic, talk_seconds=3, choice_seconds=1)
    return clinic


def _requests(clinic: Clinic, count: int, due_at: dt.datetime) -> None:
    CallbackRequest.objects.bulk_create(
        [
            CallbackRequest(clinic=clinic, name=f"Пациент {n}", number=f"+7900{n:07}", asked_at=due_at, due_at=due_at)
            for n in range(count)
        ],
        batch_size=2000,
    )


def _lease() -> None:
    """The link is up for as long as the measurement lasts."""
    now = timezone.now() + dt.timedelta(minutes=10)
    RobotLease.objects.update_or_create(
        pk=1, defaults={"holder": "bench", "heartbeat_at": now, "connected": True, "connected_at": now}
    )


def _clear() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE callback_callbackrequest, telephony_call, telephony_phonebinding CASCADE")


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
    return Measured(measured.samples, per_second=measured.per_second, note=f"{looked} looks; {once} rows, none twice")


@bench(rows=(1_000,), aim=p95(6_000))
def callback_redial_lateness(run: Run) -> Measured:
    """1,000 live requests, their redials spread over ten seconds, a tick every five: ms from due to the decision."""
    _clear()
    clinic = _clinic()
    _lease()
    start = timezone.now() + dt.timedelta(seconds=1)
    _requests(clinic, run.rows, start)
    rows = list(CallbackRequest.objects.order_by("pk"))
    for place, row in enumerate(rows):
        row.due_at = start + dt.timedelta(seconds=10 * place / run.rows)
    due = {row.pk: row.due_at for row in rows}
    CallbackRequest.objects.bulk_update(rows, ["due_at"], batch_size=500)
    run.settle()
    for _ in range(3):
        time.sleep(5)
        while run_due_requests(now=timezone.now()):
            pass
    late = [
        (line.at - moment).total_seconds() * 1000
        for line in RequestLine.objects.all()
        if (moment := due[line.request_id]) is not None
    ]
    ordered = sorted(late)
    return Measured(late, note=f"p99 {ordered[int(len(ordered) * 0.99)]:.0f} ms of {len(late)} decisions")


@bench(rows=(100,), aim=at_least(1))
def callback_concurrent_calls(run: Run) -> Measured:
    """100 simulated calls at once through the whole scenario, on a clock that is turned: CPU of each call."""
    _clear()
    clinic = _clinic()
    RobotLease.objects.all().delete()
    now = [timezone.now()]
    persona = Persona("quick", answers=0.5, digits=((1.0, "1"),))
    simulator = Simulator(lambda: now[0], personas={"quick": persona}, wait=lambda _s: None)
    robot = Robot(lambda: simulator, holder="bench", clock=lambda: now[0], workers=0)
    users = []
    for n in range(run.rows):
        user, _ = User.objects.get_or_create(
            login=f"bench{n}", defaults={"full_name": f"Оператор {n}", "roles": ["administrator"]}
        )
        user.clinics.add(clinic)
        users.append(user)
    PhoneBinding.objects.bulk_create(
        PhoneBinding(user=user, on=day, kind=PhoneKind.PBX, endpoint="persona/quick", bound_at=now[0])
        for user in users
        for day in {now[0].date(), (now[0] + dt.timedelta(hours=3)).date()}
    )
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
    done = CallbackRequest.objects.filter(state=State.DONE).count()
    note = (
        f"CPU of a call {cpu:.0f} ms; {done} talked, {CallbackAttempt.objects.count()} attempts, "
        f"{Command.objects.count() // run.rows} commands a call"
    )
    return Measured(measured.samples, per_second=measured.per_second, note=note)
