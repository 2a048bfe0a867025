"""Roles, and what each of them can do. Pure: no ORM.

A role is a member of `Role` and a row of `CAPABILITIES`; nothing else in the product lists roles.
"""

from enum import Enum, auto
from typing import Final

from django.db.models import TextChoices


class Role(TextChoices):
    ADMINISTRATOR = "administrator", "администратор"
    SENIOR = "senior", "старший администратор"
    MANAGER = "manager", "управляющий"
    DOCTOR = "doctor", "врач"
    CONSULTANT = "consultant", "врач-консультант"
    LEAD = "lead", "ведущий менеджер"
    HEAD = "head", "руководитель отдела клиентского сервиса"
    AUDITOR = "auditor", "аудитор контроля качества"
    RESPONSIBLE = "responsible", "ответственное лицо"
    BRANCH = "branch", "администратор филиала"


class ShiftColour(TextChoices):
    YELLOW = "yellow", "жёлтая"
    GREEN = "green", "зелёная"
    BLUE = "blue", "синяя"
    RED = "red", "красная"


class Capability(Enum):
    """What a role lets its holders do."""

    # Work with patients on the line.
    CALL_PATIENTS = auto()
    # Use a telephone: procedures put clients through to more roles than call patients.
    USE_PHONE = auto()
    OPEN_PATIENT = auto()
    # Change a clinic's settings and give out its work.
    MANAGE_CLINIC = auto()
    # Open «Настройки»: at least one of its pages is for the role.
    EDIT_SETTINGS = auto()
    # Open «Импорт»; each kind of file names its own roles.
    IMPORT_FILES = auto()
    # Read reports and the audit log.
    READ_REPORTS = auto()
    # Read «История обращений» and listen to recordings.
    READ_CONTACTS = auto()
    READ_CALLBACKS = auto()
    READ_REMINDERS = auto()
    # Read «Журнал КОС»; write: add entries, by hand or from a file.
    READ_JOURNAL = auto()
    WRITE_JOURNAL = auto()
    # See every task of the clinic; others see what they gave, got, or what waits for their role.
    SEE_ALL_TASKS = auto()
    # Close, move and hand over a colleague's task.
    MANAGE_TASKS = auto()
    # Get overdue tasks of a clinic's call centre, or of the client service (docs/adr/0012).
    GET_OVERDUE_CLINIC_TASKS = auto()
    GET_OVERDUE_SERVICE_TASKS = auto()
    # Perform a function of some procedure of the client service.
    RUN_PROCEDURES = auto()
    # Look at diagrams and runs of procedures.
    VIEW_PROCEDURES = auto()
    # Hold chats. Doctors get those transferred to them («Процедуры B2C», 1.5); only managers get
    # new ones.
    HOLD_CHATS = auto()
    # Do or assign a step whose role nobody in the clinic has.
    STAND_IN_FOR_PERFORMERS = auto()
    LEAD_PROCEDURES = auto()
    EDIT_PROCEDURE_REFERENCES = auto()
    PUBLISH_PROCEDURES = auto()
    READ_PROCEDURE_METRICS = auto()
    # Have a row in the grid of shifts.
    WORK_SHIFTS = auto()
    # Be given by a senior; a manager gives any role (docs/adr/0010).
    GIVEN_BY_SENIOR = auto()


