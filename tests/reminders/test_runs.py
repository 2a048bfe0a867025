"""Runs: one a clinic and day whatever happens to beats and workers, and always equal to the
schedule.
"""

import datetime as dt
from typing import Any

import pytest

from callcenter.clinics.actions import cancel_appointment, move_appointment, record_consent
from callcenter.clinics.states import ConsentChannel as ConsentChannel
from callcenter.clinics.states import ConsentPurpose
from callcenter.lib.errors import Refused
from callcenter.lib.localtime import instant
from callcenter.messaging.models import Message
from callcenter.messaging.states import MessageChannel, MessageState
from reminders import actions
from reminders.actions import sending
from reminders.models import Reminder, ReminderRun, ReminderSettings
from reminders.queries.dry_run import dry_run
from reminders.states import CallResult
from tests.concurrency.race import no_row_locks, overlapping
from tests.reminders.conftest import Desk, yellow

pytestmark = pytest.mark.django_db


def test_the_run_opens_by_itself_at_the_clinics_noon_and_only_once(desk: Desk) -> None:
    desk.visit()
    ReminderSettings.objects.create(
        clinic=desk.world.clinic_b, due_at=desk.now + dt.timedelta(days=9)
    )
    before = desk.now - dt.timedelta(minutes=1)
    actions.plan_openings(now=before)
    assert actions.open_due_runs(now=before) == 0
    assert actions.open_due_runs(now=desk.now) == 1
    assert actions.open_due_runs(now=desk.now) == 0
    assert actions.open_due_runs(now=desk.now + dt.timedelta(hours=5)) == 0
    assert list(ReminderRun.objects.values_list("clinic__name", "on")) == [
        ("Клиника А", dt.date(2026, 3, 18))
    ]


def test_each_clinic_has_its_own_noon(desk: Desk) -> None:
    at = instant(dt.date(2026, 3, 18), dt.time(12, 0, 5), "Asia/Vladivostok")
    actions.plan_openings(now=at - dt.timedelta(hours=1))
    actions.open_due_runs(now=at)
    assert list(ReminderRun.objects.values_list("clinic__name", flat=True)) == ["Клиника Б"]


def test_three_hours_late_it_still_opens_and_catches_up(desk: Desk) -> None:
    actions.plan_openings(now=desk.now - dt.timedelta(hours=1))
    desk.visit()
    actions.open_due_runs(now=desk.now + dt.timedelta(hours=3))
    run = ReminderRun.objects.get(clinic=desk.world.clinic)
    assert run.on == dt.date(2026, 3, 18)
    assert run.reminders.count() == 1


def test_after_days_of_silence_only_the_last_run_opens(desk: Desk) -> None:
    actions.plan_openings(now=desk.now - dt.timedelta(hours=1))
    for _ in range(5):
        actions.open_due_runs(now=desk.now + dt.timedelta(days=3, hours=1))
    days = ReminderRun.objects.filter(clinic=desk.world.clinic).values_list("on", flat=True)
    assert list(days) == [dt.date(2026, 3, 21)]


def test_opened_by_hand_before_noon_it_does_not_open_again(desk: Desk) -> None:
    actions.plan_openings(now=desk.now - dt.timedelta(hours=2))
    desk.post.now -= dt.timedelta(hours=1)
    desk.open()
    actions.open_due_runs(now=desk.now + dt.timedelta(hours=2))
    assert ReminderRun.objects.filter(clinic=desk.world.clinic).count() == 1


def test_a_run_across_midnight_of_utc_keeps_the_clinics_days(desk: Desk) -> None:
    clinic = desk.world.clinic_b  # Vladivostok: its 19 March is 18 March 14:00 … 19 March 14:00 UTC
    on = dt.date(2026, 3, 18)
    inside = instant(dt.date(2026, 3, 19), dt.time(0, 5), clinic.zone)
    outside = instant(dt.date(2026, 3, 20), dt.time(0, 5), clinic.zone)
    at_noon = instant(on, dt.time(12), clinic.zone)
    for start in (inside, outside):
        desk.world.visit(starts_at=start, clinic=clinic, doctor=desk.world.doctor_b)
    run = actions.open_run(clinic, on=on, by=None, now=at_noon)
    assert [row.starts_at for row in run.reminders.all()] == [inside]


def test_fridays_run_covers_the_days_off_and_saturday_opens_none(desk: Desk) -> None:
    friday = dt.date(2026, 3, 20)
    yellow(desk.world.administrator, friday, dt.date(2026, 3, 23))
    desk.post.now = desk.world.local(friday, 12)
    on_monday = desk.visit(hours=70)
    run = actions.open_run(desk.world.clinic, on=friday, by=None, now=desk.now)
    assert run.until == dt.date(2026, 3, 23)
    assert desk.row(on_monday).run == run
    ReminderSettings.objects.filter(clinic=desk.world.clinic).update(
        due_at=desk.now + dt.timedelta(days=1)
    )
    assert actions.open_due_runs(now=desk.now + dt.timedelta(days=1)) == 0


