"""Steps of refunds and surcharges: documents, invoice, control, receipt, payment."""

import datetime as dt

from django.urls import reverse

from b2c_procedures.actions import orders, refunds
from b2c_procedures.models import RefundInvoice
from b2c_procedures.states import ROLE_OF, InvoiceState, Performer
from b2c_procedures.steps.base import CreatedObject, StepContext, close_given, give_task
from callcenter.assignments.states import Department
from callcenter.lib.errors import Refused


def _created(invoice: RefundInvoice, title: str) -> CreatedObject:
    return CreatedObject(invoice, title, reverse("b2c_procedures:cases", args=["invoices"]))


def _invoice(step: StepContext) -> RefundInvoice:
    found = RefundInvoice.objects.filter(pk=step.run.facts.get("invoice")).first()
    if found is None:
        raise Refused("В этой процедуре ещё нет счёта на возврат.")
    return found


def refund_documents(step: StepContext) -> list[CreatedObject]:
    """13.7, 15.5: documents asked for; «Документы не получены» waits and asks again."""
    order = step.order()
    invoice = RefundInvoice.objects.filter(pk=step.run.facts.get("invoice")).first()
    if invoice is None:
        amount = step.data.get("amount")
        invoice = RefundInvoice.objects.create(
            amount=amount if amount is not None else orders.refund_amount(order), **step.common()
        )
        step.run.facts["invoice"] = invoice.pk
    received = step.event == "Документы получены"
    invoice.documents = step.data.get("documents") or invoice.documents
    invoice.documents_received = received
    invoice.due_at = None if received else step.now + dt.timedelta(days=1)
    invoice.save()
    return [_created(invoice, "Возврат: " + step.event.lower())]


def invoice_task(step: StepContext) -> list[CreatedObject]:
    """13.8, 15.6: a task to the lead manager to make the invoice."""
    invoice = _invoice(step)
    made = give_task(
        step,
        title=f"Создать счёт на возврат: заказ {step.order().number}",
        body=f"Сумма {invoice.amount} ₽. {invoice.documents}".strip(),
        department=Department.OKS,
        role=ROLE_OF[Performer.LEAD_MANAGER_OKS],
        deadline="2 hours",
    )
    step.run.facts["invoice_task"] = made.obj.pk
    return [made]


_STATES = {
    "Счет не подписан": InvoiceState.UNSIGNED,
    "Счет подписан": InvoiceState.SIGNED,
    "Счет отклонен": InvoiceState.REJECTED,
}


def invoice(step: StepContext) -> list[CreatedObject]:
    """13.9, 15.7: the lead manager makes the invoice; signed, not signed or rejected, its deadline
    is watched.
    """
    found = refunds.set_invoice_state(
        _invoice(step),
        state=_STATES[step.event],
        number=step.data.get("number", ""),
        pay_by=step.data.get("pay_by"),
        by=step.by,
        now=step.now,
    )
    close_given(step, "invoice_task", step.event)
    return [_created(found, f"{found}: {found.get_state_display()}")]


def invoice_control(step: StepContext) -> list[CreatedObject]:
    """13.10, 15.8: the unsigned invoice is signed at last."""
    found = refunds.set_invoice_state(
        _invoice(step), state=InvoiceState.SIGNED, by=step.by, now=step.now
    )
    return [_created(found, f"{found}: подписан")]


def payout_control(step: StepContext) -> list[CreatedObject]:
    """13.11, 15.9: the money has gone to the client; nothing is watched any more."""
    found = refunds.set_invoice_state(
        _invoice(step), state=InvoiceState.PAID, by=step.by, now=step.now
    )
    return [_created(found, f"{found}: выплачен")]


def receipt(step: StepContext) -> list[CreatedObject]:
    """15.11: the receipt for the surcharge, from the order; 15.12 sends it."""
    order = step.order()
    before = order.replaces.price if order.replaces is not None else 0
    amount = step.data.get("amount")
    if amount is None:
        amount = max(order.price - before, 0)
    step.run.facts["receipt"] = f"Доплата по заказу {order.number}: {amount} ₽"
    return [
        CreatedObject(
            order, step.run.facts["receipt"], reverse("b2c_procedures:receipt", args=[order.pk])
        )
    ]


def payment_check(step: StepContext) -> list[CreatedObject]:
    """15.13: whether the surcharge has come; until then the step is repeated."""
    order = orders.add_comment(step.order(), text=step.event, by=step.by, now=step.now)
    step.run.order = order
    return [
        CreatedObject(
            order,
            f"Заказ {order.number}: {step.event.lower()}",
            reverse("b2c_procedures:order", args=[order.pk]),
        )
    ]
