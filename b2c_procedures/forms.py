"""Forms of the procedures' pages; a step's own form is in steps/forms.py."""

from typing import Any

from django import forms

from b2c_procedures.models import ForbiddenPhrase, ProcedureSettings, Run
from b2c_procedures.queries.runs import receivers
from b2c_procedures.states import ROLE_OF, Performer, RunSource
from callcenter.clinics.models import Clinic
from callcenter.lib.forms import DayField
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_RUN_PROCEDURES


class StartForm(forms.Form):
    procedure = forms.IntegerField(min_value=1)
    clinic = forms.ModelChoiceField(Clinic.objects.none(), label="Клиника")
    patient = forms.IntegerField(required=False)
    source = forms.ChoiceField(choices=RunSource.choices, required=False)
    number = forms.CharField(required=False, max_length=30, label="Телефон")
    interaction = forms.IntegerField(
        required=False
    )  # the call or chat of the history of contacts it belongs to
    parent = forms.IntegerField(required=False)
    chat = forms.IntegerField(required=False)
    order = forms.IntegerField(required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clinic"].queryset = Clinic.objects.visible_to(user)  # type: ignore[attr-defined]


class RunHandOverForm(forms.Form):
    to = forms.ModelChoiceField(
        User.objects.none(), label="Сотруднику", required=False, empty_label="— любому из роли —"
    )
    performer = forms.ChoiceField(label="Роли", required=False)
    comment = forms.CharField(
        label="Что важно знать", widget=forms.Textarea(attrs={"rows": 2}), required=False
    )

    def __init__(self, *args: Any, run: Run, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        may = receivers(run)
        people = User.objects.with_role(*may or CAN_RUN_PROCEDURES).filter(clinics=run.clinic_id)
        self.fields["to"].queryset = people.exclude(pk=user.pk)  # type: ignore[attr-defined]
        if not may:  # nobody of the clinic has the step's role (ADR 0103): somebody is named
            del self.fields["performer"]
            self.fields["to"].required = True
            return
        roles = [
            ("", "— выберите роль —"),
            *(
                (value, label)
                for value, label in Performer.choices
                if ROLE_OF[Performer(value)] in may
            ),
        ]
        self.fields["performer"].choices = roles  # type: ignore[attr-defined]


class PeriodForm(forms.Form):
    since = DayField(label="С", required=False)
    until = DayField(label="По", required=False)
    clinic = forms.ModelChoiceField(
        Clinic.objects.none(), label="Клиника", required=False, empty_label="все"
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clinic"].queryset = Clinic.objects.visible_to(user)  # type: ignore[attr-defined]


class ProcedureSettingsForm(forms.ModelForm[ProcedureSettings]):
    class Meta:
        model = ProcedureSettings
        exclude = ("id",)
        widgets = {"claim_ways": forms.Textarea(attrs={"rows": 3})}


class PhraseForm(forms.ModelForm[ForbiddenPhrase]):
    class Meta:
        model = ForbiddenPhrase
        fields = ("phrase", "why", "instead", "is_active")


class UploadForm(forms.Form):
    file = forms.FileField(label="Файл")


class FailureForm(forms.Form):
    system = forms.ChoiceField(
        label="Что не работает",
        choices=[("CRM", "CRM"), ("мессенджер", "мессенджер"), ("ERP", "ERP")],
    )
    text = forms.CharField(label="Что произошло", widget=forms.Textarea(attrs={"rows": 3}))
