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
from journals.outcome_rules import CallOutcome
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
    """«Обращение в колл-центр» of a КОС call. «Мы звоним» and «КОС» are no fields: the server sets
    them.
    """

    outcome = forms.CharField(max_length=30)
    reason_thinking = forms.ModelChoiceField(Reason.objects.filter(is_active=True), required=False)
    reason_refused = forms.ModelChoiceField(Reason.objects.filter(is_active=True), required=False)
    refusal_reason = forms.ModelChoiceField(Reason.objects.filter(is_active=True), required=False)
    window = forms.ModelChoiceField(ScheduleWindow.objects.none(), required=False)
    # A day proposed by a button, or (the button «другой день» is empty) one typed into the field
    # beside it.
    call_on = DayField(required=False)
    call_on_other = DayField(required=False)
    remind_on = DayField(required=False)
    remind_on_other = DayField(required=False)
    comment = forms.CharField(required=False, max_length=2000)
    version = forms.IntegerField()
    token = forms.UUIDField()

    # The action names its own fields; two of them stand twice on the screen.
    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "window", ScheduleWindow.objects.filter(clinic__staff=user))
        self.unreached_reason: Reason | None = None
        self.kind: CallOutcome | None = None

    def clean_outcome(self) -> str:
        """'booked', 'thinking'… or 'unreached:<reason id>': each way of not reaching has its own
        button.
        """
        text: str = self.cleaned_data["outcome"]
        word, _colon, pk = text.partition(":")
        if word not in CallOutcome.values:
            raise forms.ValidationError("Выберите итог звонка.")
        self.kind = CallOutcome(word)
        if pk.isdecimal():
            self.unreached_reason = Reason.objects.filter(pk=int(pk), is_active=True).first()
        return text

    def answer(self) -> CallOutcomeInput:
        """What was filled in, for the outcome that was chosen."""
        data = self.cleaned_data
        kind = self.kind
        if kind is None:
            raise ValueError("the form is not valid")
        reasons = {
            CallOutcome.UNREACHED: self.unreached_reason,
            CallOutcome.THINKING: data.get("reason_thinking"),
            CallOutcome.REFUSED: data.get("reason_refused"),
        }
        return CallOutcomeInput(
            outcome=kind,
            comment=data["comment"],
            reason=reasons.get(kind),
            refusal_reason=data.get("refusal_reason") if kind is CallOutcome.UNREACHED else None,
            window=data.get("window") if kind is CallOutcome.BOOKED else None,
            call_on=self._day("remind_on" if kind is CallOutcome.REMIND else "call_on"),
        )

    def _day(self, name: str) -> dt.date | None:
        day: dt.date | None = self.cleaned_data.get(name) or self.cleaned_data.get(f"{name}_other")
        return day

    def refuse(self, field: str | None, message: str) -> None:
        """Puts an action's refusal where the person sees it."""
        if field == "reason":
            field = "reason_thinking" if self.kind is CallOutcome.THINKING else "reason_refused"
        if field == "call_on" and self.kind is CallOutcome.REMIND:
            field = "remind_on"
        self.add_error(field if field in self.fields else None, message)


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
