"""Reference data, the orders journal, and what the procedures made: lists, forms, imports."""

import io
from typing import Any, Final

import xlsxwriter
from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from b2c_procedures.actions import orders as order_actions
from b2c_procedures.actions.reference import IMPORTERS, import_reference
from b2c_procedures.forms import UploadForm
from b2c_procedures.models import (
    Branch,
    Claim,
    CourierCity,
    DeliveryRequest,
    Institution,
    Order,
    RefundInvoice,
    SentToClient,
    Study,
    TaxCertificate,
)
from b2c_procedures.states import OrderStatus
from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.clinics.search_keys import normalise
from callcenter.lib.calendar_names import weekday_abbrs
from callcenter.lib.errors import Refused
from callcenter.lib.forms import DayField, refuse
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import User
from callcenter.staff.roles import (
    CAN_EDIT_REFERENCES,
    CAN_RUN_PROCEDURES,
)

_PAGE = 50

KINDS: Final[dict[str, tuple[Any, str, tuple[str, ...]]]] = {
    "studies": (
        Study,
        "Исследования",
        ("code", "name", "price", "term_days", "biomaterial", "responsible"),
    ),
    "institutions": (Institution, "Учреждения ОМС", ("city", "name", "address", "phone", "note")),
    "couriers": (CourierCity, "Курьер: города и дни", ("city", "days", "note")),
    "branches": (Branch, "Филиалы и партнёры", ("city", "name", "address", "hours", "phone")),
}
_HEADINGS: Final = {
    "code": "Код", "name": "Название", "price": "Цена", "term_days": "Срок, раб. дн.", "biomaterial": "Биоматериал",
    "responsible": "Ответственный", "city": "Город", "address": "Адрес", "phone": "Телефон", "note": "Условия",
    "days": "Дни", "hours": "График",
}  # fmt: skip


class StudyForm(forms.ModelForm[Study]):
    link = forms.URLField(label="Ссылка на сайте", required=False, assume_scheme="https")

    class Meta:
        model = Study
        fields = (
            *(
                "code",
                "name",
                "description",
                "preanalytics",
                "biomaterial",
                "term_days",
                "price",
                "link",
            ),
            *("responsible", "is_active"),
        )


