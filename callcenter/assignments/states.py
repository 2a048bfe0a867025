"""States of tasks and the departments they go to. Pure."""

from typing import Final

from django.db.models import TextChoices


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
