"""Stories of the procedures in a real browser."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from b2c_procedures.actions.runs import start_run
from b2c_procedures.definition import packaged
from b2c_procedures.models import Chat, Claim, Order, RefundInvoice, Run
from b2c_procedures.states import OrderStatus, RunState
from callcenter.clinics.models import Appointment
from callcenter.messaging.gateways.base import Reply
from callcenter.messaging.models import ChatMessage, Provider
from tests.b2c_procedures.conftest import Service
from tests.b2c_procedures.walking import press as press_on
from tests.e2e.conftest import DESKTOP, PHONE, Login, OpenPage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def today(service: Service) -> Service:
    """The cast in the browser's own time."""
    service.world.now = timezone.now()
    return service


def outcome(page: Page, text: str) -> None:
    page.locator("button.outcome", has_text=text).first.click()


def test_a_client_is_booked_for_a_study_by_keys_and_form(
    today: Service, page: Page, login: Login
) -> None:
    window = today.world.window(timezone.now() + dt.timedelta(days=1))
    login(page, today.manager).goto(f"/b2c_procedures/?patient={today.patient.pk}")
    page.get_by_label("Что говорит клиент?").fill("сдать анализ")
    expect(page.locator("#found .proc-button").first).to_contain_text("Запись на исследование")
    page.locator("#found .proc-button").first.click()
    expect(page.locator(".step-number")).to_have_text("3.1")
    page.locator("h2").first.click()
    page.keyboard.press("Digit1")
    expect(page.locator(".step-number")).to_have_text("3.2")
    page.keyboard.press("Digit1")
    expect(page.locator(".step-number")).to_have_text("3.3")
    outcome(page, "Запись клиента")  # without a time: the page says so, and nothing is lost
    expect(page.get_by_text("Выберите время в расписании.")).to_be_visible()
    page.get_by_label("Время в расписании").select_option(str(window.pk))
    outcome(page, "Запись клиента")
    expect(page.locator(".step-number")).to_have_text("3.4")
    visit = Appointment.objects.get(patient=today.patient)
    expect(page.get_by_role("link", name="Запись")).to_have_attribute(
        "href", f"/appointments/{visit.pk}/"
    )
    outcome(page, "Звонок завершен")
    expect(page.get_by_text("Дальше: «Обслуживание клиента в МО»")).to_be_visible()


def test_a_refused_refund_becomes_a_claim_and_the_head_is_not_ready(
    today: Service, page: Page, open_page: OpenPage, login: Login
) -> None:
    order = today.order()
    run = start_run(
        procedure=13,
        clinic=today.clinic,
        patient=today.patient,
        order=order,
        by=today.manager,
        now=timezone.now(),
    )
    for key in (
        "1",
        "1",
        "1",
        "1",
        "2",
        "1",
    ):  # … handed in → asked → impossible → task to lift the refusal
        run = press_on(today, run, key)
    auditor = login(open_page(), today.auditor)
    auditor.goto("/b2c_procedures/")
    auditor.locator(".proc-start-side").get_by_text("13.13 Снятие статуса").click()
    auditor.get_by_role("button", name="Принять").click()
    outcome(auditor, "Статус заказа изменен")
    expect(auditor.get_by_text("Процедуру ведёт")).to_be_visible()
    order.refresh_from_db()
    assert order.status == OrderStatus.REGISTERED
    login(page, today.manager).goto(f"/b2c_procedures/runs/{run.pk}/")
    outcome(page, "Клиент проинформирован")
    expect(page.locator(".step-number")).to_have_text("12.1")
    page.get_by_label("На что жалуется клиент").fill("Не возвращают деньги")
    outcome(page, "Требуется переключить на Руководителя")
    outcome(page, "Руководитель не готов к диалогу")
    expect(page.locator(".step-number")).to_have_text("12.6")
    page.get_by_label("Как клиент направит претензию").select_option(index=1)
    outcome(page, "Клиент проинформирован о способах")
    outcome(page, "общение завершено")
    expect(page.get_by_text("Возврат из процедуры 12")).to_be_visible()
    outcome(page, "Закончить процедуру 13")
    expect(page.get_by_role("heading", name="Закончена")).to_be_visible()
    claim = Claim.objects.get()
    assert (claim.patient, claim.head_answer) == (
        today.patient,
        "Руководитель не готов к диалогу, клиент настаивает на претензии",
    )


def test_a_study_is_replaced_with_a_surcharge(today: Service, page: Page, login: Login) -> None:
    order = today.order()
    login(page, today.manager).goto(
        f"/b2c_procedures/?patient={today.patient.pk}&q=заменить+исследование"
    )
    page.locator("#found .proc-button").first.click()
    page.get_by_label("Заказ").select_option(str(order.pk))
    outcome(page, "Получена заявка")
    outcome(page, "Статус заказа изменен")
    outcome(page, "Биоматериал не сдан")
    expect(page.locator(".step-number")).to_have_text("15.4")
    page.get_by_label("Исследования", exact=True).select_option(str(today.dearer.pk))
    outcome(page, "требуется доплата")
    outcome(page, "Квитанция скачана")
    assert "45000" in page.get_by_label("Текст").input_value()
    page.get_by_label("Куда: номер или адрес").fill("client@clinic.example")
    outcome(page, "Квитанция на доплату направлена")
    outcome(page, "Доплата не осуществлена")
    expect(page.locator(".step-number")).to_have_text("15.13")
    outcome(page, "Доплата осуществлена")
    outcome(page, "Статус заказа изменен")
    new = Order.objects.get(replaces=order)
    assert new.status == OrderStatus.PAID
    assert Run.objects.get().state == RunState.FINISHED
    assert not RefundInvoice.objects.exists()