def test_messages_start_at_once_unless_the_clinic_wants_a_button(desk: Desk) -> None:
    desk.visit()
    desk.set(sends_itself=False)
    run = desk.open()
    assert Message.objects.count() == 0
    assert actions.send_all(run, by=desk.world.administrator, now=desk.now) == 1
    assert actions.send_all(run, by=desk.world.administrator, now=desk.now) == 0


def test_a_visit_made_after_noon_enters_and_is_written_to(desk: Desk) -> None:
    run = desk.open()
    visit = desk.visit()
    actions.refresh_due_runs(now=desk.now + dt.timedelta(seconds=6))
    assert desk.row(visit).run == run
    assert Message.objects.filter(appointment=visit).count() == 1


def test_a_cancelled_visit_leaves_with_the_reason(desk: Desk) -> None:
    visit = desk.visit()
    run = desk.open()
    cancel_appointment(visit, reason="", by=None, now=desk.now)
    actions.refresh_run(run, now=desk.now)
    row = Reminder.objects.get()
    assert row.removed_reason == "приём отменён"


def test_a_visit_moved_within_the_run_follows_and_is_written_to_anew(desk: Desk) -> None:
    visit = desk.visit()
    run = desk.open()
    actions.save_result(
        desk.row(visit),
        result=CallResult.COMING,
        by=desk.world.administrator,
        now=desk.now,
    )
    later = visit.starts_at + dt.timedelta(hours=2)
    move_appointment(
        visit, starts_at=later, ends_at=later + dt.timedelta(minutes=30), by=None, now=desk.now
    )
    actions.refresh_run(run, now=desk.now)
    row = desk.row(visit)
    assert (row.starts_at, row.version) == (later, 2)
    assert row.called_at is None  # he agreed to the former time
    desk.post.tick()
    states = dict(Message.objects.values_list("version", "state"))
    assert states == {1: MessageState.CANCELLED, 2: MessageState.ACCEPTED}


def test_a_visit_moved_out_leaves_and_comes_back_when_it_returns(desk: Desk) -> None:
    visit = desk.visit()
    run = desk.open()
    home, away = visit.starts_at, visit.starts_at + dt.timedelta(days=5)
    move_appointment(
        visit, starts_at=away, ends_at=away + dt.timedelta(minutes=30), by=None, now=desk.now
    )
    actions.refresh_run(run, now=desk.now)
    assert Reminder.objects.get().removed_reason == "перенесён на 24.03.2026 12:00"
    visit.refresh_from_db()
    move_appointment(
        visit, starts_at=home, ends_at=home + dt.timedelta(minutes=30), by=None, now=desk.now
    )
    actions.refresh_run(run, now=desk.now)
    assert desk.row(visit).version == 3


