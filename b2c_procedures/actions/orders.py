"""The orders journal: orders made, changed, marked; each change a line of the order's history."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.db import connection, transaction

from b2c_procedures.models import Order, OrderEvent, OrderStudy, Study
from b2c_procedures.queries.people import nobody_performs
from b2c_procedures.schedule import MOSCOW, is_working_day
from b2c_procedures.states import ACTS_AS, OrderStatus, Performer
from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic, Patient
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.staff.models import User


def working_days_later(on: dt.date, days: int) -> dt.date:
    """The date `days` working days after `on`."""
    while days > 0:
        on += dt.timedelta(days=1)
        days -= is_working_day(on)
    return on


def create_order(
    *,
    clinic: Clinic,
    patient: Patient,
    studies: Sequence[Study],
    by: User | None,
    now: dt.datetime,
    is_return: bool = False,
    replaces: Order | None = None,
    partner: str = "",
    comment: str = "",
) -> Order:
    """Writes an order with the next number; its due date is the longest term of its studies, in
    working days.
    """
    with transaction.atomic():
        today = now.astimezone(MOSCOW).date()
        terms = [study.term_days for study in studies]
        order = Order.objects.create(
            number=_next_number(today),
            clinic=clinic,
            patient=patient,
            is_return=is_return,
            replaces=replaces,
            partner=partner,
            comment=comment,
            result_due_on=working_days_later(today, max(terms)) if terms else None,
            biomaterial_received_on=replaces.biomaterial_received_on if replaces else None,
            created_at=now,
            created_by=by,
        )
        OrderStudy.objects.bulk_create(
            OrderStudy(order=order, study=study, price=study.price) for study in studies
        )
        _write(order, "заказ оформлен", by=by, now=now, before="")
        audit.record("b2c_procedures.create_order", order, by=by, now=now)
    return order


def _next_number(today: dt.date) -> str:
    """'2601-00017': the month and a running number of it. The lock makes two orders of one moment
    take turns.
    """
    prefix = f"{today:%y%m}-"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"order:{prefix}"])
    last = (
        Order.objects.filter(number__startswith=prefix)
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
    )
    return f"{prefix}{(int(last.removeprefix(prefix)) if last else 0) + 1:05}"


def set_status(order: Order, *, status: OrderStatus, by: User, now: dt.datetime) -> Order:
    """Sets «Отказ» (13.2, 15.2) or «Оплачено» (11.3, 15.14); setting it again changes nothing.

    A refusal remembers what it replaced. Raises NotAllowed for anybody but the managers whom the
    functions name, Conflict for an order that is refused: only the auditor takes that back.
    """
    _check_performer(
        order, Performer.MANAGER_OKS, by, f"Статус «{OrderStatus(status).label}» ставит"
    )
    with transaction.atomic():
        order = _locked(order)
        if order.status == status:
            return order
        if order.status == OrderStatus.REFUSED:
            raise Conflict("В заказе стоит «Отказ»: сначала его снимает аудитор.")
        before = order.status
        order.status_before, order.status = before, status
        order.save(update_fields=["status", "status_before"])
        _write(order, f"статус: {OrderStatus(status).label}", by=by, now=now, before=before)
        audit.record(
            "b2c_procedures.set_order_status",
            order,
            by=by,
            now=now,
            before={"status": before},
            after={"status": status},
        )
    return order


def lift_refusal(order: Order, *, by: User, now: dt.datetime) -> Order:
    """Takes «Отказ» back to the status before it. Raises NotAllowed for anybody but the auditor
    (13.13, 15.18).
    """
    _check_performer(order, Performer.LJ_AUDITOR, by, "Статус «Отказ» снимает")
    with transaction.atomic():
        order = _locked(order)
        if order.status != OrderStatus.REFUSED:
            raise Conflict(f"В заказе стоит «{order.get_status_display()}», снимать нечего.")
        order.status, order.status_before = order.status_before or OrderStatus.REGISTERED, ""
        order.save(update_fields=["status", "status_before"])
        _write(order, "статус Отказ снят", by=by, now=now, before=OrderStatus.REFUSED)
        audit.record(
            "b2c_procedures.lift_refusal", order, by=by, now=now, after={"status": order.status}
        )
    return order


def change_studies(order: Order, *, studies: Sequence[Study], by: User, now: dt.datetime) -> Order:
    """Puts other studies into an order, at today's prices and terms. Raises Refused for none."""
    if not studies:
        raise Refused("Выберите исследования.", field="studies")
    with transaction.atomic():
        order = _locked(order)
        was = ", ".join(str(line.study) for line in order.lines.select_related("study"))
        order.lines.all().delete()
        OrderStudy.objects.bulk_create(
            OrderStudy(order=order, study=study, price=study.price) for study in studies
        )
        becomes = ", ".join(str(study) for study in studies)
        longest = max(study.term_days for study in studies)
        order.result_due_on = working_days_later(now.astimezone(MOSCOW).date(), longest)
        order.save(update_fields=["result_due_on"])
        _write(
            order,
            f"исследования: {becomes} вместо {was or 'пусто'}",
            by=by,
            now=now,
            before=order.status,
        )
        audit.record(
            "b2c_procedures.change_studies",
            order,
            by=by,
            now=now,
            before={"studies": was},
            after={"studies": becomes},
        )
    return order


