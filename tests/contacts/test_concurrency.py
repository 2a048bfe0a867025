"""Two writers of the first interaction of one person and day make one contact — and without the guards they do not."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from callcenter.contacts.actions import intake, record_interaction
from callcenter.contacts.models import Contact, Interaction
from callcenter.contacts.states import InteractionKind, InteractionState
from tests.conftest import World

pytestmark = pytest.mark.django_db(transaction=True)


def _race(*writers: Callable[[], Any]) -> list[Exception]:
    """Runs the writers at once, each on a connection of its own."""
    start = threading.Barrier(len(writers))
    failed: list[Exception] = []

    def run(write: Callable[[], Any]) -> None:
        try:
            start.wait(10)
            write()
        except (IntegrityError, threading.BrokenBarrierError) as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return failed


def _writer(world: World, source_id: str, **more: Any) -> Callable[[], Any]:
    def write() -> None:
        record_interaction(
            clinic=world.clinic,
            kind=InteractionKind.CALL,
            state=InteractionState.ANSWERED,
            at=world.now,
            now=world.now,
            by=None,
            source="race",
            source_id=source_id,
            **more,
        )

    return write


def test_two_first_interactions_make_one_contact(world: World) -> None:
    failed = _race(*(_writer(world, f"call{n}", number="+79000003001") for n in range(4)))
    assert not failed
    assert Contact.objects.get().size == 4


def test_the_same_id_twice_at_once_is_written_once(world: World) -> None:
    assert not _race(*(_writer(world, "same", number="+79000003002") for _ in range(4)))
    assert Interaction.objects.count() == 1


def _meet(monkeypatch: pytest.MonkeyPatch, parties: int) -> None:
    """Both writers look whose the number is before either has written."""
    meeting = threading.Barrier(parties)
    look = intake._person_behind

    def look_together(*args: Any) -> Any:
        person = look(*args)
        meeting.wait(10)
        return person

    monkeypatch.setattr(intake, "_person_behind", look_together)


def test_without_the_lock_a_named_and_an_unnamed_call_stay_apart(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race: one says whose the number is while the other writes it as nobody's; neither sees the other."""
    patient = world.patient(phones=[])
    monkeypatch.setattr(intake, "lock_words", lambda *words: None)
    _meet(monkeypatch, 2)
    regroup = intake._reassign_by_number
    both_saved = threading.Barrier(2)

    def regroup_unseen(*args: Any) -> Any:
        found = regroup(*args)
        both_saved.wait(10)
        return found

    unnamed = _writer(world, "b", number="+79000003003")

    def unnamed_holding_on() -> None:
        with transaction.atomic():
            unnamed()
            both_saved.wait(10)

    monkeypatch.setattr(intake, "_regroup", regroup_unseen)
    assert not _race(_writer(world, "a", number="+79000003003", patient=patient), unnamed_holding_on)
    assert Contact.objects.count() == 2


def test_with_the_lock_a_named_and_an_unnamed_call_become_one_contact(world: World) -> None:
    patient = world.patient(phones=[])
    for round_ in range(5):
        number = f"+7900000301{round_}"
        failed = _race(
            _writer(world, f"a{round_}", number=number, patient=patient),
            _writer(world, f"b{round_}", number=number),
        )
        assert not failed
    assert Contact.objects.get().size == 10


def test_without_the_unique_key_two_writers_make_two_contacts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "lock_words", lambda *words: None)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE contacts_contact DROP CONSTRAINT contact_person_day")
    look = Contact.objects.get_or_create
    meeting = threading.Barrier(2)

    def get_or_create(**values: Any) -> Any:
        # What get_or_create does, with both writers between its look and its write.
        defaults = values.pop("defaults")
        found = Contact.objects.filter(**values).first()
        meeting.wait(10)
        return (found, False) if found else (Contact.objects.create(**values, **defaults), True)

    try:
        monkeypatch.setattr(Contact.objects, "get_or_create", get_or_create)
        assert not _race(*(_writer(world, f"x{n}", number="+79000003009") for n in range(2)))
        assert Contact.objects.count() == 2
    finally:
        monkeypatch.setattr(Contact.objects, "get_or_create", look)
        Interaction.objects.all().delete()
        Contact.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                'ALTER TABLE contacts_contact ADD CONSTRAINT contact_person_day UNIQUE (clinic_id, "on", person_key)'
            )
