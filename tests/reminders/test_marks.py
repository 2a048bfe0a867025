"""Pink rows, results, day calls, replies: each kept, each undone rather than deleted."""

import datetime as dt

import pytest

from callcenter.contacts.models import Interaction
from callcenter.lib.errors import Conflict, Refused
from callcenter.messaging.models import ChatMessage, Message
from callcenter.messaging.reply_intent import ReplyIntent
from callcenter.messaging.states import MessageState
from reminders import actions
from reminders.models import ReminderMark
from reminders.queries.lists import day_list, evening_list
from reminders.states import CallResult
from tests.reminders.conftest import Desk

pytestmark = pytest.mark.django_db


def test_the_double_click_makes_the_row_pink_and_again_undoes_it_and_both_are_kept(
    desk: Desk,
) -> None:
    visit = desk.visit()
    desk.open()
    who = desk.world.administrator
    assert actions.mark_called(desk.row(visit), by=who, now=desk.now).called_at == desk.now
    assert actions.undo_mark(desk.row(visit), by=who, now=desk.now).called_at is None
    mark = ReminderMark.objects.get()
    assert (mark.by, mark.undone_by) == (who, who)


def test_a_second_double_click_before_the_answer_changes_nothing(desk: Desk) -> None:
    visit = desk.visit()
    desk.open()
    for who in (desk.world.administrator, desk.world.administrator, desk.world.administrator2):
        actions.mark_called(desk.row(visit), by=who, now=desk.now)
    assert ReminderMark.objects.count() == 1
    assert desk.row(visit).called_by == desk.world.administrator


@pytest.mark.parametrize("result", list(CallResult))
def test_each_result_is_kept_and_a_call_becomes_an_interaction(
    desk: Desk, result: CallResult
) -> None:
    visit = desk.visit()
    desk.open()
    who = desk.world.administrator
    actions.mark_called(desk.row(visit), by=who, now=desk.now)
    row = actions.save_result(desk.row(visit), result=result, by=who, now=desk.now)
    actions.save_result(desk.row(visit), result=result, by=who, now=desk.now)  # the second click
    assert (row.result, row.is_settled) == (result, result in (CallResult.COMING, CallResult.WROTE))
    assert ReminderMark.objects.count() == 1
    calls = Interaction.objects.filter(kind="call")
    if result == CallResult.WROTE:
        assert not calls
        return
    call = calls.get()
    assert call.origin == "reminder"  # «Кто, тип» of the call: «Пациент. Напоминание»
    assert call.state == ("failed" if result == CallResult.UNREACHED else "answered")
    assert call.direction == "out"


def test_whoever_comes_is_not_written_to_any_more(desk: Desk) -> None:
    visit = desk.visit()
    desk.open()
    actions.save_result(
        desk.row(visit), result=CallResult.COMING, by=desk.world.administrator, now=desk.now
    )
    desk.post.tick()
    message = Message.objects.get()
    assert (message.state, message.reason) == (
        MessageState.CANCELLED,
        "не нужно: дозвонились, придёт",
    )


def test_a_day_call_demands_both_answers_and_a_comment(desk: Desk) -> None:
    visit = desk.visit()
    desk.open()
    row, who = desk.row(visit), desk.world.administrator

    def save(picked_up: bool | None, coming: str, comment: str) -> str | None:
        try:
            actions.save_day_call(
                row, picked_up=picked_up, coming=coming, comment=comment, by=who, now=desk.now
            )
        except Refused as refusal:
            return refusal.field
        return "saved"

    assert save(None, "yes", "придёт") == "picked_up"
    assert save(True, "", "придёт") == "coming"
    assert save(True, "maybe", "придёт") == "coming"
    assert save(False, "yes", "придёт") == "coming"
    assert save(True, "yes", "   ") == "comment"
    assert save(False, "unknown", "гудки") == "saved"
    assert (
        save(False, "unknown", "снова гудки") == "saved"
    )  # a try without an answer may be repeated
    assert save(True, "yes", "будет вовремя") == "saved"
    assert desk.row(visit).is_settled
    assert ReminderMark.objects.count() == 3


def test_the_morning_list_is_of_the_silent_the_unreached_and_the_unreachable(desk: Desk) -> None:
    green, silent, cancels, unreached, comes, wrote = (
        desk.visit(digits, hours=22 + index / 2)
        for index, digits in enumerate(["01", "65", "50", "66", "67", "75"])
    )
    nobody = desk.visit(hours=26, patient=desk.world.patient(phones=[]))
    desk.open()
    desk.settle()
    who = desk.world.administrator
    actions.save_result(desk.row(unreached), result=CallResult.UNREACHED, by=who, now=desk.now)
    actions.save_result(desk.row(comes), result=CallResult.COMING, by=who, now=desk.now)
    line = ChatMessage.objects.get()
    actions.accept_reply(desk.row(wrote), line, intent=ReplyIntent.COMING, by=who, now=desk.now)
    morning = desk.world.local(dt.date(2026, 3, 19), 9)

    def listed(now: dt.datetime) -> list[int]:
        found = day_list(on=dt.date(2026, 3, 19), clinics=[desk.world.clinic], user=who, now=now)
        return [row.appointment for row in found.rows]

    assert listed(morning) == [silent.pk, cancels.pk, unreached.pk, nobody.pk]
    assert green.pk not in listed(morning)
    assert listed(silent.starts_at) == [cancels.pk, unreached.pk, nobody.pk]  # its visit has begun


