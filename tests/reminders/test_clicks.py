"""Two presses of one button at the same moment: one sends, the other is told that it was done."""

from contextlib import nullcontext

import pytest

from callcenter.audit.models import AuditEntry
from callcenter.lib.errors import Conflict
from callcenter.messaging.models import Message
from callcenter.messaging.states import MessageChannel
from reminders import actions
from reminders.models import ReminderQuerySet
from tests.concurrency.race import no_row_locks, overlapping
from tests.reminders.conftest import Desk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("guarded", "told"), [(True, 1), (False, 0)])
def test_a_double_click_on_send_sends_once_and_tells_the_second_press(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, guarded: bool, told: int
) -> None:
    """The guard is the row's lock: without it both presses believe that they have sent. The message
    is single in any case.
    """
    visit = desk.visit("01")
    desk.open()
    row = desk.row(visit)
    by = desk.world.administrator
    with nullcontext() if guarded else no_row_locks(monkeypatch, ReminderQuerySet):
        results = overlapping(
            [lambda: actions.send_one(row, by=by, now=desk.now, channel=MessageChannel.SMS)] * 2
        )
    assert [type(result) for result in results].count(Conflict) == told
    assert Message.objects.filter(appointment=visit, channel=MessageChannel.SMS).count() == 1
    assert AuditEntry.objects.filter(action="reminders.send_one").count() == 2 - told
