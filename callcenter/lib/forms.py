"""The look of forms and their link to the actions' errors; the markup is in templates/django/forms."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import TemplatesSetting

from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.query_params import EARLIEST, LATEST


class Renderer(TemplatesSetting):
    """Fields as Tabler shows them: `{{ form.as_div }}`, `{{ form.name.as_field_group }}`, `{{
    form.name }}`.
    """

    field_template_name = "django/forms/field.html"
    form_template_name = "django/forms/div.html"


class DateInput(forms.DateInput):
    """The browser's own calendar, which wants ISO dates."""

    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", **kwargs)


class DateTimeInput(forms.DateTimeInput):
    """Wall-clock time of the clinic; the form says of which zone."""

    input_type = "datetime-local"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", **kwargs)


class DayField(forms.DateField):
    """A day from EARLIEST to LATEST: a slip of the finger in the year is told at once."""

    widget = DateInput

    def validate(self, value: dt.date | None) -> None:
        super().validate(value)
        _check_year(value)


class MomentField(forms.DateTimeField):
    """Wall-clock time on a day from EARLIEST to LATEST."""

    widget = DateTimeInput

    def validate(self, value: dt.datetime | None) -> None:
        super().validate(value)
        _check_year(value.date() if value else None)


def _check_year(day: dt.date | None) -> None:
    if day is not None and not EARLIEST <= day <= LATEST:
        raise ValidationError("Проверьте год.")


def refuse(form: forms.BaseForm, error: Refused) -> None:
    """Shows an action's refusal at the field it names, or above the form."""
    form.add_error(error.field if error.field in form.fields else None, str(error))


def show_conflict(form: forms.BaseForm, present: forms.BaseForm, error: Conflict) -> None:
    """After a Conflict: what was typed stays in its fields, beside each that differs stands what is
    there now.

    `present` is the same form, unbound, of the row as it is now.
    """
    form.add_error(None, str(error))
    for now in present:
        typed = form[now.name].data
        typed = typed.replace("\r\n", "\n") if isinstance(typed, str) else typed
        if now.field.has_changed(now.initial, typed):
            form.add_error(now.name, f"Сейчас: {_in_words(now) or 'пусто'}")


def _in_words(bound: forms.BoundField) -> str:
    """The value of a field as a person reads it."""
    value, field = bound.value(), bound.field
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, dt.date):
        return f"{value:%d.%m.%Y}"
    if isinstance(value, dt.time):
        return f"{value:%H:%M}"
    if isinstance(field, forms.ChoiceField):
        chosen = {str(one) for one in (value if isinstance(value, list | tuple) else [value])}
        choices: Any = field.choices
        return ", ".join(str(label) for key, label in choices if key and str(key) in chosen)
    return "" if value is None else str(value)
