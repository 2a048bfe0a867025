"""The table of desks: the menu, the cards of «Мой день», the panels of a patient's card, the settings.

The floor knows no desk, so the places where desks show themselves on the floor's pages are named here by dotted paths.
"""

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string

from callcenter.staff.roles import CALLERS, CARD, EVERYONE, PEOPLE, READERS, SERVICE, SETTERS, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from callcenter.staff.models import User


@dataclass(frozen=True)
class MenuItem:
    label: str
    url_name: str
    icon: str
    roles: tuple[Role, ...]
    group: str = ""  # items of one group share a drop-down
    active: bool = False

    @functools.cached_property
    def url(self) -> str:
        return reverse(self.url_name)


@dataclass(frozen=True)
class MenuGroup:
    """Items under one name, in a drop-down."""

    label: str
    items: tuple[MenuItem, ...]

    @property
    def active(self) -> bool:
        return any(item.active for item in self.items)


MENU: Final[tuple[MenuItem, ...]] = (
    MenuItem("Мой день", "home", "sun", EVERYONE),
    MenuItem("Журнал КОС", "journals:journal", "notebook", (*CALLERS, Role.MANAGER, Role.DOCTOR)),
    MenuItem("Дозвон", "reminders:evening", "phone-outgoing", (*CALLERS, Role.MANAGER)),
    MenuItem("Задачи", "assignments:active", "checklist", EVERYONE),
    MenuItem("Расписание", "clinics:schedule", "calendar", CARD),
    MenuItem("Процедуры", "procedures:home", "list-check", SERVICE),
    MenuItem("Обратный звонок", "callback:board", "phone-incoming", (*CALLERS, Role.MANAGER)),
    MenuItem("История", "reports:history", "history", (*CALLERS, Role.MANAGER)),
    MenuItem("Отчёт по дозвону", "reminders:report", "chart-bar", READERS, group="Управление"),
    MenuItem("Отчёт по процедурам", "procedures:report", "chart-bar", (Role.MANAGER,), group="Управление"),
    MenuItem("Смены", "staff:shifts", "users-group", EVERYONE, group="Управление"),
    MenuItem(
        "Импорт", "imports:list", "file-import", (Role.SENIOR, Role.ADMINISTRATOR, Role.DOCTOR), group="Управление"
    ),
    MenuItem("Сотрудники", "staff:people", "id-badge-2", PEOPLE, group="Управление"),
    MenuItem("Журнал действий", "clinics:audit", "history", READERS, group="Управление"),
    MenuItem("Настройки", "settings", "settings", SETTERS, group="Управление"),
)

# Callables (user, now) -> list[callcenter.home.Card]: what is mine today, with counts that lead to the lists.
DAY_CARDS: Final[tuple[str, ...]] = (
    "callback.panels.day_cards",
    "callcenter.assignments.day.cards",
    "journals.floor.day_cards",
    "reminders.cards.cards",
    "reports.desk.day_cards",
    "b2c_procedures.panels.cards",
)

# Callables (patient, user, now) -> callcenter.home.Panel | None: what a desk knows of a patient, on his card.
PATIENT_PANELS: Final[tuple[str, ...]] = (
    "callback.panels.of_patient",
    "callcenter.assignments.day.panel",
    "journals.floor.patient_panel",
    "reminders.cards.panel",
    "reports.desk.patient_panel",
    "b2c_procedures.panels.panel",
)

# What can be loaded from a file: objects of callcenter.clinics.imports.plans.Kind, in the order of the page.
IMPORTS: Final[tuple[str, ...]] = (
    "callcenter.clinics.imports.patients.PATIENTS",
    "callcenter.clinics.imports.appointments.APPOINTMENTS",
    "callcenter.clinics.imports.windows.WINDOWS",
    "journals.imports.RECALLS",
)

# URL names of settings pages, one a desk: (label, url name, icon).
SETTINGS: Final[tuple[tuple[str, str, str], ...]] = (
    ("Обратный звонок", "callback:settings", "phone-incoming"),
    ("Клиники: часы, дни, основания", "clinics:settings_clinics", "building-hospital"),
    ("Номера клиник", "telephony:lines", "phone"),
    ("Сотрудники", "staff:people", "id-badge-2"),
    ("Смены", "staff:shifts", "users-group"),
    ("Врачи", "clinics:settings_doctors", "stethoscope"),
    ("Услуги", "clinics:settings_services", "list-details"),
    ("Специальности", "clinics:settings_specialties", "category"),
    ("Напоминания о приёме", "reminders:settings", "phone-outgoing"),
    ("Шаблоны сообщений", "messaging:templates", "template"),
    ("Каналы и шлюзы сообщений", "messaging:channels", "send"),
    ("Правило прозвона КОС", "journals:policy", "notebook"),
    ("Темы разговоров", "contacts:topics", "message-2"),
    ("Причины", "contacts:reasons", "list"),
    ("Рекламные каналы", "contacts:channels", "ad-2"),
    ("Правила каналов", "contacts:rules", "route"),
    ("Справочник номеров", "contacts:numbers", "address-book"),
    ("Правила истории обращений", "contacts:policies", "adjustments"),
    ("Ключи источников", "contacts:keys", "key"),
    ("Процедуры B2C", "procedures:settings", "list-check"),
)

# Who decides in a call: telephony.states.Scenario → callable (call, leg, fact).
CALL_SCENARIOS: Final[dict[str, str]] = {
    "click": "callcenter.telephony.scenarios.click",
    "incoming": "callcenter.telephony.scenarios.incoming",
    "callback": "callback.scenario.take",
}

# What desks show beside a call on one's telephone: scenario (or any) → callables (call, user, now) ->
# callcenter.home.Panel | None.
CALL_PANELS: Final[dict[str, tuple[str, ...]]] = {
    "callback": ("callback.panels.of_call",),
    "any": ("b2c_procedures.panels.of_call",),
}


def load(paths: tuple[str, ...]) -> "list[Callable[..., object]]":
    return [import_string(path) for path in paths]


def menu_for(user: object, path: str) -> tuple[MenuItem | MenuGroup, ...]:
    """The items of the user's roles, the one whose page (or a page below it) is open marked active.

    Items of one group stand together under its name, where the first of them stands; a lonely one stands by itself.
    """
    roles = frozenset(getattr(user, "roles", ()) or ())
    fitting = [
        item.url for item in _items(roles) if path == item.url or (item.url != "/" and path.startswith(item.url))
    ]
    return _menu(roles, max(fitting, key=len, default=None))


@functools.cache
def _items(roles: frozenset[str]) -> tuple[MenuItem, ...]:
    return tuple(item for item in MENU if roles & {str(role) for role in item.roles})


@functools.cache
def _menu(roles: frozenset[str], here: str | None) -> tuple[MenuItem | MenuGroup, ...]:
    """Every page shows it: made once for each set of roles and open item."""
    menu: dict[str, MenuItem | MenuGroup] = {}
    for item in (dataclasses.replace(item, active=item.url == here) for item in _items(roles)):
        group = menu.get(item.group) if item.group else None
        if group is None:
            menu[item.group or item.url] = item
        else:
            together = group.items if isinstance(group, MenuGroup) else (group,)
            menu[item.group] = MenuGroup(item.group, (*together, item))
    return tuple(menu.values())


def page(request: HttpRequest) -> dict[str, object]:
    """Context processor: what every page's frame shows; nothing is asked of the database beyond the user."""
    user: User | None = getattr(request, "user", None)
    return {"menu": menu_for(user, request.path) if user is not None else [], "demo": settings.DEMO}
