"""Stories of the floor: an account is opened and its first shift seen; active tasks worked by
keyboard; shifts painted.
"""

import datetime as dt
import re

from django.utils import timezone
from playwright.sync_api import Page, expect

from callcenter.assignments.actions import create_task
from callcenter.assignments.models import Task
from callcenter.clinics.models import PatientPhone
from callcenter.lib.localtime import local_day
from callcenter.staff.models import Shift, User
from tests.conftest import World
from tests.e2e.conftest import PHONE, Login, OpenPage


def test_the_senior_opens_an_account_gives_a_shift_and_the_newcomer_sees_it(
    world: World, page: Page, open_page: OpenPage, login: Login
) -> None:
    login(page, world.senior).goto("/people/new/")
    page.get_by_label("ФИО").fill("Новикова Нина Олеговна")
    page.get_by_label("Логин").fill("novikova")
    page.get_by_label("Первый пароль").fill("rowan-berry-7")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("заведён: логин novikova")).to_be_visible()

    page.goto("/shifts/")
    page.get_by_label("жёлтая").check()
    today = local_day(timezone.now(), world.clinic.zone)
    cell = page.get_by_role("button", name=re.compile(rf"Новикова Н\. О\., {today:%d\.%m\.%Y}"))
    cell.click()
    expect(cell).to_have_text("Ж")
    assert Shift.objects.get().colour == "yellow"

    newcomer = open_page()
    newcomer.goto("/")
    newcomer.get_by_label("Логин").fill("novikova")
    newcomer.get_by_label("Пароль").fill("rowan-berry-7")
    newcomer.keyboard.press("Enter")
    expect(newcomer.get_by_text("Сегодня вы на жёлтой смене")).to_be_visible()
    assert User.objects.get(login="novikova").full_name == "Новикова Нина Олеговна"


def test_a_task_is_taken_moved_and_closed_without_a_mouse(
    world: World, page: Page, login: Login
) -> None:
    now = timezone.now()
    facts = {"clinic": world.clinic, "role": "administrator", "by": world.senior, "now": now}
    task = create_task(
        title="Перезвонить в лабораторию",
        deadline_at=now - dt.timedelta(hours=1),
        **facts,  # type: ignore[arg-type]
    )
    create_task(title="Вторая", deadline_at=now + dt.timedelta(hours=1), **facts)  # type: ignore[arg-type]
    login(page, world.administrator).goto("/tasks/?whose=all")
    page.keyboard.press("ArrowDown")
    row = page.locator("tr[data-row]").filter(has_text="лабораторию")
    page.keyboard.press("KeyT")
    expect(row).to_contain_text("Орлова О. П.")
    expect(row).to_have_attribute("aria-selected", "true")
    page.keyboard.press("KeyX")
    box = page.get_by_label("Чем закончилось")
    expect(box).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(row).to_have_attribute("aria-selected", "true")
    page.keyboard.press("KeyX")
    expect(box).to_be_focused()
    page.keyboard.type("Дозвонились, результат завтра")
    page.keyboard.press("Control+Enter")
    expect(row).to_have_count(0)
    task.refresh_from_db()
    assert (task.state, task.outcome) == ("done", "Дозвонились, результат завтра")
    assert Task.objects.open().count() == 1


def test_what_a_colleague_takes_changes_on_my_screen_by_itself(
    world: World, page: Page, open_page: OpenPage, login: Login
) -> None:
    now = timezone.now()
    create_task(
        title="Общая", clinic=world.clinic, role="administrator", by=None, now=now, deadline_at=now
    )
    mine, hers = login(page, world.administrator), login(open_page(), world.administrator2)
    for one in (mine, hers):
        one.goto("/tasks/?whose=all")
    hers.get_by_role("button", name="Взять").click()
    expect(mine.locator("tr[data-row]")).to_contain_text("Зимина З. И.")