class CourierForm(forms.ModelForm[CourierCity]):
    weekdays = forms.TypedMultipleChoiceField(
        label="Дни",
        choices=lambda: list(enumerate(weekday_abbrs())),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = CourierCity
        fields = ("city", "weekdays", "note", "is_active")


_FORMS: Final[dict[str, Any]] = {
    "studies": StudyForm,
    "institutions": forms.modelform_factory(Institution, fields="__all__"),
    "couriers": CourierForm,
    "branches": forms.modelform_factory(Branch, fields="__all__"),
}


@allow(*CAN_RUN_PROCEDURES)
def reference_home(request: StaffRequest) -> HttpResponse:  # noqa: ARG001
    return redirect("b2c_procedures:reference", "studies")


@allow(*CAN_RUN_PROCEDURES)
def reference(request: StaffRequest, kind: str) -> HttpResponse:
    """One kind of reference data: its rows, a search, for those who keep it the form and the
    import.
    """
    model, title, columns = _kind(kind)
    text = request.GET.get("q", "")[:100]
    rows = model.objects.all()
    if model is Study:
        rows = rows.select_related("responsible")
        for word in normalise(text).split():
            rows = rows.filter(search_key__contains=word)
    elif text.strip():
        rows = rows.filter(city__icontains=text.strip())
    page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    shown = [
        (row, [(_HEADINGS[name], name, getattr(row, name)) for name in columns]) for row in page
    ]
    context = {
        "kind": kind,
        "kinds": [(key, value[1]) for key, value in KINDS.items()],
        "title": title,
        "headings": [_HEADINGS[name] for name in columns],
        "rows": shown,
        "page": page,
        "text": text,
        "may_keep": request.user.has(*CAN_EDIT_REFERENCES),
        "upload": UploadForm(),
        "columns": IMPORTERS[kind],
    }
    return render(request, "b2c_procedures/reference.html", context)


def _kind(kind: str) -> tuple[Any, str, tuple[str, ...]]:
    if kind not in KINDS:
        raise Http404
    return KINDS[kind]


@allow(*CAN_EDIT_REFERENCES)
def reference_edit(request: StaffRequest, kind: str, pk: int | None = None) -> HttpResponse:
    """A row made or changed; 422 with the form when something is wrong."""
    model, title, _ = _kind(kind)
    row = get_object_or_404(model, pk=pk) if pk else None
    form = _FORMS[kind](request.POST or None, instance=row)
    if "responsible" in form.fields:
        # Colleagues of one's own clinics; whoever is responsible already stays to be chosen.
        colleagues = Q(clinics__in=Clinic.objects.filter(staff=request.user), is_active=True)
        form.fields["responsible"].queryset = User.objects.filter(
            colleagues | Q(pk=getattr(row, "responsible_id", None) or 0)
        ).distinct()
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            saved = form.save()
            audit.record(
                "b2c_procedures.save_reference", saved, by=request.user, now=timezone.now()
            )
            messages.success(request, "Сохранено.")
            return redirect("b2c_procedures:reference", kind)
    context = {
        "form": form,
        "title": title,
        "back": reverse("b2c_procedures:reference", args=[kind]),
    }
    return render(request, "b2c_procedures/form.html", context, status=status)


@allow(*CAN_EDIT_REFERENCES)
def reference_import(request: StaffRequest, kind: str) -> HttpResponse:
    """XLSX in; GET gives an empty file with the headings."""
    if kind not in IMPORTERS:
        raise Http404
    if request.method != "POST":
        return _blank(kind)
    form = UploadForm(request.POST, request.FILES)
    report, status = None, 200
    if form.is_valid():
        try:
            report = import_reference(
                kind, form.cleaned_data["file"].read(), by=request.user, now=timezone.now()
            )
        except Refused as error:
            refuse(form, error)
    if report is None:
        status = 422
    context = {"kind": kind, "report": report, "form": form, "columns": IMPORTERS[kind]}
    return render(request, "b2c_procedures/imported.html", context, status=status)


def _blank(kind: str) -> HttpResponse:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(
            0,
            0,
            [*IMPORTERS[kind].needed, *IMPORTERS[kind].optional],
            workbook.add_format({"bold": True}),
        )
    answer = HttpResponse(
        out.getvalue(),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
    answer["Content-Disposition"] = f'attachment; filename="{kind}.xlsx"'
    return answer


@allow(*CAN_RUN_PROCEDURES)
def orders(request: StaffRequest) -> HttpResponse:
    """«Журнал заказов: Заказы»: newest first, by number or surname."""
    text = request.GET.get("q", "")[:100].strip()
    rows: QuerySet[Order] = Order.objects.visible_to(request.user)
    if text:
        by_name = (
            rows.filter(patient__sort_key__startswith=normalise(text))
            if normalise(text)
            else rows.none()
        )
        rows = by_name | rows.filter(number__startswith=text)
    status = request.GET.get("status", "")
    if status:
        rows = rows.filter(status=status)
    rows = rows.select_related("patient", "clinic").prefetch_related("lines__study")
    page = Paginator(rows.order_by("-created_at", "-pk"), _PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "text": text,
        "status": status,
        "statuses": OrderStatus.choices,
        "may_keep": request.user.has(*CAN_EDIT_REFERENCES),
        "upload": UploadForm(),
        "columns": IMPORTERS["orders"],
    }
    return render(request, "b2c_procedures/orders.html", context)


class DueForm(forms.Form):
    on = DayField(label="Новый срок выдачи")


def _order(user: User, pk: int) -> Order:
    rows: QuerySet[Order] = Order.objects.visible_to(user)
    return get_object_or_404(
        rows.select_related("patient", "clinic", "replaces").prefetch_related(
            "lines__study__responsible"
        ),
        pk=pk,
    )


@allow(*CAN_RUN_PROCEDURES)
def order(request: StaffRequest, pk: int) -> HttpResponse:
    """One order with its tests, dates and history; the person responsible moves the date of the
    result.
    """
    found = _order(request.user, pk)
    form = DueForm(request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            order_actions.move_due_date(
                found, on=form.cleaned_data["on"], by=request.user, now=timezone.now()
            )
            return redirect("b2c_procedures:order", pk)
        status = 422
    context = {
        "order": found,
        "events": list(found.events.select_related("by")[:50]),
        "runs": list(found.runs.select_related("holder")[:20]),
        "form": form,
    }
    return render(request, "b2c_procedures/order.html", context, status=status)


@allow(*CAN_RUN_PROCEDURES)
def receipt(request: StaffRequest, pk: int) -> HttpResponse:
    """The receipt for a payment or a surcharge, for printing."""
    found = _order(request.user, pk)
    before = found.replaces.price if found.replaces else 0
    audit.record("b2c_procedures.view_receipt", found, by=request.user, now=timezone.now())
    return render(
        request,
        "b2c_procedures/receipt.html",
        {"order": found, "due": max(found.price - before, 0), "before": before},
    )


CASES: Final[dict[str, tuple[Any, str]]] = {
    "deliveries": (DeliveryRequest, "Заявки на доставку"),
    "claims": (Claim, "Претензии"),
    "invoices": (RefundInvoice, "Счета на возврат"),
    "certificates": (TaxCertificate, "Справки для налоговой"),
    "letters": (SentToClient, "Отправленное клиентам"),
}


@allow(*CAN_RUN_PROCEDURES)
def cases_home(request: StaffRequest) -> HttpResponse:  # noqa: ARG001
    return redirect("b2c_procedures:cases", "deliveries")


@allow(*CAN_RUN_PROCEDURES)
def cases(request: StaffRequest, kind: str) -> HttpResponse:
    """What the steps of procedures made, newest first."""
    if kind not in CASES:
        raise Http404
    model, title = CASES[kind]
    rows = model.objects.filter(clinic__in=Clinic.objects.visible_to(request.user))
    rows = rows.select_related("patient", "order", "clinic", "created_by")
    if model is SentToClient:
        rows = rows.select_related("message")
    page = Paginator(rows.order_by("-created_at", "-pk"), _PAGE).get_page(request.GET.get("page"))
    context = {
        "kind": kind,
        "kinds": [(key, value[1]) for key, value in CASES.items()],
        "title": title,
        "page": page,
    }
    return render(request, "b2c_procedures/cases.html", context)
