"""Races of the procedures: first the race without its guard, then the guard."""

import datetime as dt
from collections.abc import Sequence

import pytest

from b2c_procedures.actions import chat_distribution, refunds
from b2c_procedures.actions import runs as actions
from b2c_procedures.models import Chat, ChatMessageLink, FailedChatMessage, RefundInvoice
from callcenter.assignments.models import Task
from callcenter.messaging.actions.chats import receive_reply
from callcenter.messaging.gateways.base import Reply
from callcenter.messaging.models import Provider
from tests.b2c_procedures.conftest import Service
from tests.concurrency.race import no_row_locks, overlapping

pytestmark = pytest.mark.django_db(transaction=True)


def told(results: Sequence[object]) -> list[str]:
    """What each was told: the name of the error, 'ok' for none."""
    return [type(result).__name__ if isinstance(result, Exception) else "ok" for result in results]


def test_without_the_runs_lock_both_presses_get_past_the_version(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the last line of defence, the unique entry number, then stops the second one, with an
    error for its user.
    """
    run = actions.start_run(
        procedure=1, clinic=service.clinic, by=service.manager, now=service.world.now
    )

    def press() -> None:
        actions.press(run, version=run.version, key="1", by=service.manager, now=service.world.now)

    with no_row_locks(monkeypatch):
        assert told(overlapping([press, press])) == ["ok", "IntegrityError"]


def test_with_the_lock_the_second_press_is_told_who_is_ahead(service: Service) -> None:
    run = actions.start_run(
        procedure=1, clinic=service.clinic, by=service.manager, now=service.world.now
    )

    def press() -> None:
        actions.press(run, version=run.version, key="1", by=service.manager, now=service.world.now)

    assert told(overlapping([press, press])) == ["ok", "Conflict"]


def write_without_gathering(service: Service) -> None:
    for number in range(4):
        person = service.world.patient(f"Писатель{number}")
        reply = Reply(
            id=f"race{number}", sender=person.phones.get().number, name="", text="Здравствуйте", channel="telegram",
            key="", at=service.world.now,
        )  # fmt: skip
        assert (
            receive_reply(reply, provider=Provider.objects.get(), now=service.world.now) is not None
        )


def test_without_the_sharing_lock_two_tickers_take_the_same_lines(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_without_gathering(service)
    monkeypatch.setattr(chat_distribution, "_lock_sharing", lambda: None)
    assert overlapping([lambda: chat_distribution.gather_due_chats(now=service.world.now)] * 2) == [
        4,
        0,
    ]
    assert FailedChatMessage.objects.filter(last_error__startswith="IntegrityError").count() == 4


def test_with_the_lock_every_line_is_gathered_once_and_nobody_fails(service: Service) -> None:
    write_without_gathering(service)
    assert overlapping([lambda: chat_distribution.gather_due_chats(now=service.world.now)] * 2) == [
        4,
        0,
    ]
    assert (
        Chat.objects.count(),
        ChatMessageLink.objects.count(),
        FailedChatMessage.objects.count(),
    ) == (4, 4, 0)


def test_two_tickers_remind_of_an_invoice_once(service: Service) -> None:
    RefundInvoice.objects.create(
        clinic=service.clinic,
        patient=service.patient,
        created_at=service.world.now,
        due_at=service.world.now - dt.timedelta(minutes=1),
    )
    results = overlapping([lambda: refunds.remind_due_invoices(now=service.world.now)] * 3)
    assert results == [1, 0, 0]
    assert Task.objects.filter(title__startswith="Возврат стоит").count() == 1
