"""The evening and the morning of one administrator of «Дозвон», and a patient with a telephone in
his hand.
"""

import datetime as dt
import os
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from callcenter.clinics.actions import cancel_appointment, move_appointment
from callcenter.clinics.models import Appointment, Patient, PatientPhone
from callcenter.messaging.models import Message, VisitLink
from callcenter.messaging.states import MessageChannel
from reminders import actions
from reminders.models import Reminder, ReminderMark
from reminders.states import CallResult
from tests.conftest import World
from tests.e2e.conftest import PHONE, Login, OpenPage
from tests.messaging.conftest import Post
from tests.reminders.conftest import yellow

PINK = re.compile(r"\brow-called\b")
SHOTS = Path(os.environ["SHOTS"]) if os.environ.get("SHOTS") else None
NAMES = (
    ("01", "Агапова", "Вера", "Ильинична"),
    ("50", "Быков", "Сергей", "Олегович"),
    ("55", "Власова", "Нина", "Юрьевна"),
    ("65", "Гордеев", "Павел", "Игоревич"),
    ("66", "Дёмина", "Алла", "Петровна"),
    ("75", "Ершов", "Иван", "Львович"),
    ("85", "Жукова", "Тамара", "Сергеевна"),
    ("98", "Зыков", "Антон", "Денисович"),
    ("02", "Ильина", "Мария", "Павловна"),
    ("79", "Котов", "Роман", "Андреевич"),
)


class Evening(Post):
    """A post office whose clock runs with the browser's, from noon of Wednesday 18 March 2026 in
    Moscow.
    """

    started: float
    shifted: dt.timedelta

    def clock(self) -> dt.datetime:
        return self.world.now + dt.timedelta(seconds=time.monotonic() - self.started) + self.shifted

    def later(self, **span: float) -> None:
        self.shifted += dt.timedelta(**span)
        self.now = self.clock()
        self.tick()
        actions.refresh_due_runs(now=self.clock())


@pytest.fixture
def evening(post: Post, monkeypatch: pytest.MonkeyPatch) -> Evening:
    made = Evening(post.world, post.provider, post.now)
    made.started, made.shifted = time.monotonic(), dt.timedelta()
    monkeypatch.setattr("django.utils.timezone.now", made.clock)
    yellow(post.world.administrator, dt.date(2026, 3, 18), dt.date(2026, 3, 19))
    for index, (digits, last, first, middle) in enumerate(NAMES):
        patient = Patient.objects.create(last_name=last, first_name=first, middle_name=middle)
        patient.clinics.add(post.world.clinic)
        PatientPhone.objects.create(patient=patient, number=f"+790000001{digits}", is_main=True)
        start = post.world.local(dt.date(2026, 3, 19), 9 + index, 30 * (index % 2))
        post.world.visit(patient, start)
    return made


def shot(page: Page, name: str) -> None:
    """Keeps the screen as it is and as one man in twelve sees it, when SHOTS names a folder: to be
    looked at.
    """
    if SHOTS:
        page.wait_for_timeout(300)
        page.screenshot(path=str(SHOTS / f"{name}.png"))
        devtools = page.context.new_cdp_session(page)
        devtools.send("Emulation.setEmulatedVisionDeficiency", {"type": "deuteranopia"})
        page.screenshot(path=str(SHOTS / f"{name}-deuteranope.png"))
        devtools.send("Emulation.setEmulatedVisionDeficiency", {"type": "none"})


