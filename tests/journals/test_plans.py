"""The senior's plan: segments that add up, giving out, sharing again, returning at the clinic's
closing.
"""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.lib.errors import Conflict, NotAllowed, Refused
from journals.actions.cards import open_card
from journals.actions.plans import give_plan, redistribute, return_uncalled
from journals.models import PlanItem, PlanState
from journals.outcome_rules import CallOutcome
from journals.plan_split import by_capacity, deal, evenly
from journals.queries import plan_progress, segments
from tests.conftest import World
from tests.journals.conftest import Recall

DAY = dt.timedelta(days=1)


@given(st.integers(0, 500), st.integers(1, 12))
def test_even_shares_add_up_and_differ_by_one_at_most(total: int, people: int) -> None:
    shares = evenly(total, range(people))
    assert sum(shares.values()) == total
    assert max(shares.values()) - min(shares.values()) <= 1


@given(st.integers(0, 500), st.lists(st.integers(0, 60), min_size=1, max_size=12))
def test_shares_by_capacity_never_exceed_the_room(total: int, room: list[int]) -> None:
    shares = by_capacity(total, dict(enumerate(room)))
    assert sum(shares.values()) == min(total, sum(room))
    assert all(0 <= shares[person] <= left for person, left in enumerate(room))


@given(
    st.lists(st.integers(0, 5), max_size=60, unique=False),
    st.dictionaries(st.integers(0, 5), st.integers(1, 9), min_size=1),
)
def test_everyone_gets_exactly_her_share_of_what_there_is(
    callers: list[int], shares: dict[int, int]
) -> None:
    entries = [(index, caller) for index, caller in enumerate(callers)]
    given_out = deal(entries, shares)
    assert len(given_out) == min(len(entries), sum(shares.values()))
    for person, share in shares.items():
        assert sum(owner == person for owner in given_out.values()) <= share


def test_the_last_caller_is_dealt_her_patient() -> None:
    assert deal([(1, 7), (2, 8), (3, None), (4, 7)], {7: 2, 8: 2}) == {1: 7, 2: 8, 4: 7, 3: 8}


def test_each_entry_of_the_segment_stands_in_one_place(every_kind: Recall) -> None:
    segment = every_kind.segment()
    counts = segments.counts(segment, now=every_kind.world.now)
    assert (counts.ready, counts.planned, counts.resting) == (2, 1, 1)
    assert counts.blocked == dict.fromkeys(segments.BLOCKED, 1)
    assert counts.total == segments.entries_of(segment).count() == 9
    assert counts.next_rest_ends == every_kind.today + 3 * DAY


def test_tomorrow_what_rests_is_ready_and_a_past_visit_blocks_no_more(every_kind: Recall) -> None:
    later = every_kind.world.now + 4 * DAY
    counts = segments.counts(every_kind.segment(on=every_kind.today + 4 * DAY), now=later)
    assert (counts.ready, counts.planned, counts.resting) == (5, 1, 0)
    assert counts.blocked["future_visit"] == counts.blocked["held"] == 0


def test_a_segment_is_narrowed_by_doctor_call_number_and_date(every_kind: Recall) -> None:
    now = every_kind.world.now
    assert segments.counts(every_kind.segment(doctor=every_kind.world.doctor_b), now=now).total == 0
    assert segments.counts(every_kind.segment(number=2), now=now).total == 0
    assert segments.counts(every_kind.segment(until=every_kind.today), now=now).total == 8
    assert segments.counts(every_kind.segment(since=every_kind.today + DAY), now=now).total == 1


def test_only_ready_entries_are_given_the_longest_waiting_first(every_kind: Recall) -> None:
    world = every_kind.world
    plan = give_plan(
        every_kind.segment(), shares={world.administrator2: 1}, by=world.senior, now=world.now
    )
    assert plan.items.get().entry.call_on == every_kind.today - DAY
    plan = give_plan(
        every_kind.segment(), shares={world.administrator2: 5}, by=world.senior, now=world.now
    )
    assert plan.items.count() == 1
    with pytest.raises(Conflict, match="Готовых записей"):
        every_kind.plan(world.administrator)


def test_a_short_segment_is_shared_in_proportion(recall: Recall) -> None:
    world = recall.world
    for _number in range(4):
        recall.entry()
    shares = {world.administrator: 10, world.administrator2: 10}
    give_plan(recall.segment(), shares=shares, by=world.senior, now=world.now)
    assert [PlanItem.objects.filter(assignee=person).count() for person in shares] == [2, 2]


def test_an_entry_that_is_due_again_goes_to_its_last_caller(recall: Recall) -> None:
    world = recall.world
    for _number in range(3):
        recall.entry()
    mine = recall.entry()
    recall.call(mine, CallOutcome.UNREACHED, by=world.senior)
    later = world.now + 7 * DAY
    plan = give_plan(
        recall.segment(on=recall.today + 7 * DAY),
        shares={world.senior: 1, world.administrator: 3},
        by=world.senior,
        now=later,
    )
    assert plan.items.get(assignee=world.senior).entry == mine


@pytest.mark.parametrize("who", ["administrator", "manager", "doctor_user"])
def test_only_the_senior_gives_a_plan(recall: Recall, who: str) -> None:
    recall.entry()
    with pytest.raises(NotAllowed):
        give_plan(
            recall.segment(),
            shares={recall.world.administrator: 1},
            by=getattr(recall.world, who),
            now=recall.world.now,
        )


def test_nobody_from_elsewhere_and_nobody_who_does_not_call_is_given_entries(
    recall: Recall,
) -> None:
    recall.entry()
    for stranger in (recall.world.administrator_b, recall.world.manager):
        with pytest.raises(Refused, match="не звонит пациентам"):
            recall.plan(stranger)


