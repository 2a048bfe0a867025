"""A step whose role nobody of the clinic has: the senior sees it, does it or gives it away (ADR
0103).
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from b2c_procedures.actions import runs as actions
from b2c_procedures.actions.orders import lift_refusal
from b2c_procedures.models import Run
from b2c_procedures.panels import day_cards
from b2c_procedures.queries.runs import runs_for_nobody
from b2c_procedures.states import OrderStatus, RunState
from callcenter.lib.errors import NotAllowed, Refused
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from tests.b2c_procedures.conftest import Service
from tests.b2c_procedures.walking import press as led_by_whoever_may
from tests.conftest import make_user

AsUser = Callable[[User], Client]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def press(service: Service, run: Run, *keys: str, by: User, **data: Any) -> Run:
    for key in keys:
        run = actions.press(
            run, version=run.version, key=key, by=by, now=service.world.now, data=data
        )
    return run


@pytest.fixture
def asked(service: Service) -> Run:
    """A refund that waits for «ответственное лицо» in a clinic that has none."""
    User.objects.filter(pk=service.responsible.pk).update(is_active=False)
    run = actions.start_run(
        procedure=13, clinic=service.clinic, patient=service.patient, order=service.order(), by=service.manager,
        now=service.world.now,
    )  # fmt: skip
    run = press(service, run, "1", "1", "1", "1", by=service.manager)
    assert (run.at_function, run.state, run.waits_for) == (
        "13.5",
        RunState.WAITING,
        "responsible_person",
    )
    return run


def test_the_senior_sees_what_waits_for_nobody_and_why(
    service: Service, asked: Run, as_user: AsUser
) -> None:
    senior = service.world.senior
    assert list(runs_for_nobody(senior)) == [asked]
    assert [
        card.count for card in day_cards(senior, service.world.now) if "некому" in card.title
    ] == [1]
    page = as_user(senior).get("/b2c_procedures/").content.decode()
    assert "Некому сделать · 1" in page
    assert "нет сотрудника с ролью «ответственное лицо»" in page
    page = as_user(senior).get(f"/b2c_procedures/runs/{asked.pk}/").content.decode()
    assert "Некому: в клинике нет сотрудника с ролью «ответственное лицо»" in page
    assert "Принять" in page


def test_the_manager_is_told_whom_to_ask_and_cannot_take_it(
    service: Service, asked: Run, as_user: AsUser
) -> None:
    assert not runs_for_nobody(service.manager)
    page = as_user(service.manager).get(f"/b2c_procedures/runs/{asked.pk}/").content.decode()
    assert "Шаг сделает или отдаст другому старший администратор" in page
    assert "Принять" not in page
    with pytest.raises(NotAllowed):
        actions.take_run(asked, by=service.manager, now=service.world.now)


def test_the_senior_of_another_clinic_sees_nothing(
    service: Service, asked: Run, as_user: AsUser
) -> None:
    stranger = service.world.senior_b
    assert not runs_for_nobody(stranger)
    assert as_user(stranger).get(f"/b2c_procedures/runs/{asked.pk}/").status_code == 404


def test_the_senior_does_the_step_and_the_run_goes_back_to_its_manager(
    service: Service, asked: Run
) -> None:
    senior = service.world.senior
    run = actions.take_run(asked, by=senior, now=service.world.now)
    run = press(service, run, "1", by=senior, answer="Возможно")
    assert (run.at_function, run.holder, run.state) == ("13.6", service.manager, RunState.OPEN)
    assert run.steps.get(function="13.5").by == senior


def test_the_senior_gives_the_step_to_somebody_by_name(service: Service, asked: Run) -> None:
    senior, colleague, now = service.world.senior, service.world.administrator2, service.world.now
    run = actions.take_run(asked, by=senior, now=now)
    with pytest.raises(Refused, match="передайте сотруднику"):
        actions.hand_over(
            run, version=run.version, by=senior, now=now, performer="responsible_person"
        )
    run = actions.hand_over(run, version=run.version, by=senior, now=now, to=colleague)
    run = press(service, run, "1", by=colleague, answer="Возможно")
    assert (run.at_function, run.holder) == ("13.6", service.manager)


def test_the_form_asks_for_a_person_where_no_role_helps(
    service: Service, asked: Run, as_user: AsUser
) -> None:
    actions.take_run(asked, by=service.world.senior, now=service.world.now)
    page = (
        as_user(service.world.senior)
        .get(f"/b2c_procedures/runs/{asked.pk}/?hand=1")
        .content.decode()
    )
    assert "Вы делаете этот шаг вместо него" in page
    assert service.world.administrator2.full_name in page
    assert 'name="over-performer"' not in page
    done = as_user(service.world.senior).post(
        f"/b2c_procedures/runs/{asked.pk}/hand-over/",
        {
            "version": Run.objects.get(pk=asked.pk).version,
            "over-to": service.world.administrator2.pk,
        },
    )
    assert done.status_code == 302
    assert Run.objects.get(pk=asked.pk).holder == service.world.administrator2


def test_with_somebody_hired_the_step_is_his_again(service: Service, asked: Run) -> None:
    hired = make_user(
        "hired", "Новенькая Ника Павловна", Role.RESPONSIBLE, clinics=[service.clinic]
    )
    assert not runs_for_nobody(service.world.senior)
    with pytest.raises(NotAllowed):
        actions.take_run(asked, by=service.world.senior, now=service.world.now)
    assert actions.take_run(asked, by=hired, now=service.world.now).holder == hired


def test_one_who_stands_in_loses_the_step_when_somebody_is_hired(
    service: Service, asked: Run
) -> None:
    run = actions.take_run(asked, by=service.world.senior, now=service.world.now)
    make_user("hired", "Новенькая Ника Павловна", Role.RESPONSIBLE, clinics=[service.clinic])
    with pytest.raises(NotAllowed, match="Ответственные лица"):
        press(service, run, "1", by=service.world.senior, answer="Возможно")


def test_who_stands_in_for_the_doctor_leads_the_whole_of_his_procedure(service: Service) -> None:
    User.objects.filter(pk=service.consultant.pk).update(is_active=False)
    senior = service.world.senior
    run = actions.start_run(
        procedure=2,
        clinic=service.clinic,
        patient=service.patient,
        by=service.manager,
        now=service.world.now,
    )
    assert (run.state, run.waits_for) == (RunState.WAITING, "consultant_doctor")
    run = actions.take_run(run, by=senior, now=service.world.now)
    run = press(service, run, "1", by=senior)
    assert (run.at_function, run.holder, run.state) == ("2.2", senior, RunState.OPEN)


def test_the_refusal_is_taken_back_without_an_auditor(service: Service) -> None:
    User.objects.filter(pk=service.auditor.pk).update(is_active=False)
    senior, order = service.world.senior, service.order()
    run = actions.start_run(
        procedure=13, clinic=service.clinic, patient=service.patient, order=order, by=service.manager,
        now=service.world.now,
    )  # fmt: skip
    for key in ("1", "1", "1", "1", "2", "1"):
        run = led_by_whoever_may(service, run, key)
    assert run.at_function == "13.13"
    run = actions.take_run(run, by=senior, now=service.world.now)
    run = press(service, run, "1", by=senior)
    order.refresh_from_db()
    assert order.status == OrderStatus.REGISTERED
    User.objects.filter(pk=service.auditor.pk).update(is_active=True)
    with pytest.raises(NotAllowed):
        lift_refusal(order, by=senior, now=service.world.now)


def test_the_patients_card_lists_the_procedures_and_begins_one(
    service: Service, asked: Run, as_user: AsUser
) -> None:
    page = as_user(service.manager).get(f"/patients/{service.patient.pk}/").content.decode()
    assert f"/b2c_procedures/runs/{asked.pk}/" in page
    assert "Процедур ещё не было" not in page
    assert f"/b2c_procedures/?patient={service.patient.pk}" in page
