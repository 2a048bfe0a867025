"""What every app contributes to the shared pages: the menu, «Мой день», panels, imports, call
scenarios, settings.

The only place that knows all apps. Apps below never import it: they read what
`register_contributions` gave them at start.
"""

import datetime as dt
from collections.abc import Callable
from typing import Final

import b2c_procedures.panels
import callback.panels
import callback.scenario
import callcenter.assignments.panels
import journals.imports
import journals.panels
import reminders.panels
import reports.panels
from callcenter.clinics.panels import PatientPanel, register_patient_panels
from callcenter.imports.appointments import APPOINTMENTS
from callcenter.imports.jobs import ImportKind
from callcenter.imports.kinds import register_import_kinds
from callcenter.imports.patients import PATIENTS
from callcenter.imports.windows import WINDOWS
from callcenter.lib.api import register_schemas
from callcenter.lib.contributions import Card, MenuItem, SettingsPage
from callcenter.staff.models import User
from callcenter.staff.roles import (
    CAN_EDIT_SETTINGS,
    CAN_IMPORT_FILES,
    CAN_MANAGE_STAFF,
    CAN_OPEN_PATIENT,
    CAN_READ_CALLBACKS,
    CAN_READ_CONTACTS,
    CAN_READ_JOURNAL,
    CAN_READ_METRICS,
    CAN_READ_REMINDERS,
    CAN_READ_REPORTS,
    CAN_RUN_PROCEDURES,
    EVERYONE,
)
from callcenter.telephony import scenarios
from callcenter.telephony.actions.event_handlers import Handler, register_call_handlers
from callcenter.telephony.panels import CallPanel, register_call_panels
from callcenter.telephony.states import Scenario
from callcenter.workbench.openapi import SCHEMAS

DayCards = Callable[[User, dt.datetime], list[Card]]

MENU: Final[tuple[MenuItem, ...]] = (
    MenuItem("Мой день", "home", "sun", EVERYONE),
    MenuItem(
        "Журнал КОС",
        "journals:journal",
        "notebook",
        CAN_READ_JOURNAL,
    ),
    MenuItem("Дозвон", "reminders:evening", "phone-outgoing", CAN_READ_REMINDERS),
    MenuItem("Задачи", "assignments:active", "checklist", EVERYONE),
    MenuItem("Расписание", "clinics:schedule", "calendar", CAN_OPEN_PATIENT),
    MenuItem("Процедуры", "b2c_procedures:home", "list-check", CAN_RUN_PROCEDURES),
    MenuItem("Обратный звонок", "callback:board", "phone-incoming", CAN_READ_CALLBACKS),
    MenuItem("История", "reports:history", "history", CAN_READ_CONTACTS),
    MenuItem(
        "Отчёт по дозвону", "reminders:report", "chart-bar", CAN_READ_REPORTS, group="Управление"
    ),
    MenuItem(
        "Отчёт по процедурам",
        "b2c_procedures:report",
        "chart-bar",
        # Those who run procedures find the report among the tabs of «Процедуры».
        tuple(role for role in CAN_READ_METRICS if role not in CAN_RUN_PROCEDURES),
        group="Управление",
    ),
    MenuItem("Смены", "staff:shifts", "users-group", EVERYONE, group="Управление"),
    MenuItem(
        "Импорт",
        "imports:list",
        "file-import",
        CAN_IMPORT_FILES,
        group="Управление",
    ),
    MenuItem("Сотрудники", "staff:people", "id-badge-2", CAN_MANAGE_STAFF, group="Управление"),
    MenuItem("Журнал действий", "audit:entries", "history", CAN_READ_REPORTS, group="Управление"),
    MenuItem("Настройки", "settings", "settings", CAN_EDIT_SETTINGS, group="Управление"),
)

# What is left for the user today, with counts that lead to the lists.
DAY_CARDS: Final[tuple[DayCards, ...]] = (
    callback.panels.day_cards,
    callcenter.assignments.panels.day_cards,
    journals.panels.day_cards,
    reminders.panels.day_cards,
    reports.panels.day_cards,
    b2c_procedures.panels.day_cards,
)

# What an app knows of a patient, on the patient's card.
PATIENT_PANELS: Final[tuple[PatientPanel, ...]] = (
    callback.panels.patient_panel,
    callcenter.assignments.panels.patient_panel,
    journals.panels.patient_panel,
    reminders.panels.patient_panel,
    reports.panels.patient_panel,
    b2c_procedures.panels.patient_panel,
)

# What can be loaded from a file, in the order of the page.
IMPORT_KINDS: Final[tuple[ImportKind, ...]] = (
    PATIENTS,
    APPOINTMENTS,
    WINDOWS,
    journals.imports.RECALLS,
)

# One page a feature or a dictionary, in the order of «Настройки».
SETTINGS_PAGES: Final[tuple[SettingsPage, ...]] = (
    SettingsPage("Обратный звонок", "callback:settings", "phone-incoming"),
    SettingsPage("Клиники: часы, дни, основания", "clinics:settings_clinics", "building-hospital"),
    SettingsPage("Номера клиник", "telephony:lines", "phone"),
    SettingsPage("Сотрудники", "staff:people", "id-badge-2"),
    SettingsPage("Смены", "staff:shifts", "users-group"),
    SettingsPage("Врачи", "clinics:settings_doctors", "stethoscope"),
    SettingsPage("Услуги", "clinics:settings_services", "list-details"),
    SettingsPage("Специальности", "clinics:settings_specialties", "category"),
    SettingsPage("Напоминания о приёме", "reminders:settings", "phone-outgoing"),
    SettingsPage("Шаблоны сообщений", "messaging:templates", "template"),
    SettingsPage("Каналы и шлюзы сообщений", "messaging:channels", "send"),
    SettingsPage("Правило прозвона КОС", "journals:policy", "notebook"),
    SettingsPage("Темы разговоров", "contacts:topics", "message-2"),
    SettingsPage("Причины", "contacts:reasons", "list"),
    SettingsPage("Рекламные каналы", "contacts:channels", "ad-2"),
    SettingsPage("Правила каналов", "contacts:rules", "route"),
    SettingsPage("Справочник номеров", "contacts:numbers", "address-book"),
    SettingsPage("Правила истории обращений", "contacts:policies", "adjustments"),
    SettingsPage("Ключи источников", "contacts:keys", "key"),
    SettingsPage("Процедуры B2C", "b2c_procedures:settings", "list-check"),
)

# Who decides in a call of each scenario.
CALL_HANDLERS: Final[dict[Scenario, Handler]] = {
    Scenario.CLICK: scenarios.click,
    Scenario.INCOMING: scenarios.incoming,
    Scenario.CALLBACK: callback.scenario.take,
}

# What an app shows beside a call: of one scenario only, or (None) of every call.
CALL_PANELS: Final[tuple[tuple[Scenario | None, CallPanel], ...]] = (
    (Scenario.CALLBACK, callback.panels.call_panel),
    (None, b2c_procedures.panels.call_panel),
)


def register_contributions() -> None:
    """Hand the apps below what those above contribute. Called once, when Django starts."""
    register_patient_panels(PATIENT_PANELS)
    register_import_kinds(IMPORT_KINDS)
    register_call_handlers(CALL_HANDLERS)
    register_call_panels(CALL_PANELS)
    register_schemas(SCHEMAS)
