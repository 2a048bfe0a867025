"""One save ends a call: contact, journal, appointment and waiting list in one transaction."""

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from callcenter.audit.models import AuditEntry
from callcenter.clinics.models import Appointment, WaitingListEntry
from callcenter.clinics.states import WaitingKind
from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    record_interaction,
)
from callcenter.contacts.models import Contact, ContactResult, Interaction
from callcenter.contacts.states import (
    Direction,
    InteractionKind,
    InteractionState,
    ResultKind,
    Summary,
)
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from journals.actions.cards import (
    NotInPlan,
    open_card,
    record_call,
    release_card,
    renew_card,
    take_over,
)
from journals.actions.entries import clear_flag, edit_entry, grant_call, open_entry, set_policy
from journals.actions.plans import return_uncalled
from journals.models import PlanItem, PlanState, RecallCall, RecallPolicy
from journals.outcome_rules import CallOutcome, Half, Stage
from tests.journals.conftest import Recall

WEEK = dt.timedelta(days=7)


def test_booked_writes_contact_journal_and_visit(recall: Recall) -> None:
    entry = recall.entry()
    call = recall.call(entry, CallOutcome.BOOKED, comment="придёт с дочерью")
    entry.refresh_from_db()
    visit = Appointment.objects.get()
    assert (entry.stage, entry.appointment, entry.closed_by) == (
        Stage.BOOKED,
        visit,
        recall.world.senior,
    )
    assert (call.number, call.stage_after, call.appointment) == (1, Stage.BOOKED, visit)
    talk = Interaction.objects.get()
    assert (talk.summary, talk.is_recall, talk.direction) == (Summary.BOOKED, True, Direction.OUT)
    assert talk.comment == "придёт с дочерью"
    result = ContactResult.objects.get()
    assert (result.kind, result.appointment, result.contact) == (
        ResultKind.BOOKED,
        visit,
        Contact.objects.get(),
    )


@pytest.mark.parametrize("outcome", [CallOutcome.BOOKED, CallOutcome.REMIND, CallOutcome.UNREACHED])
def test_a_call_and_what_came_of_it_are_decided_once(recall: Recall, outcome: CallOutcome) -> None:
    entry = recall.entry()
    with CaptureQueriesContext(connection) as queries:
        recall.call(entry, outcome, call_on=recall.today + WEEK)
    assert len([one for one in queries if one["sql"].startswith('UPDATE "contacts_contact"')]) == 1
    assert Contact.objects.get().results_count == (outcome is not CallOutcome.UNREACHED)


def test_unreached_moves_the_date_a_week_to_a_working_day_and_to_the_other_half(
    recall: Recall,
) -> None:
    entry = recall.entry()
    # Noon of a Wednesday; the clinic is open 08:00–20:00.
    recall.call(entry, CallOutcome.UNREACHED)
    entry.refresh_from_db()
    assert (entry.stage, entry.unreached, entry.calls) == (Stage.CALL, 1, 1)
    assert entry.call_on == recall.today + WEEK
    assert entry.call_half == Half.EVENING
    talk = Interaction.objects.get()
    assert (talk.summary, talk.state, talk.reason) == (
        Summary.NO_RESULT,
        InteractionState.FAILED,
        recall.no_answer,
    )


def test_a_date_that_falls_on_a_day_off_goes_to_the_next_working_day(recall: Recall) -> None:
    entry = recall.entry()
    recall.world.clinic.special_days.create(on=recall.today + WEEK)
    recall.call(entry, CallOutcome.UNREACHED)
    entry.refresh_from_db()
    assert entry.call_on == recall.today + WEEK + dt.timedelta(days=1)


def test_thinking_takes_the_date_the_administrator_chose(recall: Recall) -> None:
    entry = recall.entry()
    chosen = recall.today + dt.timedelta(days=12)
    recall.call(entry, CallOutcome.THINKING, call_on=chosen)
    entry.refresh_from_db()
    assert (entry.stage, entry.call_on, entry.talks, entry.unreached) == (Stage.CALL, chosen, 1, 0)
    assert entry.last_reason == recall.thinks


