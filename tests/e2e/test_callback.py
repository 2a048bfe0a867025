"""The robot in the browser: the ring on any page, the speech in the ear, the talk; a duplicate; a
night; a letter.
"""

import datetime as dt
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
import time_machine
from aiosmtpd.controller import Controller
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from b2c_procedures.actions.runs import start_run
from callback.actions import accept_request, run_due_requests
from callback.models import CallbackRequest
from callcenter.clinics.models import Clinic, OpeningHours
from callcenter.messaging.actions import send_due
from callcenter.messaging.models import Provider
from callcenter.runtime.embedded_servers import free_port
from callcenter.staff.roles import Role
from callcenter.telephony.actions.browser_phones import StoredBrowserPhones
from callcenter.telephony.actions.staff_phones import bind_phone
from callcenter.telephony.models import RobotLease
from callcenter.telephony.pbx.simulator import PhonePersona, SimulatorPbx
from callcenter.telephony.queries import talk_of
from callcenter.telephony.robot import Robot
from callcenter.telephony.states import PhoneKind
from tests.conftest import World, make_user
from tests.e2e.conftest import Login, OpenPage

# A Wednesday, noon in Moscow.
NOON = dt.datetime(2026, 3, 18, 9, 0, tzinfo=dt.UTC)


class Backstage:
    """The robot's process and the ticker, in a thread beside the server; Celery is not needed to
    see them work.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        browser_phones = StoredBrowserPhones(timezone.now)
        patient = {
            "patient_slow": PhonePersona(
                "patient_slow", answers=1.0, hangs_up=120.0, says="Слушаю вас."
            )
        }
        exchange = SimulatorPbx(timezone.now, browser_phones=browser_phones, personas=patient)
        robot = Robot(lambda: exchange, holder="e2e", clock=timezone.now, workers=0)
        try:
            while not self._stop.is_set():
                robot.run_once(0.1)
                run_due_requests(now=timezone.now())
        finally:
            connection.close()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=True) as traveller:
        yield traveller


@pytest.fixture
def floor(world: World, transactional_db: None, clock: Any, tmp_path: Any) -> Iterator[World]:
    """The world with a robot behind it and one clinic that has a telephone only in the browser."""
    Clinic.objects.filter(pk=world.clinic.pk).update(phone="")
    backstage = Backstage()
    until = time.monotonic() + 10
    while not RobotLease.objects.filter(connected=True).exists() and time.monotonic() < until:
        time.sleep(0.05)
    yield world
    backstage.stop()


def bind_browser(page: Page) -> None:
    page.get_by_label("Телефон смены").click()
    page.get_by_role("button", name="Телефон в браузере").click()
    expect(page.locator("#phone")).to_contain_text("в браузере")


def write_request(page: Page, name: str, phone: str) -> None:
    page.goto(reverse("callback:new"))
    page.get_by_label("Как зовут пациента").fill(name)
    page.get_by_label("Телефон", exact=True).fill(phone)
    page.get_by_label("Врач").select_option(label="Белов Олег Ильич")
    page.get_by_role("button", name="Отдать роботу").click()
    expect(page.locator("h1")).to_contain_text(name)


def playing(page: Page) -> None:
    """The speech is really heard: its element plays and its time goes on."""
    page.wait_for_function(
        "() => { const a = document.getElementById('phone-voice'); return a && !a.paused && a.currentTime > 0.2 }"
    )


class Onlooker:
    """Looks at a page without touching it: Playwright's own questions count as presses for the
    browser's rule on sound.
    """

    def __init__(self, page: Page) -> None:
        self._page, self._cdp = page, page.context.new_cdp_session(page)

    def sees(self, expression: str) -> Any:
        answer = self._cdp.send(
            "Runtime.evaluate", {"expression": expression, "returnByValue": True}
        )
        return answer["result"].get("value")

    def waits_for(self, expression: str, *, seconds: float = 15) -> None:
        until = time.monotonic() + seconds
        while not self.sees(expression):
            assert time.monotonic() < until, f"not within {seconds} s: {expression}"
            self._page.wait_for_timeout(100)

    def presses(self, selector: str) -> None:
        """As a hand does it: with the mouse, at the middle of what is seen."""
        self.waits_for(f"document.querySelector({selector!r})?.checkVisibility()")
        box = f"document.querySelector({selector!r}).getBoundingClientRect()"
        x, y = self.sees(
            f"(() => {{ const b = {box}; return [b.x + b.width / 2, b.y + b.height / 2] }})()"
        )
        self._page.mouse.click(x, y)


def heard(element: str) -> str:
    return f"(() => {{ const a = document.getElementById('{element}'); return !a.paused && a.currentTime > 0.1 }})()"


def test_a_browser_that_forbids_sound_says_so_before_the_first_ring_and_one_press_is_enough(
    floor: World, silent_browser: Browser, open_page: OpenPage, login: Login
) -> None:
    page = open_page(silent_browser)
    login(page, floor.administrator)
    bind_phone(user=floor.administrator, kind=PhoneKind.BROWSER, now=timezone.now())
    page.goto(reverse("clinics:schedule"))
    eyes = Onlooker(page)
    eyes.waits_for("document.querySelector('.phone-muted')?.checkVisibility()")
    accept_request(
        clinic=floor.clinic,
        name="Вера Лунина",
        phone="+79000007701",
        now=timezone.now(),
        by=None,
        doctor=floor.doctor,
    )
    eyes.waits_for("document.querySelector('.phone-card [data-phone-unmute]')?.checkVisibility()")
    assert not eyes.sees(heard("phone-ringer"))
    eyes.presses(".phone-card [data-phone-unmute]")
    eyes.waits_for(heard("phone-ringer"))
    assert not eyes.sees(
        "[...document.querySelectorAll('[data-phone-unmute]')].some(one => one.checkVisibility())"
    )
    page.wait_for_timeout(6000)  # the press is forgotten by now: what it has allowed is not
    eyes.presses("[data-phone-answer]")
    eyes.waits_for(heard("phone-voice"))
    eyes.waits_for("document.getElementById('phone-ringer').paused")
    assert not eyes.sees(
        "[...document.querySelectorAll('[data-phone-unmute]')].some(one => one.checkVisibility())"
    )


@pytest.mark.timeout(420)
def test_ring_key_speech_talk_done_and_the_letter_arrives(
    floor: World, page: Page, login: Login, settings: Any
) -> None:
    received: list[bytes] = []

    class Keep:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
            received.append(envelope.original_content)
            return "250 OK"

    post = Controller(Keep(), hostname="127.0.0.1", port=free_port())
    post.start()
    try:
        Provider.objects.create(
            name="Почта",
            kind="smtp",
            channels=["email"],
            settings={"host": "127.0.0.1", "port": str(post.port)},
        )
        login(page, floor.administrator)
        page.goto("/")
        bind_browser(page)
        write_request(page, "Вера Лунина", "+7 900 000-77-01")
        page.goto(reverse("clinics:schedule"))  # it rings on whatever page one is
        card = page.locator(".phone-card")
        expect(card).to_contain_text("Робот: заявка")
        expect(card).to_contain_text("Вера Лунина")
        expect(card).to_contain_text("Белов")
        page.get_by_role("button", name="Ответить").click()
        playing(page)
        expect(card).to_contain_text("любая клавиша")
        card.get_by_role("button", name="5", exact=True).click()
        expect(card).to_contain_text("1 соединить")
        playing(page)
        page.wait_for_timeout(1500)
        card.get_by_role("button", name="1", exact=True).click()
        expect(card).to_contain_text("разговор")
        expect(card).to_contain_text("говорит пациент")
        page.wait_for_timeout(11_000)
        page.get_by_role("button", name="Повесить трубку").click()
        expect(card).to_have_count(0)
        page.goto(reverse("callback:board") + "?tab=done")
        expect(page.locator("#board")).to_contain_text("разговор состоялся")
        expect(page.locator("#board")).to_contain_text("Вера Лунина")
        settings.DEMO = False  # the demo reaches no real mail server
        send_due(clock=timezone.now, seconds=5)
        letter = message_from_bytes(received[0], policy=default)
        assert letter["To"] == "reception@clinic.example"
        assert (
            letter["Subject"].strip() == "Заявка — не надо перезванивать"
        )  # a long theme is folded
        body = letter.get_body(("plain",))
        assert body is not None
        text = body.get_content()
        assert "Не надо перезванивать" in text
        assert "Вера Лунина" in text
        assert "Белов Олег Ильич" in text
    finally:
        post.stop()


def test_a_duplicate_is_stopped_by_the_booking(
    floor: World, page: Page, login: Login, clock: time_machine.Traveller
) -> None:
    patient = floor.patient("Лунина", "Вера", "", phones=["+79000007701"])
    floor.window(NOON + dt.timedelta(days=1, hours=2))
    login(page, floor.administrator)
    write_request(page, "Вера Лунина", "+7 900 000-77-01")
    expect(page.locator("#request-card")).to_contain_text("звонить некому")
    page.goto(reverse("clinics:book", args=[patient.pk]))
    page.locator("button[name=window]").first.click()
    expect(page.locator("#content")).to_contain_text("Белов")
    page.goto(reverse("callback:board"))
    expect(page.locator("#board")).to_contain_text("Вера Лунина")
    clock.shift(dt.timedelta(minutes=6))
    page.goto(reverse("callback:board") + "?tab=done")
    expect(page.locator("#board")).to_contain_text("уже записан")
    assert not CallbackRequest.objects.get().attempts.exists()


def test_a_night_request_rings_when_the_clinic_opens(
    floor: World, page: Page, login: Login, clock: time_machine.Traveller
) -> None:
    OpeningHours.objects.filter(clinic=floor.clinic).update(opens=dt.time(9, 30))
    clock.move_to(floor.local(dt.date(2026, 3, 18), 23))
    login(page, floor.administrator)
    write_request(page, "Вера Лунина", "+7 900 000-77-01")
    expect(page.locator("#request-card")).to_contain_text("19.03.2026 09:30")
    page.wait_for_timeout(1500)
    assert not CallbackRequest.objects.get().attempts.exists()
    clock.move_to(floor.local(dt.date(2026, 3, 19), 9, 29) + dt.timedelta(seconds=50))
    page.goto("/")
    bind_browser(page)
    expect(page.locator(".phone-card")).to_contain_text("Вера Лунина")


@pytest.mark.timeout(300)
def test_a_talk_goes_with_its_procedure_to_the_doctors_own_telephone(
    floor: World, page: Page, open_page: OpenPage, login: Login
) -> None:
    """Step 1.5: the doctor's own telephone rings, he answers, has client and procedure; the
    manager's talk is over.
    """
    doctor = make_user(
        "consultant", "Советова Яна Олеговна", Role.CONSULTANT, clinics=[floor.clinic]
    )
    patient = floor.patient("Лунина", "Вера", "", phones=["+79000007701"])
    run = start_run(
        procedure=1,
        clinic=floor.clinic,
        patient=patient,
        by=floor.administrator,
        now=timezone.now(),
    )
    login(page, floor.administrator).goto("/")
    bind_browser(page)
    hers = login(open_page(), doctor)
    hers.goto("/b2c_procedures/")
    bind_browser(hers)
    page.goto(reverse("clinics:patient", args=[patient.pk]))
    page.get_by_title("Позвонить: сначала зазвонит ваш телефон").first.click()
    card = page.locator(".phone-card")
    page.get_by_role("button", name="Ответить").click()
    expect(card).to_contain_text("разговор")
    page.goto(reverse("b2c_procedures:run", args=[run.pk]))
    page.locator("button.outcome").first.click()
    expect(page.locator(".step-number")).to_have_text("1.2")
    page.locator("button.outcome", has_text="Врач на связи").first.click()
    expect(page.locator(".step-number")).to_have_text("1.5")
    page.locator("button.outcome").first.click()
    expect(page.get_by_text("Процедуру ведёт Советова")).to_be_visible()
    expect(page.get_by_text("переводится: Советова Я. О.")).to_be_visible()
    hers.get_by_role("button", name="Ответить").click(timeout=20_000)
    expect(hers.locator(".phone-card")).to_contain_text("разговор")
    expect(card).to_have_count(0)  # only when she is in it the first one is let go
    hers.goto("/b2c_procedures/")
    hers.locator(".proc-start-side a", has_text="Лунина").first.click()
    expect(hers.locator(".step-number")).to_have_text("2.1")
    assert talk_of(doctor) is not None
    assert talk_of(floor.administrator) is None
