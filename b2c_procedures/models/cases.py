"""What the steps of procedures make besides orders: deliveries, claims, refunds, tax certificates,
messages.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from b2c_procedures.models.reference import Branch, Order
from b2c_procedures.models.runs import Run
from b2c_procedures.states import (
    CertificateState,
    CertificateWay,
    ClaimState,
    DeliveryState,
    InvoiceState,
    Sender,
)
from callcenter.clinics.models import Clinic, Patient
from callcenter.messaging.models import Message
from callcenter.staff.models import User


class Case(models.Model):
    """What every object made for a client has."""

    run = models.ForeignKey(Run, models.SET_NULL, null=True, blank=True, related_name="+")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, blank=True, related_name="+")
    order = models.ForeignKey(
        Order, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="заказ"
    )
    created_at = models.DateTimeField("создано")
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        abstract = True


class DeliveryRequest(Case):
    """«Заявка на доставку»."""

    city = models.CharField("город", max_length=80)
    on = models.DateField("дата", null=True, blank=True)
    address = models.CharField("адрес", max_length=250, blank=True)
    sender = models.CharField(
        "отправитель", max_length=6, choices=Sender.choices, default=Sender.PERSON
    )
    sender_name = models.CharField("ФИО отправителя", max_length=150)
    state = models.CharField(
        max_length=9, choices=DeliveryState.choices, default=DeliveryState.CREATED
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        verbose_name = "заявка на доставку"

    def __str__(self) -> str:
        return f"Доставка из города {self.city}" + (f" {self.on:%d.%m.%Y}" if self.on else "")


class Claim(Case):
    """A client's claim: who talks to him, and how it is to be sent."""

    ground = models.TextField("на что жалуется", blank=True)
    state = models.CharField(max_length=10, choices=ClaimState.choices, default=ClaimState.OPEN)
    head_answer = models.CharField("ответ руководителя", max_length=120, blank=True)
    way = models.CharField("как направит", max_length=60, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        verbose_name = "претензия"

    def __str__(self) -> str:
        return f"Претензия от {self.created_at:%d.%m.%Y}"


class RefundInvoice(Case):
    """«Счета на оплату»: money back to a client, from the request for documents to the payment."""

    amount = models.DecimalField("сумма, ₽", max_digits=10, decimal_places=2, default=0)
    documents = models.CharField("документы", max_length=250, blank=True)
    documents_received = models.BooleanField("документы получены", default=False)
    state = models.CharField(max_length=8, choices=InvoiceState.choices, default=InvoiceState.ASKED)
    number = models.CharField("номер счёта", max_length=30, blank=True)
    pay_by = models.DateField("выплатить до", null=True, blank=True)
    # When the lead manager is to look again: an unsigned invoice, a payment that is late.
    due_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(
        max_length=250, blank=True
    )  # why the ticker could not look at this row last time

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        verbose_name = "счёт на возврат"
        indexes: ClassVar[list[models.Index]] = [
            # reader: remind_due_invoices
            models.Index(fields=["due_at"], name="invoice_due", condition=Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"Счёт на возврат {self.number or 'без номера'}"


class TaxCertificate(Case):
    """«Справка для налоговой»."""

    taxpayer = models.CharField("ФИО налогоплательщика", max_length=150)
    inn = models.CharField("ИНН", max_length=12)
    years = models.CharField("за какие годы", max_length=60, blank=True)
    way = models.CharField(
        "как получить", max_length=5, choices=CertificateWay.choices, default=CertificateWay.EMAIL
    )
    email = models.EmailField("e-mail", blank=True)
    branch = models.ForeignKey(
        Branch, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="МО"
    )
    state = models.CharField(
        max_length=7, choices=CertificateState.choices, default=CertificateState.ASKED
    )
    ready_by = models.DateTimeField("подготовить до", null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        verbose_name = "справка для налоговой"
        indexes: ClassVar[list[models.Index]] = [
            # reader: the client's earlier requests, shown in 14.2 and 14.5
            models.Index(fields=["patient", "-created_at"], name="certificate_patient"),
        ]

    def __str__(self) -> str:
        return f"Справка для налоговой: {self.taxpayer}"


class SentToClient(Case):
    """A link, a questionnaire, a contract, a receipt or a letter that a step sent; its delivery is
    the message's own.
    """

    what = models.CharField("что", max_length=40)
    channel = models.CharField("как", max_length=10)
    address = models.CharField("куда", max_length=120)
    subject = models.CharField("тема", max_length=150, blank=True)
    text = models.TextField("текст")
    message = models.ForeignKey(Message, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        verbose_name = "отправленное клиенту"

    def __str__(self) -> str:
        return self.subject or self.what
