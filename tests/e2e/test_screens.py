"""Each screen of the menu in the browser, on a desk and on a telephone: whole, quiet, and no wider than the glass."""

import pytest
from playwright.sync_api import Page, ViewportSize

from callcenter.desks import MenuGroup, menu_for
from tests.conftest import World
from tests.e2e.conftest import DESKTOP, PHONE, Login, OpenPage

# Buttons that do not show their whole word, fields too narrow to read, and whatever stands beyond the glass or its table's edge.
CUT = """() => [...document.querySelectorAll("main .btn, main select, main input:not([type=checkbox]):not([type=radio])")]
  .filter(one => one.checkVisibility() && one.type !== "hidden" && !one.closest(".visually-hidden"))
  .filter(one => {
    const box = one.getBoundingClientRect(), table = one.closest(".table-responsive");
    const edge = table ? table.getBoundingClientRect().right : innerWidth;
    const short = one.matches(".btn") ? one.scrollWidth > one.clientWidth + 1 : box.width < 48;
    return short || box.right > edge + 1;
  }).map(one => (one.innerText || one.name || one.title || one.outerHTML).slice(0, 60))"""


@pytest.mark.parametrize("glass", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_no_page_of_settings_cuts_its_buttons_and_fields(
    glass: ViewportSize, busy_world: World, open_page: OpenPage, login: Login
) -> None:
    page = login(open_page(viewport=glass), busy_world.senior)
    page.goto("/settings/")
    links = [link.get_attribute("href") or "" for link in page.locator("main a[href^='/']").all()]
    cut = []
    for url in dict.fromkeys(
        [*links, f"/settings/clinics/{busy_world.clinic.pk}/", "/settings/clinics/new/", "/recall/new/"]
    ):
        page.goto(url)
        page.locator("main h1").wait_for()
        if (needed := page.evaluate("document.documentElement.scrollWidth")) > glass["width"]:
            cut.append(f"{url} needs {needed} pixels of {glass['width']}")
        cut += [f"{url}: {word}" for word in page.evaluate(CUT)]
    assert cut == []


@pytest.mark.parametrize("glass", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_no_screen_of_the_menu_is_broken_or_wider_than_the_glass(
    glass: ViewportSize, busy_world: World, open_page: OpenPage, login: Login
) -> None:
    """Console errors, missing styles and the like fail by themselves (conftest)."""
    page = login(open_page(viewport=glass), busy_world.senior)
    menu = menu_for(busy_world.senior, "/")
    urls = [one.url for item in menu for one in (item.items if isinstance(item, MenuGroup) else (item,))]
    wide = []
    for url in [*urls, "/profile/"]:
        page.goto(url)
        page.locator("main h1").wait_for()
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > glass["width"]:
            wide.append(f"{url} needs {needed} pixels of {glass['width']}")
    assert wide == []


@pytest.mark.parametrize("width", [1200, 1280, 1366, 1600, 1920])
def test_the_top_bar_shows_whole_words_at_any_width(
    width: int, busy_world: World, open_page: OpenPage, login: Login
) -> None:
    page = login(open_page(viewport={"width": width, "height": 768}), busy_world.senior)
    page.goto("/recall/policy/")
    state = page.locator(".phone-state")
    state.wait_for()
    assert state.evaluate("word => word.scrollWidth <= word.clientWidth")
    assert page.locator("header.topbar").evaluate("bar => bar.scrollWidth <= bar.clientWidth")


def test_the_question_mark_shows_the_keys_and_the_slash_finds_a_patient(
    busy_world: World, page: Page, login: Login
) -> None:
    login(page, busy_world.administrator).goto("/")
    page.keyboard.press("Shift+Slash")
    page.get_by_role("heading", name="Клавиши").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Slash")
    page.keyboard.type("ал аметист")
    page.locator("#search-results").get_by_text("Аметистова").first.wait_for()
