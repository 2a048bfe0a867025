"""The people of the client service, and the reference data that steps look at."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from b2c_procedures.actions.orders import create_order
from b2c_procedures.models import Branch, CourierCity, ForbiddenPhrase, Institution, Order, Study
from callcenter.clinics.models import LegalBasis, Patient
from callcenter.contacts.models import Topic
from callcenter.messaging.models import Provider
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from tests.conftest import World, make_user


@dataclass
class Service:
    """Everybody who performs a function, one client, and something of each kind of reference data."""

    world: World
    lead: User
    head: User
    consultant: User
    auditor: User
    responsible: User
    branch_user: User
    patient: Patient
    study: Study
    dearer: Study
    branch: Branch
    topic: Topic

    @property
    def clinic(self) -> Any:
        return self.world.clinic

    @property
    def manager(self) -> User:
        """«Менеджер ОКС»."""
        return self.world.administrator

    @property
    def everybody(self) -> list[User]:
        return [
            self.manager,
            self.lead,
            self.head,
            self.consultant,
            self.auditor,
            self.responsible,
            self.branch_user,
        ]

    def order(self, patient: Patient | None = None, studies: list[Study] | None = None) -> Order:
        return create_order(
            clinic=self.clinic,
            patient=patient or self.patient,
            studies=studies or [self.study],
            by=self.manager,
            now=self.world.now,
        )


def make_service(world: World) -> Service:
    a = [world.clinic]
    responsible = make_user("responsible", "Ответова Раиса Борисовна", Role.RESPONSIBLE, clinics=a)
    study = Study.objects.create(
        code="EX-1",
        name="Экзом",
        description="Полноэкзомное секвенирование.",
        preanalytics="Натощак.",
        price=Decimal("45000"),
        term_days=30,
        link="https://clinic.example/exome",
        responsible=responsible,
    )
    dearer = Study.objects.create(
        code="GE-1", name="Геном", price=Decimal("90000"), responsible=responsible
    )
    institution = Institution.objects.create(city="Москва", name="Поликлиника 1")
    institution.studies.add(study)
    CourierCity.objects.create(city="Казань", weekdays=[0, 2, 4])
    branch = Branch.objects.create(
        name="МО на Примерной", city="Москва", address="ул. Примерная, 1", hours="8–20"
    )
    for phrase in (
        "отдел* логистик*",
        "в лаборатори*",
    ):  # a test that flushes takes away the migration's list
        ForbiddenPhrase.objects.get_or_create(phrase=phrase, defaults={"why": "называет отдел"})
    Provider.objects.create(
        name="симулятор", kind="simulator", channels=["sms", "email", "telegram", "max"]
    )
    LegalBasis.objects.create(
        clinic=world.clinic, purpose="service", basis="договор", since=dt.date(2024, 1, 1)
    )
    return Service(
        world=world,
        lead=make_user("lead", "Ведущая Лидия Сергеевна", Role.LEAD, clinics=a),
        head=make_user("head", "Руководова Инна Павловна", Role.HEAD, clinics=a),
        consultant=make_user("consultant", "Советова Яна Олеговна", Role.CONSULTANT, clinics=a),
        auditor=make_user("auditor", "Проверкин Пётр Ильич", Role.AUDITOR, clinics=a),
        responsible=responsible,
        branch_user=make_user("branch", "Филиалова Фаина Юрьевна", Role.BRANCH, clinics=a),
        patient=world.patient("Клиентова", "Мария", "Ивановна", email="client@clinic.example"),
        study=study,
        dearer=dearer,
        branch=branch,
        topic=Topic.objects.get_or_create(name="Консультация по исследованию")[0],
    )


@pytest.fixture
def noon(service: Service) -> Any:
    """The clock stands at the cast's noon, and can be moved."""
    with time_machine.travel(service.world.now, tick=False) as traveller:
        yield traveller
