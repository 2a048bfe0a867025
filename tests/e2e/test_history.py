"""The manager finds the unbooked «Имплантация» contacts of last month, hears one, reads it,
exports, and the figures agree.
"""

import datetime as dt
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    WrapUp,
    record_interaction,
    store_recording,
)
from callcenter.contacts.models import Contact, Topic
from callcenter.contacts.states import CallerType, InteractionKind, InteractionState
from callcenter.demo.recordings import talks
from callcenter.lib.localtime import local_day
from tests.conftest import MOSCOW, World
from tests.e2e.conftest import PHONE, Login, OpenPage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def last_month(world: World) -> list[Contact]:
    """Three unbooked contacts about implants, one of them recorded, and others that must not be
    found.
    """
    implants, _ = Topic.objects.get_or_create(name="Имплантация")
    hygiene, _ = Topic.objects.get_or_create(name="Гигиена")
    # By the clinic's calendar: at night in Moscow UTC may still be in the month before.
    today = local_day(timezone.now(), MOSCOW)
    first = today.replace(day=1) - dt.timedelta(days=10)
    talk = next(one for one in talks() if one.topic == "Имплантация")
    found = []
    for number, (topic, who) in enumerate(
        [(implants, CallerType.WANTS_BOOKING)] * 3
        + [(hygiene, CallerType.WANTS_BOOKING), (implants, CallerType.OTHER)]
    ):
        at = world.local(first, 10 + number)
        call = record_interaction(
            InteractionInput(
                clinic=world.clinic,
                kind=InteractionKind.CALL,
                state=InteractionState.ANSWERED,
                phases=Phases(
                    at,
                    answered_at=at + dt.timedelta(seconds=9),
                    ended_at=at + dt.timedelta(seconds=9 + talk.seconds),
                ),
                participants=Participants(
                    patient=world.patient(
                        "Кедрова" if number == 0 else "Ольхина", first=f"Анна{number}"
                    ),
                    employee=world.administrator,
                ),
                wrap_up=WrapUp(topic=topic, caller_type=who, comment=f"Спросила цену {number}"),
                source=InteractionSource(name="e2e", id=str(number)),
            ),
            by=None,
            now=at,
        )
        if number == 0:
            store_recording(
                call, content=talk.wav, seconds=talk.seconds, now=at, transcript=talk.lines
            )
        found.append(call.contact)
    return found


def test_the_manager_hears_reads_and_exports_the_lost_implants(
    page: Page, login: Login, world: World, last_month: list[Contact], tmp_path: Path
) -> None:
    login(page, world.manager)
    page.goto("/history/?period=last_month&view=contacts")
    expect(page.locator("tr[data-open-row]")).to_have_count(5)
    page.get_by_text("Тема", exact=True).first.click()
    page.get_by_label("Имплантация").check()
    page.locator("summary", has_text="Кто, тип").first.click()
    page.get_by_label("Пациент. Хочет записаться").check()
    page.locator("summary", has_text="Успешность").first.click()
    page.get_by_label("Не записался").check()
    page.get_by_role("button", name="Применить").click()
    rows = page.locator("tr[data-open-row]")
    expect(rows).to_have_count(3)
    expect(page.locator(".chip")).to_have_count(3)

    # double click unfolds a contact, as the hands are used to
    row = rows.filter(has_text="Кедрова")
    row.locator("td").nth(6).dblclick()
    unfolded = page.locator(".unfolded")
    expect(unfolded).to_contain_text("Спросила цену 0")

    # the recording plays in the row, and a jump is answered with a part of the file
    unfolded.get_by_text("Содержимое звонка").click()
    window = page.locator("dialog.window")
    expect(window).to_contain_text("Сколько у вас стоит установить имплант")
    audio = window.locator("audio")
    audio.evaluate(
        "a => new Promise((done, fail) => { a.onloadedmetadata = done; a.onerror = fail; if (a.readyState) done(); })"
    )
    line = window.locator("[data-jump]").nth(3)
    wanted = float(line.get_attribute("data-jump") or "0")
    line.click()
    page.wait_for_function(
        "wanted => document.querySelector('dialog audio').currentTime >= wanted", arg=wanted
    )
    duration = audio.evaluate("a => a.duration")
    assert wanted < duration < 120
    statuses = page.evaluate(
        "async url => { const a = await fetch(url, {headers: {Range: 'bytes=100-199'}});"
        " return [a.status, (await a.arrayBuffer()).byteLength]; }",
        audio.get_attribute("src"),
    )
    assert statuses == [206, 100]
    window.get_by_label("Вперёд на 5 секунд").click()
    window.get_by_label("Скорость").select_option("1.5")
    assert audio.evaluate("a => a.playbackRate") == 1.5
    page.keyboard.press("Escape")

    # the workbook equals the screen
    shown = [
        text.strip()
        for text in page.locator("td[data-label='Комментарий'] .clip").all_inner_texts()
    ]
    with page.expect_download() as download:
        page.get_by_role("button", name="Excel").click()
    path = tmp_path / "history.xlsx"
    download.value.save_as(path)
    table: list[tuple[Any, ...]] = list(
        openpyxl.load_workbook(io.BytesIO(path.read_bytes()))
        .worksheets[0]
        .iter_rows(min_row=2, values_only=True)
    )
    assert [row[13] for row in table] == shown
    assert {row[7] for row in table} == {"Не записался"}


def test_totals_open_by_double_click_and_right_click_shows_the_menu(
    page: Page, login: Login, world: World, last_month: list[Contact]
) -> None:
    login(page, world.senior)
    page.goto("/history/?period=last_month&by1=owner&by2=topic&chart=day")
    expect(page.locator("#chart[data-drawn=day]")).to_be_visible()
    group = page.locator("tr.group").first
    group.locator("td").nth(1).dblclick()
    expect(page.locator("tr.child")).to_have_count(2)
    page.locator("tr.child", has_text="Имплантация").locator("td.num a").click()
    expect(page.locator("tr[data-open-row]")).to_have_count(4)
    page.locator("tr[data-open-row]").first.locator("td").nth(5).click(button="right")
    expect(page.locator("#row-menu")).to_contain_text("Детализировать")
    page.keyboard.press("Escape")
    expect(page.locator("#row-menu")).to_be_hidden()


def test_on_a_telephone_nothing_scrolls_sideways(
    open_page: OpenPage, login: Login, world: World, last_month: list[Contact]
) -> None:
    page = open_page(viewport=PHONE)
    login(page, world.manager)
    for url in (
        "/history/?period=last_month",
        "/history/?period=last_month&view=contacts",
        "/history/missed/",
        "/history/exports/",
    ):
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), url
