"""The outbox on a real database: once, never after a cancellation, with a reason for whatever was
not sent.
"""

import datetime as dt
import itertools
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from callcenter.clinics.actions import cancel_appointment, move_appointment, record_consent
from callcenter.clinics.models import LegalBasis
from callcenter.clinics.states import ConsentChannel as ConsentChannel
from callcenter.clinics.states import ConsentPurpose as Ground_
from callcenter.lib.errors import Conflict
from callcenter.messaging import actions
from callcenter.messaging.actions import dispatch
from callcenter.messaging.gateways.base import (
    FailureScope,
    GatewayAccepted,
    GatewayRefused,
    Outgoing,
    Result,
    Uncertain,
)
from callcenter.messaging.gateways.simulator import SimulatorGateway
from callcenter.messaging.models import Message, Provider, ProviderWebhook
from callcenter.messaging.states import MessageChannel, MessageState, VisitAnswer
from tests.concurrency.race import no_row_locks, overlapping
from tests.messaging.conftest import Post

pytestmark = pytest.mark.django_db


def test_a_message_goes_through_the_messenger_and_its_reports_arrive(post: Post) -> None:
    visit = post.visit("01")
    assert post.queue(visit) == 1
    post.tick()
    assert post.of(visit)[MessageChannel.MAX].state == MessageState.ACCEPTED
    post.pass_time(seconds=30)
    message = post.of(visit)[MessageChannel.MAX]
    assert message.state == MessageState.READ
    assert message.delivered_at is not None
    assert set(post.of(visit)) == {MessageChannel.MAX}
    assert post.link(visit).answer == VisitAnswer.CONFIRM


def test_asked_twice_it_is_queued_once(post: Post) -> None:
    visit = post.visit()
    assert post.queue(visit) == 1
    assert post.queue(visit) == 0
    post.tick()
    assert post.queue(visit) == 0
    assert Message.objects.count() == 1


def test_a_messenger_that_fails_is_followed_by_sms_at_once(post: Post) -> None:
    visit = post.visit("85")  # no messenger
    post.queue(visit)
    post.tick()
    post.pass_time(seconds=10)
    messages = post.of(visit)
    assert messages[MessageChannel.MAX].state == MessageState.UNDELIVERED
    assert messages[MessageChannel.MAX].reason == "у номера нет этого мессенджера"
    post.pass_time(seconds=30)
    assert post.of(visit)[MessageChannel.SMS].state == MessageState.DELIVERED


def test_a_silent_messenger_is_followed_by_sms_after_its_minutes(post: Post) -> None:
    visit = post.visit()
    post.queue(visit)
    post.tick()
    ProviderWebhook.objects.all().delete()  # not a word from the provider
    post.pass_time(minutes=19)
    assert set(post.of(visit)) == {MessageChannel.MAX}
    post.pass_time(minutes=2)
    messages = post.of(visit)
    assert messages[MessageChannel.MAX].given_up
    assert messages[MessageChannel.SMS].state == MessageState.ACCEPTED


def test_a_late_delivery_by_the_messenger_causes_no_second_text(post: Post) -> None:
    visit = post.visit()
    post.queue(visit)
    post.tick()
    ProviderWebhook.objects.update(due_at=post.now + dt.timedelta(minutes=20, seconds=1))
    post.now += dt.timedelta(minutes=20, seconds=2)
    actions.advance_due_cascades(now=post.now)  # SMS is queued…
    actions.process_due_webhooks(now=post.now)  # …and only then the messenger delivers
    post.tick()
    messages = post.of(visit)
    assert messages[MessageChannel.MAX].state == MessageState.READ
    assert messages[MessageChannel.SMS].state == MessageState.CANCELLED
    assert messages[MessageChannel.SMS].reason.startswith(
        ("уже доставлено: MAX", "пациент уже ответил")
    )


def test_nothing_goes_out_after_a_cancellation(post: Post) -> None:
    visit = post.visit()
    post.queue(visit)
    cancel_appointment(visit, reason="заболел", by=post.world.administrator, now=post.now)
    post.tick()
    assert post.of(visit)[MessageChannel.MAX].state == MessageState.CANCELLED
    assert post.of(visit)[MessageChannel.MAX].reason == "приём отменён"
    assert not ProviderWebhook.objects.exists()


