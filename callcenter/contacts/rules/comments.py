"""A comment and its call."""

import datetime as dt
from collections.abc import Sequence

from callcenter.contacts.rules.inputs import InteractionFacts, PolicyValues
from callcenter.contacts.states import InteractionKind


def bind_comments(said: Sequence[InteractionFacts], policy: PolicyValues) -> dict[int, int]:
    """Which comment belongs to which call or chat: the nearest in time of the same number and
    direction.

    «Комментарий соединяется со звонком по трем параметрам: время (5 минут по умолчанию…), номер
    телефона, направление звонка». The distance counts from the beginning to the end: a comment
    written while talking is at distance 0. «Если администратор добавил комментарий к чату…»: a chat
    of a messenger may have no number; the person is the same anyway. A call that a person wrote
    down by hand joins the exchange's own record of it in the same way.
    """
    window = dt.timedelta(minutes=policy.comment_minutes)
    talks = [
        one
        for one in said
        if one.kind in (InteractionKind.CALL, InteractionKind.CHAT) and not one.is_written
    ]
    bound: dict[int, int] = {}
    for note in said:
        if not note.is_written or note.kind not in (InteractionKind.COMMENT, InteractionKind.CALL):
            continue
        near = [
            (_distance(note.at, talk), talk.at, talk.key, talk.id)
            for talk in talks
            if _may_join(note, talk) and _distance(note.at, talk) <= window
        ]
        if near:
            bound[note.id] = min(near)[3]
    return bound


def _may_join(note: InteractionFacts, talk: InteractionFacts) -> bool:
    if talk.direction != note.direction:
        return False
    if talk.kind == InteractionKind.CHAT:
        return note.kind == InteractionKind.COMMENT and (
            not talk.number or talk.number == note.number
        )
    return talk.number == note.number


def _distance(moment: dt.datetime, talk: InteractionFacts) -> dt.timedelta:
    lasted = dt.timedelta(seconds=(talk.wait_seconds or 0) + (talk.talk_seconds or 0))
    end = max(talk.ended_at or talk.at + lasted, talk.at)
    return max(talk.at - moment, moment - end, dt.timedelta())
