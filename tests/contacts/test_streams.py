"""Random streams of interactions in random order: the contacts come out the same, and as if decided
from scratch.
"""

import datetime as dt
import itertools
import random
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.contacts.actions import link_known_numbers, recompute_contacts, record_interaction
from callcenter.contacts.call_phases import Phases, merge, state_of
from callcenter.contacts.models import Contact, Interaction
from callcenter.contacts.states import Direction, InteractionKind, InteractionState
from tests.conftest import World
from tests.contacts.interactions import interaction_input

_serial = itertools.count(1)
KINDS = [
    (InteractionKind.CALL, InteractionState.ANSWERED),
    (InteractionKind.CALL, InteractionState.MISSED),
    (InteractionKind.CALL, InteractionState.FAILED),
    (InteractionKind.CHAT, InteractionState.CLOSED),
    (InteractionKind.REQUEST, InteractionState.NEW),
    (InteractionKind.DIALOG, InteractionState.FINISHED),
    (InteractionKind.COMMENT, InteractionState.FINISHED),
]
# minute of three days, who (an index into the cast of numbers and patients), what, direction,
# comment
events = st.lists(
    st.tuples(
        st.integers(0, 3 * 1440 - 1),
        st.sampled_from(
            ["family", "known", "known2", "stranger", "stranger_named", "patient", "chat"]
        ),
        st.sampled_from(KINDS),
        st.sampled_from(list(Direction)),
        st.sampled_from(["", "спросил цену"]),
    ),
    min_size=1,
    max_size=9,
    unique_by=lambda event: event[0],
)


def _write(world: World, cast: dict[str, dict[str, Any]], stream: list[Any], run: str) -> None:
    for minute, who, (kind, state), direction, comment in stream:
        at = world.now - dt.timedelta(days=3) + dt.timedelta(minutes=minute)
        facts = interaction_input(
            clinic=world.clinic,
            kind=kind,
            state=state,
            at=at,
            ended_at=at + dt.timedelta(minutes=2) if kind == InteractionKind.CALL else None,
            direction=Direction.IN if state == InteractionState.MISSED else direction,
            comment=comment,
            source="" if kind == InteractionKind.COMMENT else run,
            source_id="" if kind == InteractionKind.COMMENT else f"{run}-{minute}",
            **cast[who],
        )
        record_interaction(facts, by=world.administrator, now=world.now)


def _shape_of_world() -> list[Any]:
    """Everything the report reads, without ids."""
    names = {one.pk: f"{one.kind}{one.at}" for one in Interaction.objects.all()}
    return [
        (
            contact.on,
            contact.person_key,
            contact.outcome,
            contact.caller_type,
            contact.owner_id,
            contact.contact_type,
            contact.contact_types,
            contact.interaction_count,
            contact.overdue_on,
            contact.talk_seconds,
            contact.is_ambiguous,
            [
                (one.at, one.kind, one.state, one.contact_type, names.get(one.joined_call_id or 0), one.returned_at, one.returned_by,
                 names.get(one.handled_by_id or 0))
                for one in contact.interactions.order_by("at")
            ],
        )
        for contact in Contact.objects.order_by("on", "person_key")
    ]  # fmt: skip


@pytest.mark.django_db
@settings(max_examples=40)
@given(stream=events, seed=st.integers(0, 10**6))
def test_the_same_stream_in_any_order_gives_the_same_contacts(
    world: World, stream: list[Any], seed: int
) -> None:
    """«Если в течение дня человек и позвонил, и написал вам, или позвонил несколько раз … одним
    обращением».
    """
    with transaction.atomic():
        mother = world.patient("Семёнова", phones=["+79000001001"])
        world.patient("Семёнов", phones=["+79000001001"])
        known = world.patient("Кедров", phones=["+79000001002", "+79000001003"])
        named = world.patient("Новикова", phones=[])
        cast: dict[str, dict[str, Any]] = {
            "family": {"number": "+79000001001"},
            "known": {"number": "+79000001002"},
            "known2": {"number": "+79000001003"},
            "stranger": {"number": "+79000001004"},
            "stranger_named": {"number": "+79000001004", "patient": named},
            "patient": {"patient": mother, "number": "+79000001001"},
            "chat": {"client": "max:77"},
        }
        point = transaction.savepoint()
        _write(world, cast, sorted(stream), f"a{next(_serial)}")
        first = _shape_of_world()
        assert sum(row[7] for row in first) <= len(stream)
        assert {contact.person_key for contact in Contact.objects.filter(patient=known)} <= {
            f"p{known.pk}"
        }
        recompute_contacts(Contact.objects.values_list("pk", flat=True))
        link_known_numbers(since=world.now.date() - dt.timedelta(days=9))
        assert _shape_of_world() == first, "deciding from scratch must change nothing"
        transaction.savepoint_rollback(point)

        shuffled = list(stream)
        random.Random(seed).shuffle(shuffled)
        _write(world, cast, shuffled, f"b{next(_serial)}")
        assert _shape_of_world() == first
        transaction.set_rollback(True)


@given(
    marks=st.tuples(
        st.integers(0, 50), st.none() | st.integers(0, 500), st.none() | st.integers(0, 500)
    ),
    order=st.permutations([0, 1, 2]),
    direction=st.sampled_from(list(Direction)),
)
def test_phases_of_a_call_in_any_order_give_the_same_call(
    marks: tuple[int, int | None, int | None], order: list[int], direction: Direction
) -> None:
    base = dt.datetime(2026, 3, 18, 9, tzinfo=dt.UTC)
    start, answered, ended = (
        None if mark is None else base + dt.timedelta(seconds=mark) for mark in marks
    )
    assert start is not None
    told = [Phases(start), Phases(start, answered_at=answered), Phases(start, ended_at=ended)]
    in_order = merge(merge(told[0], told[1]), told[2])
    shuffled = merge(merge(told[order[0]], told[order[1]]), told[order[2]])
    assert shuffled == in_order
    assert state_of(shuffled, direction) == state_of(in_order, direction)
