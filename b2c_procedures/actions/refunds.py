"""Invoices of refunds, and the lead manager's watch over their deadlines."""

import datetime as dt

from django.db import transaction

from b2c_procedures.models import RefundInvoice
from b2c_procedures.schedule import add_working, norm
from b2c_procedures.states import ROLE_OF, InvoiceState, Performer
from callcenter.assignments.actions import create_task
from callcenter.assignments.states import Department
from callcenter.lib.errors import Conflict
from callcenter.staff import audit
from callcenter.staff.models import User

_DAY = norm("1 working day")
_OVER = (InvoiceState.PAID, InvoiceState.REJECTED)


def set_invoice_state(
    invoice: RefundInvoice,
    *,
    state: InvoiceState,
    by: User,
    now: dt.datetime,
    number: str = "",
    pay_by: dt.date | None = None,
) -> RefundInvoice:
    """Marks an invoice; while it is unsigned or unpaid, the lead manager is reminded after a working day.

    Raises Conflict for one that is paid or rejected already.
    """
    with transaction.atomic():
        invoice = RefundInvoice.objects.select_for_update(of=("self",)).get(pk=invoice.pk)
        if invoice.state == state:
            return invoice
        if invoice.state in _OVER:
            raise Conflict(f"Счёт уже {invoice.get_state_display()}.")
        before, invoice.state = invoice.state, state
        invoice.number = number or invoice.number
        invoice.pay_by = pay_by or invoice.pay_by
        invoice.due_at = None if state in _OVER else _DAY.deadline(now)
        invoice.save()
        audit.record(
            "b2c_procedures.set_invoice_state",
            invoice,
            by=by,
            now=now,
            before={"state": before},
            after={"state": state},
        )
    return invoice


def remind_due_invoices(*, now: dt.datetime, limit: int = 50) -> int:
    """A task to the lead manager for every refund that has stood still for a working day; returns how many.

    One transaction under the rows' locks (SKIP LOCKED): the task and the next look are written together.
    """
    with transaction.atomic():
        due = RefundInvoice.objects.filter(due_at__lte=now).select_related("clinic", "patient", "order")
        rows = list(due.select_for_update(skip_locked=True, of=("self",))[:limit])
        for invoice in rows:
            order = f", заказ {invoice.order.number}" if invoice.order else ""
            create_task(
                title=f"Возврат стоит: {invoice.get_state_display()}{order}",
                body="Проверьте соблюдение срока выплаты.",
                role=ROLE_OF[Performer.LEAD_MANAGER_OKS],
                department=Department.OKS,
                clinic=invoice.clinic,
                patient=invoice.patient,
                deadline_at=add_working(now, 2 * 3600),
                origin=f"b2c_procedures.refundinvoice:{invoice.pk}:{invoice.due_at:%Y%m%d%H%M}",
                link=f"/procedures/runs/{invoice.run_id}/" if invoice.run_id else "/procedures/cases/invoices/",
                by=None,
                now=now,
            )
            invoice.due_at = _DAY.deadline(now)
            invoice.save(update_fields=["due_at"])
    return len(rows)