_C = Capability
CAPABILITIES: Final[dict[Role, frozenset[Capability]]] = {
    Role.ADMINISTRATOR: frozenset(
        {
            _C.CALL_PATIENTS,
            _C.USE_PHONE,
            _C.OPEN_PATIENT,
            _C.IMPORT_FILES,
            _C.READ_CONTACTS,
            _C.READ_CALLBACKS,
            _C.READ_REMINDERS,
            _C.READ_JOURNAL,
            _C.WRITE_JOURNAL,
            _C.SEE_ALL_TASKS,
            _C.RUN_PROCEDURES,
            _C.VIEW_PROCEDURES,
            _C.HOLD_CHATS,
            _C.WORK_SHIFTS,
            _C.GIVEN_BY_SENIOR,
        }
    ),
    Role.SENIOR: frozenset(
        {
            _C.CALL_PATIENTS,
            _C.USE_PHONE,
            _C.OPEN_PATIENT,
            _C.MANAGE_CLINIC,
            _C.EDIT_SETTINGS,
            _C.IMPORT_FILES,
            _C.READ_REPORTS,
            _C.READ_CONTACTS,
            _C.READ_CALLBACKS,
            _C.READ_REMINDERS,
            _C.READ_JOURNAL,
            _C.WRITE_JOURNAL,
            _C.SEE_ALL_TASKS,
            _C.MANAGE_TASKS,
            _C.GET_OVERDUE_CLINIC_TASKS,
            _C.RUN_PROCEDURES,
            _C.VIEW_PROCEDURES,
            _C.HOLD_CHATS,
            _C.STAND_IN_FOR_PERFORMERS,
            _C.EDIT_PROCEDURE_REFERENCES,
            _C.READ_PROCEDURE_METRICS,
            _C.WORK_SHIFTS,
            _C.GIVEN_BY_SENIOR,
        }
    ),
    Role.MANAGER: frozenset(
        {
            _C.OPEN_PATIENT,
            _C.READ_REPORTS,
            _C.READ_CONTACTS,
            _C.READ_CALLBACKS,
            _C.READ_REMINDERS,
            _C.READ_JOURNAL,
            _C.SEE_ALL_TASKS,
            _C.MANAGE_TASKS,
            _C.GET_OVERDUE_CLINIC_TASKS,
            _C.VIEW_PROCEDURES,
            _C.READ_PROCEDURE_METRICS,
        }
    ),
    Role.DOCTOR: frozenset(
        {
            _C.OPEN_PATIENT,
            _C.IMPORT_FILES,
            _C.READ_JOURNAL,
            _C.WRITE_JOURNAL,
            _C.GIVEN_BY_SENIOR,
        }
    ),
    Role.CONSULTANT: frozenset(
        {
            _C.USE_PHONE,
            _C.OPEN_PATIENT,
            _C.RUN_PROCEDURES,
            _C.VIEW_PROCEDURES,
            _C.HOLD_CHATS,
            _C.WORK_SHIFTS,
            _C.GIVEN_BY_SENIOR,
        }
    ),
    Role.LEAD: frozenset(
        {
            _C.USE_PHONE,
            _C.OPEN_PATIENT,
            _C.EDIT_SETTINGS,
            _C.SEE_ALL_TASKS,
            _C.MANAGE_TASKS,
            _C.GET_OVERDUE_SERVICE_TASKS,
            _C.RUN_PROCEDURES,
            _C.VIEW_PROCEDURES,
            _C.HOLD_CHATS,
            _C.STAND_IN_FOR_PERFORMERS,
            _C.LEAD_PROCEDURES,
            _C.EDIT_PROCEDURE_REFERENCES,
            _C.READ_PROCEDURE_METRICS,
            _C.WORK_SHIFTS,
        }
    ),
    Role.HEAD: frozenset(
        {
            _C.USE_PHONE,
            _C.OPEN_PATIENT,
            _C.EDIT_SETTINGS,
            _C.SEE_ALL_TASKS,
            _C.MANAGE_TASKS,
            _C.GET_OVERDUE_SERVICE_TASKS,
            _C.RUN_PROCEDURES,
            _C.VIEW_PROCEDURES,
            _C.HOLD_CHATS,
            _C.STAND_IN_FOR_PERFORMERS,
            _C.LEAD_PROCEDURES,
            _C.EDIT_PROCEDURE_REFERENCES,
            _C.PUBLISH_PROCEDURES,
            _C.READ_PROCEDURE_METRICS,
        }
    ),
    Role.AUDITOR: frozenset({_C.RUN_PROCEDURES, _C.VIEW_PROCEDURES}),
    Role.RESPONSIBLE: frozenset({_C.RUN_PROCEDURES, _C.VIEW_PROCEDURES, _C.GIVEN_BY_SENIOR}),
    Role.BRANCH: frozenset(
        {
            _C.OPEN_PATIENT,
            _C.SEE_ALL_TASKS,
            _C.RUN_PROCEDURES,
            _C.VIEW_PROCEDURES,
            _C.WORK_SHIFTS,
            _C.GIVEN_BY_SENIOR,
        }
    ),
}


