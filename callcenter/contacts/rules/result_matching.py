"""Which contact, and which of its interactions, a deed came of."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from callcenter.contacts.rules.caller_types import ORIGIN_OF_DEED
from callcenter.contacts.rules.inputs import InteractionFacts, PolicyValues
from callcenter.contacts.states import Direction, InteractionKind, ResultKind


@dataclass(frozen=True)
class PatientAction:
    """Something done for a patient, found in the clinics' own tables: a booking, a move, a closed
    task.
    """

    kind: ResultKind
    at: dt.datetime
    by: int


def interaction_of(
    deed: PatientAction,
    said: Sequence[InteractionFacts],
    policy: PolicyValues,
    card_numbers: Collection[str],
) -> InteractionFacts | None:
    """The interaction of the same patient and local day that the deed came of, or None when it fits
    nowhere.

    Ours: the same employee. A call from a list (as the caller or the deed itself says) must have
    begun at most 15 minutes earlier, to a number of the patient's card: «звонит пациенту по номеру
    телефона, указанному в карточке, и в течение 15 минут от звонка совершает действие … Если
    пройдет больше 15 минут, то информация о результате звонка не подтянется».
    """
    window = dt.timedelta(minutes=policy.result_minutes)
    fitting: list[InteractionFacts] = []
    for one in said:
        if one.employee != deed.by:
            continue
        from_list = (
            one.kind == InteractionKind.CALL
            and one.direction == Direction.OUT
            and (one.origin or deed.kind in ORIGIN_OF_DEED)
        )
        in_window = dt.timedelta() <= deed.at - one.at <= window
        if not from_list or (in_window and one.number in card_numbers):
            fitting.append(one)
    before = [one for one in fitting if one.at <= deed.at]
    if before:
        return max(before, key=lambda one: (one.at, one.key))
    return min(fitting, key=lambda one: (one.at, one.key), default=None)
