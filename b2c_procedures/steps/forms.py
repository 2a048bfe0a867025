"""The form of a step: the fields its action names, filled in with what the run knows already."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet

from b2c_procedures.definition import Function
from b2c_procedures.models import Branch, CourierCity, Order, ProcedureSettings, Run, Study
from b2c_procedures.queries.side_panels import narrowed
from b2c_procedures.states import ACTS_AS, Performer, Sender
from b2c_procedures.steps.calls import department_reply
from b2c_procedures.steps.messages import draft
from b2c_procedures.steps.registry import STEP_ACTIONS
from callcenter.clinics.models import Doctor, ScheduleWindow
from callcenter.clinics.queries import free_windows
from callcenter.lib.forms import DayField, MomentField
from callcenter.lib.localtime import local
from callcenter.lib.templatetags.formatting import weekday
from callcenter.staff.models import User

_WINDOW_DAYS = 30
_WINDOWS_SHOWN = 120


class WindowChoice(forms.ModelChoiceField[ScheduleWindow]):
    """Free windows of the schedule by days, in the clinic's own time; any of them is taken, `shown`
    are offered.
    """

    def __init__(
        self, windows: QuerySet[ScheduleWindow], shown: Sequence[ScheduleWindow], **kwargs: Any
    ) -> None:
        super().__init__(windows, **kwargs)
        days: dict[str, list[tuple[int, str]]] = {}
        for window in shown:
            start = local(window.starts_at, window.clinic.zone)
            day = f"{start:%d.%m.%Y}, {weekday(start)}"
            words = (
                f"{start:%H:%M} · {window.doctor.short_name} · {window.doctor.specialty} · {day}"
            )
            days.setdefault(day, []).append((window.pk, words))
        self.choices = [("", "— выберите время —"), *days.items()]


class StudiesChoice(forms.ModelMultipleChoiceField[Study]):
    def label_from_instance(self, obj: Study) -> str:
        return f"{obj.code} {obj.name} · {obj.price:.0f} ₽ · {obj.term_days} раб. дн."


class OrderChoice(forms.ModelChoiceField[Order]):
    def label_from_instance(self, obj: Order) -> str:
        names = ", ".join(line.study.name for line in obj.lines.all())
        return f"{obj.number} · {obj.get_status_display()} · {names or 'возврат биоматериала'} · {obj.created_at:%d.%m.%Y}"


class StepForm(forms.Form):
    """Every field is optional here: which of them an outcome needs, its action says (Refused names
    the field).
    """

    def __init__(
        self,
        *args: Any,
        run: Run,
        function: Function,
        now: dt.datetime,
        user: User,
        panel_search: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        action = STEP_ACTIONS.get(function.action)
        for name in action.fields if action else ():
            if name == "window":  # narrowed by the words looked for beside the step
                field = _window(run, function, now, user, panel_search)
            else:
                field = _field(name, run=run, function=function, now=now, user=user)
            field.required = False
            self.fields[name] = field


def _field(name: str, *, run: Run, function: Function, now: dt.datetime, user: User) -> forms.Field:
    make = _FIELD_BUILDERS.get(name)
    if make is not None:
        made: forms.Field = make(run, function, now, user)
        return made
    label, rows = (
        _TEXTS[(function.action, name)] if (function.action, name) in _TEXTS else _TEXTS[("", name)]
    )
    widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
    known = department_reply(run) if function.action == "department_answer" else _known(name, run)
    return forms.CharField(label=label, widget=widget, initial=known, max_length=2000)


# (action, field) → label and rows of the text area; '' = any action, 0 rows = one line
_TEXTS: Mapping[tuple[str, str], tuple[str, int]] = {
    ("", "question"): ("Что передать", 2),
    ("ask_consultant", "question"): ("Вопрос клиента к врачу", 3),
    ("", "answer"): ("Что ответили", 2),
    ("department_answer", "answer"): ("Ответ отдела: из задачи, или впишите, что сказали", 2),
    ("", "comment"): ("Комментарий", 2),
    ("order_comment", "comment"): ("Комментарий в заказ о возврате", 2),
    ("", "address"): ("Адрес", 0),
    ("send", "address"): ("Куда: номер или адрес", 0),
    ("letter", "address"): ("E-mail для письма", 0),
    ("", "sender_name"): ("ФИО отправителя", 0),
    ("", "documents"): ("Какие документы получены или ждём", 2),
    ("", "number"): ("Номер счёта", 0),
    ("", "ground"): ("На что жалуется клиент", 3),
    ("", "taxpayer"): ("ФИО налогоплательщика", 0),
    ("", "inn"): ("ИНН налогоплательщика, 12 цифр", 0),
    ("", "years"): ("За какие годы", 0),
}


def _known(name: str, run: Run) -> str:
    if name in {"taxpayer", "sender_name"} and run.patient is not None:
        return run.patient.full_name
    return str(run.facts.get("address", "")) if name == "address" else ""


def _window(
    run: Run,
    function: Function,  # noqa: ARG001
    now: dt.datetime,
    user: User,  # noqa: ARG001
    text: str = "",
) -> forms.Field:
    windows = free_windows(
        now=now, clinics=[run.clinic], since=now, until=now + dt.timedelta(days=_WINDOW_DAYS)
    )
    shown = list(narrowed(windows, text)[:_WINDOWS_SHOWN])
    hint = (
        f"первые {_WINDOWS_SHOWN}; врача или специальность ищите в «Ближайшее свободное время»"
        if len(shown) == _WINDOWS_SHOWN
        else ""
    )
    return WindowChoice(windows, shown, label="Время в расписании", help_text=hint)


def _colleague(run: Run, function: Function, now: dt.datetime, user: User) -> forms.Field:  # noqa: ARG001
    roles = ACTS_AS[Performer(function.options["to"])]
    people = User.objects.with_role(*roles).filter(clinics=run.clinic).exclude(pk=user.pk)
    return forms.ModelChoiceField(
        people,
        label="Кому переключить",
        empty_label=f"любому: {Performer(function.options['to']).label}",
    )


def _orders(run: Run, function: Function, now: dt.datetime, user: User) -> forms.Field:  # noqa: ARG001
    orders = Order.objects.visible_to(user).prefetch_related("lines__study")
    orders = (
        orders.filter(patient=run.patient)
        if run.patient_id
        else orders.order_by("-created_at")[:50]
    )
    return OrderChoice(
        orders, label="Заказ", empty_label="— выберите заказ —", initial=run.order_id
    )


def _text(run: Run, function: Function, now: dt.datetime, user: User) -> forms.Field:  # noqa: ARG001
    number = run.order.number if run.order else ""
    initial = draft(function.options["what"], ProcedureSettings.present(), run.facts, number)
    return forms.CharField(
        label="Текст", widget=forms.Textarea(attrs={"rows": 3}), initial=initial, max_length=2000
    )


def _channel(run: Run, function: Function, now: dt.datetime, user: User) -> forms.Field:  # noqa: ARG001
    email = bool(run.patient and run.patient.email)
    by_sms = function.options["what"] == "chat_link" or not email
    return forms.ChoiceField(
        label="Как отправить",
        choices=[("sms", "СМС или мессенджер"), ("email", "эл. почта")],
        initial="sms" if by_sms else "email",
    )


def _cities(run: Run, function: Function, now: dt.datetime, user: User) -> forms.Field:  # noqa: ARG001
    known = list(CourierCity.objects.filter(is_active=True).values_list("city", flat=True))
    return forms.CharField(
        label="Город отправки",
        initial=run.facts.get("city", ""),
        max_length=80,
        help_text="Курьер работает: " + ", ".join(known) if known else "",
    )


_FIELD_BUILDERS: Mapping[str, Any] = {
    "colleague": _colleague,
    "order": _orders,
    "text": _text,
    "channel": _channel,
    "city": _cities,
    "studies": lambda *_: StudiesChoice(
        Study.objects.filter(is_active=True),
        label="Исследования",
        widget=forms.SelectMultiple(attrs={"size": 6, "data-filtered": ""}),
    ),
    "doctor": lambda run, *_: forms.ModelChoiceField(
        Doctor.objects.filter(clinics=run.clinic, is_active=True),
        label="К какому врачу",
        empty_label="к любому",
    ),
    "call_on": lambda run, _function, now, _user: DayField(
        label="Когда позвонить", initial=(local(now, run.clinic.zone) + dt.timedelta(days=7)).date()
    ),
    "call_at": lambda run, *_: LocalDateTime(
        label="Когда перезвонить (время клиники)", zone=run.clinic.zone
    ),
    "email": lambda run, *_: forms.EmailField(
        label="E-mail", initial=run.patient.email if run.patient else ""
    ),
    "on": lambda run, *_: DayField(label="Дата", initial=run.facts.get("on", "")),
    "sender": lambda *_: forms.ChoiceField(
        label="Отправитель", choices=Sender.choices, initial=Sender.PERSON
    ),
    "amount": lambda *_: forms.DecimalField(
        label="Сумма, ₽ (пусто — по заказу)", min_value=0, decimal_places=2
    ),
    "pay_by": lambda *_: DayField(label="Выплатить до"),
    "way": lambda *_: forms.ChoiceField(
        label="Как клиент направит претензию",
        choices=lambda: (
            [("", "не сказал")]
            + [
                (line.strip(), line.strip())
                for line in ProcedureSettings.present().claim_ways.splitlines()
                if line.strip()
            ]
        ),
    ),
    "branch": lambda *_: forms.ModelChoiceField(
        Branch.objects.filter(is_active=True), label="Где выдать"
    ),
    "send_now": lambda *_: forms.BooleanField(label="Отправить письмо сейчас"),
}


class LocalDateTime(MomentField):
    """A wall-clock time of the clinic's zone."""

    def __init__(self, *, zone: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zone = zone

    def clean(self, value: Any) -> dt.datetime | None:
        cleaned = super().clean(value)
        return cleaned.replace(tzinfo=ZoneInfo(self.zone)).astimezone(dt.UTC) if cleaned else None