def test_a_cancellation_between_claim_and_call_still_stops_the_message(post: Post) -> None:
    visit = post.visit()
    post.queue(visit)
    claimed = dispatch.claim_messages(post.provider, now=post.now)
    assert len(claimed) == 1
    cancel_appointment(visit, reason="заболел", by=post.world.administrator, now=post.now)
    assert dispatch.begin_attempts(claimed, now=post.now) == []
    post.tick()
    assert post.of(visit)[MessageChannel.MAX].reason == "приём отменён"


def test_a_messenger_that_delivers_between_claim_and_call_still_stops_the_sms(post: Post) -> None:
    visit = post.visit()
    post.queue(visit)
    post.tick()
    ProviderWebhook.objects.all().delete()
    post.now += dt.timedelta(minutes=21)
    actions.advance_due_cascades(now=post.now)  # it was silent for its minutes: SMS takes over…
    claimed = dispatch.claim_messages(post.provider, now=post.now)
    assert [item.message.channel for item in claimed] == [MessageChannel.SMS]
    Message.objects.filter(channel=MessageChannel.MAX).update(
        state=MessageState.DELIVERED
    )  # …and it has delivered after all
    assert dispatch.begin_attempts(claimed, now=post.now) == []
    post.tick()
    assert post.of(visit)[MessageChannel.SMS].reason == "уже доставлено: MAX"


def test_a_moved_visit_gets_a_new_message_and_the_old_one_stays_home(post: Post) -> None:
    visit = post.visit()
    post.queue(visit)
    start = visit.starts_at + dt.timedelta(hours=2)
    move_appointment(
        visit, starts_at=start, ends_at=start + dt.timedelta(minutes=30), by=None, now=post.now
    )
    post.queue(visit)
    post.tick()
    states = list(Message.objects.order_by("version").values_list("version", "state", "reason"))
    assert states == [(1, "cancelled", "приём перенесён"), (2, "accepted", "")]


@pytest.mark.parametrize("answer", list(VisitAnswer))
def test_who_has_answered_is_not_written_to(post: Post, answer: VisitAnswer) -> None:
    visit = post.visit()
    post.queue(visit)
    actions.answer_visit(token=post.link(visit).token, answer=answer, via="page", now=post.now)
    post.tick()
    assert post.of(visit)[MessageChannel.MAX].reason == f"пациент уже ответил: {answer.label}"


def test_at_night_it_waits_for_the_morning_and_says_so(post: Post) -> None:
    post.now = post.world.local(dt.date(2026, 3, 18), 23, 30)
    visit = post.visit(hours=30)
    post.queue(visit)
    post.tick()
    message = post.of(visit)[MessageChannel.MAX]
    assert (message.state, message.reason) == (MessageState.QUEUED, "ждёт 08:00")
    post.now = post.world.local(dt.date(2026, 3, 19), 8, 0)
    post.tick()
    assert post.of(visit)[MessageChannel.MAX].state == MessageState.ACCEPTED


def test_the_night_is_the_patients_own(post: Post) -> None:
    patient = post.world.patient(phones=["+79000000101"], zone="Asia/Vladivostok")
    post.now = post.world.local(dt.date(2026, 3, 18), 15)  # 22:00 in Vladivostok
    visit = post.visit(hours=30, patient=patient)
    post.queue(visit)
    post.tick()
    assert post.of(visit)[MessageChannel.MAX].reason == "ждёт 08:00"


def test_a_night_that_ends_too_late_for_the_visit_is_said_so(post: Post) -> None:
    post.now = post.world.local(dt.date(2026, 3, 18), 23, 30)
    visit = post.visit(hours=9)  # at 08:30
    post.queue(visit)
    post.tick()
    assert post.of(visit)[MessageChannel.MAX].reason == "не успеть: писать можно только с 08:00"


def test_less_than_two_hours_before_the_visit_nothing_is_sent(post: Post) -> None:
    visit = post.visit(hours=1.9)
    post.queue(visit)
    post.tick()
    assert post.of(visit)[MessageChannel.MAX].reason == "поздно: до приёма слишком мало времени"


def test_a_refusal_of_messengers_leaves_the_sms(post: Post) -> None:
    visit = post.visit()
    record_consent(
        visit.patient,
        purpose=Ground_.SERVICE,
        channel=ConsentChannel.MESSENGER,
        granted=False,
        source="по телефону",
        by=post.world.administrator,
        now=post.now,
    )
    post.queue(visit)
    post.tick()
    messages = post.of(visit)
    assert messages[MessageChannel.MAX].state == MessageState.REFUSED
    assert messages[MessageChannel.MAX].reason.startswith("отказ от сообщений 18.03.2026")
    assert messages[MessageChannel.SMS].state == MessageState.ACCEPTED


