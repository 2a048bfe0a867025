"""Forms of telephony's settings."""

from typing import Any

from django import forms

from callcenter.clinics.models import Clinic
from callcenter.staff.models import User


class LineForm(forms.Form):
    """One more number of ours."""

    number = forms.CharField(label="Номер", max_length=40)
    label = forms.CharField(
        label="Название", max_length=60, required=False, help_text="Реклама, сайт, вывеска"
    )
    clinic = forms.ModelChoiceField(Clinic.objects.none(), label="Клиника", empty_label=None)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clinic"].queryset = Clinic.objects.filter(staff=user)  # type: ignore[attr-defined]
