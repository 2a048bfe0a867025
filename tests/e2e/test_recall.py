"""The main job from file to report: import, plan, five calls by keyboard, three calls without an
answer, the numbers.
"""

import datetime as dt
import io
from pathlib import Path

import openpyxl
import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from callcenter.contacts.models import Reason
from callcenter.staff.models import User
from journals.actions.cards import open_card
from journals.actions.plans import return_uncalled
from journals.models import PlanItem, RecallEntry
from journals.outcome_rules import CallOutcome, Stage
from journals.queries.results import measures
from tests.e2e.conftest import PHONE, Login, OpenPage
from tests.imports.files import csv
from tests.journals.conftest import Recall, make_reason

WEEK = dt.timedelta(days=7)
HEAD = ("ФИО", "Телефон", "Дата рождения", "Врач", "Комментарий врача", "Дата прозвона")
GOOD = 12
BAD = (
    ("Плохая Анна", "+89000001004", "12.03.1985", "Белов Олег Ильич", "Осмотр", "18.03.2026"),
    ("Плохая Яна", "+7 900 000-20-05", "31.02.1985", "Белов Олег Ильич", "Осмотр", "18.03.2026"),
    ("Плохая Зоя", "+7 900 000-20-06", "12.03.1985", "Никто Никита Ильич", "Осмотр", "18.03.2026"),
    ("Плохая Ада", "+7 900 000-20-07", "12.03.1985", "Белов Олег Ильич", "", "18.03.2026"),
    ("Плохая Ия", "+7 900 000-20-08", "12.03.1985", "Белов Олег Ильич", "Осмотр", "скоро"),
)


@pytest.fixture
def clock(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> Recall:
    """The server's clock stands at noon of a Wednesday, and goes on only when the story says so."""
    monkeypatch.setattr(timezone, "now", lambda: recall.world.now)
    make_reason("Недоступен", "unreached")
    return recall


def file_of(path: Path) -> Path:
    good = [
        (f"Пациентова {letter * 3}", f"+7 900 000-30-{number:02}", "01.02.1980", "Белов Олег Ильич", f"Осмотр коронки {number}", "18.03.2026")
        for number, letter in enumerate("абвгдежзиклм"[:GOOD])
    ]  # fmt: skip
    path.write_bytes(csv(HEAD, *good, *BAD, encoding="cp1251"))
    return path


def import_entries(page: Page, path: Path) -> None:
    page.goto("/imports/")
    page.locator("label", has_text="Журнал КОС").click()
    page.locator("#file").set_input_files(path)
    page.get_by_role("button", name="Открыть файл").click()
    page.get_by_role("button", name="Проверить файл").click()
    expect(page.locator("section table tbody tr")).to_have_count(len(BAD))
    assert not RecallEntry.objects.exists()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("добавлено")).to_be_visible()
    assert RecallEntry.objects.count() == GOOD


def give(page: Page, people: list[User], total: int, query: str = "") -> None:
    page.goto(f"/journals/plan/{query}")
    page.locator("input[name=total]").fill(str(total))
    for person in people:
        page.get_by_role("checkbox", name=person.full_name).check()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(f"Роздано {total} из {total}")).to_be_visible()


def save_and_next(page: Page, told: str) -> None:
    page.keyboard.press("Control+Enter")
    expect(page.locator("#messages")).to_contain_text(told)