def test_without_a_ground_nobody_is_written_to(post: Post) -> None:
    LegalBasis.objects.all().delete()
    visit = post.visit()
    post.queue(visit)
    post.tick()
    assert {message.reason for message in post.of(visit).values()} == {
        "клиника не записала основание для сообщений"
    }


def test_a_landline_gets_nothing_and_the_row_says_why(post: Post) -> None:
    visit = post.visit(patient=post.world.patient(phones=["+78120000111"]))
    post.queue(visit)
    post.tick()
    assert {message.reason for message in post.of(visit).values()} == {"нет мобильного номера"}


class Scripted(SimulatorGateway):
    """A gateway whose answers a test writes down beforehand."""

    answers: list[Result]
    seen: list[str]

    def send(self, message: Outgoing) -> Result:
        self.seen.append(message.key)
        return self.answers.pop(0)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripted]:
    def make(*answers: Result, is_idempotent: bool = True) -> Scripted:
        gateway = Scripted({})
        gateway.answers, gateway.seen, gateway.is_idempotent = list(answers), [], is_idempotent
        monkeypatch.setattr(dispatch, "build", lambda kind, settings: gateway)
        monkeypatch.setattr(SimulatorGateway, "is_idempotent", is_idempotent)
        return gateway

    return make


def test_a_lost_answer_is_unknown_and_is_never_repeated_by_itself(
    post: Post, scripted: Callable[..., Scripted]
) -> None:
    gateway = scripted(Uncertain("связь прервалась"), GatewayAccepted(), is_idempotent=False)
    visit = post.visit()
    post.queue(visit)
    post.tick()
    post.pass_time(minutes=10)
    assert post.of(visit)[MessageChannel.MAX].state == MessageState.UNKNOWN
    assert gateway.seen == [f"visit:a{visit.pk}:1:max"]


def test_a_lost_answer_of_a_provider_that_dedupes_is_asked_again_under_the_same_key(
    post: Post, scripted: Callable[..., Scripted]
) -> None:
    gateway = scripted(Uncertain("связь прервалась"), GatewayAccepted())
    visit = post.visit()
    post.queue(visit)
    post.tick()
    post.pass_time(seconds=31)
    assert post.of(visit)[MessageChannel.MAX].state == MessageState.ACCEPTED
    assert len(gateway.seen) == 2
    assert len(set(gateway.seen)) == 1


def test_a_busy_provider_is_asked_again_later_and_the_row_says_so(
    post: Post, scripted: Callable[..., Scripted]
) -> None:
    scripted(GatewayRefused("перегружен", FailureScope.LATER), GatewayAccepted())
    visit = post.visit()
    post.queue(visit)
    post.tick()
    message = post.of(visit)[MessageChannel.MAX]
    assert (message.state, message.reason) == (MessageState.QUEUED, "повтор позже: перегружен")
    post.pass_time(seconds=31)
    assert post.of(visit)[MessageChannel.MAX].state == MessageState.ACCEPTED


def test_a_provider_busy_too_often_is_given_up_and_sms_takes_over(
    post: Post, scripted: Callable[..., Scripted]
) -> None:
    scripted(*[GatewayRefused("перегружен", FailureScope.LATER)] * 6, GatewayAccepted())
    visit = post.visit()
    post.queue(visit)
    for _ in range(8):
        post.pass_time(minutes=21)
    assert post.of(visit)[MessageChannel.MAX].state == MessageState.REFUSED
    assert post.of(visit)[MessageChannel.SMS].state == MessageState.ACCEPTED


def test_a_wrong_password_pauses_the_gateway_and_calls_the_senior_once(
    post: Post, scripted: Callable[..., Scripted]
) -> None:
    gateway = scripted(*[GatewayRefused("пароль", FailureScope.GATEWAY)] * 9)
    visits = [post.visit() for _ in range(5)]
    post.queue(*visits)
    post.tick()
    post.pass_time(minutes=1)
    from callcenter.assignments.models import Task

    assert Task.objects.count() == 1
    assert len(gateway.seen) <= 2  # the calls already in the air
    assert {message.state for message in Message.objects.all()} == {MessageState.QUEUED}


