"""States of tasks and the departments they go to. Pure."""

from typing import Final

from django.db.models import TextChoices

from callcenter.staff.roles import OVERDUE_CLINIC_LADDER, OVERDUE_SERVICE_LADDER, Role


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


# The roles that get an overdue task, step by step (docs/adr/0012): in a clinic's call centre the
# senior, then the manager; in the departments of the client service the lead manager, then the
# head. Source: «Процедуры B2C», «Роли в процессах».
LADDERS: Final[dict[Department, tuple[Role, ...]]] = {
    Department.CALL_CENTRE: OVERDUE_CLINIC_LADDER,
    Department.BRANCH: OVERDUE_CLINIC_LADDER,
    Department.OKS: OVERDUE_SERVICE_LADDER,
    Department.CONSULTANT: OVERDUE_SERVICE_LADDER,
    Department.SAMPLE_PREPARATION: OVERDUE_SERVICE_LADDER,
    Department.ORDERS: OVERDUE_SERVICE_LADDER,
    Department.LOGISTICS: OVERDUE_SERVICE_LADDER,
    Department.HELP_DESK: OVERDUE_SERVICE_LADDER,
}


def escalated_to(department: str, escalated: int) -> tuple[Role, ...]:
    """The roles to whom a task has gone up after `escalated` steps of its department's ladder."""
    return LADDERS[Department(department)][:escalated]
