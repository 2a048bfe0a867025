"""Steps that work in the orders journal."""

from django.urls import reverse

from b2c_procedures.actions import orders
from b2c_procedures.models import DeliveryRequest, Order
from b2c_procedures.states import ROLE_OF, OrderStatus, Performer, Sender
from b2c_procedures.steps.base import CreatedObject, StepContext, close_given, give_task
from callcenter.assignments.states import Department
from callcenter.lib.errors import Refused


def _made(order: Order, what: str) -> CreatedObject:
    return CreatedObject(
        order, f"Заказ {order.number}: {what}", reverse("b2c_procedures:order", args=[order.pk])
    )


def create_order(step: StepContext) -> list[CreatedObject]:
    """5.5, 9.4, 9.14, 11.3, 15.4: an order in the journal; 15.4 replaces the one refused, 11.3 is
    paid at once.
    """
    kind = step.option("what")
    studies = list(step.data.get("studies") or [])
    if not studies and kind != "return":
        raise Refused("Выберите исследования.", field="studies")
    old = step.run.order if kind == "replacement" else None
    order = step.made_before(Order)
    if order is None:
        order = orders.create_order(
            clinic=step.run.clinic,
            patient=step.patient(),
            studies=studies,
            is_return=kind == "return",
            replaces=old,
            comment=step.data.get("comment", ""),
            by=step.by,
            now=step.now,
        )
    elif studies:
        orders.change_studies(order, studies=studies, by=step.by, now=step.now)
    if kind == "return":
        orders.set_status(order, status=OrderStatus.PAID, by=step.by, now=step.now)
    step.run.order = order
    return [_made(order, "возврат биоматериала" if kind == "return" else "оформлен")]


def find_order(step: StepContext) -> list[CreatedObject]:
    """2.9, 10.2, 13.1, 14.2, 15.1: which order it is about; not needed when it was made elsewhere."""
    if step.event in {"Заказ был выполнен не в Геномед", "Заказ был выполнен через партнера"}:
        if step.data.get("order") is not None:
            step.order()
        return []
    order = step.order()
    return [_made(order, order.get_status_display().lower())]


def refuse_order(step: StepContext) -> list[CreatedObject]:
    """13.2, 15.2: «Установление статуса Отказ в заказе»."""
    order = orders.set_status(step.order(), status=OrderStatus.REFUSED, by=step.by, now=step.now)
    step.run.order = order
    return [_made(order, "Отказ")]


def lift_refusal(step: StepContext) -> list[CreatedObject]:
    """13.13, 15.18: «Снятие статуса Отказ в заказе» by the auditor; his task is closed with it."""
    order = orders.lift_refusal(step.order(), by=step.by, now=step.now)
    step.run.order = order
    close_given(step, "orders_task", "статус Отказ снят")
    return [_made(order, "Отказ снят")]


def mark_paid(step: StepContext) -> list[CreatedObject]:
    """15.14: «Установка статуса «Оплачено» в заказе»."""
    order = orders.set_status(step.order(), status=OrderStatus.PAID, by=step.by, now=step.now)
    step.run.order = order
    return [_made(order, "Оплачено")]


def replace_study(step: StepContext) -> list[CreatedObject]:
    """15.20: the auditor replaces the studies in the order itself, and takes the refusal back."""
    studies = list(step.need("studies", "Выберите исследование, на которое меняют."))
    order = orders.replace_studies(step.order(), studies=studies, by=step.by, now=step.now)
    step.run.order = order
    close_given(step, "orders_task", "исследование заменено")
    return [_made(order, "исследование заменено")]


def biomaterial(step: StepContext) -> list[CreatedObject]:
    """13.3, 15.3: whether the biomaterial has been handed in; the journal is brought in line with
    what was found out.
    """
    order = step.order()
    handed_in = step.event == "Биоматериал сдан"
    if handed_in != (order.biomaterial_received_on is not None):
        order = orders.set_biomaterial(order, received=handed_in, by=step.by, now=step.now)
    step.run.order = order
    return [_made(order, step.event.lower())]


def ask_responsible(step: StepContext) -> list[CreatedObject]:
    """13.4, 15.15: the link from the order goes to the person who answers for the test; two working
    hours.
    """
    order = step.order()
    line = order.lines.select_related("study__responsible").first()
    responsible = line.study.responsible if line is not None else None
    what = "возврата" if step.run.at_procedure == 13 else "замены"
    made = give_task(
        step,
        title=f"Оценить возможность {what}: заказ {order.number}",
        body=step.data.get("question")
        or f"Ответьте в процедуре, возможно ли выполнить просьбу ({what}).",
        department=Department.ORDERS,
        role=ROLE_OF[Performer.RESPONSIBLE_PERSON],
        assignee=responsible
        if responsible is not None and responsible.works_in(step.run.clinic_id)
        else None,
        deadline="2 hours",
    )
    step.run.facts["responsible_task"] = made.obj.pk
    return [made]


def responsible_answer(step: StepContext) -> list[CreatedObject]:
    """13.5, 15.16: the answer closes the task and stays with the order."""
    answer = step.data.get("answer") or step.event
    order = orders.add_comment(
        step.order(), text=f"{step.event}. {answer}", by=step.by, now=step.now
    )
    close_given(step, "responsible_task", answer)
    return [_made(order, step.event.lower())]


def order_comment(step: StepContext) -> list[CreatedObject]:
    """13.6: «Указание комментария в заказе о возврате»."""
    text = step.need("comment", "Напишите комментарий в заказ.")
    order = orders.add_comment(step.order(), text=text, by=step.by, now=step.now)
    return [_made(order, "комментарий")]


def orders_task(step: StepContext) -> list[CreatedObject]:
    """13.12, 15.17: the auditor lifts the refusal; 15.19: he replaces the study."""
    order = step.order()
    what = "Снять статус Отказ" if step.option("what") == "lift" else "Заменить исследование"
    made = give_task(
        step,
        title=f"{what}: заказ {order.number}",
        body=step.data.get("question", ""),
        department=Department.ORDERS,
        role=ROLE_OF[Performer.LJ_AUDITOR],
        deadline="2 hours",
    )
    step.run.facts["orders_task"] = made.obj.pk
    return [made]


def delivery_request(step: StepContext) -> list[CreatedObject]:
    """3.9, 5.6: a request for delivery. «…в случае, если передача биоматериала планируется через
    врача B2D, отправителем необходимо выбирать врача (не физ.лицо)».
    """
    patient = step.patient()
    sender = step.data.get("sender") or Sender.PERSON
    name = step.data.get("sender_name") or (patient.full_name if sender == Sender.PERSON else "")
    if not name:
        raise Refused(
            "Передача через врача B2D: отправителем должен быть врач. Укажите его ФИО.",
            field="sender_name",
        )
    city = step.data.get("city") or step.run.facts.get("city")
    if not city:
        raise Refused("Укажите город.", field="city")
    request = step.made_before(DeliveryRequest) or DeliveryRequest(**step.common())
    request.city, request.on = city, step.data.get("on") or step.run.facts.get("on")
    request.address = step.data.get("address") or step.run.facts.get("address", "")
    request.sender, request.sender_name = sender, name
    request.save()
    request.refresh_from_db()
    step.run.facts["delivery"] = request.pk
    link = reverse("b2c_procedures:cases", args=["deliveries"])
    return [CreatedObject(request, str(request), link)]