def test_a_gateway_that_takes_messages_again_is_no_longer_shown_with_its_old_trouble(
    post: Post, scripted: Callable[..., Scripted]
) -> None:
    scripted(GatewayRefused("пароль", FailureScope.GATEWAY), GatewayAccepted("1"))
    post.queue(post.visit())
    post.tick()
    assert Provider.objects.get().last_error == "пароль"
    post.pass_time(minutes=6)
    provider = Provider.objects.get()
    assert (provider.last_error, provider.paused_until) == ("", None)


def test_a_claim_without_an_attempt_is_queued_again_by_the_reaper(post: Post) -> None:
    visit = post.visit()
    post.queue(visit)
    dispatch.claim_messages(post.provider, now=post.now)  # and the worker dies
    assert actions.reap_lost_messages(now=post.now + dt.timedelta(seconds=90)) == 0
    assert actions.reap_lost_messages(now=post.now + dt.timedelta(seconds=121)) == 1
    post.pass_time(minutes=3)
    assert post.of(visit)[MessageChannel.MAX].state in (MessageState.ACCEPTED, MessageState.READ)


def test_a_call_that_began_late_in_its_claims_lease_is_not_taken_for_lost(post: Post) -> None:
    visit = post.visit()
    post.queue(visit)
    claimed = dispatch.claim_messages(post.provider, now=post.now)
    dispatch.begin_attempts(claimed, now=post.now + dt.timedelta(seconds=115))
    assert actions.reap_lost_messages(now=post.now + dt.timedelta(seconds=125)) == 0
    assert actions.reap_lost_messages(now=post.now + dt.timedelta(seconds=240)) == 1


@pytest.mark.parametrize(
    ("is_idempotent", "state"), [(False, MessageState.UNKNOWN), (True, MessageState.QUEUED)]
)
def test_an_attempt_without_an_answer_becomes_unknown_unless_the_provider_dedupes(
    post: Post, monkeypatch: pytest.MonkeyPatch, is_idempotent: bool, state: MessageState
) -> None:
    monkeypatch.setattr(SimulatorGateway, "is_idempotent", is_idempotent)
    visit = post.visit()
    post.queue(visit)
    dispatch.begin_attempts(
        dispatch.claim_messages(post.provider, now=post.now), now=post.now
    )  # and the worker dies
    actions.reap_lost_messages(now=post.now + dt.timedelta(minutes=3))
    assert post.of(visit)[MessageChannel.MAX].state == state


def test_the_worker_that_was_only_slow_does_not_send_what_another_took_over(post: Post) -> None:
    visit = post.visit()
    post.queue(visit)
    slow = dispatch.claim_messages(post.provider, now=post.now)
    post.now += dt.timedelta(minutes=3)
    actions.reap_lost_messages(now=post.now)
    dispatch.claim_messages(post.provider, now=post.now)
    assert dispatch.begin_attempts(slow, now=post.now) == []


def test_a_report_that_overtakes_the_answer_is_not_lowered_by_it(post: Post) -> None:
    visit = post.visit()
    post.queue(visit)
    (going,) = dispatch.begin_attempts(
        dispatch.claim_messages(post.provider, now=post.now), now=post.now
    )
    Message.objects.filter(pk=going.message.pk).update(state=MessageState.DELIVERED)
    dispatch.record_results(
        [(going.message, Uncertain("обрыв"))], provider=post.provider, now=post.now
    )
    assert post.of(visit)[MessageChannel.MAX].state == MessageState.DELIVERED


def test_the_limit_of_a_gateway_spaces_its_messages(post: Post) -> None:
    Provider.objects.update(per_second=4)
    provider = Provider.objects.get()
    post.queue(*[post.visit() for _ in range(12)])
    first = dispatch.claim_messages(provider, now=post.now)
    second = dispatch.claim_messages(provider, now=post.now)
    slots = [item.slot_at for item in first + second]
    gaps = {
        round((later - earlier).total_seconds(), 3) for earlier, later in itertools.pairwise(slots)
    }
    assert len(slots) == 5  # one second ahead, both ends included
    assert gaps == {0.25}