def test_remind_later_opens_a_waiting_list_entry_whose_date_is_the_clock(recall: Recall) -> None:
    entry = recall.entry()
    on = recall.today + dt.timedelta(days=5)
    recall.call(entry, CallOutcome.REMIND, call_on=on, comment="после отпуска")
    entry.refresh_from_db()
    waiting = WaitingListEntry.objects.get()
    assert (waiting.kind, waiting.call_on, waiting.comment) == (
        WaitingKind.REMIND_LATER,
        on,
        "после отпуска",
    )
    assert waiting.owner == recall.world.senior
    assert (entry.waiting, entry.call_on, entry.stage) == (waiting, on, Stage.CALL)
    assert ContactResult.objects.get().waiting == waiting


def test_the_next_call_closes_the_reminder(recall: Recall) -> None:
    entry = recall.entry()
    recall.call(entry, CallOutcome.REMIND, call_on=recall.today)
    entry.refresh_from_db()
    recall.call(entry, CallOutcome.REFUSED)
    entry.refresh_from_db()
    assert WaitingListEntry.objects.get().close_reason == "КОС: отказался"
    assert (entry.stage, entry.waiting) == (Stage.REFUSED, None)


def test_a_refusal_closes_the_entry_with_its_reason(recall: Recall) -> None:
    entry = recall.entry()
    recall.call(entry, CallOutcome.REFUSED)
    entry.refresh_from_db()
    assert (entry.stage, entry.last_reason) == (Stage.REFUSED, recall.dear)


@pytest.mark.parametrize(
    ("outcome", "lacks", "field"),
    [
        (CallOutcome.BOOKED, {"window": None}, "window"),
        (CallOutcome.BOOKED, {"comment": " "}, "comment"),
        (CallOutcome.UNREACHED, {"reason": None}, "reason"),
        (CallOutcome.UNREACHED, {"comment": ""}, "comment"),
        (CallOutcome.THINKING, {"reason": None}, "reason"),
        (CallOutcome.REMIND, {"call_on": None}, "call_on"),
        (CallOutcome.REFUSED, {"reason": None}, "reason"),
    ],
)
def test_what_the_table_asks_for_is_demanded(
    recall: Recall,
    outcome: CallOutcome,
    lacks: dict,  # type: ignore[type-arg]
    field: str,
) -> None:
    entry = recall.entry()
    with pytest.raises(Refused) as refused:
        recall.call(entry, outcome, **lacks)
    assert refused.value.field == field
    assert not Interaction.objects.exists()


def test_a_reason_of_another_outcome_is_refused(recall: Recall) -> None:
    with pytest.raises(Refused, match="не подходит"):
        recall.call(recall.entry(), CallOutcome.UNREACHED, reason=recall.dear)


@pytest.mark.parametrize("days", [0, -1, 400])
def test_a_next_date_today_in_the_past_or_beyond_a_year_is_refused(
    recall: Recall, days: int
) -> None:
    with pytest.raises(Refused) as refused:
        recall.call(
            recall.entry(), CallOutcome.THINKING, call_on=recall.today + dt.timedelta(days=days)
        )
    assert refused.value.field == "call_on"


def test_a_next_date_on_a_day_off_names_the_working_day(recall: Recall) -> None:
    sunday = recall.today + dt.timedelta(days=4)
    with pytest.raises(Refused, match=r"23\.03\.2026"):
        recall.call(recall.entry(), CallOutcome.THINKING, call_on=sunday)


