"""«Дозвон» with real workers and beats, killed, cut off and told everything three times.

The provider is outside: an HTTP stand-in of Kannel that does not dedupe and keeps a ledger of every
message it took. Whatever happens, each visit got at most one message on each step, nobody after his
cancellation, everybody without a message has a reason, and each status is the true last one. Taken
away one guard, the ledger shows duplicates.
"""

import datetime as dt
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from callcenter.clinics.actions import cancel_appointment
from callcenter.clinics.models import (
    ZONES,
    Appointment,
    Clinic,
    Doctor,
    LegalBasis,
    Patient,
    PatientPhone,
    Specialty,
)
from callcenter.contacts.models import Interaction
from callcenter.lib.errors import Conflict
from callcenter.lib.localtime import instant, local
from callcenter.messaging.models import CascadeStep, Message, Provider, VisitEvent, VisitLink
from callcenter.messaging.states import MessageChannel, MessageState
from callcenter.staff.models import User
from reminders.actions import mark_called, save_result, send_all, send_blue_sms
from reminders.models import Reminder, ReminderMark, ReminderRun, ReminderSettings
from reminders.queries.lists import blue_without_sms
from reminders.states import CallResult
from tests.concurrency.race import at_once
from tests.faults.conftest import Stack
from tests.messaging.standins import _Quiet

FINAL = ("1", "2")  # Kannel's 'delivered' and 'not delivered'
LEDGER_LIMIT = 0.05  # seconds a call takes


@dataclass
class Ledger:
    """What the provider took: key → times; and what it will report of each."""

    port: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    reports: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, report_url: str) -> str:
        url = urlsplit(report_url)
        key = dict(parse_qsl(url.query))["key"]
        with self.lock:
            self.taken[key] += 1
            # a third of the messengers fail, so that SMS takes over; SMS always arrive
            verdict = FINAL[1] if key.endswith("max") and hash_of(key) % 3 == 0 else FINAL[0]
            self.reports[key] = (
                f"{url.path}?{url.query.replace('%25d', '%d').replace('%d', verdict).replace('%T', '0').replace('%A', 'x')}"
            )
        return key

    def verdict(self, key: str) -> str:
        return dict(parse_qsl(urlsplit(self.reports[key]).query))["type"]


def hash_of(key: str) -> int:
    return sum(key.encode())


class _Kannel(_Quiet):
    ledger: Ledger

    def do_GET(self) -> None:
        fields = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        key = self.ledger.take(fields["dlr-url"])
        time.sleep(LEDGER_LIMIT)
        if hash_of(key) % 41 == 0:  # took it, and never says so
            return self.hang_up()
        return self.answer(202, "0: Accepted for delivery")


@contextmanager
def kannel() -> Iterator[Ledger]:
    ledger = Ledger()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Kannel,), {"ledger": ledger}))
    ledger.port = server.server_address[1]
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield ledger
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def a_clinic(ledger: Ledger, visits: int) -> Clinic:
    """A clinic in whose zone it is day now, with tomorrow's visits, that writes to everybody at any
    hour.
    """
    now = timezone.now()
    zone = next(zone for zone, _ in ZONES if 2 <= local(now, zone).hour < 22)
    clinic = Clinic.objects.create(
        name="Клиника",
        zone=zone,
        address="ул. Примерная, 1",
        messages_from=dt.time(),
        messages_to=dt.time(23, 59, 59),
    )
    LegalBasis.objects.create(
        clinic=clinic, purpose="service", basis="договор", since=dt.date(2020, 1, 1)
    )
    account = {
        "url": f"http://127.0.0.1:{ledger.port}/cgi-bin/sendsms",
        "username": "u",
        "password": "p",
        "sender": "C",
    }
    for position, channel in enumerate((MessageChannel.MAX, MessageChannel.SMS), start=1):
        provider = Provider.objects.create(
            name=f"Kannel {channel}", kind="kannel", channels=[channel], settings=account
        )
        CascadeStep.objects.create(
            clinic=clinic, position=position, channel=channel, provider=provider, wait_minutes=600
        )
    doctor = Doctor.objects.create(
        full_name="Белов Олег", specialty=Specialty.objects.create(name="Терапия")
    )
    tomorrow = local(now, zone).date() + dt.timedelta(days=1)
    people = Patient.objects.bulk_create(
        Patient(last_name=f"Пациент{number:05}", first_name="Анна") for number in range(visits)
    )
    PatientPhone.objects.bulk_create(
        PatientPhone(patient=patient, number=f"+7900{number:07}", is_main=True)
        for number, patient in enumerate(people)
    )
    start, length = instant(tomorrow, dt.time(8), zone), dt.timedelta(seconds=20)
    Appointment.objects.bulk_create(
        Appointment(
            **{
                "clinic": clinic,
                "doctor": doctor,
                "patient": patient,
                "created_at": now,
                "changed_at": now,
            },
            **{"starts_at": start + number * length, "ends_at": start + (number + 1) * length},
        )
        for number, patient in enumerate(people)
    )
    ReminderSettings.objects.create(clinic=clinic, opens_at=dt.time(0, 1), due_at=now)
    return clinic


