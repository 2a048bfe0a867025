"""Forms of the settings: a clinic with its week, its days off, grounds, doctors, services,
specialties.
"""

import datetime as dt
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS

from callcenter.clinics.actions.settings import CLINIC_FIELDS, SERVICE_FIELDS
from callcenter.clinics.models import Clinic, Doctor, LegalBasis, Service
from callcenter.clinics.schedule import Span
from callcenter.lib import phones
from callcenter.lib.forms import DayField, TimeInput
from callcenter.staff.models import User
from callcenter.staff.queries import colleagues
from callcenter.staff.roles import Role

_QUIET = [name for name in CLINIC_FIELDS if name.startswith(("calls_", "messages_"))]


class ClinicForm(forms.ModelForm[Clinic]):
    """The clinic's own fields and, for each weekday, `opens_N` and `closes_N`; both empty means
    closed.
    """

    phone = forms.CharField(
        label="Телефон",
        max_length=40,
        required=False,
        help_text="С кодом города, например +7 812 000-01-11.",
    )
    site = forms.URLField(label="Сайт", required=False, assume_scheme="https")

    class Meta:
        model = Clinic
        fields = CLINIC_FIELDS
        widgets = {
            "responsible_emails": forms.TextInput(),
            **{name: TimeInput() for name in _QUIET},
        }
        help_texts = {
            "responsible_emails": "Через запятую: сюда идут письма, когда пациенту не перезвонили вовремя.",
            "reception_email": "Сюда идут новые заявки.",
            "source_id": "Если расписание загружается из другой системы.",
            "observes_holidays": "Отдельный рабочий праздник добавьте в «Особые дни».",
        }
        labels = {"source_id": "Код в системе расписания"}

    def __init__(self, *args: Any, week: dict[int, Span] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for weekday in range(7):
            opens, closes = (week or {}).get(weekday, (None, None))
            for name, value in (("opens", opens), ("closes", closes)):
                self.fields[f"{name}_{weekday}"] = forms.TimeField(
                    required=False,
                    initial=value,
                    widget=TimeInput(),
                    label=f"{WEEKDAYS[weekday]}: {name}",
                )
        if self.instance.phone:
            self.initial["phone"] = phones.format_phone(self.instance.phone)

    def clean_phone(self) -> str:
        typed: str = self.cleaned_data["phone"]
        try:
            return phones.parse(typed) if typed else ""
        except phones.BadPhone as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for weekday in range(7):
            if bool(data.get(f"opens_{weekday}")) != bool(data.get(f"closes_{weekday}")):
                self.add_error(f"closes_{weekday}", "Укажите оба времени или очистите оба.")
        return data

    def week(self) -> dict[int, Span]:
        data = self.cleaned_data
        return {
            weekday: (data[f"opens_{weekday}"], data[f"closes_{weekday}"])
            for weekday in range(7)
            if data[f"opens_{weekday}"]
        }

    def facts(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in CLINIC_FIELDS}

    def days(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """The rows of the week's table."""
        return [(WEEKDAYS[day], self[f"opens_{day}"], self[f"closes_{day}"]) for day in range(7)]


class SpecialDayForm(forms.Form):
    on = DayField(label="День")
    opens = forms.TimeField(label="Открывается", required=False, widget=TimeInput())
    closes = forms.TimeField(label="Закрывается", required=False, widget=TimeInput())
    reason = forms.CharField(label="Почему", max_length=120, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("opens")) != bool(data.get("closes")):
            self.add_error("closes", "Укажите оба времени; для выходного оставьте оба пустыми.")
        return data

    def hours(self) -> Span | None:
        opens: dt.time | None = self.cleaned_data["opens"]
        return (opens, self.cleaned_data["closes"]) if opens else None


class LegalBasisForm(forms.ModelForm[LegalBasis]):
    class Meta:
        model = LegalBasis
        fields = ("purpose", "basis", "since", "until", "source")
        field_classes = {"since": DayField, "until": DayField}
        help_texts = {
            "basis": "На чём стоит право писать и звонить: договор, согласие в анкете, правила записи.",
            "source": "Где лежит: номер документа, папка.",
        }


class DoctorForm(forms.ModelForm[Doctor]):
    class Meta:
        model = Doctor
        fields = ("full_name", "specialty", "clinics", "user", "source_id", "is_active")
        widgets = {"clinics": forms.CheckboxSelectMultiple()}
        help_texts = {
            "user": "Если врач сам заходит в Dozvon.",
            "source_id": "По нему узнаём врача при загрузке расписания.",
        }

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clinics, user = self.fields["clinics"], self.fields["user"]
        # For the type checker
        assert isinstance(clinics, forms.ModelMultipleChoiceField)  # noqa: S101
        assert isinstance(user, forms.ModelChoiceField)  # noqa: S101 (for the type checker)
        clinics.queryset = Clinic.objects.visible_to(by).order_by("name")
        if self.instance.pk:
            self.initial["clinics"] = clinics.queryset.filter(doctors=self.instance)
        clinics.required = False  # the action knows the places in clinics that are not hers
        free = colleagues(by).filter(
            roles__contains=[Role.DOCTOR], is_active=True, doctor__isnull=True
        )
        own = (
            User.objects.filter(pk=self.instance.user_id)
            if self.instance.user_id
            else User.objects.none()
        )
        user.queryset = (
            (free | own).distinct().order_by("full_name") if self.instance.user_id else free
        )
        user.empty_label = "не заходит"

    def facts(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "clinics"}


class ServiceForm(forms.ModelForm[Service]):
    class Meta:
        model = Service
        fields = SERVICE_FIELDS
        labels = {"specialty": "Специальность"}

    def clean_minutes(self) -> int:
        minutes: int = self.cleaned_data["minutes"]
        if not 5 <= minutes <= 600:
            raise forms.ValidationError("От 5 до 600 минут.")
        return minutes


class SpecialtyForm(forms.Form):
    name = forms.CharField(label="Специальность", max_length=100)
