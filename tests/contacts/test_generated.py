"""The generated history is what the product's own rules would have written."""

import datetime as dt
from typing import Any

import pytest

from callcenter.contacts.actions import recompute_contacts
from callcenter.contacts.models import Contact, Interaction
from callcenter.demo.history import SOURCE, make_history
from tests.conftest import World

FIELDS = (
    "caller_type", "direction", "topic_id", "owner_id", "outcome", "contact_type", "contact_types", "started_at", "interaction_count", "overdue_on", "money",
    "wait_seconds", "wait_count", "talk_seconds", "talk_count", "main_result_id", "results_count", "line", "channel_id",
)  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_generated_contacts_are_decided_and_the_same_every_time(world: World) -> None:
    for number in range(30):
        world.patient(f"Кедрова{number}")

    def rows() -> list[dict[str, Any]]:
        return list(Contact.objects.order_by("pk").values("pk", *FIELDS))

    until = dt.date(2026, 3, 18)
    assert make_history(contacts=200, until=until, days=60)["contact"] == 200
    first = rows()
    recompute_contacts(Contact.objects.values_list("pk", flat=True))
    for before, after in zip(first, rows(), strict=True):
        assert after == before
    make_history(contacts=200, until=until, days=60)
    assert [{**row, "main_result_id": None} for row in rows()] == [
        {**row, "main_result_id": None} for row in first
    ]
    Interaction.objects.filter(pk=Interaction.objects.values("pk")[:1]).update(source="site")
    with pytest.raises(RuntimeError):
        make_history(contacts=1, until=until)
    assert Interaction.objects.filter(source=SOURCE).exists()
