"""Invoices of refunds, and the lead manager's watch over their deadlines."""

import datetime as dt
import logging
from typing import Final

from django.db import transaction
from django.urls import reverse

from b2c_procedures.models import RefundInvoice
from b2c_procedures.schedule import norm
from b2c_procedures.states import ROLE_OF, InvoiceState, Performer
from callcenter.assignments.actions import create_task
from callcenter.assignments.states import Department
from callcenter.audit import actions as audit
from callcenter.lib.errors import Conflict
from callcenter.staff.models import User

log = logging.getLogger(__name__)
_DAY: Final = norm("1 working day")
_AGAIN: Final = dt.timedelta(minutes=10)
_OVER: Final = (InvoiceState.PAID, InvoiceState.REJECTED)


def set_invoice_state(
    invoice: RefundInvoice,
    *,
    state: InvoiceState,
    by: User,
    now: dt.datetime,
    number: str = "",
    pay_by: dt.date | None = None,
) -> RefundInvoice:
    """Marks an invoice; while it is unsigned or unpaid, the lead manager is reminded after a
    working day.

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
    """A task to the lead manager for every refund that has stood still for a working day; returns
    how many.

    Each row is one short transaction under its lock (SKIP LOCKED): the task and the next look are
    written together. A row that fails says why in `last_error` and is looked at again in ten
    minutes.
    """
    given = 0
    due = RefundInvoice.objects.filter(due_at__lte=now).order_by("due_at")
    for pk in list(due.values_list("pk", flat=True)[:limit]):
        try:
            given += _remind(pk, now)
        except Exception as error:
            log.exception("reminder of invoice %s", pk)
            RefundInvoice.objects.filter(pk=pk).update(
                last_error=f"{type(error).__name__}: {error}"[:250], due_at=now + _AGAIN
            )
    return given


def _remind(pk: int, now: dt.datetime) -> bool:
    with transaction.atomic():
        due = RefundInvoice.objects.filter(due_at__lte=now).select_related(
            "clinic", "patient", "order"
        )
        invoice = due.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
        if invoice is None:  # another ticker has it, or it was paid meanwhile
            return False
        order = f", заказ {invoice.order.number}" if invoice.order else ""
        where = reverse("b2c_procedures:run", args=[invoice.run_id]) if invoice.run_id else None
        create_task(
            title=f"Возврат стоит: {invoice.get_state_display()}{order}",
            body="Проверьте соблюдение срока выплаты.",
            role=ROLE_OF[Performer.LEAD_MANAGER_OKS],
            department=Department.OKS,
            clinic=invoice.clinic,
            patient=invoice.patient,
            deadline_at=norm("2 hours").deadline(now),
            origin=f"b2c_procedures.refundinvoice:{invoice.pk}:{invoice.due_at:%Y%m%d%H%M}",
            link=where or reverse("b2c_procedures:cases", args=["invoices"]),
            by=None,
            now=now,
        )
        invoice.due_at, invoice.last_error = _DAY.deadline(now), ""
        invoice.save(update_fields=["due_at", "last_error"])
    return True