def work_five_by_keyboard(page: Page) -> None:
    """Not one click from here on."""
    expect(page.locator("tr[data-row]")).to_have_count(5)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#call-form")).to_be_visible()
    page.keyboard.press("Shift+Slash")
    expect(page.locator("dialog")).to_contain_text("Записался")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(page.locator("#comment")).to_have_value("Звонок 1: не берёт трубку")
    save_and_next(page, "не берёт трубку, следующий звонок 25.03.2026")
    page.keyboard.press("1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.type("придёт с дочерью")
    save_and_next(page, "записан на")
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    page.keyboard.type("подумает до зарплаты")
    save_and_next(page, "думает, следующий звонок 25.03.2026")
    page.keyboard.press("5")
    page.keyboard.press("Enter")
    page.keyboard.type("после отпуска")
    save_and_next(page, "внесён в лист ожидания")
    page.keyboard.press("6")
    page.keyboard.press("Enter")
    page.keyboard.type("у соседей дешевле")
    save_and_next(page, "отказ — Дорого")
    expect(page.get_by_text("В вашем плане на сегодня пусто")).to_be_visible()


def test_from_the_file_to_the_report(
    page: Page, open_page: OpenPage, login: Login, clock: Recall, tmp_path: Path
) -> None:
    world = clock.world
    first, second = world.administrator, world.administrator2
    windows = [world.window(world.now + dt.timedelta(days=day, hours=1)) for day in (1, 2, 3)]
    login(page, world.senior)
    import_entries(page, file_of(tmp_path / "кос.csv"))
    give(page, [first, second], 10)
    assert [PlanItem.objects.filter(assignee=person).count() for person in (first, second)] == [
        5,
        5,
    ]

    mine = login(open_page(), first)
    mine.goto("/journals/")
    colleague = login(open_page(), second)
    held = RecallEntry.objects.filter(plan_items__assignee=first).order_by("call_on", "pk")[0]
    unplanned = RecallEntry.objects.get(
        plan_items__isnull=True, pk=RecallEntry.objects.order_by("-pk")[0].pk
    )
    mine.keyboard.press("Enter")
    expect(mine.locator("#call-form")).to_be_visible()
    # The patient rings back while the first has the card open.
    answer = colleague.goto(f"/journals/{held.pk}/?call=in")
    assert answer is not None
    assert answer.status == 409
    expect(colleague.get_by_role("alert")).to_contain_text("Карточку держит Орлова О. П.")
    answer = colleague.goto(f"/journals/{unplanned.pk}/")
    assert answer is not None
    assert answer.status == 403
    expect(colleague.get_by_role("alert")).to_contain_text("звоним только по плану")
    assert colleague.locator("#call-form").count() == 0
    mine.keyboard.press("Escape")
    expect(mine.locator("tr[data-row]")).to_have_count(5)

    work_five_by_keyboard(mine)
    held.refresh_from_db()
    assert (held.stage, held.unreached) == (Stage.CALL, 1)
    windows[1].refresh_from_db()
    assert windows[1].appointment is not None
    assert return_uncalled(now=world.local(clock.today, 20)) == 5

    for call in (2, 3):
        world.now += WEEK
        login(page, world.senior)
        give(
            page,
            [first],
            1,
            f"?number={call}&until={clock.today}&since={clock.today}&doctor={world.doctor.pk}",
        )
        login(mine, first)
        mine.goto(f"/journals/{held.pk}/")
        assert PlanItem.objects.open().get().entry == held
        mine.keyboard.press("2")
        if call == 2:
            save_and_next(mine, "не берёт трубку, следующий звонок 01.04.2026")
    # The third: the card demands Отказ with a reason, and the server would too.
    expect(mine.get_by_text("последний по правилу")).to_be_visible()
    mine.keyboard.press("Control+Enter")
    expect(mine.get_by_text("Выберите причину отказа").first).to_be_visible()
    held.refresh_from_db()
    assert held.stage == Stage.CALL
    mine.keyboard.press("Escape")
    mine.keyboard.press("2")  # chosen already: its digit leads to what it asks for again
    refusals = [
        reason.name for reason in Reason.objects.filter(is_active=True) if "refused" in reason.uses
    ]
    for _step in range(refusals.index("Не дозвонились")):
        mine.keyboard.press("ArrowDown")
    save_and_next(mine, "отказ — Не дозвонились")
    held.refresh_from_db()
    assert (held.stage, held.last_outcome) == (Stage.REFUSED, CallOutcome.UNREACHED)

    done = {
        "planned": 12,
        "called": 7,
        "reached": 4,
        "booked": 1,
        "thinking": 1,
        "remind": 1,
        "unreached": 3,
    }
    agree(page, done | {"refused": 2, "incoming": 0}, clock)


def agree(page: Page, done: dict[str, int], clock: Recall) -> None:
    """The report, the rows behind its numbers and its workbook say what was done."""
    page.goto(f"/journals/results/?since=2026-03-01&until={clock.today}")
    cells = page.locator(".results-table tr.total").first.locator("td")
    assert cells.all_inner_texts()[1:-1] == [str(done[name]) for name in measures()]
    with page.expect_download() as download:
        page.keyboard.press("x")
    rows = list(
        openpyxl.load_workbook(io.BytesIO(Path(download.value.path()).read_bytes()))["Итоги"].values
    )
    total = next(row for row in rows if row[0] == "Итого")
    assert list(total[1 : len(measures()) + 1]) == [done[name] for name in measures()]
    page.locator(".results-table tr.total a", has_text=str(done["called"])).first.click()
    expect(page.locator("tr[data-row]")).to_have_count(done["called"])


def test_the_journal_fits_a_telephone(open_page: OpenPage, login: Login, clock: Recall) -> None:
    world = clock.world
    for _number in range(3):
        world.window()
        clock.call(clock.entry(), CallOutcome.THINKING)
    entry = clock.entry(
        world.patient("Преображенская-Вознесенская", "Александра", "Константиновна")
    )
    clock.plan(world.administrator)
    addresses = [
        "/journals/?tab=call",
        f"/journals/{entry.pk}/?call=out",
        "/journals/plan/?show=planned",
        "/journals/results/",
    ]
    addresses += [
        "/journals/results/rows/?measure=called",
        "/journals/policy/",
        "/journals/new/",
        f"/journals/{entry.pk}/edit/",
    ]
    page = login(open_page(viewport=PHONE), world.senior)
    for address in addresses:
        page.goto(address)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"{address} scrolls sideways: {width}"


def test_a_double_click_on_save_is_one_call(page: Page, login: Login, clock: Recall) -> None:
    entry = clock.entry()
    login(page, clock.world.senior).goto(f"/journals/{entry.pk}/")
    page.keyboard.press("2")
    page.get_by_role("button", name="Сохранить", exact=True).dblclick()
    expect(page.locator("#messages")).to_contain_text("следующий звонок")
    entry.refresh_from_db()
    assert (entry.calls, entry.call_log.count()) == (1, 1)


def test_leaving_the_card_frees_it_and_coming_back_takes_it_again(
    page: Page, login: Login, clock: Recall
) -> None:
    entry = clock.entry()
    login(page, clock.world.senior).goto(f"/journals/{entry.pk}/")
    entry.refresh_from_db()
    assert entry.reserved_by == clock.world.senior
    page.keyboard.press("Escape")
    expect(page.locator("#recall-rows")).to_be_visible()
    page.wait_for_timeout(300)
    assert RecallEntry.objects.get(pk=entry.pk).reserved_by is None


def test_ticks_for_sharing_out_outlive_what_colleagues_do_meanwhile(
    page: Page, login: Login, clock: Recall
) -> None:
    world = clock.world
    for _number in range(2):
        clock.entry()
    clock.plan(world.administrator, 2)
    login(page, world.senior).goto("/journals/plan/")
    row = page.locator(f"#plan-{world.administrator.pk}")
    row.locator("summary").click()
    tick = row.get_by_role("checkbox").first
    tick.check()
    open_card(PlanItem.objects.first().entry, by=world.administrator, now=world.now)  # type: ignore[union-attr]
    page.wait_for_timeout(3000)  # longer than the page takes to hear of it
    expect(tick).to_be_checked()
    page.keyboard.press("Escape")
    row.locator("summary").click()
    page.mouse.move(0, 0)
    expect(row.get_by_role("link")).to_be_visible()  # closed, the board is brought up to date