def test_the_third_unreached_call_demands_a_refusal_with_a_reason(recall: Recall) -> None:
    entry = recall.entry()
    now = recall.world.now
    for week in range(2):
        recall.call(entry, CallOutcome.UNREACHED, now=now + week * WEEK)
    with pytest.raises(Refused) as demanded:
        recall.call(entry, CallOutcome.UNREACHED, now=now + 2 * WEEK)
    assert demanded.value.field == "refusal_reason"
    call = recall.call(
        entry, CallOutcome.UNREACHED, now=now + 2 * WEEK, refusal_reason=recall.not_reached
    )
    entry.refresh_from_db()
    assert (call.outcome, call.stage_after, call.number) == (
        CallOutcome.UNREACHED,
        Stage.REFUSED,
        3,
    )
    assert (entry.stage, entry.last_reason) == (Stage.REFUSED, recall.not_reached)
    assert list(RecallCall.objects.order_by("at").values_list("on", flat=True)) == [
        recall.today,
        recall.today + WEEK,
        recall.today + 2 * WEEK,
    ]


def test_unreached_calls_are_a_week_apart_for_everybody(recall: Recall) -> None:
    entry = recall.entry()
    recall.call(entry, CallOutcome.UNREACHED)
    with pytest.raises(Refused, match=r"не раньше 25\.03\.2026"):
        recall.call(entry, CallOutcome.UNREACHED, now=recall.world.now + dt.timedelta(days=1))


def test_the_senior_grants_one_more_call_after_the_last(recall: Recall) -> None:
    set_policy(
        recall.world.clinic, values={"calls": 1}, by=recall.world.senior, now=recall.world.now
    )
    entry = recall.entry()
    recall.call(entry, CallOutcome.UNREACHED, refusal_reason=recall.not_reached)
    with pytest.raises(NotAllowed):
        grant_call(entry, by=recall.world.administrator, now=recall.world.now)
    entry = grant_call(entry, by=recall.world.senior, now=recall.world.now)
    assert (entry.stage, entry.granted, entry.call_on) == (Stage.CALL, 1, recall.today + WEEK)
    recall.call(
        entry, CallOutcome.UNREACHED, now=recall.world.now + WEEK, refusal_reason=recall.not_reached
    )
    entry.refresh_from_db()
    assert (entry.stage, entry.unreached) == (Stage.REFUSED, 2)


def test_nothing_is_granted_against_the_patients_own_no(recall: Recall) -> None:
    entry = recall.entry()
    recall.call(entry, CallOutcome.REFUSED)
    with pytest.raises(Refused):
        grant_call(entry, by=recall.world.senior, now=recall.world.now)


def test_a_grant_is_refused_when_the_doctor_has_opened_another_entry(recall: Recall) -> None:
    set_policy(
        recall.world.clinic, values={"calls": 1}, by=recall.world.senior, now=recall.world.now
    )
    entry = recall.entry()
    recall.call(entry, CallOutcome.UNREACHED, refusal_reason=recall.not_reached)
    recall.entry(entry.patient)
    with pytest.raises(Conflict):
        grant_call(entry, by=recall.world.senior, now=recall.world.now)


def test_three_talks_without_a_result_flag_the_entry_until_the_senior_looks(recall: Recall) -> None:
    entry = recall.entry()
    for day in range(3):
        recall.call(entry, CallOutcome.REMIND, call_on=recall.today + dt.timedelta(days=day))
        entry.refresh_from_db()
        recall.world.now += dt.timedelta(days=day)
        assert entry.flagged == (day == 2)
    with pytest.raises(NotAllowed):
        clear_flag(entry, by=recall.world.administrator, now=recall.world.now)
    clear_flag(entry, by=recall.world.senior, now=recall.world.now)
    entry.refresh_from_db()
    assert not entry.flagged
    recall.world.now += WEEK
    recall.call(entry, CallOutcome.UNREACHED)  # no talk: the senior has seen what there was to see
    entry.refresh_from_db()
    assert not entry.flagged


