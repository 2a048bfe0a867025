"""The client service of the demo: something of every kind, and nobody left without a manager."""

import datetime as dt

import pytest

from b2c_procedures.models import (
    Branch,
    Chat,
    CourierCity,
    Institution,
    Order,
    Run,
    StepRecord,
    Study,
)
from b2c_procedures.states import OrderStatus, RunState
from callcenter.clinics.models import Patient, PatientPhone
from callcenter.demo import clinics, procedures
from callcenter.messaging.models import CascadeStep, Provider

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)


@pytest.mark.django_db
def test_the_demo_has_orders_of_every_fate_runs_on_the_way_and_chats_that_wait() -> None:
    clinics.load(NOW)
    clinic = clinics.clinics()[0]
    for number in range(60):
        patient = Patient.objects.create(last_name=f"Луговой{number}", first_name="Пётр")
        patient.clinics.add(clinic)
        PatientPhone.objects.create(patient=patient, number=f"+79000002{number:03}", is_main=True)
    provider = Provider.objects.filter(channels__overlap=["telegram", "max", "whatsapp"]).first()
    if provider is None:
        provider = Provider.objects.create(
            name="мессенджер", kind="simulator", channels=["telegram"]
        )
        CascadeStep.objects.create(clinic=clinic, position=9, channel="telegram", provider=provider)
    procedures.load(NOW)
    assert Study.objects.filter(responsible__login="responsible").count() == len(procedures.STUDIES)
    assert {OrderStatus.PAID, OrderStatus.RESAMPLE, OrderStatus.READY} <= set(
        Order.objects.values_list("status", flat=True)
    )
    assert Order.objects.exclude(partner="").exists()
    assert Institution.objects.count() == len(procedures.INSTITUTIONS)
    assert CourierCity.objects.count() == len(procedures.CITIES)
    assert Branch.objects.filter(clinic=clinic).exists()
    assert Run.objects.filter(state=RunState.FINISHED).count() >= 10
    assert {3, 13} <= set(Run.objects.live().values_list("procedure", flat=True))
    assert StepRecord.objects.count() > 100
    assert Chat.objects.filter(manager__isnull=False).count() == len(procedures.QUESTIONS)
