"""Forms of tasks. Times are typed on the wall clock of the task's clinic."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from callcenter.assignments.queries import KINDS, WHEN, TaskFilter, colleagues_for, tabs_of
from callcenter.assignments.states import Department
from callcenter.clinics.models import Appointment, Clinic
from callcenter.lib.forms import DateTimeInput, DayField, MomentField
from callcenter.lib.query_params import number
from callcenter.staff.models import User
from callcenter.staff.roles import Role

_LINES = forms.Textarea(attrs={"rows": 3})
_WHEN = DateTimeInput(attrs={"step": 300})


def wall_clock(typed: dt.datetime, zone: str) -> dt.datetime:
    """The instant of a time typed without a zone (Django has read it as UTC)."""
    return typed.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


class AddresseeForm(forms.Form):
    """`to` names one addressee: 'user:15' or 'role:senior'."""

    to = forms.ChoiceField(label="Кому")

    def __init__(self, *args: Any, by: User, clinic: Clinic | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {
            f"user:{person.pk}": person
            for person in colleagues_for(by, clinic).order_by("full_name")
        }
        people = [
            (key, f"{person.full_name}{' (я)' if person == by else ''}")
            for key, person in self.people.items()
        ]
        roles = [(f"role:{value}", label) for value, label in Role.choices]
        field = self.fields["to"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (for the type checker)
        field.choices = [("", "Выберите"), ("Сотруднику", people), ("Тому, кто свободен", roles)]

    def addressee(self) -> dict[str, Any]:
        """The keyword arguments of the actions: who, or which role."""
        to: str = self.cleaned_data["to"]
        if to in self.people:
            return {"assignee": self.people[to]}
        return {"role": to.removeprefix("role:")}


class TaskForm(AddresseeForm):
    title = forms.CharField(label="Что сделать", max_length=200)
    clinic: "forms.ModelChoiceField[Clinic]" = forms.ModelChoiceField(
        label="Клиника", queryset=None
    )
    department = forms.ChoiceField(
        label="Отдел", choices=Department.choices, initial=Department.CALL_CENTRE
    )
    deadline_at = MomentField(label="Срок", widget=_WHEN, help_text="По часам клиники.")
    body = forms.CharField(label="Подробности", required=False, widget=_LINES)

    field_order = ("title", "to", "clinic", "deadline_at", "department", "body")

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, by=by, **kwargs)
        field = self.fields["clinic"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 (for the type checker)
        field.queryset = Clinic.objects.visible_to(by).order_by("name")
        field.empty_label = None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        clinic, person = data.get("clinic"), self.people.get(data.get("to", ""))
        if data.get("deadline_at") and clinic:
            data["deadline_at"] = wall_clock(data["deadline_at"], clinic.zone)
        if clinic and person and not person.works_in(clinic.pk):
            self.add_error(
                "to",
                f"{person.full_name} не работает в клинике «{clinic}». Выберите другого или роль.",
            )
        return data


class TaskHandOverForm(AddresseeForm):
    department = forms.ChoiceField(
        label="Отдел", choices=[("", "Оставить прежний"), *Department.choices], required=False
    )
    text = forms.CharField(label="Что передать словами", required=False, widget=_LINES)


class CloseTaskForm(forms.Form):
    outcome = forms.CharField(label="Чем закончилось", widget=_LINES)
    cancelled = forms.BooleanField(label="Делать не нужно — снять", required=False)


class MoveTaskForm(forms.Form):
    deadline_at = MomentField(label="Новый срок", widget=_WHEN, help_text="По часам клиники.")
    reason = forms.CharField(label="Почему", max_length=200, required=False)

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def clean_deadline_at(self) -> dt.datetime:
        return wall_clock(self.cleaned_data["deadline_at"], self.zone)


class CloseWaitingForm(forms.Form):
    appointment: "forms.ModelChoiceField[Appointment]" = forms.ModelChoiceField(
        label="Записан на приём", queryset=None, required=False, empty_label="Не записан"
    )
    reason = forms.CharField(label="Чем закончилось", required=False, widget=_LINES)

    def __init__(self, *args: Any, visits: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["appointment"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 (for the type checker)
        field.queryset = visits
        field.label_from_instance = _visit  # type: ignore[method-assign, assignment]


def _visit(visit: Any) -> str:
    return f"{visit.local_start:%d.%m.%Y %H:%M}, {visit.doctor.short_name}"


class MoveWaitingForm(forms.Form):
    call_on = DayField(label="Позвонить")


def read_filter(params: Any, user: User, clinic_ids: set[int]) -> TaskFilter:
    """The list's state as its address says it; what is unknown falls back to the default."""

    def one_of(name: str, known: Any, default: str = "") -> str:
        value = str(params.get(name, default))
        return value if value in known else default

    clinic_id = number(params.get("clinic"))
    return TaskFilter(
        whose=one_of("whose", tabs_of(user), "mine"),
        when=one_of("when", WHEN),
        kind=one_of("kind", KINDS),
        clinic_id=clinic_id if clinic_id in clinic_ids else None,
        department=one_of("department", Department.values),
        owner_id=number(params.get("owner")),
        sort=one_of("sort", ("date", "owner"), "date"),
    )
