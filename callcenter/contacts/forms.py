"""Forms of contacts. `ContactFields` is the part «Обращение в колл-центр» that cards of desks show
too.
"""

from typing import Any

from django import forms

from callcenter.clinics.models import Clinic
from callcenter.contacts.models import (
    AdChannel,
    ChannelRule,
    ContactPolicy,
    DirectoryNumber,
    Reason,
    ReasonUse,
    SourceKey,
    Topic,
)
from callcenter.contacts.states import WHO_BY_HAND, CallerType, Direction, InteractionKind, Summary
from callcenter.lib import phones
from callcenter.lib.forms import DayField
from callcenter.staff.models import User


def _offer_clinics_of(user: User, form: forms.BaseForm) -> None:
    field = form.fields["clinic"]
    if isinstance(field, forms.ModelChoiceField):
        field.queryset = Clinic.objects.visible_to(user)
        field.empty_label = None


class ContactFields(forms.Form):
    """«Обращение в колл-центр»: признак, КОС, итог, причина, тема, комментарий. Rendered by
    contacts/contact_fields.html.

    A desk's form may inherit it, or stand beside it with a `prefix` of its own.
    """

    direction = forms.ChoiceField(
        label="Признак", choices=[(str(one), one.label) for one in Direction], initial="in"
    )
    is_recall = forms.BooleanField(label="КОС", required=False)
    summary = forms.ChoiceField(
        label="Итог",
        choices=[("", "не указан"), *((str(one), one.label) for one in Summary)],
        required=False,
    )
    reason = forms.ModelChoiceField(
        label="Причина",
        queryset=Reason.objects.filter(is_active=True),
        required=False,
        empty_label="не указана",
    )
    topic = forms.ModelChoiceField(
        label="Тема разговора",
        queryset=Topic.objects.filter(is_active=True),
        required=False,
        empty_label="не указана",
    )
    comment = forms.CharField(
        label="Комментарий",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class InteractionForm(ContactFields):
    """«Добавить»: комментарий к разговору, диалог, заявка-диалог."""

    kind = forms.ChoiceField(
        label="Что добавить",
        choices=[
            (str(InteractionKind.COMMENT), "Комментарий к разговору"),
            (str(InteractionKind.DIALOG), "Диалог (завершён, звонить не нужно)"),
            (str(InteractionKind.REQUEST_DIALOG), "Заявка-диалог (нужно позвонить)"),
        ],
    )
    clinic = forms.ModelChoiceField(
        label="Клиника", queryset=Clinic.objects.none(), empty_label=None
    )
    number = forms.CharField(label="Телефон", required=False, max_length=40)
    caller_type = forms.ChoiceField(
        label="Кто, тип",
        required=False,
        choices=[("", "не указано"), *((str(one), one.label) for one in WHO_BY_HAND)],
    )
    at = forms.TimeField(label="Во сколько", required=False, help_text="сегодня; пусто — сейчас")
    field_order = ("kind", "clinic", "number", "at", "caller_type")

    def __init__(self, *args: Any, user: User, known_number: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_clinics_of(user, self)
        self.fields["at"].widget = forms.TimeInput(attrs={"type": "time"})
        number = self.fields["number"]
        number.widget.attrs.update({"inputmode": "tel", "placeholder": "+7 911 010-10-01"})
        # Who may not see the patient's number leaves the field empty: the action takes it from the
        # card all the same.
        if user.sees_phones:
            number.initial = known_number
        elif known_number:
            number.help_text = f"пусто — номер пациента: {phones.masked(known_number)}"

    def clean_number(self) -> str:
        text: str = self.cleaned_data["number"]
        if not text.strip():
            return ""
        try:
            return phones.parse(text)
        except phones.BadPhone as error:
            raise forms.ValidationError(str(error)) from None

    def clean_caller_type(self) -> CallerType | None:
        return (
            CallerType(self.cleaned_data["caller_type"])
            if self.cleaned_data["caller_type"]
            else None
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("comment") and not cleaned.get("summary"):
            self.add_error("comment", "Напишите комментарий или выберите итог.")
        return cleaned


# --- Dictionaries
# -----------------------------------------------------------------------------------------------------


class TopicForm(forms.ModelForm[Topic]):
    class Meta:
        model = Topic
        fields = ("name", "is_active")


class ReasonForm(forms.ModelForm[Reason]):
    uses = forms.MultipleChoiceField(
        label="Где предлагать",
        choices=ReasonUse.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = Reason
        fields = ("name", "uses", "position", "is_active")


class AdChannelForm(forms.ModelForm[AdChannel]):
    class Meta:
        model = AdChannel
        fields = ("name", "parent", "is_active")

    def clean_parent(self) -> AdChannel | None:
        """No channel may stand below itself."""
        parent: AdChannel | None = self.cleaned_data["parent"]
        above = parent
        while above is not None:
            if above.pk == self.instance.pk and self.instance.pk is not None:
                raise forms.ValidationError("Канал не может входить сам в себя.")
            above = above.parent
        return parent


class ChannelRuleForm(forms.ModelForm[ChannelRule]):
    class Meta:
        model = ChannelRule
        fields = ("channel", "kind", "pattern", "position", "is_active")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        pattern, kind = cleaned.get("pattern", ""), cleaned.get("kind")
        if kind == "utm" and "=" not in pattern:
            self.add_error(
                "pattern", "UTM-метка пишется как utm_source=yandex; несколько — через &."
            )
        if kind == "number_to" and "*" not in pattern:
            cleaned["pattern"] = phones.e164_or_text(pattern)
        if kind == "number_from" and pattern and "*" not in pattern:
            try:
                cleaned["pattern"] = phones.parse(pattern)
            except phones.BadPhone as error:
                self.add_error("pattern", str(error))
        return cleaned


class DirectoryNumberForm(forms.ModelForm[DirectoryNumber]):
    number = forms.CharField(label="Номер", max_length=40)  # as people write it: longer than E.164

    class Meta:
        model = DirectoryNumber
        fields = ("number", "name", "caller_type")

    def clean_number(self) -> str:
        try:
            return phones.parse(self.cleaned_data["number"])
        except phones.BadPhone as error:
            raise forms.ValidationError(str(error)) from None


class ContactPolicyForm(forms.ModelForm[ContactPolicy]):
    class Meta:
        model = ContactPolicy
        fields = ("comment_minutes", "result_minutes", "overdue_days")


class SourceKeyForm(forms.ModelForm[SourceKey]):
    class Meta:
        model = SourceKey
        fields = ("name", "clinic")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_clinics_of(user, self)


class RecountForm(forms.Form):
    clinic = forms.ModelChoiceField(
        label="Клиника", queryset=Clinic.objects.none(), empty_label=None
    )
    since = DayField(label="С")
    until = DayField(label="По")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_clinics_of(user, self)
