"""The second row of the menu on the procedures' pages."""

from dataclasses import dataclass

from django import template
from django.template import RequestContext
from django.urls import reverse

from b2c_procedures.roles import CHATTERS, FIGURES, LEADERS, PERFORMERS
from callcenter.staff.models import User
from callcenter.staff.roles import Role

register = template.Library()

_TABS: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("Выполнение", "procedures:home", PERFORMERS),
    ("Чаты", "procedures:chats", CHATTERS),
    ("Схемы", "procedures:diagrams", (*PERFORMERS, Role.MANAGER)),
    ("Журнал заказов", "procedures:orders", PERFORMERS),
    ("Справочники", "procedures:reference_home", PERFORMERS),
    ("Сделанное", "procedures:cases_home", PERFORMERS),
    ("Отчёт", "procedures:report", FIGURES),
    ("Тексты", "procedures:texts", LEADERS),
    ("Редакции", "procedures:editions", LEADERS),
)


@dataclass(frozen=True)
class Tab:
    label: str
    url: str
    active: bool


@register.simple_tag(takes_context=True)
def procedure_tabs(context: RequestContext) -> list[Tab]:
    request = context["request"]
    user = request.user
    if not isinstance(user, User):
        return []
    shown = [(label, reverse(name)) for label, name, roles in _TABS if user.has(*roles)]
    home = reverse("procedures:home")  # all pages lie below it: only it and the runs are its own
    path = home if request.path.startswith(f"{home}runs/") else request.path
    fitting = [url for _, url in shown if path == url or (url != home and path.startswith(url))]
    here = max(fitting, key=len, default="")
    return [Tab(label, url, url == here) for label, url in shown]