def test_a_day_that_is_over_takes_no_plan(recall: Recall) -> None:
    recall.entry()
    with pytest.raises(Refused, match="уже прошёл"):
        recall.plan(recall.world.administrator, on=recall.today - DAY)
    evening = recall.world.local(recall.today, 20)
    with pytest.raises(Refused, match="20:00"):
        give_plan(
            recall.segment(),
            shares={recall.world.administrator: 1},
            by=recall.world.senior,
            now=evening,
        )


def test_what_was_not_called_is_ready_again_at_the_closing(recall: Recall) -> None:
    recall.entry()
    called = recall.entry()
    recall.plan(recall.world.administrator, 2)
    recall.call(called, CallOutcome.THINKING, by=recall.world.administrator)
    assert return_uncalled(now=recall.world.local(recall.today, 19, 59)) == 0
    assert return_uncalled(now=recall.world.local(recall.today, 20)) == 1
    assert return_uncalled(now=recall.world.local(recall.today, 20)) == 0
    assert sorted(PlanItem.objects.values_list("state", flat=True)) == [
        PlanState.CALLED,
        PlanState.RETURNED,
    ]
    assert (
        segments.counts(recall.segment(on=recall.today + DAY), now=recall.world.now + DAY).ready
        == 1
    )


def test_a_call_that_lasts_beyond_the_closing_is_not_taken_away(recall: Recall) -> None:
    entry = recall.entry()
    recall.plan(recall.world.administrator)
    closing = recall.world.local(recall.today, 20)
    open_card(entry, by=recall.world.administrator, now=closing - dt.timedelta(minutes=2))
    assert return_uncalled(now=closing) == 0
    assert return_uncalled(now=closing + dt.timedelta(minutes=9)) == 1


def test_a_persons_rest_is_shared_out_in_one_action_but_not_the_card_she_has_open(
    recall: Recall,
) -> None:
    world = recall.world
    entries = [recall.entry() for _number in range(4)]
    recall.plan(world.administrator, 4)
    open_card(entries[0], by=world.administrator, now=world.now)
    moved = redistribute(
        clinic=world.clinic, on=recall.today, person=world.administrator,
        to=[world.administrator2, world.senior], by=world.senior, now=world.now,
    )  # fmt: skip
    assert moved == 3
    assert PlanItem.objects.get(assignee=world.administrator).entry == entries[0]
    assert sorted(
        PlanItem.objects.filter(assignee=user).count()
        for user in (world.administrator2, world.senior)
    ) == [
        1,
        2,
    ]
    with pytest.raises(Conflict):
        redistribute(
            clinic=world.clinic, on=recall.today, person=world.administrator, to=[world.administrator2],
            by=world.senior, now=world.now,
        )  # fmt: skip


def test_sharing_out_needs_the_senior_and_somebody_else(recall: Recall) -> None:
    world = recall.world
    recall.entry()
    recall.plan(world.administrator)
    for by, to, error in (
        (world.administrator, [world.administrator2], NotAllowed),
        (world.senior, [world.administrator], Refused),
        (world.senior, [world.administrator_b], Refused),
    ):
        with pytest.raises(error):
            redistribute(
                clinic=world.clinic,
                on=recall.today,
                person=world.administrator,
                to=to,
                by=by,
                now=world.now,
            )


def test_the_board_adds_up_and_foresees_the_end(recall: Recall) -> None:
    world = recall.world
    entries = [recall.entry() for _number in range(6)]
    recall.plan(world.administrator, 6)
    outcomes = (CallOutcome.BOOKED, CallOutcome.REFUSED, CallOutcome.THINKING)
    for minutes, (entry, outcome) in enumerate(zip(entries, outcomes, strict=False)):
        recall.call(
            entry,
            outcome,
            by=world.administrator,
            now=world.now + dt.timedelta(minutes=10 * minutes),
        )
    recall.call(entries[3], CallOutcome.REMIND, by=world.senior, patient_called=True)
    now = world.now + dt.timedelta(minutes=20)
    open_card(entries[4], by=world.administrator, now=now)
    (line,) = plan_progress.board(world.clinic, recall.today, now=now)
    assert (line.given, line.called, line.booked, line.refused, line.left, line.closed) == (
        6,
        3,
        1,
        1,
        2,
        1,
    )
    assert line.given == line.called + line.left + line.returned + line.closed
    assert line.talking_to == entries[4]
    assert line.share == 67  # four of the six are done
    # Three calls in twenty minutes: two more in twenty.
    assert line.done_by is not None
    assert f"{line.done_by:%H:%M}" == "12:40"


def test_capacity_is_what_the_day_already_holds(recall: Recall, world: World) -> None:
    for _number in range(2):
        recall.entry()
    recall.plan(world.administrator, 2)
    rooms = {
        caller.person: caller.room for caller in plan_progress.callers(world.clinic, recall.today)
    }
    assert rooms[world.administrator] == world.administrator.capacity - 2
    assert world.manager not in rooms


def test_what_went_back_uncalled_is_not_counted_as_done(recall: Recall) -> None:
    for _number in range(4):
        recall.entry()
    recall.plan(recall.world.administrator, 4)
    recall.call(
        PlanItem.objects.order_by("pk")[0].entry,
        CallOutcome.THINKING,
        by=recall.world.administrator,
    )
    PlanItem.objects.filter(pk__in=PlanItem.objects.open().values("pk")[:2]).update(
        state=PlanState.RETURNED
    )
    (line,) = plan_progress.board(recall.world.clinic, recall.today, now=recall.world.now)
    assert (line.given, line.called, line.returned, line.left, line.share) == (4, 1, 2, 1, 50)
