"""States of visits, windows, waiting-list entries and consents. Pure: no ORM."""

import datetime as dt
from typing import Final

from django.db.models import TextChoices

from callcenter.lib.localtime import local_day


class AppointmentStatus(TextChoices):
    SCHEDULED = "scheduled", "запланирован"
    CONFIRMED = "confirmed", "подтверждён"
    ARRIVED = "arrived", "пришёл"
    COMPLETED = "completed", "состоялся"
    CANCELLED = "cancelled", "отменён"
    NO_SHOW = "no_show", "не пришёл"


# The doctor's time is taken by these; a cancelled or missed visit frees it.
OCCUPYING: Final = (
    AppointmentStatus.SCHEDULED,
    AppointmentStatus.CONFIRMED,
    AppointmentStatus.ARRIVED,
    AppointmentStatus.COMPLETED,
)
# The visit is still to come: it may be moved, cancelled, reminded of.
UPCOMING: Final = (AppointmentStatus.SCHEDULED, AppointmentStatus.CONFIRMED)
# What may become of a visit; everything else is refused.
TRANSITIONS: Final[dict[AppointmentStatus, tuple[AppointmentStatus, ...]]] = {
    AppointmentStatus.SCHEDULED: (
        AppointmentStatus.CONFIRMED,
        AppointmentStatus.ARRIVED,
        AppointmentStatus.COMPLETED,
        AppointmentStatus.CANCELLED,
        AppointmentStatus.NO_SHOW,
    ),
    AppointmentStatus.CONFIRMED: (
        AppointmentStatus.SCHEDULED,
        AppointmentStatus.ARRIVED,
        AppointmentStatus.COMPLETED,
        AppointmentStatus.CANCELLED,
        AppointmentStatus.NO_SHOW,
    ),
    AppointmentStatus.ARRIVED: (
        AppointmentStatus.COMPLETED,
        AppointmentStatus.NO_SHOW,
        AppointmentStatus.CANCELLED,
    ),
    AppointmentStatus.COMPLETED: (),
    AppointmentStatus.CANCELLED: (),
    AppointmentStatus.NO_SHOW: (AppointmentStatus.ARRIVED, AppointmentStatus.COMPLETED),
}


def is_too_early(
    status: AppointmentStatus, starts_at: dt.datetime, now: dt.datetime, zone: str
) -> bool:
    """Whether nobody can know it yet: who came, on an earlier day; who did not come, before the
    hour itself.
    """
    if status == AppointmentStatus.NO_SHOW:
        return now < starts_at
    came = status in (AppointmentStatus.ARRIVED, AppointmentStatus.COMPLETED)
    return came and local_day(now, zone) < local_day(starts_at, zone)


class WindowState(TextChoices):
    FREE = "free", "свободно"
    HELD = "held", "придержано"
    TAKEN = "taken", "занято"
    CLOSED = "closed", "снято с расписания"


class WaitingState(TextChoices):
    OPEN = "open", "открыта"
    CLOSED = "closed", "закрыта"


class WaitingKind(TextChoices):
    WAITING_LIST = "waiting_list", "лист ожидания"
    REMIND_LATER = "remind_later", "напомнить позже"
    EARLIER = "earlier", "хочет раньше"


class ConsentPurpose(TextChoices):
    SERVICE = "service", "о своём визите"
    ADVERTISING = "advertising", "реклама и приглашения"


class ConsentChannel(TextChoices):
    CALL = "call", "звонок человека"
    ROBOT = "robot", "автоматический звонок"
    SMS = "sms", "СМС"
    MESSENGER = "messenger", "мессенджер"
    EMAIL = "email", "e-mail"
