"""A file with bad rows goes through the browser: a column corrected, the preview read, the good
rows loaded.
"""

from pathlib import Path

from playwright.sync_api import Page, expect

from callcenter.clinics.models import Patient
from callcenter.imports import file_reader
from tests.conftest import World
from tests.e2e.conftest import PHONE, Login, OpenPage
from tests.imports.files import csv

GOOD = [
    ("Ким", "Анна", "+7 900 000-10-01", "12.03.1985"),
    ("Щёголева", "Ольга", "8 900 000 10 02", "05.05.1990"),
]
BAD = [
    ("Ким 2", "Анна", "+7 900 000-10-03", "12.03.1985"),
    ("Петров", "Пётр", "+89000001004", "12.03.1985"),
    ("Сидоров", "Семён", "010-10-01", "12.03.1985"),
    ("Яшина", "Яна", "+7 900 000-10-05", "31.02.1985"),
    ("Уварова", "Ульяна", "+7 900 000-10-06, +7 900 000-10-07", "весной"),
]


def test_a_file_with_five_bad_rows(
    page: Page, login: Login, world: World, tmp_path: Path, open_page: OpenPage
) -> None:
    path = tmp_path / "картотека.csv"
    path.write_bytes(csv(("Фамилия", "Имя", "Как звонить", "Д.р."), *GOOD, *BAD, encoding="cp1251"))
    login(page, world.senior)
    page.goto("/imports/")
    page.get_by_role("group").get_by_text("Пациенты").click()
    page.locator("#file").set_input_files(path)
    page.get_by_role("button", name="Открыть файл").click()
    # The guess knows three of the four columns; the fourth is pointed out by hand.
    expect(page.get_by_label("Фамилия")).to_have_value("last_name")
    expect(page.get_by_label("Как звонить")).to_have_value("")
    page.get_by_label("Как звонить").select_option("Телефон")
    page.get_by_role("button", name="Проверить файл").click()
    rows = page.locator("section table tbody tr")
    expect(rows).to_have_count(6)
    expect(rows.first).to_contain_text("не похоже на имя")
    expect(page.get_by_text("Ещё ничего не записано")).to_be_visible()
    assert not Patient.objects.exists()
    _look_on_a_phone(open_page, login, world, page.url)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("добавлено")).to_be_visible()
    assert Patient.objects.count() == 2
    with page.expect_download() as download:
        page.get_by_role("link", name="Скачать с причинами").click()
    lines = file_reader.read(Path(download.value.path()).read_bytes(), "a.xlsx").lines
    assert len(lines) == 6
    assert "после плюса стоит 8" in str(lines[2].cells[-1])


def _look_on_a_phone(open_page: OpenPage, login: Login, world: World, url: str) -> None:
    phone = login(open_page(viewport=PHONE), world.senior)
    for address in (url, "/imports/"):
        phone.goto(address)
        width = phone.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"{address} scrolls sideways: {width}"