def test_a_press_is_not_lost_when_the_list_changes_under_it(
    world: World, page: Page, login: Login
) -> None:
    now = timezone.now()
    create_task(
        title="Общая", clinic=world.clinic, role="administrator", by=None, now=now, deadline_at=now
    )
    login(page, world.administrator).goto("/tasks/?whose=all")
    page.get_by_role("button", name="Взять").hover()
    page.mouse.down()
    later = now + dt.timedelta(hours=1)
    create_task(
        title="Новая",
        clinic=world.clinic,
        role="administrator",
        by=None,
        now=now,
        deadline_at=later,
    )
    page.wait_for_timeout(4000)  # more than one look at what has changed
    page.mouse.up()
    expect(page.locator("tr[data-row]").filter(has_text="Общая")).to_contain_text("Орлова О. П.")
    expect(page.locator("tr[data-row]")).to_have_count(2)


def test_the_theme_is_remembered_and_the_menu_opens_on_a_telephone(
    world: World, open_page: OpenPage, login: Login
) -> None:
    page = login(open_page(viewport=PHONE), world.senior)
    page.goto("/")
    page.get_by_role("button", name="Меню").click()
    expect(page.locator("#menu")).to_have_class(
        re.compile(r"\bshow\b")
    )  # it slides open: what moves is not pressed
    page.get_by_role("button", name="Управление").click()
    page.get_by_role("link", name="Сотрудники").click()
    expect(page.get_by_role("heading", name="Сотрудники")).to_be_visible()
    page.get_by_role("button", name="Меню").click()
    expect(page.locator("#menu")).to_have_class(
        re.compile(r"\bshow\b")
    )  # it slides open: what moves is not pressed
    page.get_by_role("button", name=re.compile("профиль, выход")).click()
    page.get_by_role("button", name="Тёмная тема").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_what_was_typed_comes_back_after_a_session_that_ran_out(
    world: World, page: Page, login: Login
) -> None:
    login(page, world.senior).goto("/tasks/new/")
    page.get_by_label("Что сделать").fill("Позвонить про снимок")
    page.get_by_label("Подробности").fill("Длинный рассказ")
    page.get_by_label("Кому").select_option(index=1)
    chosen = page.get_by_label("Кому").input_value()
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Поставить").click()
    expect(page).to_have_url(re.compile(r"/login/\?next=/tasks/new/$"))
    assert not Task.objects.exists()
    login(page, world.senior).goto("/tasks/new/")
    expect(page.get_by_text("Введённое возвращено")).to_be_visible()
    expect(page.get_by_label("Что сделать")).to_have_value("Позвонить про снимок")
    expect(page.get_by_label("Подробности")).to_have_value("Длинный рассказ")
    expect(page.get_by_label("Кому")).to_have_value(chosen)
    page.get_by_role("button", name="Поставить").click()
    expect(page).not_to_have_url(re.compile("/tasks/new/"))
    assert Task.objects.get().title == "Позвонить про снимок"
    page.goto("/tasks/new/")  # once, not for ever
    expect(page.get_by_label("Что сделать")).to_have_value("")


def test_what_comes_back_after_a_session_does_not_overwrite_what_a_colleague_saved_meanwhile(
    world: World, page: Page, login: Login
) -> None:
    patient = world.patient(phones=["+79000101001"])
    url = f"/patients/{patient.pk}/edit/"
    login(page, world.administrator).goto(url)
    page.get_by_label("Заметка").fill("перезвонить вечером")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Сохранить").click()
    expect(page).to_have_url(re.compile("/login/"))
    PatientPhone.objects.create(patient=patient, number="+79000101002")
    login(page, world.administrator).goto(url)
    expect(page.get_by_label("Заметка")).to_have_value("перезвонить вечером")
    page.get_by_role("button", name="Сохранить").click()
    expect(page.get_by_text("эти данные изменили")).to_be_visible()
    assert patient.phones.count() == 2
