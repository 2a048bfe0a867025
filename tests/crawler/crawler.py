"""Goes through the product as one user: follows every link, presses every button, sends every form
as it stands.
"""

import contextlib
import datetime as dt
import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, Final
from unittest import mock
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import Resolver404, resolve

from tests.crawler.markup import Markup, Press

# Of the same kind of request (route, parameters, not their numbers) this many are tried: rows of a
# list are alike.
ALIKE: Final = 3
# Pressing this ends the crawl.
NEVER: Final = {"/logout/"}
# An honest answer to a form that was sent as it stood: taken as it is, changed meanwhile, not
# filled in.
FINE: Final = {200, 201, 202, 204, 206, 301, 302, 303, 304, 409, 422}
# The recall card of an entry that is not in one's plan: calling is refused (403), but the card is
# there to be read, with the reason and «Пациент позвонил сам».
SHOWN_THOUGH_REFUSED: Final = {"journals:card"}


@dataclass
class Crawl:
    client: Client
    who: str
    only_reads: bool = False
    # Is told every answer: the address and the text.
    hears: Callable[[str, str], None] = lambda _target, _text: None
    seen: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    routes: Counter[str] = field(default_factory=Counter)
    urls: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    complained: set[str] = field(default_factory=set)
    known: set[tuple[Any, ...]] = field(default_factory=set)

    def walk(self, *starts: str) -> "Crawl":
        """From the pages given to everything that can be reached; what is wrong stands in `faults`
        afterwards.
        """
        # The client would copy the context of every template that an answer was made of.
        with mock.patch("django.test.client.store_rendered_templates", _forget):
            return self._walk(*starts)

    def _walk(self, *starts: str) -> "Crawl":
        waiting = deque((start, Press("start", "GET", start), start) for start in starts)
        while waiting:
            page, press, target = waiting.popleft()
            answer = self._ask(page, press, target)
            html = _html(answer) if answer is not None else None
            if html is None:
                continue
            # What htmx fetched becomes a part of the page it was fetched from.
            here = page if press.htmx else target
            markup = Markup(html)
            for complaint in markup.complaints():
                self._complain(complaint, f"on {target}")
            for further in markup.presses():
                address = self._target(here, further)
                if address is None or not self._is_new(further, address):
                    continue
                if further.method == "GET":
                    waiting.append((here, further, address))
                elif not self.only_reads:
                    self._ask(here, further, address)
        return self

    def _complain(self, what: str, where: str) -> None:
        """Once for each thing, with the first place: a dead button of the menu is one defect, not
        one a page.
        """
        if what not in self.complained:
            self.complained.add(what)
            self.faults.append(f"{self.who}: {what} ({where})")

    def _target(self, page: str, press: Press) -> str | None:
        """The address on this site that the press asks for; None for what leads outside or nowhere."""
        if re.match(r"(tel|mailto|sms|data|blob):", press.url) or press.url.startswith("#"):
            return None
        url = urlsplit(urljoin(f"http://testserver{page}", press.url or page))
        if url.netloc != "testserver" or url.path in NEVER or url.path.startswith(("/static/",)):
            return None
        query = url.query
        if press.method == "GET" and press.data:
            query = urlencode(press.data)
        return url.path + (f"?{query}" if query else "")

    def _is_new(self, press: Press, target: str) -> bool:
        exact = (press.method, press.htmx, target, press.data if press.method != "GET" else ())
        if exact in self.known:
            return False
        self.known.add(exact)
        url = urlsplit(target)
        try:
            route = resolve(url.path).route
        except Resolver404:
            route = url.path
        words = frozenset(
            (key, "" if _varies(value) else value) for key, value in parse_qsl(url.query)
        )
        names = frozenset((key, "" if _varies(value) else value) for key, value in press.data)
        kind = (
            press.method,
            press.htmx,
            route,
            words,
            names if press.method != "GET" else frozenset(),
        )
        self.seen[kind] += 1
        return self.seen[kind] <= ALIKE

    def _ask(self, page: str, press: Press, target: str) -> HttpResponseBase | None:
        """Sends the request; what it writes is taken back, so that every button meets the same
        world.
        """
        headers = (
            {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"}
            if press.htmx
            else {}
        )
        cookies = {name: morsel.copy() for name, morsel in self.client.cookies.items()}
        with transaction.atomic():
            if press.method == "GET":
                answer: Any = self.client.get(target, headers=headers, follow=True)
            else:
                send = getattr(self.client, press.method.lower())
                answer = send(target, _as_form(press.data), headers=headers, follow=True)
            transaction.set_rollback(True)
        self.client.cookies = SimpleCookie()
        dict.update(self.client.cookies, cookies)
        self.urls.add(f"{press.method} {target}")
        with contextlib.suppress(Resolver404):
            self.routes[resolve(urlsplit(target).path).route] += 1
        last = answer.request  # of a form that was sent: where it led
        reads = last["REQUEST_METHOD"] == "GET" and _name(last["PATH_INFO"]) in SHOWN_THOUGH_REFUSED
        readable = answer.status_code == 403 and reads
        if answer.status_code not in FINE and not readable:
            what = f"{press.method} {target} answers {answer.status_code} {_why(answer)}"
            self._complain(what, f"pressed: «{press.words}» on {page}")
            return None
        self.hears(target, text_of(answer))
        return answer  # type: ignore[no-any-return]


def _forget(*_args: object, **_kwargs: object) -> None:
    pass


def text_of(answer: Any) -> str:
    if answer.streaming:
        return b"".join(answer.streaming_content).decode(errors="replace")
    return str(answer.content.decode(errors="replace"))


def _as_form(data: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    for name, value in data:
        form.setdefault(name, []).append(value)
    return form


def _varies(value: str) -> bool:
    """Numbers, dates and texts differ from row to row without making another kind of request; short
    words do not.
    """
    if not re.fullmatch(r"[a-z_-]{1,20}", value):
        return True
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _html(answer: HttpResponseBase) -> str | None:
    if not answer.headers.get("Content-Type", "").startswith("text/html") or answer.streaming:
        return None
    content: bytes = answer.content  # type: ignore[attr-defined]
    return content.decode()


def _name(target: str) -> str:
    try:
        return resolve(urlsplit(target).path).view_name
    except Resolver404:
        return ""


def _why(answer: Any) -> str:
    exception = getattr(answer, "exc_info", None)
    if exception:
        return f"{exception[0].__name__}: {exception[1]}"
    return ""
