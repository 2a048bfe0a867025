"""Two administrators press «Взять» on one entry of the waiting list: one calls the patient, the
other is told who.
"""

import datetime as dt

import pytest

from callcenter.clinics.actions import give_waiting, waiting
from callcenter.clinics.models import WaitingListEntry
from callcenter.lib.errors import Conflict
from callcenter.staff.models import User
from tests.concurrency.race import overlapping
from tests.conftest import NOON, World

pytestmark = pytest.mark.django_db(transaction=True)


def take_both(world: World) -> list[WaitingListEntry | Exception]:
    entry = WaitingListEntry.objects.create(
        clinic=world.clinic,
        patient=world.patient(),
        call_on=dt.date(2026, 3, 18),
        comment="ждёт",
        opened_at=NOON,
    )

    def take(user: User) -> WaitingListEntry:
        return give_waiting(entry, owner=user, by=user, now=NOON, shown="")

    return overlapping([lambda: take(world.administrator), lambda: take(world.administrator2)])


def test_without_the_lock_both_believe_that_they_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(entry: WaitingListEntry) -> WaitingListEntry:
        fresh: WaitingListEntry = WaitingListEntry.objects.select_related("clinic").get(pk=entry.pk)
        return fresh

    monkeypatch.setattr(waiting, "_open", look)
    assert not [one for one in take_both(world) if isinstance(one, Exception)]


def test_with_it_one_of_them_does(world: World) -> None:
    results = take_both(world)
    assert [type(one) for one in results] == [WaitingListEntry, Conflict]
    assert WaitingListEntry.objects.get().owner == world.administrator
