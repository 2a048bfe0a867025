"""States of tasks and the departments they go to. Pure."""

from typing import Final

from django.db.models import TextChoices

from callcenter.staff.roles import Role


class TaskState(TextChoices):
    OPEN = "open", "открыта"
    IN_WORK = "in_work", "в работе"
    DONE = "done", "выполнена"
    CANCELLED = "cancelled", "снята"


LIVE: Final = (TaskState.OPEN, TaskState.IN_WORK)


class Department(TextChoices):
    CALL_CENTRE = "call_centre", "Колл-центр"
    OKS = "oks", "Задачи ОКС"
    CONSULTANT = "consultant", "Врач-консультант"
    SAMPLE_PREPARATION = "sample_preparation", "Пробоподготовка"
    ORDERS = "orders", "Журнал заказов"
    BRANCH = "branch", "МО"
    LOGISTICS = "logistics", "Логистика"
    HELP_DESK = "help_desk", "Help Desk"


# Who hears of an overdue task, step by step (docs/adr/0012): in a clinic's call centre the senior
# and then the manager; in the departments of the client service the lead manager and then the head
# (procedures, «Роли в процессах»).
_CLINIC_LADDER: Final = (Role.SENIOR, Role.MANAGER)
_SERVICE_LADDER: Final = (Role.LEAD, Role.HEAD)
LADDERS: Final[dict[Department, tuple[Role, ...]]] = {
    Department.CALL_CENTRE: _CLINIC_LADDER,
    Department.BRANCH: _CLINIC_LADDER,
    Department.OKS: _SERVICE_LADDER,
    Department.CONSULTANT: _SERVICE_LADDER,
    Department.SAMPLE_PREPARATION: _SERVICE_LADDER,
    Department.ORDERS: _SERVICE_LADDER,
    Department.LOGISTICS: _SERVICE_LADDER,
    Department.HELP_DESK: _SERVICE_LADDER,
}
# Who sees every task of his clinics; the others see what they gave, got, or what waits for their
# role.
OVERSEERS: Final = (
    Role.ADMINISTRATOR,
    Role.SENIOR,
    Role.MANAGER,
    Role.LEAD,
    Role.HEAD,
    Role.BRANCH,
)
# Who may close, move and hand over a task that is a colleague's.
LEADERS: Final = (Role.SENIOR, Role.MANAGER, Role.LEAD, Role.HEAD)


def escalated_to(department: str, escalated: int) -> tuple[Role, ...]:
    """The roles to whom a task has gone up after `escalated` steps of its department's ladder."""
    return LADDERS[Department(department)][:escalated]
