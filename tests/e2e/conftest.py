"""A real browser on a real server. A story gets a `page` and logs somebody in:

    def test_the_senior_opens_the_journal(page: Page, login: Login, senior: User) -> None:
        login(page, senior)
        page.goto("/journal/")

`open_page()` gives a second person a browser of his own (`open_page(viewport=PHONE)` a telephone,
`open_page(silent_browser)` one that plays nothing unasked). A story fails, besides its own
assertions, on anything a person would call broken: an error in the console (CSP violations are such
errors), an exception in a script, an answer of 500 and above, a style, script, font or picture that
does not load. `tolerate("text")` excuses an error that the story itself provokes.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Response,
    ViewportSize,
    expect,
    sync_playwright,
)
from pytest_django.live_server_helper import LiveServer

from callcenter.staff.models import User
from tests.e2e import chromium

DESKTOP: Final[ViewportSize] = {"width": 1366, "height": 768}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}

# How long a page is waited for; how quick it must be the benchmarks say, on a machine that does
# nothing else.
PATIENCE: Final = 20_000  # milliseconds
expect.set_options(timeout=PATIENCE)

Login = Callable[[Page, User], Page]
OpenPage = Callable[..., Page]
Tolerate = Callable[[str], None]

# What the browser and htmx write for an honest 403, 404, 409 or 422 of a page: the story asserts
# those itself.
_HONEST = (
    "Failed to load resource: the server responded with a status of 4",
    "Response Status Error Code 4",
)
_PARTS = {"stylesheet", "script", "font", "image", "media"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = chromium.find_or_install(Path(playwright.chromium.executable_path))
        browser = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        yield browser
        browser.close()
        # Playwright's loop gives this thread a database connection of its own; afterwards nobody
        # could close it.
        connections.close_all()


@pytest.fixture
def silent_browser(browser: Browser) -> Iterator[Browser]:
    """One that lets no page make a sound before somebody has pressed something on it."""
    path = chromium.find_or_install(Path(browser.browser_type.executable_path))
    args = [*chromium.FLAGS, "--autoplay-policy=user-gesture-required"]
    silent = browser.browser_type.launch(executable_path=path, args=args)
    yield silent
    silent.close()


@pytest.fixture
def tolerated() -> list[str]:
    return []


@pytest.fixture
def tolerate(tolerated: list[str]) -> Tolerate:
    """Excuses, in this story, every trouble whose words contain the text."""
    return tolerated.append


@pytest.fixture
def troubles() -> list[str]:
    """What the browser has complained of so far; empty at the end or the story fails."""
    return []


@pytest.fixture
def open_page(
    browser: Browser, live_server: LiveServer, tolerated: list[str], troubles: list[str]
) -> Iterator[OpenPage]:
    """Opens a browser of one more person: own cookies, Russian, Moscow time; options as of
    Playwright's new_context.
    """
    contexts = []

    def open_one(within: Browser = browser, **options: Any) -> Page:
        chosen = {"locale": "ru-RU", "timezone_id": "Europe/Moscow", "viewport": DESKTOP, **options}
        context = within.new_context(base_url=live_server.url, **chosen)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        _watch(page, troubles)
        return page

    yield open_one
    for context in contexts:
        context.close()
    left = [trouble for trouble in troubles if not any(text in trouble for text in tolerated)]
    assert not left, "the browser saw:\n" + "\n".join(left)


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page()


@pytest.fixture
def login(live_server: LiveServer) -> Login:
    """Logs the user in by a session cookie, without the form; the page stays where it is."""

    def log_in(page: Page, user: User) -> Page:
        session = SessionStore()
        session.set_expiry(
            dt.timedelta(days=60)
        )  # stories move the clock; a page left open must not ask for the password
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        key = session.session_key
        assert key is not None
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}]
        )
        return page

    return log_in


def _watch(page: Page, troubles: list[str]) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_HONEST):
            troubles.append(f"console on {page.url}: {message.text}")

    def on_response(response: Response) -> None:
        if response.status >= 500 or (
            response.status >= 400 and response.request.resource_type in _PARTS
        ):
            troubles.append(f"{response.status} for {response.request.method} {response.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: troubles.append(f"script on {page.url}: {error}"))
    page.on("response", on_response)
