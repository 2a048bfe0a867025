"""Two writers of the first interaction of one person and day make one contact — and without the
guards they do not.
"""

from collections.abc import Callable
from typing import Any

import pytest

from callcenter.contacts.actions import intake, record_interaction
from callcenter.contacts.models import Contact, Interaction
from callcenter.contacts.states import InteractionKind, InteractionState
from tests.concurrency.race import at_once, overlapping, without_constraint
from tests.conftest import World
from tests.contacts.interactions import interaction_input

pytestmark = pytest.mark.django_db(transaction=True)

Race = Callable[[list[Callable[[], Interaction]]], list[Interaction | Exception]]


def _writer(world: World, source_id: str, **more: Any) -> Callable[[], Interaction]:
    def write() -> Interaction:
        facts = interaction_input(
            clinic=world.clinic,
            kind=InteractionKind.CALL,
            state=InteractionState.ANSWERED,
            at=world.now,
            source="race",
            source_id=source_id,
            **more,
        )
        return record_interaction(facts, by=None, now=world.now)

    return write


def _all_written(results: list[Interaction | Exception]) -> bool:
    return all(isinstance(result, Interaction) for result in results)


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "lock_words", lambda *words: None)


@pytest.mark.parametrize("race", [at_once, overlapping])
def test_two_first_interactions_make_one_contact(world: World, race: Race) -> None:
    assert _all_written(race([_writer(world, f"call{n}", number="+79000003001") for n in range(4)]))
    assert Contact.objects.get().interaction_count == 4


@pytest.mark.parametrize("race", [at_once, overlapping])
def test_the_same_id_twice_at_once_is_written_once(world: World, race: Race) -> None:
    assert _all_written(race([_writer(world, "same", number="+79000003002")] * 4))
    assert Interaction.objects.count() == 1


def _named_and_unnamed(world: World) -> list[Callable[[], Interaction]]:
    """One says whose the number is while the other writes it as nobody's."""
    named = _writer(world, "a", number="+79000003003", patient=world.patient(phones=[]))
    return [named, _writer(world, "b", number="+79000003003")]


def test_without_the_lock_a_named_and_an_unnamed_call_stay_apart(
    world: World, unlocked: None
) -> None:
    assert _all_written(overlapping(_named_and_unnamed(world)))
    assert Contact.objects.count() == 2


@pytest.mark.parametrize("is_named_first", [True, False])
def test_with_the_lock_a_named_and_an_unnamed_call_become_one_contact(
    world: World, is_named_first: bool
) -> None:
    calls = _named_and_unnamed(world)
    assert _all_written(overlapping(calls if is_named_first else calls[::-1]))
    assert Contact.objects.get().interaction_count == 2


def test_without_the_lock_the_unique_key_still_makes_one_contact(
    world: World, unlocked: None
) -> None:
    assert _all_written(
        overlapping([_writer(world, f"y{n}", number="+79000003008") for n in range(2)])
    )
    assert Contact.objects.count() == 1


def test_without_the_unique_key_two_writers_make_two_contacts(world: World, unlocked: None) -> None:
    with without_constraint(Contact, "contact_person_day"):
        assert _all_written(
            overlapping([_writer(world, f"x{n}", number="+79000003009") for n in range(2)])
        )
        assert Contact.objects.count() == 2
