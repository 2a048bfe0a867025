"""The procedures' pages: the second row of their menu, and what a chat's button writes of a study."""

from dataclasses import dataclass
from typing import Final

from django import template
from django.template import RequestContext
from django.urls import reverse

from b2c_procedures.models import Study
from callcenter.lib.templatetags.formatting import plural, rub
from callcenter.staff.models import User
from callcenter.staff.roles import (
    CAN_HOLD_CHATS,
    CAN_LEAD_PROCEDURES,
    CAN_READ_METRICS,
    CAN_RUN_PROCEDURES,
    CAN_VIEW_PROCEDURES,
    Role,
)

register = template.Library()

_TABS: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("Выполнение", "b2c_procedures:home", CAN_RUN_PROCEDURES),
    ("Чаты", "b2c_procedures:chats", CAN_HOLD_CHATS),
    ("Схемы", "b2c_procedures:diagrams", CAN_VIEW_PROCEDURES),
    ("Журнал заказов", "b2c_procedures:orders", CAN_RUN_PROCEDURES),
    ("Справочники", "b2c_procedures:reference_home", CAN_RUN_PROCEDURES),
    ("Сделанное", "b2c_procedures:cases_home", CAN_RUN_PROCEDURES),
    ("Отчёт", "b2c_procedures:report", CAN_READ_METRICS),
    ("Тексты", "b2c_procedures:texts", CAN_LEAD_PROCEDURES),
    ("Редакции", "b2c_procedures:versions", CAN_LEAD_PROCEDURES),
)


# Pages that belong to a tab whose address they do not begin with.
_INSIDE: Final = {
    "runs/": "b2c_procedures:home",
    "functions/": "b2c_procedures:diagrams",
    "settings/": "b2c_procedures:versions",
    "failure/": "b2c_procedures:chats",
}


@dataclass(frozen=True)
class Tab:
    """One tab as the user sees it."""

    label: str
    url: str
    active: bool


@register.simple_tag(takes_context=True)
def procedure_tabs(context: RequestContext) -> list[Tab]:
    """The tabs of the user's roles, the one he is in marked."""
    request = context["request"]
    user = request.user
    if not isinstance(user, User):
        return []
    shown = [(label, reverse(name)) for label, name, roles in _TABS if user.has(*roles)]
    home, path = (
        reverse("b2c_procedures:home"),
        request.path,
    )  # all pages lie below it: only it and the runs are its own
    for folder, tab in _INSIDE.items():
        if path.startswith(home + folder):
            path = reverse(tab)
    fitting = [url for _, url in shown if path == url or (url != home and path.startswith(url))]
    here = max(fitting, key=len, default="")
    return [Tab(label, url, url == here) for label, url in shown]


@register.filter
def study_answer(study: Study) -> str:
    """What a study is, how long it takes and costs: text for the answer in a chat."""
    term = plural(study.term_days, "рабочий день,рабочих дня,рабочих дней")
    return (
        f"{study.name}. {study.description} Срок исполнения: {term}. Стоимость: {rub(study.price)}."
        f" Подробнее: {study.link}"
    )
