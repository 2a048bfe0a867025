"""Forms about people. What they offer is what the user may give (docs/adr/0010); the actions check
it again.
"""

from typing import Any

from django import forms
from django.db.models import Model

from callcenter.staff.actions import PersonFacts
from callcenter.staff.models import User
from callcenter.staff.roles import Role, grantable


class PersonForm(forms.Form):
    full_name = forms.CharField(label="ФИО", max_length=150, help_text="Фамилия Имя Отчество")
    login = forms.CharField(label="Логин", max_length=60, strip=True)
    email = forms.EmailField(label="E-mail", required=False)
    extension = forms.CharField(label="Внутренний номер", max_length=20, required=False)
    roles = forms.MultipleChoiceField(label="Роли", widget=forms.CheckboxSelectMultiple)
    clinics: forms.ModelMultipleChoiceField[Model] = forms.ModelMultipleChoiceField(
        label="Клиники", queryset=None, widget=forms.CheckboxSelectMultiple
    )
    sees_phones = forms.BooleanField(label="Видит номера телефонов", required=False, initial=True)
    capacity = forms.IntegerField(
        label="Звонков по плану в день", min_value=0, max_value=500, initial=40
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = dict(Role.choices)
        _choices(self, "roles", [(str(role), labels[role]) for role in grantable(by.roles)])
        _clinics(self, by)
        if not by.sees_phones:
            self.fields["sees_phones"].initial = False

    def facts(self) -> PersonFacts:
        data = self.cleaned_data
        return PersonFacts(
            login=data["login"],
            full_name=" ".join(data["full_name"].split()),
            email=data["email"],
            extension=data["extension"],
            roles=tuple(data["roles"]),
            clinic_ids=frozenset(clinic.pk for clinic in data["clinics"]),
            sees_phones=data["sees_phones"],
            capacity=data["capacity"],
        )


class NewPersonForm(PersonForm):
    password = forms.CharField(
        label="Первый пароль",
        help_text="Не короче 8 знаков; сотрудник сменит его сам в своём профиле.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ClinicsOfPersonForm(forms.Form):
    """For a colleague who also works in clinics that are not the user's."""

    clinics: forms.ModelMultipleChoiceField[Model] = forms.ModelMultipleChoiceField(
        label="Работает в ваших клиниках",
        queryset=None,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _clinics(self, by)


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="Новый пароль",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Не короче 8 знаков, не только цифры. Передайте его сотруднику лично.",
    )


class ProfileForm(forms.Form):
    email = forms.EmailField(label="E-mail", required=False)
    extension = forms.CharField(
        label="Внутренний номер",
        max_length=20,
        required=False,
        help_text="Ваш аппарат: на него приходит звонок.",
    )


def _choices(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 (for the type checker)
    field.choices = choices


def _clinics(form: forms.Form, by: User) -> None:
    field = form.fields["clinics"]
    assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101 (for the type checker)
    field.queryset = by.clinics.order_by("name")