def world_of(module: str) -> dict[str, Any]:
    """Not the demo: a real gateway is called."""
    return {
        "DEMO": "0",
        "SECRET_KEY": "faults",
        "PUBLIC_URL": "http://testserver",
        "DJANGO_SETTINGS_MODULE": f"tests.faults.{module}",
        "ALLOWED_HOSTS": "testserver",
        "EMAIL_HOST": "127.0.0.1",
    }


def tell_three_times(ledger: Ledger, told: set[str], chance: random.Random) -> None:
    """Every report three times, in any order, the delivered ones with an older 'not delivered'
    among them.
    """
    fresh = [key for key in list(ledger.reports) if key not in told]
    calls = [ledger.reports[key] for key in fresh] * 3
    calls += [
        ledger.reports[key].replace("type=1", "type=8")
        for key in fresh
        if "type=1" in ledger.reports[key]
    ]
    chance.shuffle(calls)
    client = Client()
    for call in calls:
        assert client.get(call).status_code == 200
    told.update(fresh)


def cancel_some(chance: random.Random, number: int, cancelled: dict[int, dt.datetime]) -> None:
    for visit in chance.sample(list(Appointment.objects.filter(status="scheduled")), number):
        cancel_appointment(visit, reason="заболел", by=None, now=timezone.now())
        cancelled[visit.pk] = timezone.now()


def twice(click: Callable[[], object]) -> list[object]:
    """A double click: both presses arrive at the same moment. The second may be told that the first
    was quicker.
    """
    results = at_once([click, click])
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, Conflict):
            raise result
    return results


def answer_some(chance: random.Random, number: int, answered: dict[int, dt.datetime]) -> None:
    """Patients press a button of their page, each of them twice."""
    links = VisitLink.objects.filter(appointment__status="scheduled", answer="").order_by("pk")
    for place, link in enumerate(chance.sample(list(links), number)):
        answer, address = (
            chance.choice(["confirm", "move", "cancel"]),
            f"10.0.{place // 250}.{place % 250}",
        )

        def press(token: str = link.token, answer: str = answer, address: str = address) -> None:
            pressed = Client().post(f"/v/{token}", {"answer": answer}, REMOTE_ADDR=address)
            assert pressed.status_code == 302

        twice(press)
        answered[link.appointment_id] = timezone.now()


def mark_some(chance: random.Random, number: int, by: User) -> None:
    """The double click of an administrator is clicked twice, and so is «не взял»."""
    rows = Reminder.objects.filter(removed_at=None, called_at=None).select_related("patient")
    for row in chance.sample(list(rows), number):
        twice(lambda row=row: mark_called(row, by=by, now=timezone.now()))  # type: ignore[misc]
        twice(
            lambda row=row: save_result(row, result=CallResult.UNREACHED, by=by, now=timezone.now())  # type: ignore[misc]
        )


@dataclass
class Pressed:
    """Which visits' buttons were pressed: «СМС», and «отправить снова» at a message that had
    failed.
    """

    sms: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)


