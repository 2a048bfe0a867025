"""Every link and button of every page, for every role: no 500, nothing that is shown and then
refused, no dead control.
"""

import logging
from typing import Any

import pytest
from django.test import Client

from callcenter.staff.roles import Role
from tests.conftest import World, make_user
from tests.crawler.crawler import Crawl

pytestmark = pytest.mark.django_db


@pytest.mark.timeout(900)
@pytest.mark.parametrize("role", list(Role))
def test_nothing_on_any_page_is_broken_or_dead(role: Role, busy_world: World) -> None:
    user = make_user(
        f"crawler_{role}", "Обходчикова Нина Павловна", role, clinics=[busy_world.clinic]
    )
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    crawl = Crawl(client, role.value).walk("/")
    assert not crawl.faults, "\n".join(crawl.faults)
    assert len(crawl.urls) >= 5


@pytest.mark.parametrize(
    "words",
    [
        "GET /nowhere/ answers 404",
        "GET /nowhere/in/part/ answers 404",
        "leads to #absent, which is not on the page",
        "pressing «dead hash» does nothing",
        "pressing «dead button» does nothing",
        "GET /forbidden/ answers 403",
        "aims at #absent-target",
        "POST /crash/ answers 500",
        "ValueError: crashed with a=1",
        "POST /reads-only/ answers 405",
        "«tokenless» has no csrf token",
        "«scripts only» does nothing without scripts",
        "the id «twice» stands 2 times",
    ],
)
def test_the_crawler_finds_what_is_broken(
    words: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    settings.ROOT_URLCONF = "tests.crawler.broken_site"
    settings.MIDDLEWARE = []
    faults = Crawl(Client(raise_request_exception=False), "stranger").walk("/").faults
    assert any(words in fault for fault in faults), faults
