"""Settings of contacts: topics, reasons, channels with their rules, the directory of numbers, rules
of clinics, keys.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.db.models import Model, ProtectedError, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.contacts import forms
from callcenter.contacts.actions import order_recount
from callcenter.contacts.api_keys import create_key, revoke_key
from callcenter.contacts.models import (
    AdChannel,
    ChannelRecount,
    ChannelRule,
    ContactPolicy,
    DirectoryNumber,
    Reason,
    ReasonUse,
    SourceKey,
    Topic,
)
from callcenter.lib.errors import Conflict, Refused
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_MANAGE_CLINIC


@dataclass(frozen=True)
class Dictionary:
    """One editable list of the chain: its rows, its form, its columns (heading → the text of a
    cell).
    """

    slug: str
    title: str
    help: str
    model: type[Model]
    form: type[ModelForm[Any]]
    columns: dict[str, Callable[[Any], str]]

    def rows(self) -> QuerySet[Any]:
        return self.model._default_manager.all()


def _shown(row: Any) -> str:
    return "" if row.is_active else "скрыта"


def _with_channels(rows: list[Any]) -> list[Any]:
    """Channels, or rules of channels, with everything above them at hand: the whole tree is read
    once.
    """
    tree = AdChannel.objects.in_bulk()
    for channel in tree.values():
        if channel.parent_id is not None:
            channel.parent = tree[channel.parent_id]
    for row in rows:
        if isinstance(row, ChannelRule):
            row.channel = tree[row.channel_id]
    return [tree[row.pk] if isinstance(row, AdChannel) else row for row in rows]


def _path(channel: AdChannel) -> str:
    return f"{_path(channel.parent)} / {channel.name}" if channel.parent else channel.name


DICTIONARIES: Final[dict[str, Dictionary]] = {
    one.slug: one
    for one in (
        Dictionary(
            "topics",
            "Темы разговоров",
            "Тема указывается в форме «Обращение в колл-центр» и служит фильтром отчёта.",
            Topic,
            forms.TopicForm,
            {"Тема": str, "": _shown},
        ),
        Dictionary(
            "reasons",
            "Причины",
            "Почему пациент не записался: предлагаются при тех исходах, которые отмечены.",
            Reason,
            forms.ReasonForm,
            {
                "Причина": str,
                "Где предлагается": lambda row: ", ".join(ReasonUse(use).label for use in row.uses),
                "Порядок": lambda row: str(row.position),
                "": _shown,
            },
        ),
        Dictionary(
            "channels",
            "Рекламные каналы",
            "Дерево каналов: фильтр по каналу включает всё, что в него входит.",
            AdChannel,
            forms.AdChannelForm,
            {"Канал": _path, "": _shown},
        ),
        Dictionary(
            "channel_rules",
            "Правила каналов",
            "Проверяются сверху вниз: UTM-метка, номер звонящего, наш номер (чаты — канал чата), сервис; внутри вида — по "
            "порядку. Изменённое правило действует на новые обращения; прежние пересчитываются только по запросу ниже.",
            ChannelRule,
            forms.ChannelRuleForm,
            {
                "По чему": lambda row: row.get_kind_display(),
                "Значение": lambda row: row.pattern,
                "Канал": lambda row: _path(row.channel),
                "Порядок": lambda row: str(row.position),
                "": _shown,
            },
        ),
        Dictionary(
            "numbers",
            "Справочник номеров",
            "Номера сотрудников и контрагентов: их обращения получают «Сотрудник» или «Прочие и контрагенты».",
            DirectoryNumber,
            forms.DirectoryNumberForm,
            {
                "Номер": lambda row: row.number,
                "Чей": lambda row: row.name,
                "Кто": lambda row: row.get_caller_type_display(),
            },
        ),
    )
}


def _dictionary(slug: str) -> Dictionary:
    if slug not in DICTIONARIES:
        raise Http404
    return DICTIONARIES[slug]


@allow(*CAN_MANAGE_CLINIC)
def dictionary(request: StaffRequest, slug: str, pk: int | None = None) -> HttpResponse:
    """The list with the form for a new row, or for the row `pk`."""
    one = _dictionary(slug)
    row = get_object_or_404(one.rows(), pk=pk) if pk is not None else None
    form = one.form(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        _save(request, one, form)
        messages.success(request, "Сохранено.")
        return redirect("contacts:dictionary", slug)
    found = list(one.rows())
    if one.model in (AdChannel, ChannelRule):
        found = _with_channels(found)
    rows = [(each, [cell(each) for cell in one.columns.values()]) for each in found]
    context: dict[str, object] = {"dictionary": one, "rows": rows, "form": form, "row": row}
    if slug == "channel_rules":
        context["recount_form"] = forms.RecountForm(user=request.user)
        context["recounts"] = ChannelRecount.objects.filter(
            clinic__in=Clinic.objects.visible_to(request.user)
        ).select_related("clinic", "created_by")[:10]
    return render(
        request,
        "contacts/dictionary.html",
        context,
        status=422 if request.method == "POST" else 200,
    )


def _save(request: StaffRequest, one: Dictionary, form: ModelForm[Any]) -> None:
    with transaction.atomic():
        before = {name: str(form.initial.get(name, "")) for name in form.changed_data}
        saved = form.save()
        after = {name: str(form.cleaned_data.get(name, "")) for name in form.changed_data}
        audit.record(
            f"contacts.save_{one.model._meta.model_name}",
            saved,
            by=request.user,
            now=timezone.now(),
            before=dict(before),
            after=dict(after),
        )


@require_POST
@allow(*CAN_MANAGE_CLINIC)
def delete_row(request: StaffRequest, slug: str, pk: int) -> HttpResponse:
    """Removes a row that nothing rests on, a channel with its rules; one in use is hidden instead."""
    one = _dictionary(slug)
    row = get_object_or_404(one.rows(), pk=pk)
    try:
        with transaction.atomic():
            for gone in (*(row.rules.all() if isinstance(row, AdChannel) else ()), row):
                fields = [field.name for field in gone._meta.fields if not field.primary_key]
                audit.record(
                    f"contacts.delete_{gone._meta.model_name}",
                    gone,
                    by=request.user,
                    now=timezone.now(),
                    before=audit.values(gone, *fields),
                )
            row.delete()
        messages.success(request, "Удалено.")
    except ProtectedError:
        if not hasattr(row, "is_active"):
            raise Conflict("Эта строка используется, удалить её нельзя.") from None
        _hide(request, row)
        messages.info(request, "Строка используется в истории, поэтому она скрыта, а не удалена.")
    return redirect("contacts:dictionary", slug)


def _hide(request: StaffRequest, row: Any) -> None:
    if not row.is_active:
        return
    with transaction.atomic():
        row.is_active = False
        row.save(update_fields=["is_active"])
        audit.record(
            f"contacts.save_{row._meta.model_name}",
            row,
            by=request.user,
            now=timezone.now(),
            before={"is_active": True},
            after={"is_active": False},
        )


@require_POST
@allow(*CAN_MANAGE_CLINIC)
def recount(request: StaffRequest) -> HttpResponse:
    """Orders the channels of a period to be found anew."""
    form = forms.RecountForm(request.POST, user=request.user)
    if not form.is_valid():
        raise Refused("Выберите клинику и период пересчёта.")
    order_recount(
        clinic=form.cleaned_data["clinic"],
        since=form.cleaned_data["since"],
        until=form.cleaned_data["until"],
        by=request.user,
        now=timezone.now(),
    )
    messages.success(request, "Пересчёт поставлен в очередь.")
    return redirect("contacts:dictionary", "channel_rules")


@allow(*CAN_MANAGE_CLINIC)
def policies(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """The rules of each clinic: ± minutes of a comment, minutes of a result, days of a request."""
    clinics = list(Clinic.objects.visible_to(request.user).select_related("contact_policy"))
    chosen = (
        next((clinic for clinic in clinics if clinic.pk == pk), None)
        if pk
        else (clinics[0] if clinics else None)
    )
    if chosen is None:
        raise Http404
    policy = getattr(chosen, "contact_policy", None) or ContactPolicy(clinic=chosen)
    form = forms.ContactPolicyForm(request.POST or None, instance=policy)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            saved = form.save()
            audit.record(
                "contacts.save_policy",
                saved,
                by=request.user,
                now=timezone.now(),
                before={name: form.initial[name] for name in form.changed_data},
                after={name: form.cleaned_data[name] for name in form.changed_data},
            )
        messages.success(
            request, "Сохранено. Действует для обращений, которые меняются с этого момента."
        )
        return redirect("contacts:policy", chosen.pk)
    context = {"clinics": clinics, "chosen": chosen, "form": form}
    return render(
        request, "contacts/policies.html", context, status=422 if request.method == "POST" else 200
    )


@allow(*CAN_MANAGE_CLINIC)
def keys(request: StaffRequest) -> HttpResponse:
    """Keys of outside sources: the text of a new one is shown here once."""
    form = forms.SourceKeyForm(request.POST or None, user=request.user)
    text, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            _, text = create_key(
                name=form.cleaned_data["name"],
                clinic=form.cleaned_data["clinic"],
                by=request.user,
                now=timezone.now(),
            )
            form, status = forms.SourceKeyForm(user=request.user), 200
    found = SourceKey.objects.filter(
        clinic__in=Clinic.objects.visible_to(request.user)
    ).select_related("clinic", "created_by")
    answer = render(
        request, "contacts/keys.html", {"form": form, "keys": found, "text": text}, status=status
    )
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@allow(*CAN_MANAGE_CLINIC)
def revoke(request: StaffRequest, pk: int) -> HttpResponse:
    visible = SourceKey.objects.filter(clinic__in=Clinic.objects.visible_to(request.user))
    revoke_key(get_object_or_404(visible, pk=pk), by=request.user, now=timezone.now())
    messages.success(request, "Ключ отозван: запросы с ним больше не принимаются.")
    return redirect("contacts:keys")