def test_a_person_may_send_again_what_may_not_have_gone_and_a_second_click_may_not(
    post: Post,
) -> None:
    visit = post.visit()
    post.queue(visit)
    Message.objects.update(state=MessageState.UNKNOWN)
    message = Message.objects.get()
    again = actions.send_again(message, by=post.world.administrator, now=post.now)
    assert again.key == f"visit:a{visit.pk}:1:max:r1"
    with pytest.raises(Conflict):
        actions.send_again(message, by=post.world.administrator, now=post.now)
    with pytest.raises(Conflict):
        actions.send_again(again, by=post.world.administrator, now=post.now)


def test_the_sms_that_a_person_asks_for_goes_even_though_the_messenger_has_delivered(
    post: Post,
) -> None:
    visit = post.visit("65")  # gets it and says nothing
    post.queue(visit)
    post.tick()
    post.pass_time(seconds=30)
    assert post.of(visit)[MessageChannel.MAX].state == MessageState.READ
    assert post.queue(visit, channel=MessageChannel.SMS) == 1
    assert post.queue(visit, channel=MessageChannel.SMS) == 0
    post.tick()
    assert post.of(visit)[MessageChannel.SMS].state == MessageState.ACCEPTED


def test_letters_go_at_any_hour_and_once_to_each_address(post: Post) -> None:
    post.now = post.world.local(dt.date(2026, 3, 18), 3)
    for _ in range(2):
        letters = actions.queue_letter(
            to=["a@clinic.example", "A@clinic.example", "b@clinic.example"],
            subject="Заявка ждёт",
            text="Ждёт 2,5 часа.",
            purpose="escalation",
            subject_key="callback15",
            clinic=post.world.clinic,
            by=None,
            now=post.now,
        )
    assert len(letters) == 2
    post.tick()
    assert {letter.state for letter in Message.objects.all()} == {MessageState.ACCEPTED}


def test_without_a_gateway_the_letter_says_so(post: Post) -> None:
    Provider.objects.update(channels=[MessageChannel.SMS])
    (letter,) = actions.queue_letter(
        to=["a@clinic.example"],
        subject="s",
        text="t",
        purpose="p",
        subject_key="k",
        by=None,
        now=post.now,
    )
    assert (letter.state, letter.reason) == (
        MessageState.REFUSED,
        "не настроен шлюз для канала «e-mail»",
    )


def test_queueing_takes_the_same_queries_for_three_visits_and_thirty(
    post: Post, django_assert_max_num_queries: Any
) -> None:
    for number in (3, 30):
        visits = [post.visit() for _ in range(number)]
        with django_assert_max_num_queries(16):
            post.queue(*visits)


def test_claiming_takes_the_same_queries_for_three_messages_and_thirty(
    post: Post, django_assert_max_num_queries: Any
) -> None:
    for number in (3, 30):
        post.queue(*[post.visit() for _ in range(number)])
        with django_assert_max_num_queries(20):
            assert len(dispatch.claim_messages(post.provider, now=post.now)) == number


# Races: first without the guard, then with it


def _claim(post: Post) -> list[int]:
    return [
        item.message.pk for item in dispatch.claim_messages(post.provider, now=post.now, limit=10)
    ]


@pytest.mark.django_db(transaction=True)
def test_two_workers_without_the_lock_take_the_same_message_and_with_it_they_never_do(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.queue(*[post.visit() for _ in range(20)])
    with no_row_locks(monkeypatch):
        first, second = overlapping([lambda: _claim(post)] * 2)
    assert isinstance(first, list)
    assert first == second
    assert len(first) == 10
    Message.objects.update(state="queued", claimed_at=None)
    first, second = overlapping([lambda: _claim(post)] * 2)
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert len({*first, *second}) == 20


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("guarded", "going"), [(True, 0), (False, 1)])
def test_a_cancellation_under_way_is_waited_for_by_the_last_look(
    post: Post, monkeypatch: pytest.MonkeyPatch, guarded: bool, going: int
) -> None:
    """The guard is the lock of the visit's row: without it the old state is still seen."""
    visit = post.visit()
    post.queue(visit)
    claimed = dispatch.claim_messages(post.provider, now=post.now)

    def cancel() -> list[object]:
        return [cancel_appointment(visit, reason="", by=None, now=post.now)]

    def begin() -> list[object]:
        return [*dispatch.begin_attempts(claimed, now=post.now)]

    with nullcontext() if guarded else no_row_locks(monkeypatch):
        cancelled, begun = overlapping([cancel, begin])
    assert isinstance(cancelled, list)
    assert isinstance(begun, list)
    assert len(begun) == going