def press_buttons_of_rows(chance: random.Random, number: int, by: User) -> Pressed:
    """The send buttons of single rows, each clicked twice: one press does it, the other is told
    that it was done.
    """
    client = Client()
    client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value

    def click(address: str, **form: str) -> list[object]:
        def press() -> int:
            window = Client(headers={"HX-Request": "true"})
            window.cookies[settings.SESSION_COOKIE_NAME] = session
            return window.post(address, form).status_code

        return sorted(twice(press), key=str)

    pressed = Pressed()
    for message in chance.sample(_messengers(MessageState.DELIVERED), number):
        row = Reminder.objects.get(appointment=message.appointment_id)
        assert click(f"/reminders/{row.pk}/send/") == [
            409,
            409,
        ]  # everybody has been sent to already
        assert click(f"/reminders/{row.pk}/send/", channel="sms") == [200, 409]
        pressed.sms.append(row.appointment_id)
    for message in chance.sample(_messengers(MessageState.UNDELIVERED), number):
        row = Reminder.objects.get(appointment=message.appointment_id)
        assert click(f"/reminders/{row.pk}/messages/{message.pk}/again/") == [200, 409]
        pressed.again.append(row.appointment_id)
    return pressed


def _messengers(state: MessageState) -> list[Message]:
    """First messages of visits that stand and are not answered."""
    unanswered = VisitLink.objects.filter(answer="").values("appointment")
    found = Message.objects.filter(
        channel=MessageChannel.MAX, repeat=0, state=state, appointment__status="scheduled"
    )
    return list(found.filter(appointment__in=unanswered).order_by("pk"))


