"""Forms of «Дозвон»."""

from typing import ClassVar

from django import forms

from reminders.models import ReminderSettings
from reminders.states import AttendanceAnswer


class DayCallForm(forms.Form):
    """The two answers and the comment that a day call can't be saved without."""

    picked_up = forms.TypedChoiceField(
        label="Взял ли трубку",
        choices=[("1", "взял"), ("0", "не взял")],
        coerce=lambda value: value == "1",
        empty_value=None,
        widget=forms.RadioSelect,
        error_messages={"required": "Отметьте, взял ли пациент трубку."},
    )
    coming = forms.ChoiceField(
        label="Подойдёт ли на приём",
        choices=AttendanceAnswer.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Отметьте, подойдёт ли пациент на приём."},
    )
    comment = forms.CharField(
        label="Комментарий",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Без комментария не сохранить: напишите, что сказал пациент."},
    )


class ReminderSettingsForm(forms.ModelForm[ReminderSettings]):
    class Meta:
        model = ReminderSettings
        fields: ClassVar[list[str]] = ["opens_at", "next_day_only", "sends_itself", "blue_sms_at"]
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "opens_at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "blue_sms_at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }
