"""When an overdue task goes one step up. Pure: the hours of the clinic and the instant come from
the caller.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from callcenter.clinics.schedule import Hours, is_open, next_opening
from callcenter.staff.roles import Role

# Tasks of no clinic keep the working time of the client service: 08:00–20:00 Moscow every day
# (procedures, appendix 1).
SERVICE_HOURS: Final = Hours(
    zone="Europe/Moscow",
    week={day: (dt.time(8), dt.time(20)) for day in range(7)},
    observes_holidays=False,
)
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class EscalationStep:
    """`role` that now sees the task, if the ladder moved; `look_again` is when to look next (UTC),
    None for never.
    """

    role: Role | None
    look_again: dt.datetime | None


def next_step(
    *, ladder: tuple[Role, ...], escalated: int, hours: Hours, now: dt.datetime
) -> EscalationStep:
    """What to do with a task that is overdue at `now` and has gone `escalated` steps up its ladder.

    Out of working hours nothing moves: it waits for the opening. One step a working day: the next
    is looked at the same time of the next working day, or at its opening.
    """
    if escalated >= len(ladder):
        return EscalationStep(None, None)
    if not is_open(hours, now):
        # A clinic that opens at no time within sight is asked again tomorrow: its hours may have
        # been filled in by then.
        return EscalationStep(None, next_opening(hours, now) or now + _DAY)
    if escalated + 1 == len(ladder):
        return EscalationStep(ladder[escalated], None)
    return EscalationStep(ladder[escalated], next_opening(hours, now + _DAY) or now + _DAY)