def test_a_second_click_is_the_same_call(recall: Recall) -> None:
    entry = open_card(recall.entry(), by=recall.world.senior, now=recall.world.now)
    token = uuid.uuid4()
    answer = recall.answer(CallOutcome.UNREACHED)
    first, second = (
        record_call(
            entry,
            answer,
            version=entry.version,
            token=token,
            by=recall.world.senior,
            now=recall.world.now,
        )
        for _click in range(2)
    )
    assert first == second
    assert (RecallCall.objects.count(), Interaction.objects.count()) == (1, 1)


def test_the_same_card_in_two_tabs_counts_one_call(recall: Recall) -> None:
    entry = open_card(recall.entry(), by=recall.world.senior, now=recall.world.now)
    recall.call(entry, CallOutcome.UNREACHED)
    with pytest.raises(Conflict, match="изменилась"):
        record_call(
            entry,
            recall.answer(CallOutcome.UNREACHED),
            version=entry.version,
            token=uuid.uuid4(),
            by=recall.world.senior,
            now=recall.world.now,
        )
    assert RecallCall.objects.count() == 1


def test_a_closed_entry_says_who_closed_it(recall: Recall) -> None:
    entry = recall.entry()
    recall.call(entry, CallOutcome.REFUSED)
    with pytest.raises(Conflict, match=r"«Отказ», Старшинова В\. Л\."):
        recall.call(entry, CallOutcome.BOOKED)


def test_a_taken_window_leaves_nothing_half_written(recall: Recall) -> None:
    entry = recall.entry()
    window = recall.world.window()
    recall.call(recall.entry(), CallOutcome.BOOKED, window=window)
    written = Interaction.objects.count()
    with pytest.raises(Conflict):
        recall.call(entry, CallOutcome.BOOKED, window=window)
    entry.refresh_from_db()
    assert (entry.stage, entry.calls) == (Stage.CALL, 0)
    assert Interaction.objects.count() == written


def test_administrators_call_only_what_is_in_their_plan(recall: Recall) -> None:
    entry = recall.entry()
    administrator, colleague = recall.world.administrator, recall.world.administrator2
    with pytest.raises(NotInPlan):
        recall.call(entry, CallOutcome.BOOKED, by=administrator)
    recall.plan(administrator)
    with pytest.raises(NotInPlan):
        recall.call(entry, CallOutcome.BOOKED, by=colleague)
    call = recall.call(entry, CallOutcome.THINKING, by=administrator)
    item = PlanItem.objects.get()
    assert (call.plan_item, item.state, item.outcome) == (
        item,
        PlanState.CALLED,
        CallOutcome.THINKING,
    )


def test_a_plan_for_tomorrow_is_not_called_today(recall: Recall) -> None:
    entry = recall.entry()
    recall.plan(recall.world.administrator, on=recall.today + dt.timedelta(days=1))
    with pytest.raises(NotInPlan):
        recall.call(entry, CallOutcome.BOOKED, by=recall.world.administrator)


def test_a_patient_who_calls_in_himself_may_be_served_by_anyone(recall: Recall) -> None:
    entry = recall.entry()
    recall.plan(recall.world.administrator)
    call = recall.call(
        entry, CallOutcome.BOOKED, by=recall.world.administrator2, patient_called=True
    )
    entry.refresh_from_db()
    assert (entry.stage, entry.calls, call.number) == (Stage.BOOKED, 0, 0)
    assert Interaction.objects.get().direction == Direction.IN
    assert PlanItem.objects.get().state == PlanState.CLOSED


def test_who_called_in_was_reached(recall: Recall) -> None:
    with pytest.raises(Refused, match="позвонил сам"):
        recall.call(recall.entry(), CallOutcome.UNREACHED, patient_called=True)


def test_a_patient_who_asked_not_to_be_called_is_not(recall: Recall) -> None:
    patient = recall.world.patient(do_not_call=True)
    entry = recall.entry(patient)
    with pytest.raises(Refused, match="не звонить"):
        open_card(entry, by=recall.world.senior, now=recall.world.now)
    recall.call(entry, CallOutcome.BOOKED, patient_called=True)


