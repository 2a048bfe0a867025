"""Two colleagues press «Сохранить» on one card at one moment: one is told, nobody's change is lost."""

import pytest

from callcenter.clinics import actions
from callcenter.clinics.actions import patients
from callcenter.clinics.models import Patient
from callcenter.lib.errors import Conflict
from tests.concurrency.race import no_row_locks, overlapping
from tests.conftest import NOON, World

pytestmark = pytest.mark.django_db(transaction=True)


def save_both(world: World) -> tuple[Patient, list[Patient | Exception]]:
    """Both opened the card when it had one number; each adds another one."""
    patient = world.patient(phones=["+79000101001"])
    shown = patients.card_fingerprint(patient)
    results = overlapping(
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


def test_without_the_lock_of_the_row_one_number_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_row_locks(monkeypatch):
        patient, results = save_both(world)
    assert not any(isinstance(result, Exception) for result in results), (
        "both believe that they saved"
    )
    assert patient.phones.count() == 2, "one of the two added numbers is gone"


def test_with_it_the_second_is_told_that_the_card_changed(world: World) -> None:
    patient, results = save_both(world)
    assert [type(result) for result in results] == [Patient, Conflict]
    assert patient.phones.count() == 2
