"""Each screen of the menu in the browser, on a desk and on a telephone: whole, quiet, and no wider
than the glass.
"""

import pytest
from playwright.sync_api import Page, ViewportSize

from callcenter.clinics.models import Patient
from callcenter.workbench.menu import MenuGroup, menu_for
from tests.conftest import World
from tests.e2e.conftest import DESKTOP, PHONE, Login, OpenPage

# Buttons that do not show their whole word, fields too narrow to read, and whatever stands beyond
# the glass or its table's edge.
CUT = """() => [...document.querySelectorAll("main .btn, main select, main input:not([type=checkbox]):not([type=radio])")]
  .filter(one => one.checkVisibility() && one.type !== "hidden" && !one.closest(".visually-hidden"))
  .filter(one => {
    const box = one.getBoundingClientRect(), table = one.closest(".table-responsive");
    const edge = table ? table.getBoundingClientRect().right : innerWidth;
    const short = one.matches(".btn") ? one.scrollWidth > one.clientWidth + 1 : box.width < 48;
    return short || box.right > edge + 1;
  }).map(one => (one.innerText || one.name || one.title || one.outerHTML).slice(0, 60))"""

# Words whose colour is less than three times lighter or darker than what they stand on (WCAG's
# contrast, of large letters).
FAINT = """() => {
  const brush = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    brush.clearRect(0, 0, 1, 1); brush.fillStyle = colour; brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data].map((part, at) => at === 3 ? part / 255 : part);
  };
  const over = (top, below) => below.map((part, at) => part * (1 - top[3]) + top[at] * top[3]);
  const ground = element => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.push(rgba(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const light = colour => colour.map(part => (part /= 255) <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [.2126, .7152, .0722][at], 0);
  return [...document.querySelectorAll("body *")].filter(one => {
    const words = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!words || !one.checkVisibility({visibilityProperty: true}) || one.closest("[disabled], .visually-hidden")) return false;
    const below = ground(one), pair = [light(over(rgba(getComputedStyle(one).color), below)), light(below)].sort((a, b) => b - a);
    return (pair[0] + .05) / (pair[1] + .05) < 3;
  }).map(one => `${one.className}: ${one.textContent.trim().slice(0, 40)}`);
}"""


def _menu(world: World) -> list[str]:
    """The addresses of the senior's menu."""
    menu = menu_for(world.senior, "/")
    return [
        one.url for item in menu for one in (item.items if isinstance(item, MenuGroup) else (item,))
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_can_be_read_in_both_themes(
    theme: str, busy_world: World, open_page: OpenPage, login: Login
) -> None:
    page = login(open_page(color_scheme=theme), busy_world.senior)
    patient = Patient.objects.get(last_name="Аметистова")
    faint = []
    for url in [
        *_menu(busy_world),
        f"/patients/{patient.pk}/",
        "/journals/new/",
        "/journals/plan/",
        "/settings/",
    ]:
        page.goto(url)
        page.locator("main h1").wait_for()
        faint += [f"{url} {word}" for word in page.evaluate(FAINT)]
    assert faint == []


@pytest.mark.parametrize("glass", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_no_page_of_settings_cuts_its_buttons_and_fields(
    glass: ViewportSize, busy_world: World, open_page: OpenPage, login: Login
) -> None:
    page = login(open_page(viewport=glass), busy_world.senior)
    page.goto("/settings/")
    links = [link.get_attribute("href") or "" for link in page.locator("main a[href^='/']").all()]
    cut = []
    for url in dict.fromkeys(
        [
            *links,
            f"/settings/clinics/{busy_world.clinic.pk}/",
            "/settings/clinics/new/",
            "/journals/new/",
        ]
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
    wide = []
    for url in [*_menu(busy_world), "/profile/"]:
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
    page.goto("/journals/policy/")
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
