"""A comment and its call."""

import datetime as dt
from collections.abc import Sequence

from callcenter.contacts.machine.facts import Policy, Said
from callcenter.contacts.states import Kind


def bind_comments(said: Sequence[Said], policy: Policy) -> dict[int, int]:
    """Which comment belongs to which call: the nearest in time of the same number and direction.

    «Комментарий соединяется со звонком по трем параметрам: время (5 минут по умолчанию…), номер телефона, направление
    звонка». The distance counts from the call's beginning to its end: a comment written while talking is at distance 0.
    A call that a person wrote down by hand joins the exchange's own record of it in the same way.
    """
    window = dt.timedelta(minutes=policy.comment_minutes)
    calls = [one for one in said if one.kind == Kind.CALL and not one.is_written]
    bound: dict[int, int] = {}
    for note in said:
        if not note.is_written or note.kind not in (Kind.COMMENT, Kind.CALL):
            continue
        near = [
            (_distance(note.at, call), call.at, call.key, call.id)
            for call in calls
            if call.number == note.number and call.direction == note.direction and _distance(note.at, call) <= window
        ]
        if near:
            bound[note.id] = min(near)[3]
    return bound


def _distance(moment: dt.datetime, call: Said) -> dt.timedelta:
    end = max(call.ended_at or call.at, call.at)
    return max(call.at - moment, moment - end, dt.timedelta())
