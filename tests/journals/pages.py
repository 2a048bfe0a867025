"""What the tests of the journal's pages share: addresses, the card's form, counted queries."""

import re
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from callcenter.staff.models import User
from journals.models import RecallEntry
from tests.journals.conftest import Recall

Login = Callable[[User], Client]
JOURNAL = "/journals/"


def url(name: str, entry: RecallEntry) -> str:
    return reverse(f"journals:{name}", args=[entry.pk])


def form(recall: Recall, page: str, outcome: str, **fields: Any) -> dict[str, Any]:
    """The form as the card showed it."""
    found = {
        name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in ("version", "token")
    }
    assert all(found.values())
    return {name: match[1] for name, match in found.items() if match} | {
        "outcome": outcome,
        "comment": "поговорили",
        **fields,
    }


def queries_of(client: Client, address: str) -> int:
    client.get(address)  # sessions, caches
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
