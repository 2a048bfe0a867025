"""Settings of contacts: dictionaries, keys of sources, rules of clinics — each page by happy,
forbidden, wrong and lost.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from callcenter.audit.models import AuditEntry
from callcenter.clinics.models import Clinic
from callcenter.contacts.models import (
    AdChannel,
    ChannelRecount,
    ChannelRule,
    ContactPolicy,
    DirectoryNumber,
    Reason,
    SourceKey,
    Topic,
)
from callcenter.staff.models import User
from tests.conftest import World

AsUser = Callable[[User], Client]
ROOT = "/settings/contacts"


@pytest.mark.parametrize(
    ("slug", "good", "bad", "words"),
    [
        ("topics", {"name": "Отбеливание", "is_active": "on"}, {"name": ""}, "Отбеливание"),
        (
            "reasons",
            {"name": "Живёт далеко", "uses": ["thinking"], "position": 5, "is_active": "on"},
            {"name": ""},
            "Живёт далеко",
        ),
        ("channels", {"name": "Радио", "is_active": "on"}, {"name": ""}, "Радио"),
        (
            "numbers",
            {"number": "8 (900) 000-00-71", "name": "Курьер", "caller_type": "other"},
            {"number": "12"},
            "Курьер",
        ),
    ],
)
def test_a_dictionary_is_kept_by_the_senior(
    world: World, as_user: AsUser, slug: str, good: dict[str, Any], bad: dict[str, Any], words: str
) -> None:
    client = as_user(world.senior)
    url = f"{ROOT}/{slug}/list/"
    assert client.get(url).status_code == 200
    assert client.post(url, bad).status_code == 422
    assert client.post(url, good).status_code == 302
    assert words in client.get(url).content.decode()
    assert (
        AuditEntry.objects.filter(action__startswith="contacts.save_", by=world.senior).count() == 1
    )
    assert as_user(world.administrator).post(url, good).status_code == 403


def test_a_row_in_use_is_hidden_not_deleted(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    client = as_user(world.senior)
    used, idle = day["topic"], Topic.objects.create(name="Ничья")
    client.post(f"{ROOT}/topics/{used.pk}/delete/")
    client.post(f"{ROOT}/topics/{idle.pk}/delete/")
    used.refresh_from_db()
    assert not used.is_active
    assert not Topic.objects.filter(pk=idle.pk).exists()
    assert "скрыта" in client.get(f"{ROOT}/topics/{used.pk}/").content.decode()


def test_no_channel_stands_below_itself(world: World, day: dict[str, Any], as_user: AsUser) -> None:
    url = f"{ROOT}/channels/{day['root'].pk}/"
    answer = as_user(world.senior).post(
        url, {"name": "Контекст", "parent": day["yandex"].pk, "is_active": "on"}
    )
    assert answer.status_code == 422
    assert "сам в себя" in answer.content.decode()


def test_a_rule_of_a_channel_is_checked_and_an_order_recounts(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    client = as_user(world.senior)
    url = f"{ROOT}/channel_rules/list/"
    rule = {"channel": day["yandex"].pk, "kind": "utm", "position": 1, "is_active": "on"}
    assert client.post(url, rule | {"pattern": "yandex"}).status_code == 422
    assert client.post(url, rule | {"pattern": "utm_source=ya*"}).status_code == 302
    assert ChannelRule.objects.count() == 2
    order = {"clinic": world.clinic.pk, "since": "2026-03-01", "until": "2026-03-18"}
    assert client.post(f"{ROOT}/recount/", order).status_code == 302
    assert client.post(f"{ROOT}/recount/", order | {"until": "2026-02-01"}).status_code == 422
    assert client.post(f"{ROOT}/recount/", order | {"clinic": world.clinic_b.pk}).status_code == 422
    assert ChannelRecount.objects.get().total > 0
    assert "проверено 0 из" in client.get(url).content.decode()


def test_a_key_is_shown_once_and_revoked_once(world: World, as_user: AsUser) -> None:
    client = as_user(world.senior)
    made = client.post(f"{ROOT}/keys/", {"name": "site", "clinic": world.clinic.pk})
    text = made.content.decode().partition('id="new-key">')[2].partition("<")[0]
    assert text.startswith("dz_")
    assert made["Cache-Control"] == "no-store"
    assert text not in client.get(f"{ROOT}/keys/").content.decode()
    assert (
        client.post(f"{ROOT}/keys/", {"name": "site", "clinic": world.clinic.pk}).status_code == 422
    )
    assert (
        client.post(f"{ROOT}/keys/", {"name": "x", "clinic": world.clinic_b.pk}).status_code == 422
    )
    key = SourceKey.objects.get()
    assert as_user(world.senior_b).post(f"{ROOT}/keys/{key.pk}/revoke/").status_code == 404
    assert as_user(world.administrator).get(f"{ROOT}/keys/").status_code == 403
    assert client.post(f"{ROOT}/keys/{key.pk}/revoke/").status_code == 302
    assert client.post(f"{ROOT}/keys/{key.pk}/revoke/").status_code == 409
    assert "отозван" in client.get(f"{ROOT}/keys/").content.decode()


def test_the_rules_of_a_clinic_are_its_own_and_the_report_says_them(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    client = as_user(world.senior)
    url = f"{ROOT}/rules/{world.clinic.pk}/"
    assert client.get(f"{ROOT}/rules/").status_code == client.get(url).status_code == 200
    assert (
        client.post(
            url, {"comment_minutes": "", "result_minutes": 15, "overdue_days": 7}
        ).status_code
        == 422
    )
    assert (
        client.post(
            url, {"comment_minutes": 9, "result_minutes": 20, "overdue_days": 4}
        ).status_code
        == 302
    )
    assert ContactPolicy.objects.get().comment_minutes == 9
    assert client.get(f"{ROOT}/rules/{world.clinic_b.pk}/").status_code == 404
    page = as_user(world.manager).get("/history/").content.decode()
    assert "минут: 9" in page
    assert "минут: 20" in page
    assert "день заявки: 4" in page
    assert "минут: 20" in as_user(world.administrator).get("/history/link/").content.decode()
    assert "клиники: 9" in as_user(world.administrator).get("/contacts/add/").content.decode()


def test_a_clinic_with_rules_of_its_own_is_named_beside_the_usual_ones(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ContactPolicy.objects.create(clinic=world.clinic_b, comment_minutes=10)
    with django_assert_num_queries(1):
        said = ContactPolicy.said(Clinic.objects.select_related("contact_policy").order_by("pk"))
    usual = "; ".join(["5", f"{world.clinic_b.name} — 10"])
    assert said == {"comment_minutes": usual, "result_minutes": "15", "overdue_days": "7"}
    assert ContactPolicy.said([])["comment_minutes"] == ""


@pytest.mark.parametrize(
    ("typed", "kept"), [("8 (900) 000-99-21", "+79000009921"), ("101", "101"), ("+7900*", "+7900*")]
)
def test_the_number_called_to_is_kept_as_calls_carry_it(
    world: World, day: dict[str, Any], as_user: AsUser, typed: str, kept: str
) -> None:
    """«…затем номера, на которые пришел звонок (то есть телефоны клиники)»."""
    rule = {
        "channel": AdChannel.objects.first().pk,  # type: ignore[union-attr]
        "kind": "number_to",
        "pattern": typed,
        "position": 1,
    }
    assert (
        as_user(world.senior)
        .post(f"{ROOT}/channel-rules/", {**rule, "is_active": "on"})
        .status_code
        == 302
    )
    assert ChannelRule.objects.filter(kind="number_to", pattern=kept).exists()


def test_nobody_changes_the_dictionaries_by_a_wrong_address(world: World, as_user: AsUser) -> None:
    assert as_user(world.senior).get(f"{ROOT}/nothing/list/").status_code == 404
    assert as_user(world.senior).get(f"{ROOT}/topics/999/").status_code == 404
    assert (
        Reason.objects.filter(name="").count(),
        AdChannel.objects.count(),
        DirectoryNumber.objects.count(),
    ) == (
        0,
        0,
        0,
    )