def test_written_words_make_the_row_pink_not_green_and_nobody_calls_in_the_morning(
    desk: Desk,
) -> None:
    visit = desk.visit("75")
    desk.open()
    desk.settle()
    line = ChatMessage.objects.get()
    row = actions.accept_reply(
        desk.row(visit), line, intent=ReplyIntent.COMING, by=desk.world.administrator, now=desk.now
    )
    assert (row.result, row.is_settled) == (CallResult.WROTE, True)
    assert desk.post.link(visit).answer == ""


def test_words_of_cancelling_make_the_number_red_and_the_visit_stays(desk: Desk) -> None:
    visit = desk.visit("65")
    desk.open()
    desk.settle()
    desk.reply(visit, "Отмените, заболела")
    who = desk.world.administrator
    line = ChatMessage.objects.get()
    assert line.intent == ReplyIntent.CANCEL
    actions.accept_reply(desk.row(visit), line, intent=ReplyIntent.CANCEL, by=who, now=desk.now)
    (shown,) = evening_list(
        [desk.row(visit).run], clinics=[desk.world.clinic], user=who, now=desk.now
    ).rows
    assert shown.colour == "red"
    visit.refresh_from_db()
    assert visit.status == "scheduled"


def test_a_family_shows_the_reply_on_each_row_and_one_persons_choice_takes_it_off_the_others(
    desk: Desk,
) -> None:
    number = "+79000000165"
    family = [
        desk.visit(hours=24 + step, patient=desk.world.patient(first=name, phones=[number]))
        for step, name in enumerate(["Анна", "Пётр"])
    ]
    run = desk.open()
    desk.settle()
    from tests.messaging.test_webhooks import say

    say(desk.post, number, "Пётр не придёт", "1")
    who = desk.world.administrator

    def shown() -> list[str]:
        return [
            row.reply
            for row in evening_list([run], clinics=[desk.world.clinic], user=who, now=desk.now).rows
        ]

    assert shown() == ["Пётр не придёт"] * 2
    line = ChatMessage.objects.get()
    actions.accept_reply(desk.row(family[1]), line, intent=ReplyIntent.CANCEL, by=who, now=desk.now)
    assert sorted(shown()) == ["", "Пётр не придёт"]


def test_the_second_person_sees_who_is_calling(desk: Desk) -> None:
    visit = desk.visit()
    run = desk.open()
    actions.start_calling(desk.row(visit), by=desk.world.administrator, now=desk.now)
    with pytest.raises(Conflict, match="уже звонит Орлова"):
        actions.start_calling(desk.row(visit), by=desk.world.administrator2, now=desk.now)
    (row,) = evening_list(
        [run], clinics=[desk.world.clinic], user=desk.world.administrator2, now=desk.now
    ).rows
    assert row.calling == "Орлова О. П."
    later = desk.now + dt.timedelta(minutes=11)
    actions.start_calling(desk.row(visit), by=desk.world.administrator2, now=later)


def test_a_result_ends_the_call_that_was_shown(desk: Desk) -> None:
    visit = desk.visit()
    desk.open()
    actions.start_calling(desk.row(visit), by=desk.world.administrator, now=desk.now)
    row = actions.save_result(
        desk.row(visit), result=CallResult.UNREACHED, by=desk.world.administrator, now=desk.now
    )
    assert row.calling_by is None


def test_a_row_that_has_left_can_not_be_marked(desk: Desk) -> None:
    visit = desk.visit()
    desk.open()
    row = desk.row(visit)
    row.removed_at, row.removed_reason = desk.now, "приём отменён"
    row.save()
    with pytest.raises(Conflict, match="приём отменён"):
        actions.mark_called(row, by=desk.world.administrator, now=desk.now)


def test_red_and_orange_stand_on_top_until_somebody_has_called(desk: Desk) -> None:
    early, cancels = desk.visit("65", hours=20), desk.visit("50", hours=28)
    run = desk.open()
    desk.settle()
    who = desk.world.administrator

    def order() -> list[int]:
        rows = evening_list([run], clinics=[desk.world.clinic], user=who, now=desk.now).rows
        return [row.appointment for row in rows]

    assert order() == [cancels.pk, early.pk]
    actions.mark_called(desk.row(cancels), by=who, now=desk.now)
    assert order() == [early.pk, cancels.pk]


def test_on_the_day_of_the_visit_a_call_is_saved_with_its_two_answers_only(desk: Desk) -> None:
    visit = desk.visit()
    desk.open()
    who, morning = desk.world.administrator, desk.world.local(dt.date(2026, 3, 19), 9)
    for result in (CallResult.COMING, CallResult.NOT_COMING, CallResult.UNREACHED):
        with pytest.raises(Refused, match="запишите звонок в ДД"):
            actions.save_result(desk.row(visit), result=result, by=who, now=morning)
    actions.save_result(
        desk.row(visit), result=CallResult.WROTE, by=who, now=morning
    )  # that was no call
    assert desk.row(visit).is_settled
