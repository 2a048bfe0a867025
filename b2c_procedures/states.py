"""Words of the procedures in the database: states of runs, orders, claims, invoices and chats.
Pure.
"""

from typing import Final

from django.db.models import TextChoices

from callcenter.staff.roles import Role


class Performer(TextChoices):
    """Who performs a function: section 2 of the document, and the two performers its tables name
    besides.
    """

    MANAGER_OKS = "manager_oks", "Менеджер ОКС"
    LEAD_MANAGER_OKS = "lead_manager_oks", "Ведущий менеджер ОКС"
    HEAD_OKS = "head_oks", "Руководитель ОКС"
    CONSULTANT_DOCTOR = "consultant_doctor", "Врач-консультант"
    LJ_AUDITOR = "lj_auditor", "Аудитор контроля качества ведения ЛЖ"
    RESPONSIBLE_PERSON = "responsible_person", "Ответственные лица"
    MO_ADMINISTRATOR = "mo_administrator", "Администратор МО"


# Which role of the product acts as which performer of the document.
ROLE_OF: Final[dict[Performer, Role]] = {
    Performer.MANAGER_OKS: Role.ADMINISTRATOR,
    Performer.LEAD_MANAGER_OKS: Role.LEAD,
    Performer.HEAD_OKS: Role.HEAD,
    Performer.CONSULTANT_DOCTOR: Role.CONSULTANT,
    Performer.LJ_AUDITOR: Role.AUDITOR,
    Performer.RESPONSIBLE_PERSON: Role.RESPONSIBLE,
    Performer.MO_ADMINISTRATOR: Role.BRANCH,
}
# A manager's work may be done by those above him, too; the other performers' work only by
# themselves and the head.
ACTS_AS: Final[dict[Performer, tuple[Role, ...]]] = {
    Performer.MANAGER_OKS: (Role.ADMINISTRATOR, Role.SENIOR, Role.LEAD, Role.HEAD),
    Performer.LEAD_MANAGER_OKS: (Role.LEAD, Role.HEAD),
    Performer.HEAD_OKS: (Role.HEAD,),
    Performer.CONSULTANT_DOCTOR: (Role.CONSULTANT,),
    Performer.LJ_AUDITOR: (Role.AUDITOR,),
    Performer.RESPONSIBLE_PERSON: (Role.RESPONSIBLE,),
    Performer.MO_ADMINISTRATOR: (Role.BRANCH,),
}


class RunState(TextChoices):
    OPEN = "open", "идёт"
    HELD = "held", "поставлена на удержание"
    WAITING = "waiting", "ждёт исполнителя"
    FINISHED = "finished", "закончена"
    STOPPED = "stopped", "прервана"


LIVE_RUNS: Final = (RunState.OPEN, RunState.HELD, RunState.WAITING)


class RunSource(TextChoices):
    CALL = "call", "звонок"
    CHAT = "chat", "чат"
    CARD = "card", "карточка"
    TASK = "task", "задача"


class OrderStatus(TextChoices):
    REGISTERED = "registered", "Зарегистрирован"
    PAID = "paid", "Оплачено"
    IN_WORK = "in_work", "В работе"
    RESAMPLE = "resample", "Назначен перезабор"
    READY = "ready", "Результат направлен"
    REFUSED = "refused", "Отказ"


class DeliveryState(TextChoices):
    CREATED = "created", "создана"
    ASSIGNED = "assigned", "передана курьеру"
    DELIVERED = "delivered", "доставлена"
    CANCELLED = "cancelled", "отменена"


class Sender(TextChoices):
    PERSON = "person", "физическое лицо"
    DOCTOR = "doctor", "врач B2D"


class InvoiceState(TextChoices):
    ASKED = "asked", "поставлена задача на создание"
    UNSIGNED = "unsigned", "не подписан"
    SIGNED = "signed", "подписан"
    REJECTED = "rejected", "отклонён"
    PAID = "paid", "выплата осуществлена"


class ClaimState(TextChoices):
    OPEN = "open", "клиент настаивает"
    HEAD_LATER = "head_later", "руководитель свяжется позднее"
    WITH_HEAD = "with_head", "у руководителя"
    SETTLED = "settled", "урегулирована"
    EXPECTED = "expected", "ждём письменную претензию"


class CertificateWay(TextChoices):
    EMAIL = "email", "по эл. почте"
    PAPER = "paper", "на бумаге в МО"


class CertificateState(TextChoices):
    ASKED = "asked", "данные получены"
    IN_WORK = "in_work", "поставлена задача"
    DONE = "done", "готова"


class ChatState(TextChoices):
    WAITING = "waiting", "ждёт менеджера"
    ACTIVE = "active", "идёт"
    CLOSED = "closed", "закрыт"


class ClockKind(TextChoices):
    """Timers of a chat (appendix 1): what must happen by when."""

    ANSWER = "answer", "первый ответ, 1 минута"
    RESULT_DATE = "result_date", "срок выдачи заключения, 5 минут"
    CONSULTANT = "consultant", "ответ врача-консультанта, 30 минут"
    RESPONSIBLE = "responsible", "ответ ответственного, 2 часа"
