"""The stories' own tools: a story must fail when the page is broken, even if it asserts nothing."""

import pytest
from playwright.sync_api import Page, Route


def _serve(page: Page, html: str, status: int = 200, csp: str = "") -> None:
    def answer(route: Route) -> None:
        headers = {"content-type": "text/html; charset=utf-8"} | (
            {"content-security-policy": csp} if csp else {}
        )
        route.fulfill(status=status, body=html, headers=headers)

    page.route("**/probe", answer)


def test_the_browser_speaks_russian_and_lives_in_moscow(page: Page) -> None:
    _serve(page, "<!doctype html><title>Проба</title>")
    page.goto("/probe")
    assert page.title() == "Проба"
    assert page.evaluate("navigator.language") == "ru-RU"
    assert page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone") == "Europe/Moscow"


@pytest.mark.parametrize(
    ("html", "status", "csp", "words"),
    [
        ("<script>undefinedName()</script>", 200, "", "undefinedName"),
        ("<script>console.error('ой')</script>", 200, "", "ой"),
        (
            "<p onclick='1'>x</p><script>1</script>",
            200,
            "script-src 'self'",
            "Content Security Policy",
        ),
        ("<p>сломалось</p>", 500, "", "500 for GET"),
    ],
    ids=["exception", "console", "csp", "500"],
)
def test_a_broken_page_is_noticed(
    page: Page, troubles: list[str], html: str, status: int, csp: str, words: str
) -> None:
    _serve(page, html, status, csp)
    page.goto("/probe")
    assert any(words in trouble for trouble in troubles), troubles
    troubles.clear()