def test_a_refresh_of_an_unchanged_run_writes_nothing(
    desk: Desk, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        desk.visit()
    run = desk.open()
    with django_assert_max_num_queries(7):
        assert actions.refresh_run(run, now=desk.now) == 0


def test_a_big_run_puts_its_messages_into_the_outbox_batch_by_batch(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reminders.actions.sending.BATCH", 2)
    monkeypatch.setattr("reminders.actions.runs.BATCH", 2)
    for _ in range(5):
        desk.visit()
    desk.open()
    counts = [Message.objects.count()]
    for _ in range(4):
        actions.refresh_due_runs(now=desk.now)
        counts.append(Message.objects.count())
    assert counts == [2, 4, 5, 5, 5]


def test_the_hand_over_needs_words(desk: Desk) -> None:
    run = desk.open()
    with pytest.raises(Refused):
        actions.hand_over(run, note="  ", by=desk.world.administrator, now=desk.now)
    run = actions.hand_over(
        run, note="Трое не взяли трубку", by=desk.world.administrator, now=desk.now
    )
    assert run.handed_over_by == desk.world.administrator


def test_the_dry_run_tells_whom_it_will_reach_and_whom_not_and_why_and_the_price(
    desk: Desk,
) -> None:
    desk.set(sends_itself=False)
    desk.visit()
    desk.visit(patient=desk.world.patient(phones=["+78120000111"]))
    run = desk.open()
    plan = dry_run(run, now=desk.now)
    assert plan.total == 2
    assert plan.first == {"MAX": 1}
    assert plan.stopped == {"нет мобильного номера": 1}
    assert plan.sms_parts >= 1
    actions.send_all(run, by=desk.world.administrator, now=desk.now)
    desk.post.tick()
    sent = Message.objects.filter(state=MessageState.ACCEPTED).count()
    assert sent == sum(plan.first.values())


def test_the_dry_run_says_who_waits_for_the_morning_and_who_has_refused(desk: Desk) -> None:
    desk.set(sends_itself=False)
    desk.visit(hours=40)
    refuses = desk.visit(hours=40)
    for channel in (ConsentChannel.MESSENGER, ConsentChannel.SMS):
        record_consent(
            refuses.patient,
            purpose=ConsentPurpose.SERVICE,
            channel=channel,
            granted=False,
            source="по телефону",
            by=desk.world.administrator,
            now=desk.now,
        )
    desk.set(next_day_only=False)
    yellow(desk.world.administrator2, dt.date(2026, 3, 20))
    run = desk.open()
    run.until = dt.date(2026, 3, 20)
    run.save()
    actions.refresh_run(run, now=desk.now)
    plan = dry_run(run, now=desk.world.local(dt.date(2026, 3, 18), 22))
    assert plan.first == {"MAX": 1}
    assert plan.waiting == {"ждёт 08:00": 1}
    assert plan.stopped == {"отказ от сообщений": 1}


def test_the_blue_ones_get_one_sms_and_stay_for_the_morning(desk: Desk) -> None:
    blue, green = desk.visit("65"), desk.visit("01")
    run = desk.open()
    desk.settle()
    assert actions.send_blue_sms(run, by=desk.world.administrator, now=desk.now) == 1
    assert actions.send_blue_sms(run, by=desk.world.administrator, now=desk.now) == 0
    channels = Message.objects.filter(channel=MessageChannel.SMS).values_list(
        "appointment", flat=True
    )
    assert list(channels) == [blue.pk]
    assert green.pk not in channels


def test_a_blue_one_who_did_not_pick_up_gets_the_sms_and_one_who_talked_does_not(
    desk: Desk,
) -> None:
    unreached, talked, pink = desk.visit("65"), desk.visit("66"), desk.visit("67")
    run = desk.open()
    desk.settle()
    who = desk.world.administrator
    actions.save_result(desk.row(unreached), result=CallResult.UNREACHED, by=who, now=desk.now)
    actions.save_result(desk.row(talked), result=CallResult.NOT_COMING, by=who, now=desk.now)
    actions.mark_called(desk.row(pink), by=who, now=desk.now)
    assert actions.send_blue_sms(run, by=who, now=desk.now) == 1
    assert Message.objects.get(channel=MessageChannel.SMS).appointment == unreached


def test_the_blue_sms_goes_by_itself_at_the_clinics_hour(desk: Desk) -> None:
    desk.set(blue_sms_at=dt.time(18))
    visit = desk.visit("65")
    desk.open()
    desk.settle()
    six = desk.world.local(dt.date(2026, 3, 18), 18)
    assert actions.send_due_blue_sms(now=six - dt.timedelta(seconds=1)) == 0
    assert actions.send_due_blue_sms(now=six) == 1
    assert actions.send_due_blue_sms(now=six) == 0
    assert Message.objects.filter(appointment=visit, channel=MessageChannel.SMS).count() == 1


def test_a_run_whose_sms_fail_keeps_the_error_and_holds_no_other_clinic_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    six = desk.world.local(dt.date(2026, 3, 18), 18)
    bad = ReminderRun.objects.create(
        clinic=desk.world.clinic_b,
        on=desk.now.date(),
        until=desk.now.date(),
        opened_at=desk.now,
        blue_sms_due_at=six,
    )
    desk.set(blue_sms_at=dt.time(18))
    desk.open()
    send = sending.send_blue_sms

    def fail(run: ReminderRun, **kwargs: Any) -> int:
        if run.pk == bad.pk:
            raise Refused("нет шаблона")
        return send(run, **kwargs)

    monkeypatch.setattr(sending, "send_blue_sms", fail)
    assert actions.send_due_blue_sms(now=six) == 1
    bad.refresh_from_db()
    assert (bad.last_error, bad.blue_sms_due_at) == ("нет шаблона", six + dt.timedelta(minutes=1))


# The race of two beats


def two_beats(desk: Desk) -> list[int | Exception]:
    desk.visit()
    ReminderSettings.objects.create(
        clinic=desk.world.clinic_b, due_at=desk.now + dt.timedelta(days=9)
    )
    actions.plan_openings(now=desk.now - dt.timedelta(hours=1))
    return overlapping([lambda: actions.open_due_runs(now=desk.now)] * 2)


@pytest.mark.django_db(transaction=True)
def test_two_beats_open_one_run(desk: Desk) -> None:
    assert two_beats(desk) == [1, 0]
    assert ReminderRun.objects.filter(clinic=desk.world.clinic).count() == 1
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_open_it_and_the_unique_key_keeps_it_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_row_locks(monkeypatch):
        assert two_beats(desk) == [1, 1]
    assert ReminderRun.objects.filter(clinic=desk.world.clinic).count() == 1
    assert Message.objects.count() == 1
