"""Templates with a preview, and each clinic's channels with their gateways."""

import datetime as dt
from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.clinics.models import Appointment, Clinic
from callcenter.clinics.states import UPCOMING
from callcenter.lib.errors import Refused
from callcenter.messaging.actions import drop_template, save_cascade, save_provider, save_template
from callcenter.messaging.actions.enqueue import VISIT_TEMPLATE, visit_values
from callcenter.messaging.gateways import KINDS, SETTINGS
from callcenter.messaging.message_templates import (
    FIELDS,
    VISIT_MESSENGER,
    VISIT_SMS,
    TemplateVisit,
    fill_template,
    unknown_fields,
    values_of,
)
from callcenter.messaging.models import CascadeStep, Form, MessageTemplate, Provider
from callcenter.messaging.sms_parts import size_of
from callcenter.messaging.states import MessageChannel
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_MANAGE_CLINIC

STEPS = 4  # rows of the cascade's form


@allow(*CAN_MANAGE_CLINIC)
def templates(request: StaffRequest) -> HttpResponse:
    """«Уведомление о приёме» for messenger and SMS: the common text and each clinic's own, with a
    preview.
    """
    clinics = list(Clinic.objects.visible_to(request.user).order_by("name"))
    chosen = {str(clinic.pk): clinic for clinic in clinics}
    values = request.POST if request.method == "POST" else request.GET
    clinic = chosen.get(values.get("clinic", ""))
    form = values.get("form", "") if values.get("form", "") in Form.values else Form.MESSENGER.value
    own = MessageTemplate.objects.filter(name=VISIT_TEMPLATE, form=form, clinic=clinic).first()
    text, problem, status = own.text if own else _common(form), "", 200
    if request.method == "POST":
        text = request.POST.get("text", "")
        try:
            if request.POST.get("drop") and own is not None and clinic is not None:
                drop_template(own, by=request.user, now=timezone.now())
            elif not request.POST.get("preview"):
                save_template(
                    name=VISIT_TEMPLATE,
                    form=form,
                    clinic=clinic,
                    text=text,
                    by=request.user,
                    now=timezone.now(),
                )
            if not request.POST.get("preview"):
                messages.success(request, "Шаблон сохранён.")
                return redirect(f"{request.path}?form={form}&clinic={clinic.pk if clinic else ''}")
        except Refused as error:
            problem, status = str(error), 422
    context = {
        "clinics": clinics,
        "clinic": clinic,
        "form": form,
        "forms": Form.choices,
        "text": text,
        "own": own is not None,
        "problem": problem,
        "fields": FIELDS.items(),
        **_preview(text, form, clinic, request.user),
    }
    template = (
        "messaging/templates.html#preview"
        if request.headers.get("HX-Request")
        else "messaging/templates.html"
    )
    return render(request, template, context, status=status)


def _common(form: str) -> str:
    common = MessageTemplate.objects.filter(name=VISIT_TEMPLATE, form=form, clinic=None).first()
    return common.text if common else (VISIT_SMS if form == Form.SMS else VISIT_MESSENGER)


def _preview(text: str, form: str, clinic: Clinic | None, user: User) -> dict[str, object]:
    """The text with a real visit's values, or with made-up ones while there is no visit; parts and
    price of an SMS.
    """
    wrong = unknown_fields(text)
    if wrong:
        return {"wrong": wrong}
    clinics = [clinic] if clinic else list(Clinic.objects.visible_to(user))
    visit = (
        Appointment.objects.filter(
            clinic__in=clinics, status__in=UPCOMING, starts_at__gt=timezone.now()
        )
        .select_related("clinic", "doctor", "patient")
        .order_by("starts_at")
        .first()
    )
    filled = fill_template(
        text, values_of(visit_values(visit, "x" * 22) if visit else _sample(timezone.now()))
    )
    size = size_of(filled)
    step = (
        CascadeStep.objects.filter(clinic__in=clinics, channel=MessageChannel.SMS)
        .select_related("provider")
        .first()
    )
    price = step.provider.price * size.parts if step and form == Form.SMS else None
    return {"filled": filled, "size": size, "price": price, "is_sms": form == Form.SMS}


def _sample(now: dt.datetime) -> TemplateVisit:
    return TemplateVisit(
        *("Иванова Анна Петровна", "Анна", "Петровна", "Тихонов Яков Львович", "Тихонов Я. Л."),
        *(
            "Клиника",
            "ул. Примерная, 1",
            "+79000009999",
            now + dt.timedelta(days=1),
            "Europe/Moscow",
        ),
        "https://clinic.example/v/xxxxxxxxxxxxxxxxxxxxxx",
    )


