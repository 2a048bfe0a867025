"""Forms of the journal: filters of its pages, an entry, the end of a call, the plan, the policy."""

import datetime as dt
from typing import Any, Final

from django import forms

from callcenter.clinics.models import Clinic, Doctor, ScheduleWindow
from callcenter.clinics.search import patients_that_fit
from callcenter.contacts.models import Reason
from callcenter.lib.forms import DayField
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_CALL_PATIENTS
from journals.actions.cards import CallOutcomeInput
from journals.models import RecallEntry, RecallPolicy
from journals.outcome_rules import OUTCOME_RULES
from journals.queries.journal import SORTS, TABS, Filters
from journals.queries.results import GROUPINGS, Grouping, ResultsPeriod
from journals.queries.segments import Segment

ONLY: Final = (
    ("", "Все"),
    ("flagged", "С пометкой: разговоры без результата"),
    ("several", "Надо выбрать запись на приём"),
)


def _doctors(user: User) -> Any:
    return Doctor.objects.filter(clinics__staff=user).distinct()


def _callers(user: User) -> Any:
    return User.objects.with_role(*CAN_CALL_PATIENTS).filter(clinics__staff=user).distinct()


class FilterForm(forms.Form):
    """The address of the journal's page; what makes no sense in it is left out."""

    tab = forms.ChoiceField(choices=list(TABS.items()), required=False, widget=forms.HiddenInput)
    q = forms.CharField(
        label="Пациент",
        required=False,
        max_length=60,
        widget=forms.TextInput({"placeholder": "ФИО или телефон"}),
    )
    clinic = forms.ModelChoiceField(
        Clinic.objects.none(), label="Клиника", required=False, empty_label="Все клиники"
    )
    doctor = forms.ModelChoiceField(
        Doctor.objects.none(), label="Врач", required=False, empty_label="Все врачи"
    )
    since = DayField(label="С", required=False)
    until = DayField(label="По", required=False)
    reason = forms.ModelChoiceField(
        Reason.objects.all(), label="Причина", required=False, empty_label="Все причины"
    )
    caller = forms.ModelChoiceField(
        User.objects.none(), label="Кто звонил", required=False, empty_label="Кто угодно"
    )
    only = forms.ChoiceField(choices=ONLY, label="Показать", required=False)
    sort = forms.ChoiceField(
        choices=[("", "Обычный порядок"), *((key, sort.label) for key, sort in SORTS.items())],
        label="Порядок",
        required=False,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        _choices(self, "clinic", Clinic.objects.filter(staff=user))
        _choices(self, "doctor", _doctors(user))
        _choices(self, "caller", _callers(user))

    def filters(self, default_tab: str) -> Filters:
        self.is_valid()
        data = self.cleaned_data
        text = data.get("q") or ""
        return Filters(
            tab=data.get("tab") or default_tab,
            clinic=data.get("clinic"),
            doctor=data.get("doctor"),
            since=data.get("since"),
            until=data.get("until"),
            reason=data.get("reason"),
            caller=data.get("caller"),
            patients=patients_that_fit(text) if text else None,
            only=data.get("only") or "",
            sort=data.get("sort") or "",
            after=self.data.get("after", ""),
            before=self.data.get("before", ""),
        )

    @property
    def is_narrowed(self) -> bool:
        return any(
            self.cleaned_data.get(name) for name in self.fields if name not in ("tab", "sort")
        )


def _choices(form: forms.Form, name: str, queryset: Any) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 (for the type checker)
    field.queryset = queryset


class EntryForm(forms.ModelForm[RecallEntry]):
    """An entry by hand. The doctor's comment is required: it is what the administrator will say."""

    # The state that the form was filled in on: a change made meanwhile (a call that moved the date)
    # is not undone.
    version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = RecallEntry
        fields = ("clinic", "doctor", "doctor_comment", "call_on")
        field_classes = {"call_on": DayField}
        widgets = {"doctor_comment": forms.Textarea({"rows": 3})}
        help_texts = {
            "doctor_comment": "что предложить: продолжить лечение или проверить сделанную работу"
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if self.instance.pk:
            del self.fields["clinic"], self.fields["doctor"]
            self.initial["version"] = self.instance.version
            return
        del self.fields["version"]
        clinics = Clinic.objects.filter(staff=user)
        _choices(self, "clinic", clinics)  # type: ignore[arg-type]
        _choices(self, "doctor", _doctors(user))  # type: ignore[arg-type]
        self.initial.setdefault("clinic", clinics.first())
        if hasattr(user, "doctor"):
            self.initial.setdefault("doctor", user.doctor)

    def over(self, entry: RecallEntry) -> "EntryForm":
        """The same form over the entry as it is by now: the typed comment stays, the date is the
        entry's own.
        """
        data = {
            **{name: self.data.get(name) for name in self.fields},
            "version": entry.version,
            "call_on": entry.call_on.isoformat(),
        }
        return EntryForm(data, user=self.user, instance=entry)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        doctor, clinic = data.get("doctor"), data.get("clinic")
        if doctor and clinic and not doctor.clinics.filter(pk=clinic.pk).exists():
            self.add_error("doctor", f"{doctor.short_name} не принимает в клинике «{clinic}».")
        return data

    def validate_constraints(self) -> None:
        """The action answers a second open entry of the doctor in words; see open_entry."""


class CallForm(forms.Form):
    """«Обращение в колл-центр» of a КОС call: beside the fields of every call those that the rows
    of `OUTCOME_RULES` ask for. «Мы звоним» and «КОС» are no fields: the server sets them.
    """

    outcome = forms.CharField(max_length=40)
    refusal_reason = forms.ModelChoiceField(Reason.objects.filter(is_active=True), required=False)
    window = forms.ModelChoiceField(ScheduleWindow.objects.none(), required=False)
    comment = forms.CharField(required=False, max_length=2000)
    version = forms.IntegerField()
    token = forms.UUIDField()

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "window", ScheduleWindow.objects.filter(clinic__staff=user))
        for outcome, rule in OUTCOME_RULES.items():
            if "reason" in rule.asks and not rule.has_button_per_reason:
                self.fields[f"reason_{outcome}"] = forms.ModelChoiceField(
                    Reason.objects.filter(is_active=True), required=False
                )
            if rule.asks_for_date:
                # A day proposed by a button, or (the button «другой день» is empty) one typed into
                # the field beside it.
                self.fields[f"call_on_{outcome}"] = DayField(required=False)
                self.fields[f"call_on_{outcome}_other"] = DayField(required=False)
        self.button_reason: Reason | None = None
        self.chosen = ""

    def clean_outcome(self) -> str:
        """Accept 'booked', 'thinking'… or 'unreached:<reason id>', where each reason has its own
        button.
        """
        text: str = self.cleaned_data["outcome"]
        outcome, _colon, pk = text.partition(":")
        if outcome not in OUTCOME_RULES:
            raise forms.ValidationError("Выберите итог звонка.")
        self.chosen = outcome
        if pk.isdecimal():
            self.button_reason = Reason.objects.filter(pk=int(pk), is_active=True).first()
        return text

    def answer(self) -> CallOutcomeInput:
        """Return what was filled in, for the outcome that was chosen."""
        data, outcome = self.cleaned_data, self.chosen
        if not outcome:
            raise ValueError("the form is not valid")
        rule = OUTCOME_RULES[outcome]
        own_reason = data.get(f"reason_{outcome}")
        call_on = data.get(f"call_on_{outcome}") or data.get(f"call_on_{outcome}_other")
        return CallOutcomeInput(
            outcome=outcome,
            comment=data["comment"],
            reason=self.button_reason if rule.has_button_per_reason else own_reason,
            refusal_reason=data.get("refusal_reason") if rule.is_unreached else None,
            window=data.get("window") if "window" in rule.asks else None,
            call_on=call_on,
        )

    def refuse(self, field: str | None, message: str) -> None:
        """Show an action's refusal at the field of the chosen outcome."""
        own = f"{field}_{self.chosen}"
        shown = own if own in self.fields else field
        self.add_error(shown if shown in self.fields else None, message)


class SegmentForm(forms.Form):
    """The senior's choice of entries of a clinic."""

    on = DayField(label="План на")
    doctor = forms.ModelChoiceField(
        Doctor.objects.none(), label="Врач", required=False, empty_label="Все врачи"
    )
    number = forms.TypedChoiceField(
        choices=[
            ("", "Любой звонок"),
            (1, "Первый звонок"),
            (2, "Второй звонок"),
            (3, "Третий и дальше"),
        ],
        coerce=int,
        empty_value=None,
        label="Который звонок",
        required=False,
    )
    since = DayField(label="Дата прозвона с", required=False)
    until = DayField(label="по", required=False)

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        _choices(self, "doctor", Doctor.objects.filter(clinics=clinic))

    def segment(self) -> Segment:
        data = self.cleaned_data
        return Segment(
            clinic=self.clinic,
            on=data["on"],
            doctor=data.get("doctor"),
            number=data.get("number"),
            since=data.get("since"),
            until=data.get("until"),
        )


class GiveForm(forms.Form):
    """To whom, how many, and how they are shared."""

    people = forms.ModelMultipleChoiceField(User.objects.none())
    total = forms.IntegerField(min_value=1, max_value=5000)
    how = forms.ChoiceField(choices=[("evenly", "поровну"), ("capacity", "по загрузке")])

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "people", _callers(user))


