"""Requests that nobody has handled, and when they become red."""

import datetime as dt
from collections.abc import Sequence

from callcenter.contacts.rules.inputs import REQUESTS, InteractionFacts, PolicyValues
from callcenter.contacts.states import InteractionState
from callcenter.lib.localtime import local_day


def is_open_request(one: InteractionFacts) -> bool:
    return one.kind in REQUESTS and one.state == InteractionState.NEW


def overdue_on(said: Sequence[InteractionFacts], zone: str, policy: PolicyValues) -> dt.date | None:
    """The first day on which the oldest unhandled request is red; None when all are handled.

    «Просроченные заявки (становятся таковыми через полные 7 суток, включая сегодня)»: the day of
    the request and the six after it are the seven; on the next one it is overdue.
    """
    days = [local_day(one.at, zone) for one in said if is_open_request(one)]
    return min(days) + dt.timedelta(days=policy.overdue_days) if days else None
