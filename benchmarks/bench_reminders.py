"""«Дозвон»: opening a run of 20,000 visits, the list of 1,000 rows, marking a row, `/live` under
200 polling screens.
"""

import datetime as dt
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psutil
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from benchmarks import data
from benchmarks.measure import Measured, Run, at_least, bench, p95
from callcenter.clinics.models import Appointment, Clinic, Doctor, LegalBasis
from callcenter.lib import live_updates
from callcenter.lib.localtime import instant, local_day
from callcenter.messaging.actions import receive_reply
from callcenter.messaging.gateways.base import Reply
from callcenter.messaging.models import CascadeStep, ChatMessage, Message, Provider, VisitLink
from callcenter.messaging.states import MessageChannel, MessageState, VisitAnswer
from callcenter.runtime.embedded_servers import free_port
from reminders import actions
from reminders.actions.sending import send_visits
from reminders.models import Reminder, ReminderRun
from reminders.states import CallResult

VISITS = 20_000
ROWS = 1_000
SCREENS = 200
PERIOD = 2.0  # seconds between two questions of a screen
ROOT = Path(__file__).resolve().parents[1]


def clinic_with_visits(name: str, visits: int) -> Clinic:
    """A clinic of its own whose tomorrow has so many visits, with a cascade through the simulator.
    Once a database.
    """
    data.patients(VISITS)
    found = Clinic.objects.filter(name=name).first()
    if found is not None:
        return found
    clinic = Clinic.objects.create(
        name=name,
        address="ул. Примерная, 1",
        phone="+79000009999",
        messages_from=dt.time(),
        messages_to=dt.time(23, 59, 59),
    )
    clinic.staff.add(data.administrator())
    LegalBasis.objects.create(
        clinic=clinic, purpose="service", basis="договор", since=dt.date(2020, 1, 1)
    )
    provider, _ = Provider.objects.get_or_create(
        name="Симулятор",
        defaults=dict(kind="simulator", channels=["max", "sms"], settings={"latency": "50"}),
    )
    for position, channel in enumerate((MessageChannel.MAX, MessageChannel.SMS), start=1):
        CascadeStep.objects.create(
            clinic=clinic, position=position, channel=channel, provider=provider
        )
    start = instant(
        local_day(timezone.now(), clinic.zone) + dt.timedelta(days=1), dt.time(8), clinic.zone
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO clinics_appointment (clinic_id, doctor_id, patient_id, starts_at, ends_at, status, version,
                   comment, cancel_reason, created_at, changed_at, source, source_id)
               SELECT %(clinic)s, %(doctor)s, n, %(start)s + n * interval '2 seconds', %(start)s + (n + 1) * interval '2 seconds',
                   'scheduled', 1, '', '', now(), now(), 'bench', '' FROM generate_series(1, %(visits)s) n""",
            {
                "clinic": clinic.pk,
                "doctor": Doctor.objects.values_list("pk", flat=True)[0],
                "start": start,
                "visits": visits,
            },
        )
    assert Appointment.objects.filter(clinic=clinic).count() == visits
    return clinic


def run_of(clinic: Clinic) -> ReminderRun:
    return actions.open_run(
        clinic, on=local_day(timezone.now(), clinic.zone), by=None, now=timezone.now()
    )


@bench(rows=VISITS, aim=p95(10_000))
def reminders_open_run(run: Run) -> Measured:
    """Noon: every visit gets its row, the first batch its links, texts and places in the outbox."""
    clinic = clinic_with_visits("Большая", VISITS)
    measured = run.once(lambda: run_of(clinic), count=VISITS)
    assert Reminder.objects.filter(clinic=clinic).count() == VISITS
    return measured


@bench(rows=VISITS, aim=at_least(1000))
def reminders_queue_messages(run: Run) -> Measured:
    """The rest of that run's messages put into the outbox, as the ticks do it; faster than any
    gateway takes them.
    """
    clinic = clinic_with_visits("Большая", VISITS)
    begun = run_of(clinic)
    before = Message.objects.filter(clinic=clinic).count()
    measured = run.once(lambda: queue_all(begun), count=VISITS - before)
    assert Message.objects.filter(clinic=clinic).count() == VISITS
    return measured


def queue_all(run: ReminderRun) -> None:
    while actions.refresh_run(run, now=timezone.now()):
        pass


def played_evening(run: Run) -> Clinic:
    """A thousand rows late in the evening: every message delivered, a third answered by the link, a
    third opened it, every tenth wrote, a third was called, a fifth got an SMS beside the messenger.
    """
    clinic = clinic_with_visits("Тысяча", ROWS)
    reminders = run_of(clinic).reminders.all()
    if ChatMessage.objects.filter(clinic=clinic).exists():
        return clinic
    now, by = timezone.now(), data.administrator()
    Message.objects.filter(clinic=clinic).update(state=MessageState.DELIVERED, delivered_at=now)
    links = VisitLink.objects.filter(appointment__clinic=clinic)
    links.filter(appointment__in=_every(reminders, 3)).update(
        answer=VisitAnswer.CONFIRM, answered_at=now, opened_at=now
    )
    links.filter(appointment__in=_every(reminders, 3, 1)).update(opened_at=now)
    reminders.filter(appointment__in=_every(reminders, 3, 2)).update(
        called_at=now, called_by=by, result=CallResult.UNREACHED
    )
    send_visits(_every(reminders, 5), by=by, now=now, channel=MessageChannel.SMS)
    provider = Provider.objects.get(name="Симулятор")
    for row in reminders.filter(appointment__in=_every(reminders, 10)).prefetch_related(
        "patient__phones"
    ):
        number = row.patient.phones.all()[0].number
        receive_reply(
            Reply(f"bench-{row.pk}", number, "Да, приду", MessageChannel.MAX),
            provider=provider,
            now=now,
        )
    run.settle()
    return clinic


def _every(reminders: QuerySet[Reminder], step: int, first: int = 0) -> list[int]:
    return list(reminders.order_by("pk").values_list("appointment_id", flat=True))[first::step]


@bench(rows=ROWS, aim=p95(150))
def reminders_list(run: Run) -> Measured:
    """The whole page of a thousand rows."""
    clinic = played_evening(run)
    client = run.client(data.administrator())
    return run.time(lambda: run.get(client, f"/reminders/?clinic={clinic.pk}"), times=20)


@bench(rows=ROWS, aim=p95(100))
def reminders_list_changes(run: Run) -> Measured:
    """What an open screen asks after a hint: counters of a thousand rows and the one row that has
    changed.
    """
    clinic = played_evening(run)
    client = run.client(data.administrator())
    rows = list(Reminder.objects.filter(clinic=clinic)[:30])
    Reminder.objects.filter(clinic=clinic).update(
        changed_at=timezone.now() - dt.timedelta(minutes=5)
    )
    later = timezone.now() + dt.timedelta(minutes=5)

    def look() -> None:
        Reminder.objects.filter(pk=rows.pop().pk).update(changed_at=later)
        since = (later - dt.timedelta(seconds=1)).timestamp()
        answer = run.get(
            client, f"/reminders/?clinic={clinic.pk}&since={since}", **{"HX-Request": "true"}
        )
        assert b"data-list" in answer.getvalue()

    return run.time(look, times=20)


@bench(rows=ROWS, aim=p95(40))
def reminders_mark_row(run: Run) -> Measured:
    """The double click: a row marked and rendered, a fresh row each time."""
    clinic = clinic_with_visits("Тысяча", ROWS)
    played_evening(run)
    rows = iter(run_of(clinic).reminders.filter(called_at=None).values_list("pk", flat=True))
    client = run.client(data.administrator())

    def mark() -> None:
        answer = client.post(f"/reminders/{next(rows)}/mark/", headers={"HX-Request": "true"})
        assert answer.status_code == 200

    measured = run.time(mark, times=60)
    assert Reminder.objects.exclude(called_at=None).exists()
    return measured


@bench(rows=SCREENS, aim=p95(20))
def live_polls(run: Run) -> Measured:
    """`/live` of 200 screens asking every 2 s, on one gunicorn process of 4 threads; its share of a
    core beside.
    """
    data.people()
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "callcenter.wsgi",
        "-b",
        f"127.0.0.1:{port}",
        "-w",
        "1",
        "--threads",
        "4",
    ]
    server = subprocess.Popen(
        [*command, "--log-level", "error"], cwd=ROOT, env={**run.env, "LOG_LEVEL": "ERROR"}
    )
    try:
        _wait(port)
        samples, share = _poll(server.pid, port)
    finally:
        server.terminate()
        server.wait(20)
    note = (
        f"median {statistics.median(samples):.1f} ms, {share:.0%} of a core, {len(samples)} answers"
    )
    return Measured(samples, note=note)


def _poll(pid: int, port: int) -> tuple[list[float], float]:
    """Ten seconds of 200 screens spread over the period, by 8 threads with kept connections."""
    tokens = [
        live_updates.sign([f"reminders:clinic:{n % 50}", f"messages:clinic:{n % 50}"])
        for n in range(SCREENS)
    ]
    samples: list[float] = []
    process = next(iter(psutil.Process(pid).children()), psutil.Process(pid))
    until = time.monotonic() + 10
    before, begun = sum(process.cpu_times()[:2]), time.monotonic()

    def screens(own: list[tuple[int, str]]) -> None:
        since: dict[int, str] = {}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            round_at = time.monotonic()
            while time.monotonic() < until:
                for place, (number, token) in enumerate(own):
                    due = round_at + PERIOD * (place + 0.5) / len(own)
                    time.sleep(max(0.0, due - time.monotonic()))
                    start = time.perf_counter()
                    answer = client.get(
                        "/live", params={"topics": token, "since": since.get(number, "")}
                    )
                    samples.append((time.perf_counter() - start) * 1000)
                    if answer.status_code == 200:
                        since[number] = answer.json()["since"]
                round_at += PERIOD

    threads = [
        threading.Thread(target=screens, args=([*enumerate(tokens)][part::8],)) for part in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return samples, (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - begun)


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/live", timeout=2).status_code == 400:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError(f"gunicorn did not answer on {port} (pid {os.getpid()})")