@allow(*CAN_MANAGE_CLINIC)
def channels(request: StaffRequest) -> HttpResponse:
    """Each clinic's cascade, and the gateways."""
    clinics = list(
        Clinic.objects.visible_to(request.user)
        .order_by("name")
        .prefetch_related("cascade__provider")
    )
    if request.method == "POST":
        clinic = get_object_or_404(
            Clinic.objects.visible_to(request.user), pk=_number(request.POST.get("clinic"))
        )
        try:
            save_cascade(clinic, steps=_steps(request), by=request.user, now=timezone.now())
            messages.success(request, f"Порядок каналов сохранён: {clinic.name}.")
        except Refused as error:
            messages.error(request, str(error))
        return redirect("messaging:channels")
    rows = []
    for clinic in clinics:
        steps: list[CascadeStep | None] = list(clinic.cascade.all())
        rows.append((clinic, steps + [None] * (STEPS - len(steps))))
    context = {
        "rows": rows,
        "channels": MessageChannel.choices,
        "providers": Provider.objects.order_by("name"),
        "now": timezone.now(),
        "kinds": list(KINDS),
    }
    return render(request, "messaging/channels.html", context)


def _steps(request: StaffRequest) -> list[tuple[str, Provider, int]]:
    providers = {str(provider.pk): provider for provider in Provider.objects.all()}
    steps = []
    for number in range(STEPS):
        channel, provider = (
            request.POST.get(f"channel{number}", ""),
            request.POST.get(f"provider{number}", ""),
        )
        if not channel:
            continue
        if channel not in MessageChannel.values or provider not in providers:
            raise Refused("Выберите шлюз для каждого канала.", field="provider")
        steps.append(
            (
                channel,
                providers[provider],
                min(_number(request.POST.get(f"wait{number}")) or 20, 24 * 60),
            )
        )
    return steps


@allow(*CAN_MANAGE_CLINIC)
def provider(request: StaffRequest, pk: int) -> HttpResponse:
    """One gateway: settings (secrets are never shown), channels, limit, price; the address its
    calls come to.
    """
    row = get_object_or_404(Provider, pk=pk)
    problem, status = "", 200
    if request.method == "POST":
        try:
            save_provider(
                row,
                settings={name: request.POST.get(name, "") for name, _, _ in SETTINGS[row.kind]},
                channels=[
                    channel
                    for channel in request.POST.getlist("channels")
                    if channel in MessageChannel.values
                ],
                per_second=_float(request.POST.get("per_second")),
                price=_money(request.POST.get("price")),
                is_active=bool(request.POST.get("is_active")),
                by=request.user,
                now=timezone.now(),
            )
            messages.success(request, f"Шлюз «{row.name}» сохранён.")
            return redirect("messaging:channels")
        except Refused as error:
            problem, status = str(error), error.status
    context = {
        "provider": row,
        "fields": [
            (name, word, secret, "" if secret else row.settings.get(name, ""), name in row.settings)
            for name, word, secret in SETTINGS[row.kind]
        ],
        "channels": MessageChannel.choices,
        "problem": problem,
        "address": request.build_absolute_uri(f"/hooks/{row.pk}/{row.secret}/"),
    }
    return render(request, "messaging/provider.html", context, status=status)


@require_POST
@allow(*CAN_MANAGE_CLINIC)
def add_provider(request: StaffRequest) -> HttpResponse:
    """A new gateway, asleep until its settings are given."""
    kind, name = request.POST.get("kind", ""), request.POST.get("name", "").strip()
    if kind not in KINDS or not name:
        raise Refused("Назовите шлюз и выберите его вид.", field="name")
    if Provider.objects.filter(name=name).exists():
        raise Refused("Шлюз с таким названием уже есть.", field="name")
    made = Provider.objects.create(name=name[:80], kind=kind, is_active=False)
    return redirect("messaging:provider", made.pk)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 10 else 0


def _float(text: str | None) -> float | None:
    try:
        return float((text or "").replace(",", ".")) if text else None
    except ValueError:
        raise Refused("Ограничение — число, например 20.", field="per_second") from None


def _money(text: str | None) -> Decimal:
    try:
        price = Decimal((text or "0").replace(",", "."))
    except InvalidOperation:
        raise Refused("Цена — число, например 4,50.", field="price") from None
    if not 0 <= price < 10_000:
        raise Refused("Цена — число от 0 до 9999.", field="price")
    return price