def run_of_faults(stack: Stack, ledger: Ledger, *, visits: int, kills: int, restarts: bool) -> None:
    """The whole story; fails by itself when anything is not as it must be."""
    chance = random.Random(20)
    clinic = a_clinic(ledger, visits)
    env = world_of("settings_quick")
    beats = [stack.beat(**env), stack.beat(**env)]
    workers = [stack.worker(**env), stack.worker(**env)]
    stack.wait_until(
        lambda: sum(ledger.taken.values()) > visits // 10, seconds=120, what="messages go out"
    )
    told: set[str] = set()
    cancelled: dict[int, dt.datetime] = {}
    answered: dict[int, dt.datetime] = {}
    by = User.objects.create_user("admin", full_name="Орлова Ольга", roles=["administrator"])
    by.clinics.add(clinic)
    cancel_some(chance, visits // 20, cancelled)
    answer_some(chance, visits // 20, answered)
    for _ in range(kills):
        tell_three_times(ledger, told, chance)
        time.sleep(chance.random())
        stack.kill(workers.pop(0))
        workers.append(stack.worker(**env))
    run = ReminderRun.objects.get(clinic=clinic)
    twice(lambda: send_all(run, by=by, now=timezone.now()))
    mark_some(chance, visits // 20, by)

    def reported() -> bool:
        tell_three_times(ledger, told, chance)
        return (
            min(len(_messengers(MessageState(state))) for state in ("delivered", "undelivered"))
            >= visits // 40
        )

    stack.wait_until(reported, seconds=120, what="some messengers have delivered and some have not")
    pressed = press_buttons_of_rows(chance, visits // 40, by)
    if restarts:
        stack.restart_valkey()
        cancel_some(chance, visits // 20, cancelled)
        stack.restart_postgres()
        stack.wait_until(lambda: Message.objects.exists(), seconds=60, what="the database is back")
    stack.kill(beats.pop())

    def settled() -> bool:
        tell_three_times(ledger, told, chance)
        open_states = (MessageState.QUEUED, MessageState.SENDING, MessageState.ACCEPTED)
        waiting = Message.objects.filter(state__in=open_states).exists()
        return (
            not waiting
            and not Message.objects.filter(fallback_at__lte=timezone.now()).exists()
            and _all_told(ledger, told)
        )

    def careful() -> bool:
        try:
            return settled()
        except OperationalError:
            return False

    stack.wait_until(careful, seconds=420, what="every message has come to its end")
    _check(ledger, visits, cancelled, answered)
    _check_cascades(ledger, pressed)
    assert (
        ReminderMark.objects.count()
        == Interaction.objects.filter(kind="call").count()
        == visits // 20
    )

    # A killed worker's lease may keep a cancelled visit on the list for a while; nobody writes to
    # it.
    blue = set(blue_without_sms(run, now=timezone.now())) - cancelled.keys()
    assert len(blue) > visits // 4
    twice(lambda: send_blue_sms(run, by=by, now=timezone.now()))
    stack.wait_until(careful, seconds=240, what="the SMS to the blue ones have arrived")
    _check(ledger, visits, cancelled, answered)
    assert {int(key.split(":")[1][1:]) for key in ledger.taken if key.endswith("sms")} >= blue


def _all_told(ledger: Ledger, told: set[str]) -> bool:
    truth = dict(Message.objects.filter(key__in=list(ledger.reports)).values_list("key", "state"))
    return all(truth[key] == _true_state(ledger, key) for key in ledger.reports)


def _true_state(ledger: Ledger, key: str) -> str:
    return {"1": MessageState.DELIVERED.value, "2": MessageState.UNDELIVERED.value}[
        ledger.verdict(key)
    ]


def _check(
    ledger: Ledger, visits: int, cancelled: dict[int, dt.datetime], answered: dict[int, dt.datetime]
) -> None:
    assert {
        key: times for key, times in ledger.taken.items() if times > 1
    } == {}  # nobody got it twice
    messages = {message.key: message for message in Message.objects.all()}
    assert set(ledger.taken) <= set(messages)
    for key, message in messages.items():
        if key in ledger.taken:
            assert message.state == _true_state(ledger, key), key  # the true last status
            for told_us in (
                cancelled,
                answered,
            ):  # nobody is written to after his cancellation or his answer
                at = told_us.get(message.appointment_id or 0)
                assert at is None or (
                    message.attempted_at is not None and message.attempted_at <= at
                ), key
        else:
            assert message.state in (
                MessageState.CANCELLED,
                MessageState.UNKNOWN,
                MessageState.REFUSED,
            )
            assert message.reason, key  # not sent, and it says why
    assert Reminder.objects.count() == visits
    assert ReminderRun.objects.count() == 1
    presses = Counter(
        VisitEvent.objects.exclude(answer="").values_list("link__appointment", flat=True)
    )
    assert presses == Counter(dict.fromkeys(answered, 1))


def _check_cascades(ledger: Ledger, pressed: Pressed) -> None:
    """Where the messenger failed an SMS took over, where it delivered none was sent but those that
    a person asked for.
    """
    messages = {message.key: message for message in Message.objects.all()}
    for pk in Appointment.objects.filter(status="scheduled").values_list("pk", flat=True):
        first = messages[f"visit:a{pk}:1:max"]
        if first.state == MessageState.UNDELIVERED:
            assert f"visit:a{pk}:1:sms" in messages  # the cascade went on
        elif first.state == MessageState.DELIVERED:
            assert (f"visit:a{pk}:1:sms" in messages) == (pk in pressed.sms)
    assert {key for key in messages if ":r" in key} == {
        f"visit:a{pk}:1:max:r1" for pk in pressed.again
    }
    assert len(pressed.sms) == len(pressed.again) > 0


def show_that_it_can_fail(stack: Stack) -> None:
    """One guard taken away (tests/faults/unguarded.py), the same ledger shows duplicates. Leaves an
    empty database.
    """
    with kannel() as ledger:
        a_clinic(ledger, 60)
        env = world_of("settings_unguarded")
        processes = [stack.worker(**env), stack.worker(**env), stack.beat(**env), stack.beat(**env)]
        stack.wait_until(lambda: len(ledger.taken) >= 60, seconds=90, what="messages go out")
        assert max(ledger.taken.values()) > 1
    for process in processes:
        stack.kill(process)
    stack.empty_valkey()
    call_command("flush", interactive=False, verbosity=0)


@pytest.mark.timeout(400)
def test_without_the_guard_of_the_claim_the_ledger_shows_duplicates(stack: Stack) -> None:
    show_that_it_can_fail(stack)


@pytest.mark.timeout(400)
def test_a_small_evening_with_a_killed_worker_sends_nothing_twice(stack: Stack) -> None:
    with kannel() as ledger:
        run_of_faults(stack, ledger, visits=120, kills=1, restarts=False)


@pytest.mark.faults
@pytest.mark.timeout(1200)
def test_two_thousand_visits_through_every_fault(stack: Stack) -> None:
    show_that_it_can_fail(stack)
    with kannel() as ledger:
        run_of_faults(stack, ledger, visits=2000, kills=5, restarts=True)


def test_the_ledger_counts_what_it_is_told() -> None:
    ledger = Ledger()
    for _ in range(2):
        ledger.take("http://testserver/hooks/1/s/dlr?key=visit:a1:1:sms&type=%d&at=%T&why=%A")
    assert ledger.taken["visit:a1:1:sms"] == 2
    assert ledger.verdict("visit:a1:1:sms") == "1"
