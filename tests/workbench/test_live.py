"""`/live`: hints for live screens, without a session and without the database."""

import json
import re
import time

import pytest
import redis
from django.core import signing
from django.http import HttpResponse
from django.test import Client, RequestFactory

from callcenter.lib import live_updates
from callcenter.workbench.live_view import look


@pytest.fixture(autouse=True)
def _forget() -> None:
    live_updates._valkey().flushdb()


def ask(tokens: list[str], since: str = "") -> tuple[int, dict[str, object]]:
    answer = look(RequestFactory().get("/live", {"topics": tokens, "since": since}))
    assert isinstance(answer, HttpResponse)
    return answer.status_code, json.loads(answer.content) if answer.content else {}


def rendered_long_ago(*topics: str) -> str:
    return signing.dumps([int(time.time()) - 60, *topics], salt=live_updates._SALT, compress=True)


def test_the_first_question_learns_the_marks_and_nothing_is_fetched_while_nothing_happens() -> None:
    tokens = [live_updates.sign(["a"]), live_updates.sign(["b"])]
    status, answer = ask(tokens)
    assert (status, answer["changed"]) == (200, [])
    assert ask(tokens, str(answer["since"])) == (204, {})


def test_only_the_part_whose_topic_was_bumped_is_named() -> None:
    tokens = [live_updates.sign(["a"]), live_updates.sign(["b", "c"])]
    _, before = ask(tokens)
    live_updates._bump_now(("c",))
    status, after = ask(tokens, str(before["since"]))
    assert (status, after["changed"]) == (200, [1])


def test_a_write_between_rendering_and_the_first_question_is_not_lost() -> None:
    token = rendered_long_ago("a")
    live_updates._bump_now(("a",))
    assert ask([token])[1]["changed"] == [0]


def test_an_old_write_does_not_fetch_a_fresh_page_again() -> None:
    live_updates._valkey().set("live:a", f"{time.time() - 60:.3f}-00")
    assert ask([live_updates.sign(["a"])])[1]["changed"] == []


def test_after_an_emptied_valkey_each_part_is_fetched_once() -> None:
    live_updates._bump_now(("a",))
    tokens = [live_updates.sign(["a"])]
    _, before = ask(tokens)
    live_updates._valkey().flushdb()
    _, after = ask(tokens, str(before["since"]))
    assert after["changed"] == [0]
    assert ask(tokens, str(after["since"])) == (204, {})


@pytest.mark.parametrize("token", ["", "nonsense", "a:b:c"])
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    assert ask([token])[0] == 400


def test_a_token_of_another_site_is_refused() -> None:
    good = live_updates.sign(["reminders:clinic:1"])
    assert ask([re.sub(r".$", lambda last: "A" if last[0] != "A" else "B", good)])[0] == 400


def test_without_valkey_the_page_is_told_to_refresh_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(topics: list[str]) -> dict[str, str]:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(live_updates, "versions", away)
    answer = look(RequestFactory().get("/live", {"topics": live_updates.sign(["a"])}))
    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"


def test_nobody_logs_in_and_the_database_is_not_touched(client: Client) -> None:
    # without the mark `django_db` any query raises, and so would a look at the session
    client.cookies["sessionid"] = "whatever"
    answer = client.get("/live", {"topics": live_updates.sign(["a"])})
    assert answer.status_code == 200
    assert not answer.cookies
