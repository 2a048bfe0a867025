"""The journal's own tags: its sections, and what a list of fifty lines shows fifty times (rendered
once).
"""

import functools

from django import forms, template
from django.template.loader import render_to_string
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from callcenter.staff.models import User
from callcenter.staff.roles import CAN_READ_REPORTS, Role

register = template.Library()

# By which field a dictionary's rows are named in a drop-down.
_NAMES = {"clinic": "name", "reason": "name", "doctor": "full_name", "user": "full_name"}


@register.inclusion_tag("journals/_nav.html", takes_context=True)
def recall_nav(context: template.RequestContext, here: str) -> dict[str, object]:
    """The sections that the user's roles may open; `here` is the present one."""
    user: User = context["request"].user
    sections = [
        ("journal", "notebook", "Журнал", True),
        ("plan", "users", "План", user.has(Role.SENIOR)),
    ]
    sections += [("results", "chart-bar", "Результаты", user.has(*CAN_READ_REPORTS))]
    sections += [("policy", "settings", "Правило", user.has(Role.SENIOR))]
    shown = [
        (f"journals:{name}", icon, label, name == here)
        for name, icon, label, may in sections
        if may
    ]
    return {"sections": shown if len(shown) > 1 else []}


@register.filter
def home_key(place: int) -> str:
    """The letters of the row under the left hand, one after another; H is left for «другой день»."""
    return "ASDFG"[place : place + 1]


@register.simple_tag
@functools.cache
def stage_badge(stage: str) -> SafeString:
    """«Звать», «Записан», «Отказ» with icon and colour."""
    # A template
    return mark_safe(render_to_string("journals/_stage.html", {"entry": {"stage": stage}}))  # noqa: S308


@register.simple_tag
def choose(form: forms.Form, name: str) -> SafeString:
    """The drop-down of a form's ModelChoiceField: one query of two columns, no widget template for
    each option.

    A senior of fifty clinics has six hundred doctors in it, and Django's own Select takes 50 ms for
    them.
    """
    field = form.fields[name]
    if not isinstance(field, forms.ModelChoiceField) or field.queryset is None:
        raise TypeError(f"{name} is no choice of rows")
    label = _NAMES[str(field.queryset.model._meta.model_name)]
    chosen = str(form[name].value() or "")
    options = format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        (
            (pk, mark_safe(" selected") if str(pk) == chosen else "", text)
            for pk, text in field.queryset.values_list("pk", label)
        ),
    )
    empty = (
        format_html('<option value="">{}</option>', field.empty_label)
        if field.empty_label is not None
        else ""
    )
    return format_html(
        '<select class="form-select" name="{}" id="id_{}">{}{}</select>',
        name,
        name,
        conditional_escape(empty),
        options,
    )
