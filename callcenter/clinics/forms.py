"""Forms of the patient's card and of the schedule."""

import datetime as dt
from typing import Any

from django import forms

from callcenter.clinics.models import Clinic, Doctor, Patient, Specialty
from callcenter.clinics.states import ConsentChannel, ConsentPurpose, WaitingKind
from callcenter.lib import phones
from callcenter.lib.forms import DateInput, DayField


class PatientForm(forms.ModelForm[Patient]):
    phones = forms.CharField(
        label="Телефоны",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "inputmode": "tel"}),
        help_text="Каждый номер с новой строки, первый — основной.",
    )
    clinic = forms.ModelChoiceField(Clinic.objects.none(), label="Клиника")

    class Meta:
        model = Patient
        fields = ("last_name", "first_name", "middle_name", "birth_date", "email", "zone", "note")
        widgets = {"birth_date": DateInput(), "note": forms.Textarea(attrs={"rows": 2})}

    def __init__(
        self, *args: Any, clinics: list[Clinic], sees_phones: bool, phone: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["clinic"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = Clinic.objects.filter(pk__in=[clinic.pk for clinic in clinics])
        field.initial = clinics[0].pk if clinics else None
        if phone and not self.is_bound:
            self._begin_with(phone)
        if self.instance.pk:
            field.help_text = "Другая клиника добавится к тем, которые он посещает."
        # Who may not see the card's numbers cannot write them anew: what she types is added to
        # them.
        self.adds_numbers = bool(self.instance.pk) and not sees_phones
        numbers = [phone.number for phone in self.instance.phones.all()] if self.instance.pk else []
        if self.adds_numbers:
            known = ", ".join(map(phones.masked, numbers)) or "нет"
            self.fields["phones"].label = "Добавить телефоны"
            self.fields[
                "phones"
            ].help_text = f"Записаны и останутся: {known}. Новый номер — с новой строки."
        elif self.instance.pk:
            self.fields["phones"].initial = "\n".join(map(phones.format_phone, numbers))

    def _begin_with(self, phone: str) -> None:
        """A new card for a number; one that is none stays as it came, with what is wrong with it."""
        try:
            phone = phones.format_phone(phones.parse(phone))
        except phones.BadPhone as error:
            self.errors["phones"] = self.error_class([str(error)], renderer=self.renderer)
        self.fields["phones"].initial = phone

    def clean_birth_date(self) -> dt.date | None:
        born: dt.date | None = self.cleaned_data["birth_date"]
        if born and not dt.date(1900, 1, 1) <= born <= dt.date(2100, 1, 1):
            raise forms.ValidationError("Проверьте год рождения.")
        return born

    def numbers(self) -> list[str]:
        return [line for line in str(self.cleaned_data["phones"]).splitlines() if line.strip()]


class ConsentForm(forms.Form):
    purpose = forms.ChoiceField(label="О чём", choices=ConsentPurpose.choices)
    channel = forms.ChoiceField(label="Каким путём", choices=ConsentChannel.choices)
    granted = forms.ChoiceField(label="Решение", choices=[("yes", "согласен"), ("no", "отказался")])
    source = forms.CharField(label="Чем подтверждается", max_length=200)


class DoNotCallForm(forms.Form):
    value = forms.ChoiceField(choices=[("on", "не звонить"), ("off", "звонить можно")])
    reason = forms.CharField(label="Почему", max_length=250)


class WaitingForm(forms.Form):
    kind = forms.ChoiceField(label="Вид", choices=WaitingKind.choices)
    clinic = forms.ModelChoiceField(Clinic.objects.none(), label="Клиника")
    doctor = forms.ModelChoiceField(
        Doctor.objects.none(), label="Врач", required=False, empty_label="не назван"
    )
    specialty = forms.ModelChoiceField(
        Specialty.objects.none(),
        label="Специальность",
        required=False,
        empty_label="не названа",
        help_text="Запись на приём к этому врачу (или по специальности) закроет ожидание сама.",
    )
    call_on = DayField(label="Когда позвонить")
    comment = forms.CharField(label="Комментарий", widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, clinics: list[Clinic], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field, doctor, specialty = (
            self.fields["clinic"],
            self.fields["doctor"],
            self.fields["specialty"],
        )
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        assert isinstance(doctor, forms.ModelChoiceField)  # noqa: S101
        assert isinstance(specialty, forms.ModelChoiceField)  # noqa: S101
        field.queryset = Clinic.objects.filter(pk__in=[clinic.pk for clinic in clinics])
        field.initial = clinics[0].pk if clinics else None
        doctor.queryset = Doctor.objects.filter(is_active=True, clinics__in=clinics).distinct()
        specialty.queryset = Specialty.objects.filter(doctors__in=doctor.queryset).distinct()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        clinic, doctor, specialty = data.get("clinic"), data.get("doctor"), data.get("specialty")
        if clinic and doctor and not doctor.clinics.filter(pk=clinic.pk).exists():
            self.add_error("doctor", "Этот врач принимает не в выбранной клинике.")
        if doctor and specialty and doctor.specialty_id != specialty.pk:
            self.add_error(
                "specialty",
                f"{doctor.short_name} — {doctor.specialty}: оставьте врача или специальность.",
            )
        elif (
            clinic
            and specialty
            and not specialty.doctors.filter(is_active=True, clinics=clinic).exists()
        ):
            self.add_error("specialty", "В выбранной клинике нет врачей этой специальности.")
        return data
