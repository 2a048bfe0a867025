"""The row of a contact, from its facts: where the rules meet."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from callcenter.contacts.rules.caller_types import origin_of, owner_of, who_of_contact, who_of_said
from callcenter.contacts.rules.comments import bind_comments
from callcenter.contacts.rules.contact_types import bits, contact_type_of
from callcenter.contacts.rules.inputs import RECORDS, ContactFacts, InteractionFacts, first
from callcenter.contacts.rules.outcomes import main_result, money_of, outcome_of
from callcenter.contacts.rules.requests import is_open_request, overdue_on
from callcenter.contacts.states import CallerType, ContactOutcome, ContactType, Direction
from callcenter.lib.localtime import local


@dataclass(frozen=True)
class InteractionVerdict:
    """What the rules add to one interaction."""

    id: int
    joined_call: int | None
    contact_type: ContactType
    caller_type: CallerType
    employee: int | None
    topic: int | None


@dataclass(frozen=True)
class ContactVerdict:
    """What the report shows of a contact, and by what it filters and counts it."""

    caller_type: CallerType
    is_first_time: bool
    direction: Direction
    topic: int | None
    owner: int | None
    outcome: ContactOutcome
    channel: int | None
    line: str
    contact_type: ContactType
    contact_types: int
    started_at: dt.datetime
    last_at: dt.datetime
    start_hour: int
    interaction_count: int
    overdue_on: dt.date | None
    money: Decimal
    wait_seconds: int
    wait_count: int
    talk_seconds: int
    talk_count: int
    main_result: int | None
    results: int
    said: tuple[InteractionVerdict, ...]


def decide(facts: ContactFacts) -> ContactVerdict:
    """The row of a contact from its facts; there must be at least one interaction."""
    said = sorted(facts.said, key=lambda one: (one.at, one.key))
    bound = bind_comments(said, facts.policy)
    heard = [
        one for one in said if one.id not in bound
    ]  # a comment that joined a call is part of it
    notes: dict[int, list[InteractionFacts]] = {}
    for one in said:
        if one.id in bound:
            notes.setdefault(bound[one.id], []).append(one)
    contact_types = {
        one.id: contact_type_of(one, noted=one.has_comment or one.id in notes) for one in said
    }
    origins = {one.id: origin_of(one, facts.gave) for one in said}
    rows = tuple(
        InteractionVerdict(
            id=one.id,
            joined_call=bound.get(one.id),
            contact_type=contact_types[one.id],
            caller_type=who_of_said(one, notes.get(one.id, []), origins[one.id], facts),
            employee=first(
                [one.employee, *(note.employee for note in reversed(notes.get(one.id, [])))]
            ),
            topic=first([one.topic, *(note.topic for note in notes.get(one.id, []))]),
        )
        for one in said
    )
    main = main_result(facts.gave, facts.patient)
    waits = [one.wait_seconds for one in heard if one.wait_seconds is not None]
    talks = [one.talk_seconds for one in heard if one.talk_seconds is not None]
    return ContactVerdict(
        caller_type=who_of_contact(said, facts, any(origins.values())),
        is_first_time=facts.patient is not None and not facts.had_completed_visit,
        direction=heard[0].direction,
        topic=first(one.topic for one in reversed(said)),
        owner=owner_of(said, main),
        outcome=outcome_of(main, has_open_request=any(is_open_request(one) for one in said)),
        channel=first(one.channel for one in said),
        line=next((one.line for one in heard if one.line), ""),
        contact_type=contact_types[heard[0].id],
        contact_types=bits(contact_types[one.id] for one in heard),
        started_at=said[0].at,
        last_at=said[-1].at,
        start_hour=local(said[0].at, facts.zone).hour,
        interaction_count=len(heard),
        overdue_on=overdue_on(said, facts.zone, facts.policy),
        money=money_of(facts.gave, facts.patient),
        wait_seconds=sum(waits),
        wait_count=len(waits),
        talk_seconds=sum(talks),
        talk_count=len(talks),
        main_result=main.id if main else None,
        results=len(
            {(deed.visit_id, deed.waiting_id) for deed in facts.gave if deed.kind in RECORDS}
        ),
        said=rows,
    )
