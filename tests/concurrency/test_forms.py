"""Two colleagues press «Сохранить» on one card at one moment: one is told, nobody's change is lost."""

import time
from typing import Any

import pytest

from callcenter.clinics import actions
from callcenter.clinics.actions import patients
from callcenter.clinics.models import Patient
from callcenter.lib import optimistic_lock
from callcenter.lib.errors import Conflict
from tests.concurrency.race import at_once
from tests.conftest import NOON, World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dawdling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause between look and write that a busy server has."""
    real = optimistic_lock.ensure_unchanged

    def look_then_dawdle(*args: Any) -> None:
        real(*args)
        time.sleep(0.3)

    monkeypatch.setattr(optimistic_lock, "check", look_then_dawdle)


def save_both(world: World) -> tuple[Patient, list[Patient | Exception]]:
    """Both opened the card when it had one number; each adds another one."""
    patient = world.patient(phones=["+79000101001"])
    shown = patients.card_stamp(patient)
    results = at_once(
        [
            lambda number=number: actions.save_patient(  # type: ignore[misc]
                patient,
                fields={},
                numbers=["+79000101001", number],
                clinic=world.clinic,
                by=world.administrator,
                now=NOON,
                shown=shown,
            )
            for number in ("+79000101002", "+79000101003")
        ]
    )
    return patient, results


@pytest.mark.usefixtures("dawdling")
def test_without_the_lock_of_the_row_one_number_is_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patient.objects, "select_for_update", lambda **_: Patient.objects.all(), raising=False)
    patient, results = save_both(world)
    assert not any(isinstance(result, Exception) for result in results), "both believe that they saved"
    assert patient.phones.count() == 2, "one of the two added numbers is gone"


@pytest.mark.usefixtures("dawdling")
def test_with_it_the_second_is_told_that_the_card_changed(world: World) -> None:
    patient, results = save_both(world)
    assert [type(result) for result in results if isinstance(result, Exception)] == [Conflict]
    assert patient.phones.count() == 2