def _holders(capability: Capability) -> tuple[Role, ...]:
    return tuple(role for role in Role if capability in CAPABILITIES[role])


# The roles of each capability, in the order of `Role`: what views and queries ask for.
EVERYONE: Final = tuple(Role)
CAN_CALL_PATIENTS: Final = _holders(Capability.CALL_PATIENTS)
CAN_USE_PHONE: Final = _holders(Capability.USE_PHONE)
CAN_OPEN_PATIENT: Final = _holders(Capability.OPEN_PATIENT)
CAN_MANAGE_CLINIC: Final = _holders(Capability.MANAGE_CLINIC)
CAN_EDIT_SETTINGS: Final = _holders(Capability.EDIT_SETTINGS)
CAN_IMPORT_FILES: Final = _holders(Capability.IMPORT_FILES)
CAN_READ_REPORTS: Final = _holders(Capability.READ_REPORTS)
CAN_READ_CONTACTS: Final = _holders(Capability.READ_CONTACTS)
CAN_READ_CALLBACKS: Final = _holders(Capability.READ_CALLBACKS)
CAN_READ_REMINDERS: Final = _holders(Capability.READ_REMINDERS)
CAN_READ_JOURNAL: Final = _holders(Capability.READ_JOURNAL)
CAN_WRITE_JOURNAL: Final = _holders(Capability.WRITE_JOURNAL)
CAN_SEE_ALL_TASKS: Final = _holders(Capability.SEE_ALL_TASKS)
CAN_MANAGE_TASKS: Final = _holders(Capability.MANAGE_TASKS)
# Ladders, from the first step up: `Role` lists a senior before a manager, a lead before the head.
OVERDUE_CLINIC_LADDER: Final = _holders(Capability.GET_OVERDUE_CLINIC_TASKS)
OVERDUE_SERVICE_LADDER: Final = _holders(Capability.GET_OVERDUE_SERVICE_TASKS)
CAN_RUN_PROCEDURES: Final = _holders(Capability.RUN_PROCEDURES)
CAN_VIEW_PROCEDURES: Final = _holders(Capability.VIEW_PROCEDURES)
CAN_HOLD_CHATS: Final = _holders(Capability.HOLD_CHATS)
CAN_STAND_IN: Final = _holders(Capability.STAND_IN_FOR_PERFORMERS)
CAN_LEAD_PROCEDURES: Final = _holders(Capability.LEAD_PROCEDURES)
CAN_EDIT_REFERENCES: Final = _holders(Capability.EDIT_PROCEDURE_REFERENCES)
CAN_PUBLISH_PROCEDURES: Final = _holders(Capability.PUBLISH_PROCEDURES)
CAN_READ_METRICS: Final = _holders(Capability.READ_PROCEDURE_METRICS)
CAN_WORK_SHIFTS: Final = _holders(Capability.WORK_SHIFTS)

# Holders of the key may give and take the roles of its value, and no others (docs/adr/0010).
GRANTS: Final[dict[Role, tuple[Role, ...]]] = {
    Role.SENIOR: _holders(Capability.GIVEN_BY_SENIOR),
    Role.MANAGER: EVERYONE,
}
# Who keeps the accounts and the shifts.
CAN_MANAGE_STAFF: Final = tuple(GRANTS)


def grantable(roles: list[str]) -> tuple[Role, ...]:
    """Return the roles that a holder of `roles` may give, in the order of `Role`."""
    may = {role for holder, given in GRANTS.items() if holder in roles for role in given}
    return tuple(role for role in Role if role in may)
