"""Runs: who may do what, who is ahead, holds, hand-overs, going back, and what the steps make."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from b2c_procedures.actions import runs as actions
from b2c_procedures.actions.orders import lift_refusal, replace_studies, set_status
from b2c_procedures.models import (
    Chat,
    DeliveryRequest,
    Order,
    RefundInvoice,
    Run,
    SentToClient,
    TaxCertificate,
)
from b2c_procedures.queries.runs import made_by
from b2c_procedures.states import OrderStatus, RunState
from callcenter.assignments.actions import close_task, create_task
from callcenter.assignments.models import Task
from callcenter.clinics.models import Appointment, Doctor, Specialty, WaitingListEntry
from callcenter.contacts.actions import InteractionInput, Participants, Phases, record_interaction
from callcenter.contacts.states import InteractionKind, InteractionState
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.lib.phones import format_phone
from callcenter.messaging.models import Message
from callcenter.staff.models import User
from tests.b2c_procedures.conftest import Service
from tests.b2c_procedures.walking import begin, finish, press
from tests.concurrency.race import overlapping

AsUser = Callable[[User], Client]


def start(service: Service, number: int, **fields: Any) -> Run:
    fields.setdefault("patient", service.patient)
    return actions.start_run(
        procedure=number, clinic=service.clinic, by=service.manager, now=service.world.now, **fields
    )


def go(service: Service, run: Run, *keys: str, **data: Any) -> Run:
    for key in keys:
        run = actions.press(
            run, version=run.version, key=key, by=service.manager, now=service.world.now, data=data
        )
    return run


def test_a_press_on_an_older_screen_is_told_who_is_ahead(service: Service) -> None:
    run = go(service, start(service, 1), "1")
    with pytest.raises(Conflict, match="Орлова Ольга Петровна уже впереди"):
        actions.press(run, version=0, key="1", by=service.manager, now=service.world.now)


def test_a_colleague_takes_the_run_and_the_first_one_is_told(service: Service) -> None:
    run = start(service, 1)
    colleague = service.world.administrator2
    with pytest.raises(Conflict, match="Процедуру ведёт Орлова"):
        actions.press(run, version=run.version, key="1", by=colleague, now=service.world.now)
    taken = actions.take_run(run, by=colleague, now=service.world.now)
    assert taken.holder == colleague
    with pytest.raises(Conflict, match="Зимина"):
        actions.press(
            taken, version=taken.version, key="1", by=service.manager, now=service.world.now
        )


@pytest.mark.django_db(transaction=True)
def test_two_presses_of_one_moment_make_one_step(service: Service) -> None:
    run = start(service, 1)

    def press_now() -> Run:
        return actions.press(
            run, version=run.version, key="1", by=service.manager, now=service.world.now
        )

    assert [type(result) for result in overlapping([press_now, press_now])] == [Run, Conflict]
    assert run.entries.filter(kind="result").count() == 1


def test_another_performers_step_is_not_for_a_manager(service: Service, noon: Any) -> None:
    run = begin(service, 13)
    for key in ("1", "1", "1", "1"):
        run = press(service, run, key)
    assert (run.at_function, run.state, run.waits_for) == (
        "13.5",
        RunState.WAITING,
        "responsible_person",
    )
    with pytest.raises(NotAllowed, match="Ответственные лица"):
        actions.take_run(run, by=service.manager, now=service.world.now)
    run = press(service, run, "1")
    assert run.at_function == "13.6"
    assert run.holder == service.manager  # it comes back to the manager who began it
    task = Task.objects.get(title__startswith="Оценить возможность")
    assert (task.state, task.assignee) == ("done", service.responsible)
    assert task.deadline_at == service.world.now + dt.timedelta(hours=2)


def test_the_time_of_a_hold_is_not_the_steps_time(service: Service) -> None:
    now = service.world.now
    run = start(service, 1)
    due = run.step_due_at
    run = actions.hold_run(
        run, version=run.version, by=service.manager, now=now + dt.timedelta(seconds=20)
    )
    run = actions.resume_run(
        run, version=run.version, by=service.manager, now=now + dt.timedelta(seconds=80)
    )
    assert due is not None
    assert run.step_due_at == due + dt.timedelta(seconds=60)
    run = actions.press(
        run, version=run.version, key="1", by=service.manager, now=now + dt.timedelta(seconds=100)
    )
    step = run.steps.get()
    assert (step.seconds, step.norm_seconds) == (40, 60)


def test_going_back_needs_a_reason_restores_the_step_and_leaves_the_measure_out(
    service: Service,
) -> None:
    run = go(service, start(service, 1), "1")
    with pytest.raises(Refused, match="почему"):
        actions.go_back(
            run, version=run.version, reason=" ", by=service.manager, now=service.world.now
        )
    run = actions.go_back(
        run, version=run.version, reason="не туда", by=service.manager, now=service.world.now
    )
    assert run.at_function == "1.1"
    assert run.steps.get().is_undone
    with pytest.raises(Refused, match="первый шаг"):
        actions.go_back(
            run, version=run.version, reason="ещё", by=service.manager, now=service.world.now
        )


def test_going_back_from_a_return_takes_no_measured_step_away(service: Service) -> None:
    run = go(service, start(service, 10, order=service.order()), "1", order=service.order())
    run = go(service, run, "1")
    run = go(service, run, "2")  # an extra question leads into procedure 1
    assert run.at_procedure == 1
    run = go(service, run, "1", "1", "1", "2")
    assert (run.at_procedure, run.at_function) == (10, "")  # the return
    run = go(service, run, "again")
    counted = run.steps.filter(is_undone=False).count()
    run = actions.go_back(
        run, version=run.version, reason="не то", by=service.manager, now=service.world.now
    )
    assert run.at_function == ""
    assert run.steps.filter(is_undone=False).count() == counted


def test_a_colleagues_note_is_no_move_and_stops_nobody(service: Service) -> None:
    run = go(service, start(service, 1), "1")
    actions.add_note(run, text="перезвонит муж", by=service.lead, now=service.world.now)
    after = actions.press(
        run, version=run.version, key="1", by=service.manager, now=service.world.now
    )
    assert after.at_function == "1.3"


def test_a_run_is_handed_only_to_somebody_who_may_do_the_step(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    run = go(service, start(service, 1), "1")
    for receiver in ({"to": service.auditor}, {"performer": "lj_auditor"}):
        with pytest.raises(Refused, match="Менеджер ОКС"):
            actions.hand_over(
                run, version=run.version, by=service.manager, now=service.world.now, **receiver
            )
    page = as_user(service.manager).get(f"/b2c_procedures/runs/{run.pk}/?hand=1").content.decode()
    assert "Ведущая Лидия Сергеевна" in page
    assert "Проверкин" not in page


def test_around_the_steps_a_lost_race_shows_the_present_step(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    run = go(service, start(service, 1), "1")
    answer = as_user(service.manager).post(f"/b2c_procedures/runs/{run.pk}/hold/", {"version": 0})
    assert answer.status_code == 409
    assert "уже впереди" in answer.content.decode()
    assert "1.2" in answer.content.decode()
    assert as_user(service.manager).post(f"/b2c_procedures/runs/{run.pk}/fly/").status_code == 404


def test_a_chat_goes_with_its_run_to_the_doctor_who_takes_it(service: Service) -> None:
    chat = Chat.objects.create(
        clinic=service.clinic, channel="telegram", address="+79000000044", patient=service.patient, state="active",
        manager=service.manager, opened_at=service.world.now, last_at=service.world.now,
    )  # fmt: skip
    run = go(service, start(service, 1, chat=chat), "1", "2a", "1")
    assert (run.at_function, run.waits_for) == ("2.1", "consultant_doctor")
    chat.refresh_from_db()
    assert chat.manager == service.manager  # until somebody is there for the client
    actions.take_run(run, by=service.consultant, now=service.world.now)
    chat.refresh_from_db()
    assert chat.manager == service.consultant


def test_a_booking_done_again_after_going_back_is_moved_not_doubled(service: Service) -> None:
    run = go(service, start(service, 3), "1", "1")
    run = go(service, run, "1", window=service.world.window())
    visit = Appointment.objects.get(patient=service.patient)
    run = actions.go_back(
        run, version=run.version, reason="другое время", by=service.manager, now=service.world.now
    )
    run = go(service, run, "1", window=service.world.window())
    moved = Appointment.objects.get(patient=service.patient)
    assert (moved.pk, moved.version) == (visit.pk, 2)
    assert run.at_function == "3.4"


def test_a_task_given_again_after_going_back_is_the_same_task(service: Service) -> None:
    run = go(service, start(service, 1), "1", "2b")
    run = go(service, run, "all", question="Можно ли при беременности?")
    run = actions.go_back(
        run, version=run.version, reason="уточнил", by=service.manager, now=service.world.now
    )
    go(service, run, "all", question="Можно ли при беременности?")
    task = Task.objects.get()
    assert task.deadline_at == service.world.now + dt.timedelta(minutes=30)
    assert "Клиентова Мария Ивановна" in task.title
    assert "беременности" in task.body


def test_the_consultants_task_opens_procedure_two_with_everything_known(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    run = go(service, start(service, 1, order=service.order()), "1", "2b")
    run = go(service, run, "all", question="О чём заключение?")
    client = as_user(service.consultant)
    answer = client.post(
        "/b2c_procedures/start/",
        {"procedure": 2, "clinic": service.clinic.pk, "parent": run.pk, "source": "task"},
    )
    child = Run.objects.get(parent=run)
    assert answer.headers["Location"] == f"/b2c_procedures/runs/{child.pk}/"
    assert (child.patient, child.order, child.holder) == (
        service.patient,
        run.order,
        service.consultant,
    )
    assert child.facts["consultant_question"] == "О чём заключение?"


def test_the_doctors_task_opens_procedure_two_and_closes_with_it(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    run = go(service, start(service, 1, order=service.order()), "1", "2b")
    run = go(service, run, "all", question="О чём заключение?")
    task = Task.objects.get()
    assert f"/b2c_procedures/orders/{run.order_id}/" in task.body
    client = as_user(service.consultant)
    page = client.get(task.link).content.decode()
    assert "О чём заключение?" in page
    assert 'name="parent"' in page
    fields = dict(re.findall(r'name="(procedure|clinic|parent|source)" value="(\w+)"', page))
    client.post("/b2c_procedures/start/", fields)
    child = Run.objects.get(parent=run)
    assert "О чём заключение?" in client.get(f"/b2c_procedures/runs/{child.pk}/").content.decode()
    finish(service, child)
    task.refresh_from_db()
    assert (task.state, task.outcome) == ("done", "Общение завершено, клиент удовлетворен")


def test_a_handed_over_run_carries_everything_and_waits_for_the_role(service: Service) -> None:
    run = go(service, start(service, 1), "1")
    run = actions.hand_over(
        run,
        version=run.version,
        performer="head_oks",
        comment="сложный",
        by=service.manager,
        now=service.world.now,
    )
    assert (run.holder, run.state, run.waits_for) == (None, RunState.WAITING, "head_oks")
    taken = actions.take_run(run, by=service.head, now=service.world.now)
    assert taken.holder == service.head
    assert actions.screen_of(taken).function == actions.screen_of(run).function


def test_a_run_keeps_its_version_when_a_new_one_is_published(service: Service) -> None:
    from b2c_procedures.actions.versions import publish_version
    from b2c_procedures.definition import FOLDER

    run = start(service, 8)
    text = (FOLDER / "08_hours_location.yaml").read_text(encoding="utf-8")
    text = text.replace("version: 1", "version: 2").replace(
        'name: "Получение заявки от клиента"', 'name: "Приветствие"'
    )
    publish_version(text, file_name="08.yaml", by=service.head, now=service.world.now)
    old, new = actions.screen_of(run).function, actions.screen_of(start(service, 8)).function
    assert old is not None
    assert new is not None
    assert (old.name, new.name) == ("Получение заявки от клиента", "Приветствие")


def test_the_sender_is_the_doctor_when_the_biomaterial_goes_through_him(service: Service) -> None:
    run = go(service, start(service, 5), "1", city="Казань")
    run = go(service, run, "2", channel="email", address="client@clinic.example")
    run = go(service, run, "1", channel="email", address="client@clinic.example", text="Оплатите")
    run = go(service, run, "1", studies=[service.study])
    with pytest.raises(Refused, match="отправителем должен быть врач"):
        go(service, run, "1", sender="doctor", sender_name="")
    run = go(service, run, "1", sender="doctor", sender_name="Лекарев Олег Ильич")
    request = DeliveryRequest.objects.get()
    assert (request.sender, request.sender_name, request.city) == (
        "doctor",
        "Лекарев Олег Ильич",
        "Казань",
    )
    assert Order.objects.get(patient=service.patient).lines.get().study == service.study
    assert run.at_function == "5.7"


def test_what_was_sent_shows_its_delivery_in_the_run(service: Service) -> None:
    run = go(service, start(service, 4), "1", "2", "1")
    run = go(service, run, "1", channel="email", address="client@clinic.example", text="Врачи: …")
    sent = SentToClient.objects.get()
    assert sent.message == Message.objects.get()
    assert [made.state for made in made_by(run, ()) if made.title.startswith("Отправлено")] == [
        "в очереди"
    ]


def test_the_waiting_list_and_the_call_back_are_real(service: Service) -> None:
    run = go(service, start(service, 4), "1", "1", "2", "1")
    go(service, run, "1", call_on=dt.date(2026, 3, 25), doctor=service.world.doctor)
    assert WaitingListEntry.objects.get().doctor == service.world.doctor
    run = go(service, start(service, 4), "1", "2", "1")
    run = go(service, run, "1", channel="email", address="a@clinic.example", text="…")
    at = service.world.now + dt.timedelta(hours=5)
    with pytest.raises(Refused, match="уже прошло"):
        go(service, run, "1", call_at=service.world.now)
    go(service, run, "1", call_at=at)
    assert Task.objects.get(title__startswith="Перезвонить").deadline_at == at


def test_the_departments_answer_comes_back_into_the_run(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    run = go(service, start(service, 9), "1", "2", "1")
    run = go(service, run, "1", question="Хватит ли ДНК?")
    task = Task.objects.get(department="sample_preparation")
    close_task(task, outcome="ДНК 300 нг, достаточно", by=None, now=service.world.now)
    page = as_user(service.manager).get(f"/b2c_procedures/runs/{run.pk}/").content.decode()
    assert page.count("ДНК 300 нг, достаточно") > 1  # beside the step, and in its form
    run = go(service, run, "1")  # nothing typed: the task's answer
    assert run.facts["department_answer"] == "ДНК 300 нг, достаточно"
    assert (
        "Ответ пробоподготовки"
        in as_user(service.manager).get(f"/b2c_procedures/runs/{run.pk}/").content.decode()
    )


def test_an_answer_told_by_telephone_closes_the_departments_task(service: Service) -> None:
    run = go(service, start(service, 9), "1", "2", "1")
    run = go(service, run, "1", question="Хватит ли ДНК?")
    with pytest.raises(Refused, match="ещё не ответил"):
        go(service, run, "1")
    run = go(service, run, "1", answer="Осталось 50 нг, мало")
    task = Task.objects.get(department="sample_preparation")
    assert (task.state, task.outcome, run.at_function) == ("done", "Осталось 50 нг, мало", "9.10")


def test_only_the_auditor_takes_a_refusal_back(service: Service) -> None:
    order = service.order()
    set_status(order, status=OrderStatus.PAID, by=service.manager, now=service.world.now)
    set_status(order, status=OrderStatus.REFUSED, by=service.manager, now=service.world.now)
    with pytest.raises(NotAllowed, match="Аудитор"):
        lift_refusal(order, by=service.manager, now=service.world.now)
    with pytest.raises(Conflict, match="снимает аудитор"):
        set_status(order, status=OrderStatus.PAID, by=service.head, now=service.world.now)
    with pytest.raises(NotAllowed, match="Менеджер ОКС"):
        set_status(order, status=OrderStatus.REFUSED, by=service.consultant, now=service.world.now)
    with pytest.raises(NotAllowed, match="Аудитор"):
        replace_studies(order, studies=[service.dearer], by=service.manager, now=service.world.now)
    assert lift_refusal(order, by=service.auditor, now=service.world.now).status == OrderStatus.PAID


def test_a_certificate_wants_an_inn_whose_checksum_is_right(service: Service) -> None:
    run = go(service, start(service, 14), "1")
    run = go(service, run, "1", order=service.order())
    with pytest.raises(Refused, match="Контрольные цифры") as wrong:
        go(service, run, "1a", taxpayer="Клиентов И. И.", inn="500100732258")
    assert wrong.value.field == "inn"
    with pytest.raises(Refused, match="ИНН организации"):
        go(service, run, "1a", taxpayer="Клиентов И. И.", inn="7707083893")
    go(service, run, "1a", taxpayer="Клиентов И. И.", inn="5001 0073 2259")
    assert TaxCertificate.objects.get().inn == "500100732259"


def test_an_unsigned_invoice_is_watched_every_working_day(service: Service, noon: Any) -> None:
    from b2c_procedures.actions.refunds import remind_due_invoices

    run = begin(service, 13)
    for key in ("1", "1", "1", "1", "1", "1", "2", "1", "1"):
        run = press(service, run, key)
    assert run.at_function == "13.10"
    invoice = RefundInvoice.objects.get()
    later = service.world.now + dt.timedelta(days=1, seconds=1)
    assert remind_due_invoices(now=service.world.now) == 0
    assert remind_due_invoices(now=later) == 1
    assert remind_due_invoices(now=later) == 0
    assert Task.objects.filter(title__startswith="Возврат стоит", role="lead").count() == 1
    invoice.refresh_from_db()
    assert invoice.due_at is not None
    assert invoice.due_at > later
    for key in ("1", "1a"):
        run = press(service, run, key)
    assert RefundInvoice.objects.filter(state="paid", due_at=None).exists()


def test_an_invoice_that_cannot_be_reminded_of_says_why_and_stops_no_other(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from b2c_procedures.actions import refunds

    now = service.world.now
    common = dict(clinic=service.clinic, patient=service.patient, created_at=now)
    bad = RefundInvoice.objects.create(due_at=now - dt.timedelta(hours=2), **common)
    good = RefundInvoice.objects.create(due_at=now - dt.timedelta(hours=1), **common)

    def failing(**fields: Any) -> Task:
        if f":{bad.pk}:" in fields["origin"]:
            raise ValueError("сломано")
        return create_task(**fields)

    monkeypatch.setattr(refunds, "create_task", failing)
    assert refunds.remind_due_invoices(now=now) == 1
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.last_error, bad.due_at) == ("ValueError: сломано", now + dt.timedelta(minutes=10))
    assert good.due_at is not None
    assert good.due_at > now + dt.timedelta(hours=12)


def test_another_clinics_run_is_not_there(service: Service, as_user: AsUser) -> None:
    run = start(service, 1)
    assert (
        as_user(service.world.administrator_b).get(f"/b2c_procedures/runs/{run.pk}/").status_code
        == 404
    )


def test_the_page_answers_409_with_the_present_step_and_422_with_the_field(
    service: Service, as_user: AsUser
) -> None:
    run = go(service, start(service, 3), "1", "1")
    client = as_user(service.manager)
    late = client.post(f"/b2c_procedures/runs/{run.pk}/", {"version": 0, "key": "1"})
    assert late.status_code == 409
    assert "уже впереди" in late.content.decode()
    empty = client.post(f"/b2c_procedures/runs/{run.pk}/", {"version": run.version, "key": "1"})
    assert empty.status_code == 422
    assert "Выберите время в расписании." in empty.content.decode()


@pytest.mark.parametrize("count", [3, 30])
def test_the_start_page_asks_the_same_number_of_questions(
    count: int, service: Service, as_user: AsUser, django_assert_max_num_queries: Any
) -> None:
    for _ in range(count):
        start(service, 1)
    client = as_user(service.manager)
    client.get("/b2c_procedures/")
    with django_assert_max_num_queries(10):
        assert client.get("/b2c_procedures/").status_code == 200


def test_a_booking_in_a_call_is_the_calls_result(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    now = service.world.now
    call = record_interaction(
        InteractionInput(
            clinic=service.clinic,
            kind=InteractionKind.CALL,
            state=InteractionState.TALKING,
            phases=Phases(now),
            participants=Participants(patient=service.patient),
        ),
        by=service.manager,
        now=now,
    )
    client = as_user(service.manager)
    client.post(
        "/b2c_procedures/start/",
        {
            "procedure": 3,
            "clinic": service.clinic.pk,
            "interaction": call.pk,
            "number": "8 900 000-00-17",
        },
    )
    run = Run.objects.get()
    assert (run.patient, run.number, run.interaction) == (service.patient, "+79000000017", call)
    run = go(service, run, "1", "1")
    go(service, run, "1", window=service.world.window())
    assert call.contact.results.get().appointment == Appointment.objects.get(
        patient=service.patient
    )


def test_the_start_page_knows_who_calls(service: Service, as_user: AsUser, noon: Any) -> None:
    client, number = as_user(service.manager), service.patient.phones.get().number
    call = record_interaction(
        InteractionInput(
            clinic=service.clinic,
            kind=InteractionKind.CALL,
            state=InteractionState.TALKING,
            phases=Phases(service.world.now),
            participants=Participants(number=number),
        ),
        by=service.manager,
        now=service.world.now,
    )
    page = client.get("/b2c_procedures/", {"interaction": call.pk}).content.decode()
    assert "Клиентова Мария Ивановна" in page
    assert f'name="interaction" value="{call.pk}"' in page
    assert "Клиентова" in client.get("/b2c_procedures/", {"number": number}).content.decode()
    service.world.patient("Клиентов", "Пётр", "Иванович", phones=[number])
    page = client.get("/b2c_procedures/", {"number": number}).content.decode()
    assert "Кто звонит?" in page
    assert "Клиентов Пётр Иванович" in page
    assert (
        "никому не принадлежит"
        in client.get("/b2c_procedures/", {"number": "+79000000999"}).content.decode()
    )
    assert client.get("/b2c_procedures/", {"interaction": 999999}).status_code == 404
    User.objects.filter(pk=service.manager.pk).update(sees_phones=False)
    page = client.get("/b2c_procedures/", {"interaction": call.pk}).content.decode()
    assert number not in page
    client.post(
        "/b2c_procedures/start/",
        {"procedure": 3, "clinic": service.clinic.pk, "interaction": call.pk},
    )
    run = Run.objects.get()
    assert run.number == number
    page = client.get(f"/b2c_procedures/runs/{run.pk}/").content.decode()
    assert (number not in page, format_phone(number) not in page) == (True, True)
    assert (
        as_user(service.world.administrator_b)
        .get("/b2c_procedures/", {"interaction": call.pk})
        .status_code
        == 404
    )


def test_free_time_is_narrowed_by_doctor_and_any_free_window_is_taken(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    rare = Doctor.objects.create(
        full_name="Редкий Лев Ильич", specialty=Specialty.objects.create(name="Генетика")
    )
    rare.clinics.add(service.clinic)
    service.world.window()
    far = service.world.window(service.world.now + dt.timedelta(days=29), doctor=rare)
    run = go(service, start(service, 4), "1", "1", "1", "1")
    assert run.at_function == "4.5"
    client = as_user(service.manager)
    page = client.get(f"/b2c_procedures/runs/{run.pk}/?search=генет").content.decode()
    assert "Редкий Л. И." in page
    assert "Белов" not in page
    answer = client.post(
        f"/b2c_procedures/runs/{run.pk}/",
        {"version": run.version, "key": "1", "step-window": far.pk},
    )
    assert answer.status_code == 302
    assert Appointment.objects.get(patient=service.patient).doctor == rare


def test_a_script_says_the_clinics_number_as_people_write_it(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    type(service.clinic).objects.filter(pk=service.clinic.pk).update(phone="+79000009901")
    run = go(service, start(service, 8), "1")
    page = as_user(service.manager).get(f"/b2c_procedures/runs/{run.pk}/").content.decode()
    assert "Телефон +7 (900) 000-99-01" in page
