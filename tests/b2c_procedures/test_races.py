"""Races of the procedures: first the race without its guard, then the guard."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, close_old_connections, connection

from b2c_procedures.actions import chat_distribution, refunds
from b2c_procedures.actions import runs as actions
from b2c_procedures.models import Chat, ChatMessageLink, FailedChatMessage, ProcedureSettings, RefundInvoice, Run
from callcenter.assignments.models import Task
from callcenter.lib.errors import Conflict
from callcenter.messaging.actions.chats import receive_reply
from callcenter.messaging.gateways.base import Reply
from callcenter.messaging.models import Provider
from tests.b2c_procedures.conftest import Service

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], object]) -> list[str]:
    """Runs each call in a thread of its own; the names of the errors, 'ok' for none."""
    outcomes: list[str] = []

    def one(call: Callable[[], object]) -> None:
        try:
            call()
            outcomes.append("ok")
        except (Conflict, IntegrityError) as error:
            outcomes.append(type(error).__name__)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=one, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(outcomes)


def test_without_the_runs_lock_both_presses_get_past_the_version(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the last line of defence, the unique entry number, then stops the second one, with an error for its user."""
    run = actions.start_run(procedure=1, clinic=service.clinic, by=service.manager, now=service.world.now)
    together = threading.Barrier(2)

    def unlocked(run: Run, **_: Any) -> Run:
        fresh = Run.objects.select_related("clinic", "holder").get(pk=run.pk)
        together.wait(10)
        return fresh

    def press() -> None:
        actions.press(run, version=run.version, key="1", by=service.manager, now=service.world.now)

    monkeypatch.setattr(actions, "_locked", unlocked)
    assert at_once(press, press) == ["IntegrityError", "ok"]


def test_with_the_lock_the_second_press_is_told_who_is_ahead(service: Service) -> None:
    run = actions.start_run(procedure=1, clinic=service.clinic, by=service.manager, now=service.world.now)

    def press() -> None:
        actions.press(run, version=run.version, key="1", by=service.manager, now=service.world.now)

    assert at_once(press, press) == ["Conflict", "ok"]


def write_without_gathering(service: Service) -> None:
    for number in range(4):
        person = service.world.patient(f"Писатель{number}")
        reply = Reply(
            id=f"race{number}", sender=person.phones.get().number, name="", text="Здравствуйте", channel="telegram",
            key="", at=service.world.now,
        )  # fmt: skip
        assert receive_reply(reply, provider=Provider.objects.get(), now=service.world.now) is not None


def test_without_the_sharing_lock_two_tickers_take_the_same_lines(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_without_gathering(service)
    together = threading.Barrier(2)
    present = ProcedureSettings.present
    waited = threading.local()

    def both_have_read() -> Any:
        if not hasattr(waited, "once"):
            waited.once = together.wait(10)
        return present()

    monkeypatch.setattr(chat_distribution, "_lock_sharing", lambda: None)
    monkeypatch.setattr(ProcedureSettings, "present", both_have_read)
    outcomes = at_once(*[lambda: chat_distribution.gather_due_chats(now=service.world.now)] * 2)
    assert outcomes == ["ok", "ok"]
    assert FailedChatMessage.objects.filter(last_error__startswith="IntegrityError").count() == 4


def test_with_the_lock_every_line_is_gathered_once_and_nobody_fails(service: Service) -> None:
    write_without_gathering(service)
    assert at_once(*[lambda: chat_distribution.gather_due_chats(now=service.world.now)] * 2) == ["ok", "ok"]
    assert (Chat.objects.count(), ChatMessageLink.objects.count(), FailedChatMessage.objects.count()) == (4, 4, 0)


def test_two_tickers_remind_of_an_invoice_once(service: Service) -> None:
    RefundInvoice.objects.create(
        clinic=service.clinic,
        patient=service.patient,
        created_at=service.world.now,
        due_at=service.world.now - dt.timedelta(minutes=1),
    )
    assert at_once(*[lambda: refunds.remind_due_invoices(now=service.world.now)] * 3) == ["ok", "ok", "ok"]
    assert Task.objects.filter(title__startswith="Возврат стоит").count() == 1
