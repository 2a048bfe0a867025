"""The roles of the field and the named sets of them that pages ask for. Pure: no ORM."""

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


# Who works with patients on the line.
CAN_CALL_PATIENTS: Final = (Role.ADMINISTRATOR, Role.SENIOR)
# Who sits at a telephone: also those to whom procedures put a client through, and who call him
# back.
CAN_USE_PHONE: Final = (*CAN_CALL_PATIENTS, Role.CONSULTANT, Role.LEAD, Role.HEAD)
# Who sets the clinics' ways and gives out work.
CAN_MANAGE_CLINIC: Final = (Role.SENIOR,)
# Who reads reports and the journal of deeds.
CAN_READ_REPORTS: Final = (Role.SENIOR, Role.MANAGER)
# Who may open a patient's card.
CAN_OPEN_PATIENT: Final = (
    *CAN_CALL_PATIENTS,
    Role.MANAGER,
    Role.DOCTOR,
    Role.CONSULTANT,
    Role.LEAD,
    Role.HEAD,
    Role.BRANCH,
)
EVERYONE: Final = tuple(Role)
# Who stands in the grid of shifts.
ON_SHIFT: Final = (Role.ADMINISTRATOR, Role.SENIOR, Role.LEAD, Role.CONSULTANT, Role.BRANCH)
# The ladder of docs/adr/0010: whoever holds the key may give and take the roles of its value, and
# no others.
GRANTS: Final[dict[Role, tuple[Role, ...]]] = {
    Role.SENIOR: (
        Role.ADMINISTRATOR,
        Role.SENIOR,
        Role.DOCTOR,
        Role.CONSULTANT,
        Role.RESPONSIBLE,
        Role.BRANCH,
    ),
    Role.MANAGER: EVERYONE,
}
# Who has settings pages of one desk or another.
CAN_EDIT_SETTINGS: Final = (Role.SENIOR, Role.LEAD, Role.HEAD)
# Who keeps the accounts and the shifts.
CAN_MANAGE_STAFF: Final = tuple(GRANTS)


def grantable(roles: list[str]) -> tuple[Role, ...]:
    """The roles that a holder of `roles` may give, in the order of the list of roles."""
    may = {role for holder, given in GRANTS.items() if holder in roles for role in given}
    return tuple(role for role in Role if role in may)


# Everybody who performs a function of some procedure of the client service.
CAN_RUN_PROCEDURES: Final = (
    Role.ADMINISTRATOR,
    Role.SENIOR,
    Role.LEAD,
    Role.HEAD,
    Role.CONSULTANT,
    Role.AUDITOR,
    Role.RESPONSIBLE,
    Role.BRANCH,
)