def replace_studies(order: Order, *, studies: Sequence[Study], by: User, now: dt.datetime) -> Order:
    """15.20 «Замена исследования в заказе»: other studies, and the refusal of 15.2 taken back.
    NotAllowed but for the auditor.
    """
    _check_performer(order, Performer.LJ_AUDITOR, by, "Исследование в заказе заменяет")
    with transaction.atomic():
        order = change_studies(order, studies=studies, by=by, now=now)
        return lift_refusal(order, by=by, now=now) if order.status == OrderStatus.REFUSED else order


def set_biomaterial(order: Order, *, received: bool, by: User, now: dt.datetime) -> Order:
    """Writes down that the biomaterial was handed in today (Moscow), or that it was not (13.3,
    15.3).
    """
    with transaction.atomic():
        order = _locked(order)
        order.biomaterial_received_on = now.astimezone(MOSCOW).date() if received else None
        order.save(update_fields=["biomaterial_received_on"])
        _write(
            order,
            "биоматериал сдан" if received else "биоматериал не сдан",
            by=by,
            now=now,
            before=order.status,
        )
    return order


def move_due_date(order: Order, *, on: dt.date, by: User, now: dt.datetime) -> Order:
    """A new date of the result, told by the person responsible."""
    with transaction.atomic():
        order = _locked(order)
        before, order.moved_due_on = order.due_on, on
        order.save(update_fields=["moved_due_on"])
        _write(
            order, f"срок выдачи перенесён на {on:%d.%m.%Y}", by=by, now=now, before=order.status
        )
        audit.record(
            "b2c_procedures.move_due_date",
            order,
            by=by,
            now=now,
            before={"due_on": before.isoformat() if before else None},
            after={"due_on": on.isoformat()},
        )
    return order


def add_comment(order: Order, *, text: str, by: User, now: dt.datetime) -> Order:
    """Adds a line to the order's comment and to its history."""
    with transaction.atomic():
        order = _locked(order)
        order.comment = f"{order.comment}\n{text}".strip()
        order.save(update_fields=["comment"])
        _write(order, f"комментарий: {text}", by=by, now=now, before=order.status)
    return order


def refund_amount(order: Order) -> Decimal:
    """What goes back to the client: the whole price, or the difference when a dearer order was
    replaced.
    """
    paid = order.replaces.price if order.replaces is not None else order.price
    return max(paid - order.price, Decimal()) if order.replaces is not None else paid


def _check_performer(order: Order, performer: Performer, by: User, action: str) -> None:
    """Where the clinic has nobody for it, the run's own rules have chosen who stands in (ADR 0103)."""
    if not by.has(*ACTS_AS[performer]) and not nobody_performs(performer, order.clinic_id):
        raise NotAllowed(f"{action} {performer.label}.")


def _locked(order: Order) -> Order:
    return (
        Order.objects.select_for_update(of=("self",))
        .select_related("clinic", "patient")
        .get(pk=order.pk)
    )


def _write(order: Order, text: str, *, by: User | None, now: dt.datetime, before: str) -> None:
    OrderEvent.objects.create(
        order=order, at=now, by=by, text=text[:250], status_before=before, status_after=order.status
    )
    live_updates.bump(f"orders:clinic:{order.clinic_id}")