@pytest.mark.timeout(400)
def test_the_evening_and_the_morning_of_one_administrator(
    page: Page, login: Login, world: World, evening: Evening
) -> None:
    login(page, world.administrator)

    # Noon: the list opens by itself, and the messages go out.
    actions.plan_openings(now=evening.clock() - dt.timedelta(hours=1))
    actions.open_due_runs(now=evening.clock())
    page.goto("/reminders/")
    rows = page.locator("tr[data-row]")
    expect(rows).to_have_count(len(NAMES))
    expect(page.get_by_text("Жёлтая смена: Орлова О. П.")).to_be_visible()

    # Colours arrive by themselves, while she looks on.
    evening.later(seconds=1)
    evening.later(seconds=40)
    evening.later(seconds=40)
    confirmed = page.locator("tr[data-row]", has_text="Агапова")
    expect(confirmed.locator(".tint-confirm")).to_be_visible()
    expect(page.locator("tr[data-row]", has_text="Быков").locator(".tint-cancel")).to_be_visible()
    expect(page.locator("tr[data-row]", has_text="Власова").locator(".tint-move")).to_be_visible()
    silent = page.locator("tr[data-row]", has_text="Гордеев")
    expect(silent.locator(".tint-delivered")).to_be_visible()
    expect(page.locator("tr[data-row]", has_text="Жукова").locator(".tint-unsent")).to_be_visible()
    expect(page.locator("tr[data-row]", has_text="Жукова")).to_contain_text("СМС: доставлено")
    shot(page, "evening")

    # A pink row by double click; again takes it back; and Space does the same.
    silent.locator(".doctor").dblclick()
    expect(silent).to_have_class(PINK)
    shot(page, "evening-pink")
    silent.locator(".doctor").dblclick()
    expect(silent).not_to_have_class(PINK)
    silent.locator(".doctor").click()
    page.keyboard.press("Space")
    expect(silent).to_have_class(PINK)
    silent.get_by_role("button", name="не взял").click()
    expect(silent).to_contain_text("не дозвонились")
    assert ReminderMark.objects.filter(undone_at__isnull=False).count() == 1

    # A reply in words is taken with one press; the row is pink and not green.
    wrote = page.locator("tr[data-row]", has_text="Ершов")
    wrote.get_by_role("button", name="приду?").click()
    expect(wrote).to_contain_text("ответил письменно, придёт")

    # The right click opens the menu; the red one is moved in the doctor's schedule, and the
    # reminder follows.
    red = page.locator("tr[data-row]", has_text="Быков")
    red.locator("[data-menu]").click(button="right")
    shot(page, "evening-menu")
    window = world.window(world.local(dt.date(2026, 3, 19), 18))
    page.get_by_role("menu").get_by_role("link", name="Перенести приём").click()
    page.wait_for_url("**/move/")
    shot(page, "evening-move")
    page.locator(
        f'button[name="window"][value="{window.pk}"], input[name="window"][value="{window.pk}"]'
    ).first.click()
    if page.locator('input[name="window"]').count():
        page.get_by_role("button", name="Перенести").first.click()
    page.wait_for_url("**/patients/**")
    evening.later(seconds=10)
    page.goto("/reminders/")
    moved = page.locator("tr[data-row]", has_text="Быков")
    expect(moved).to_contain_text("18:00")
    expect(moved.locator(".tint-cancel")).to_have_count(0)

    # SMS to the blue ones, and the hand-over.
    page.get_by_role("button", name="СМС голубым").click()
    expect(page.locator("#messages")).to_contain_text(
        "СМС отправляется: 3"
    )  # Дёмина; Котов whose words nobody has taken yet; Гордеев who did not pick up
    expect(page.locator("#messages")).not_to_contain_text("нет")
    blue = Appointment.objects.get(patient__last_name="Дёмина")
    assert Message.objects.filter(appointment=blue, channel=MessageChannel.SMS).count() == 1
    page.get_by_text("Передать утру").click()
    page.get_by_label("Что осталось на утро").fill("Гордеев не взял трубку, Дёмина молчит")
    page.get_by_role("button", name="Передать", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("Передано утренней смене")

    # The morning: ДД, with both answers and a comment demanded.
    evening.later(hours=20)
    login(page, world.administrator)
    page.goto("/reminders/day/")
    expect(page.get_by_text("Гордеев не взял трубку, Дёмина молчит")).to_be_visible()
    expect(page.locator("tr[data-row]", has_text="Агапова")).to_have_count(0)
    shot(page, "morning")
    row = page.locator("tr[data-row]", has_text="Дёмина")
    row.get_by_text("записать").click()
    card = page.locator("#card")
    card.get_by_label("взял", exact=True).check()
    card.get_by_label("придёт", exact=True).check()
    card.get_by_role("button", name="Сохранить звонок").click()
    expect(card).to_contain_text("Без комментария не сохранить")
    shot(page, "morning-card")
    card.get_by_label("Комментарий (обязательно)").fill("Взяла трубку, будет вовремя")
    card.get_by_role("button", name="Сохранить звонок").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(row).to_contain_text("дозвонились, придёт")
    assert Reminder.objects.get(appointment=blue, removed_at=None).result == CallResult.COMING


def test_a_colleagues_mark_arrives_and_leaves_alone_the_row_under_the_cursor(
    page: Page, login: Login, world: World, evening: Evening
) -> None:
    login(page, world.administrator)
    actions.open_run(world.clinic, on=dt.date(2026, 3, 18), by=None, now=evening.clock())
    page.goto("/reminders/")
    mine = page.locator("tr[data-row]", has_text="Агапова")
    theirs = page.locator("tr[data-row]", has_text="Ильина")
    mine.locator(".doctor").hover()
    top = mine.bounding_box()
    for surname in ("Агапова", "Ильина"):
        row = Reminder.objects.get(patient__last_name=surname)
        actions.mark_called(row, by=world.administrator2, now=evening.clock())
    expect(theirs).to_have_class(PINK)
    expect(mine).not_to_have_class(PINK)  # she is pointing at it
    assert mine.bounding_box() == top
    page.mouse.move(5, 5)
    expect(mine).to_have_class(PINK)

    # She dials a number from its row: her colleagues see who is calling.
    page.evaluate(
        "document.addEventListener('click', (event) => event.preventDefault(), true)"
    )  # no telephone here
    other = page.locator("tr[data-row]", has_text="Гордеев")
    other.locator("a[href^='tel:']").click()
    expect(other).to_contain_text("вы звоните")
    assert Reminder.objects.get(patient__last_name="Гордеев").calling_by == world.administrator


def surnames(page: Page) -> list[str]:
    return [name.split()[0] for name in page.locator("#rows tr [data-open]").all_inner_texts()]


def test_visits_made_moved_and_cancelled_after_noon_come_and_go_around_the_row_under_the_cursor(
    page: Page, login: Login, world: World, evening: Evening
) -> None:
    login(page, world.administrator)
    run = actions.open_run(world.clinic, on=dt.date(2026, 3, 18), by=None, now=evening.clock())
    page.goto("/reminders/")
    page.get_by_text("Передать утру").click()
    note = page.get_by_label("Что осталось на утро")
    note.fill("Гордеев просил перезвонить")
    row = page.locator("tr[data-row]", has_text="Гордеев")
    row.locator(".doctor").hover()
    before = row.bounding_box()

    # One before it, one after it; one that moves from behind to the front; one that is cancelled.
    for last, hour in (("Яшин", 9), ("Юдин", 20)):
        patient = Patient.objects.create(last_name=last, first_name="Пётр")
        world.visit(patient, world.local(dt.date(2026, 3, 19), hour, 10))
    moved = Appointment.objects.get(patient__last_name="Ильина")
    start = world.local(dt.date(2026, 3, 19), 8, 30)
    move_appointment(
        moved,
        starts_at=start,
        ends_at=start + dt.timedelta(minutes=30),
        by=None,
        now=evening.clock(),
    )
    cancelled = Appointment.objects.get(patient__last_name="Котов")
    cancel_appointment(cancelled, reason="", by=None, now=evening.clock())
    actions.refresh_run(run, now=evening.clock())

    expect(page.locator("tr[data-row]")).to_have_count(len(NAMES) + 2)
    expect(page.locator("tr[data-row]", has_text="Котов")).to_contain_text("приём отменён")
    assert surnames(page)[:3] == ["Ильина", "Агапова", "Яшин"]
    assert surnames(page)[-2:] == ["Котов", "Юдин"]
    page.wait_for_timeout(100)
    after = row.bounding_box()
    assert before is not None
    assert after is not None
    # A tenth of a row: a browser scrolls by whole points, and the lines above it are not whole
    # points high.
    assert abs(after["y"] - before["y"]) < 3
    assert note.input_value() == "Гордеев просил перезвонить"
    expect(page.locator(".chip-all b")).to_have_text(str(len(NAMES) + 1))
    shot(page, "evening-came-and-went")

    # Reloaded, the list is the same.
    live = surnames(page)
    page.reload()
    assert surnames(page) == live


def test_a_row_that_is_being_written_about_keeps_its_text_and_a_row_that_is_done_leaves_its_filter(
    page: Page, login: Login, world: World, evening: Evening
) -> None:
    login(page, world.administrator)
    run = actions.open_run(world.clinic, on=dt.date(2026, 3, 18), by=None, now=evening.clock())
    page.goto("/reminders/?show=call")
    row = page.locator("tr[data-row]", has_text="Гордеев")
    row.locator("[data-open]").click()
    comment = page.locator("#card").get_by_label("Комментарий к звонку")
    comment.fill("Просил перезвонить после")
    world.visit(
        Patient.objects.create(last_name="Яшин", first_name="Пётр"),
        world.local(dt.date(2026, 3, 19), 9, 10),
    )
    actions.refresh_run(run, now=evening.clock())
    for surname in ("Агапова", "Гордеев"):
        reminder = Reminder.objects.get(patient__last_name=surname)
        actions.mark_called(reminder, by=world.administrator2, now=evening.clock())
    expect(page.locator("tr[data-row]", has_text="Яшин")).to_have_count(1)
    expect(page.locator("tr[data-row]", has_text="Агапова")).to_have_count(0)
    expect(comment).to_have_value("Просил перезвонить после")
    expect(row).to_have_count(1)  # it is being written about
    comment.press_sequentially(" шести")
    page.locator("#card").get_by_role("button", name="не дозвонились").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.mouse.move(5, 5)
    expect(row).to_have_count(0)
    assert (
        Reminder.objects.get(patient__last_name="Гордеев").comment
        == "Просил перезвонить после шести"
    )


def test_a_list_that_opens_at_noon_appears_on_a_screen_that_waits_for_it(
    page: Page, login: Login, world: World, evening: Evening
) -> None:
    login(page, world.administrator)
    page.goto("/reminders/")
    expect(page.get_by_text("Список откроется сам в полдень")).to_be_visible()
    actions.plan_openings(now=evening.clock() - dt.timedelta(hours=1))
    actions.open_due_runs(now=evening.clock())
    expect(page.locator("tr[data-row]")).to_have_count(len(NAMES))
    expect(page.get_by_role("button", name="СМС голубым")).to_be_visible()


def test_a_patient_with_a_telephone_confirms_without_scripts(
    open_page: OpenPage, evening: Evening
) -> None:
    visit = Appointment.objects.get(patient__last_name="Агапова")
    evening.queue(visit)
    link = VisitLink.objects.get()
    page = open_page(viewport=PHONE, java_script_enabled=False)
    page.goto(f"/v/{link.token}")
    shot(page, "patient")
    page.get_by_role("button", name="Подтвердить приём").click()
    expect(page.get_by_role("status")).to_contain_text("Вы подтвердили приём")
    shot(page, "patient-confirmed")
    link.refresh_from_db()
    assert link.answer == "confirm"
    page.goto("/v/AAAAAAAAAAAAAAAAAAAAAA")
    expect(page.get_by_role("heading")).to_contain_text("Такой ссылки нет")


def test_the_list_fits_a_telephone_without_sideways_scroll(
    open_page: OpenPage, login: Login, evening: Evening
) -> None:
    page = open_page(viewport=PHONE)
    login(page, evening.world.administrator)
    actions.open_run(evening.world.clinic, on=dt.date(2026, 3, 18), by=None, now=evening.clock())
    evening.later(seconds=1)
    evening.later(seconds=40)
    for path, name in (
        ("/reminders/", "phone-evening"),
        ("/reminders/day/?on=2026-03-19", "phone-morning"),
    ):
        page.goto(path)
        expect(page.locator("tr[data-row]").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shot(page, name)


def test_a_desks_glass_shows_every_rows_buttons_without_sideways_scroll(
    page: Page, login: Login, evening: Evening
) -> None:
    actions.open_run(evening.world.clinic, on=dt.date(2026, 3, 18), by=None, now=evening.clock())
    evening.later(seconds=1)
    evening.later(seconds=40)
    login(page, evening.world.administrator)
    for path in ("/reminders/", "/reminders/day/?on=2026-03-19"):
        page.goto(path)
        row = page.locator("tr[data-row]").first
        expect(row.locator("[data-menu-button]")).to_be_in_viewport(ratio=1)
        expect(row.locator("[data-mark]")).to_be_in_viewport(ratio=1)
