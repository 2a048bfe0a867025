from typing import Any

from django import forms

from callback.models import CallbackSettings, RequestSource
from callcenter.clinics.models import Clinic, Doctor, Service
from callcenter.staff.models import User


class RequestForm(forms.Form):
    """A request written down by hand."""

    clinic = forms.ModelChoiceField(Clinic.objects.none(), label="Клиника", empty_label=None)
    name = forms.CharField(label="Как зовут пациента", max_length=150)
    phone = forms.CharField(label="Телефон", max_length=40)
    doctor = forms.ModelChoiceField(Doctor.objects.none(), label="Врач", required=False)
    service = forms.ModelChoiceField(
        Service.objects.filter(is_active=True), label="Услуга", required=False
    )
    wished = forms.CharField(label="Когда удобно", max_length=120, required=False)
    comment = forms.CharField(
        label="Комментарий", required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Clinic.objects.filter(staff=user)
        self.fields["clinic"].queryset = own  # type: ignore[attr-defined]
        self.fields["doctor"].queryset = Doctor.objects.filter(  # type: ignore[attr-defined]
            clinics__in=own, is_active=True
        ).distinct()


class CallbackSettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """How a clinic works with requests."""

    class Meta:
        model = CallbackSettings
        exclude = ["clinic"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        window, gap = data.get("window_minutes"), data.get("redial_minutes")
        if window and gap and window < gap:
            self.add_error("window_minutes", "Не короче паузы между попытками.")
        if gap == 0:
            self.add_error("redial_minutes", "Хотя бы одна минута.")
        return data


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """An aggregator or a site that may send requests."""

    class Meta:
        model = RequestSource
        fields = ["name", "code", "spoken", "clinics", "is_active"]
        widgets = {"clinics": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clinics"].queryset = Clinic.objects.filter(staff=user)  # type: ignore[attr-defined]