def test_an_open_card_is_held_off_from_colleagues_and_frees_itself(recall: Recall) -> None:
    entry = recall.entry()
    now = recall.world.now
    other = recall.world.senior
    recall.plan(recall.world.administrator)
    held = open_card(entry, by=recall.world.administrator, now=now)
    with pytest.raises(Conflict, match=r"держит Орлова О\. П\., освободится не позже 12:10"):
        open_card(entry, by=other, now=now + dt.timedelta(minutes=9))
    renew_card(
        entry,
        key=held.reserved_key,
        by=recall.world.administrator,
        now=now + dt.timedelta(minutes=9),
    )
    with pytest.raises(Conflict, match="12:19"):
        open_card(entry, by=other, now=now + dt.timedelta(minutes=11))
    assert open_card(entry, by=other, now=now + dt.timedelta(minutes=20)).reserved_by == other


def test_a_late_release_of_an_earlier_opening_frees_nothing(recall: Recall) -> None:
    administrator, now = recall.world.senior, recall.world.now
    first = open_card(recall.entry(), by=administrator, now=now)
    second = open_card(first, by=administrator, now=now)
    assert not release_card(first, key=first.reserved_key, by=administrator)
    second.refresh_from_db()
    assert second.is_held(now)
    assert release_card(second, key=second.reserved_key, by=administrator)


def test_only_the_senior_takes_a_card_over(recall: Recall) -> None:
    entry = recall.entry()
    recall.plan(recall.world.administrator)
    held = open_card(entry, by=recall.world.administrator, now=recall.world.now)
    with pytest.raises(NotAllowed):
        take_over(entry, by=recall.world.administrator2, now=recall.world.now)
    assert (
        take_over(entry, by=recall.world.senior, now=recall.world.now).reserved_by
        == recall.world.senior
    )
    with pytest.raises(Conflict):
        renew_card(
            entry, key=held.reserved_key, by=recall.world.administrator, now=recall.world.now
        )
    with pytest.raises(Conflict):
        recall.call(entry, CallOutcome.THINKING, by=recall.world.administrator)
    assert AuditEntry.objects.filter(action="journals.take_over").count() == 1


def test_an_entry_needs_the_doctors_comment_and_is_open_once(recall: Recall) -> None:
    with pytest.raises(Refused) as refused:
        recall.entry(doctor_comment="  ")
    assert refused.value.field == "doctor_comment"
    entry = recall.entry()
    with pytest.raises(Conflict, match="уже в «Звать»"):
        recall.entry(entry.patient)


def test_editing_with_the_same_values_changes_nothing(recall: Recall) -> None:
    entry = recall.entry()
    same = edit_entry(
        entry,
        doctor_comment=entry.doctor_comment,
        call_on=entry.call_on,
        version=1,
        by=None,
        now=recall.world.now,
    )
    assert same.version == entry.version
    later = entry.call_on + WEEK
    moved = edit_entry(
        entry, doctor_comment="Снять швы", call_on=later, version=1, by=None, now=recall.world.now
    )
    assert (moved.doctor_comment, moved.call_on, moved.version) == (
        "Снять швы",
        later,
        entry.version + 1,
    )


def test_a_reminders_date_is_changed_only_in_the_waiting_list(recall: Recall) -> None:
    entry = recall.entry()
    recall.call(entry, CallOutcome.REMIND)
    entry.refresh_from_db()
    with pytest.raises(Refused, match="листе ожидания"):
        edit_entry(
            entry,
            doctor_comment="x",
            call_on=recall.today,
            version=entry.version,
            by=None,
            now=recall.world.now,
        )


def test_the_same_source_id_is_not_opened_twice(recall: Recall) -> None:
    entry = recall.entry(source="import", source_id="КОС-1")
    again = open_entry(
        clinic=entry.clinic, patient=entry.patient, doctor=entry.doctor, doctor_comment="другой",
        call_on=entry.call_on, by=None, now=recall.world.now, source="import", source_id="КОС-1",
    )  # fmt: skip
    assert again == entry


def test_the_policy_is_the_seniors_and_counts_from_the_next_call(recall: Recall) -> None:
    with pytest.raises(NotAllowed):
        set_policy(
            recall.world.clinic,
            values={"calls": 2},
            by=recall.world.administrator,
            now=recall.world.now,
        )
    entry = recall.entry()
    recall.call(entry, CallOutcome.UNREACHED)
    set_policy(
        recall.world.clinic,
        values={"calls": 2, "interval_days": 3},
        by=recall.world.senior,
        now=recall.world.now,
    )
    assert RecallPolicy.of(recall.world.clinic.pk).limits.interval_days == 3
    with pytest.raises(Refused, match="2-й звонок без ответа"):
        recall.call(entry, CallOutcome.UNREACHED, now=recall.world.now + WEEK)


def test_a_form_filled_in_before_a_call_does_not_bring_the_old_date_back(recall: Recall) -> None:
    entry = recall.entry()
    recall.call(entry, CallOutcome.UNREACHED)
    with pytest.raises(Conflict, match=r"дата прозвона теперь 25\.03\.2026"):
        edit_entry(
            entry,
            doctor_comment="x",
            call_on=recall.today,
            version=1,
            by=None,
            now=recall.world.now,
        )
    entry.refresh_from_db()
    assert entry.call_on == recall.today + WEEK


def test_a_call_is_written_with_the_number_it_went_over(recall: Recall) -> None:
    patient = recall.world.patient(phones=["+79000004001", "+79000004002"])
    entry = recall.entry(patient)
    record_interaction(
        InteractionInput(
            clinic=recall.world.clinic,
            kind=InteractionKind.CALL,
            state=InteractionState.ANSWERED,
            phases=Phases(recall.world.now),
            direction=Direction.OUT,
            participants=Participants(patient=patient, number="+79000004002"),
            source=InteractionSource(name="pbx", id="1"),
        ),
        by=recall.world.senior,
        now=recall.world.now,
    )
    call = recall.call(entry, CallOutcome.THINKING, now=recall.world.now + dt.timedelta(minutes=3))
    assert call.interaction is not None
    assert call.interaction.number == "+79000004002"
    plain = recall.call(
        recall.entry(recall.world.patient(phones=["+79000004003"])), CallOutcome.THINKING
    ).interaction
    assert plain is not None
    assert plain.number == "+79000004003"


def test_a_card_that_was_left_or_saved_is_not_reserved_by_its_forgotten_tab(recall: Recall) -> None:
    world = recall.world
    entry = recall.entry()
    with pytest.raises(
        Conflict, match="больше не за вами"
    ):  # never opened: the address alone reserves nothing
        renew_card(entry, key="abc", by=world.administrator, now=world.now)
    entry = open_card(entry, by=world.senior, now=world.now)
    key = entry.reserved_key
    recall.call(entry, CallOutcome.UNREACHED)
    with pytest.raises(Conflict, match="больше не за вами"):
        renew_card(entry, key=key, by=world.senior, now=world.now)
    entry.refresh_from_db()
    assert entry.reserved_by is None


def test_a_card_forgotten_open_is_freed_after_the_days_end(recall: Recall) -> None:
    world = recall.world
    entry = recall.entry()
    recall.plan(world.administrator)
    ends = PlanItem.objects.get().due_at
    opened = open_card(entry, by=world.administrator, now=ends - dt.timedelta(minutes=5))
    renew_card(
        opened, key=opened.reserved_key, by=world.administrator, now=ends + dt.timedelta(minutes=59)
    )
    with pytest.raises(Conflict, match="План этого дня закончился"):
        renew_card(
            opened,
            key=opened.reserved_key,
            by=world.administrator,
            now=ends + dt.timedelta(minutes=61),
        )
    assert return_uncalled(now=ends + dt.timedelta(minutes=70)) == 1