def test_two_people_on_one_run_are_told_who_is_ahead(
    today: Service, page: Page, open_page: OpenPage, login: Login, tolerate: Any
) -> None:
    tolerate("409")
    run = start_run(
        procedure=1,
        clinic=today.clinic,
        patient=today.patient,
        by=today.manager,
        now=timezone.now(),
    )
    login(page, today.manager).goto(f"/b2c_procedures/runs/{run.pk}/")
    colleague = login(open_page(), today.world.administrator2)
    colleague.goto(f"/b2c_procedures/runs/{run.pk}/")
    colleague.get_by_role("button", name="Принять").click()
    outcome(colleague, "Поступила заявка")
    outcome(page, "Поступила заявка")
    expect(page.get_by_text("Зимина Зоя Игоревна уже впереди")).to_be_visible()
    expect(page.locator(".step-number")).to_have_text("1.2")


def test_a_chat_is_answered_in_time_and_a_forbidden_wording_is_stopped(
    today: Service, page: Page, login: Login, tolerate: Any
) -> None:
    from b2c_procedures.actions.chat_distribution import gather_due_chats
    from callcenter.messaging.actions.chats import receive_reply

    tolerate("422")
    phone = today.patient.phones.get().number
    provider = Provider.objects.get()
    provider.channels = ["telegram"]
    provider.save()
    reply = Reply(
        id="m1",
        sender=phone,
        name="Мария",
        text="Сколько стоит экзом?",
        channel="telegram",
        key="",
        at=None,
    )
    assert receive_reply(reply, provider=provider, now=timezone.now()) is not None
    gather_due_chats(now=timezone.now())
    chat = Chat.objects.get()
    chat.manager = today.manager
    chat.save()
    login(page, today.manager).goto("/b2c_procedures/chats/")
    page.get_by_role("link", name="Клиентова").click()
    page.get_by_label("Тема").select_option(label=today.topic.name)
    page.get_by_label("Найти услугу").fill("экзом")
    page.get_by_label("Найти услугу").press("Enter")
    page.get_by_label("Тема").select_option(label=today.topic.name)
    page.get_by_role("button", name="Вставить описание").click()
    page.get_by_label("Ответ", exact=True).press("End")
    page.get_by_label("Ответ", exact=True).type(" Передала информацию в отдел логистики.")
    page.get_by_role("button", name="Отправить").click()
    expect(page.get_by_text("Запрещённая формулировка")).to_be_visible()
    assert not ChatMessage.objects.filter(direction="out").exists()
    text = (
        page.get_by_label("Ответ", exact=True)
        .input_value()
        .replace(" Передала информацию в отдел логистики.", "")
    )
    page.get_by_label("Ответ", exact=True).fill(text)
    page.get_by_label("Тема").select_option(label=today.topic.name)
    page.get_by_role("button", name="Отправить").click()
    expect(page.locator(".chat-line.ours")).to_contain_text("— Команда Геномед")
    expect(page.locator(".chat-line.ours")).to_contain_text("45")
    expect(page.get_by_text("в срок: первый ответ")).to_be_visible()
    assert Chat.objects.get().first_answer_at is not None


@pytest.mark.parametrize("glass", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_no_screen_of_the_procedures_is_wider_than_the_glass(
    glass: Any, today: Service, open_page: OpenPage, login: Login
) -> None:
    run = start_run(
        procedure=1,
        clinic=today.clinic,
        patient=today.patient,
        by=today.manager,
        now=timezone.now(),
    )
    page = login(open_page(viewport=glass), today.head)
    urls = [
        f"/b2c_procedures/runs/{run.pk}/",
        f"/b2c_procedures/orders/{today.order().pk}/",
        "/b2c_procedures/functions/1.2/",
    ]
    urls += [f"/b2c_procedures/{name}/" for name in (
        "diagrams", "report", "orders", "reference/studies", "reference/couriers", "cases/claims", "chats", "versions",
        "texts", "settings", "failure", *(f"diagrams/{number}" for number in packaged()),
    )]  # fmt: skip
    wide = []
    for url in [*urls, "/b2c_procedures/"]:
        page.goto(url)
        page.locator("main h1").wait_for()
        if page.evaluate("document.documentElement.scrollWidth") > glass["width"]:
            wide.append(url)
    assert wide == []


def test_no_text_of_a_diagram_leaves_its_shape(today: Service, page: Page, login: Login) -> None:
    """Every label lies inside its own node, and no two nodes overlap, in all fifteen diagrams."""
    login(page, today.head)
    for number in packaged():
        page.goto(f"/b2c_procedures/diagrams/{number}/")
        faults = page.evaluate(
            """() => {
              const nodes = [...document.querySelectorAll('.epc g.node')].map(node => {
                const shape = node.querySelector('polygon, path, ellipse').getBoundingClientRect();
                const texts = [...node.querySelectorAll('text')].map(text => text.getBoundingClientRect());
                return {id: node.id, shape, texts};
              });
              const cut = nodes.filter(n => n.texts.some(t => t.left < n.shape.left - 1 || t.right > n.shape.right + 1
                || t.top < n.shape.top - 2 || t.bottom > n.shape.bottom + 2)).map(n => 'cut ' + n.id);
              const over = [];
              nodes.forEach((a, i) => nodes.slice(i + 1).forEach(b => {
                const x = Math.min(a.shape.right, b.shape.right) - Math.max(a.shape.left, b.shape.left);
                const y = Math.min(a.shape.bottom, b.shape.bottom) - Math.max(a.shape.top, b.shape.top);
                if (x > 2 && y > 2) over.push('overlap ' + a.id + ' ' + b.id);
              }));
              return [...cut, ...over, ...(nodes.length ? [] : ['no nodes'])];
            }"""
        )
        assert faults == [], number
