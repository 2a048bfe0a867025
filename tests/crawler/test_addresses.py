"""What anybody may type after the question mark: days at the ends of the calendar, NUL, numbers
that are none.
"""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from callcenter.staff.models import User
from callcenter.staff.roles import Role
from tests.conftest import World, make_user
from tests.crawler.routes import routes

pytestmark = pytest.mark.django_db

DAYS = ("on", "since", "until", "from", "to", "before", "after", "line", "in")
WORDS = (
    *(
        "q",
        "clinic",
        "doctor",
        "action",
        "after",
        "before",
        "by",
        "by1",
        "object",
        "patient",
        "page",
        "tab",
        "sort",
    ),
    *(
        "show",
        "role",
        "window",
        "specialty",
        "kind",
        "line",
        "key",
        "reason",
        "number",
        "study",
        "look",
        "client",
    ),
    *(
        "status",
        "in",
        "open",
        "procedure",
        "run",
        "part",
        "round",
        "phone",
        "owner",
        "caller",
        "only",
        "source",
        "fate",
    ),
    *(
        "topic",
        "channel",
        "who",
        "type",
        "outcome",
        "topics",
        "since",
        "view",
        "measure",
        "group",
        "what",
        "brush",
    ),
    *("whose", "when", "department", "period", "span", "find", "format", "chat", "order", "next"),
)
NASTY_DAYS = ("0001-01-01", "9999-12-31")
NASTY_WORDS = ("\x00", "²", "9" * 60, "\x00:1", "day:9999-12-31")


def _queries() -> list[str]:
    chosen = [dict.fromkeys(DAYS, day) for day in NASTY_DAYS]
    chosen += [{name: day} for name in ("since", "until") for day in NASTY_DAYS]
    chosen += [{"since": NASTY_DAYS[0], "until": NASTY_DAYS[1]}]
    chosen += [dict.fromkeys(WORDS, word) for word in NASTY_WORDS]
    chosen += [{"after": "0001-01-01T00:00:00+05:00_5"}, {"span": "month", "from": "9999-12-31"}]
    return [urlencode(query) for query in chosen]


@pytest.mark.parametrize("query", _queries())
def test_no_page_breaks_at_what_stands_in_its_address(
    query: str, busy_world: World, as_user: Callable[[User], Client]
) -> None:
    client = as_user(make_user("walker", "Вездеход Пётр Ильич", *Role, clinics=[busy_world.clinic]))
    client.raise_request_exception = False
    patient, visit = busy_world.patient(), busy_world.visit()
    pages = {route.url for route in routes()} | {
        reverse("clinics:patient", args=[patient.pk]),
        reverse("clinics:book", args=[patient.pk]),
        reverse("clinics:move", args=[visit.pk]),
    }
    broken = [page for page in sorted(pages) if client.get(f"{page}?{query}").status_code >= 500]
    parts = (
        "/reminders/",
        "/reminders/day/",
        "/tasks/",
        "/callback/",
        "/patients/",
        "/history/",
        "/history/missed/",
    )
    broken += [
        f"a part of {page}"
        for page in parts
        if client.get(f"{page}?{query}", headers={"HX-Request": "true"}).status_code >= 500
    ]
    assert broken == []