class ShareForm(forms.Form):
    """Whose remaining rows go to whom."""

    clinic = forms.ModelChoiceField(Clinic.objects.none())
    on = DayField()
    person = forms.ModelChoiceField(User.objects.all())
    to = forms.ModelMultipleChoiceField(User.objects.none(), required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "clinic", Clinic.objects.filter(staff=user))
        _choices(self, "to", _callers(user))


class ResultsForm(forms.Form):
    """Period and filters of the report."""

    since = DayField(label="С")
    until = DayField(label="По")
    clinic = forms.ModelChoiceField(
        Clinic.objects.none(), label="Клиника", required=False, empty_label="Все клиники"
    )
    doctor = forms.ModelChoiceField(
        Doctor.objects.none(), label="Врач", required=False, empty_label="Все врачи"
    )
    caller = forms.ModelChoiceField(
        User.objects.none(), label="Администратор", required=False, empty_label="Все"
    )
    by = forms.ChoiceField(choices=list(GROUPINGS.items()), label="Строки", required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "clinic", Clinic.objects.filter(staff=user))
        _choices(self, "doctor", _doctors(user))
        _choices(self, "caller", _callers(user))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and since > until:
            self.add_error("until", "Конец периода раньше начала.")
        if since and until and until - since > dt.timedelta(days=366):
            self.add_error("until", "Не больше года за раз.")
        return data

    def period(self) -> ResultsPeriod:
        data = self.cleaned_data
        by: Grouping = data.get("by") or "caller"
        return ResultsPeriod(
            data["since"],
            data["until"],
            data.get("clinic"),
            data.get("doctor"),
            data.get("caller"),
            by,
        )


class PolicyForm(forms.ModelForm[RecallPolicy]):
    class Meta:
        model = RecallPolicy
        fields = ("calls", "interval_days", "talks_before_flag", "hold_minutes")
