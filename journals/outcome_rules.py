"""The rule of Журнал КОС as one pure table: what a call's outcome makes of an entry. No ORM, no
clock.

Instruction «Журнал КОС»: «Звоним три раза. Меняем дату три раза через неделю. Если пациент не
отвечает / недоступен / отказывается, ставим статус ОТКАЗ — выбираем причину». Our reading stands in
docs/adr/0030.
"""

from dataclasses import dataclass, replace
from typing import Final

from django.db.models import TextChoices


class Stage(TextChoices):
    """«Статусы» of the journal."""

    CALL = "call", "Звать"
    BOOKED = "booked", "Записан"
    REFUSED = "refused", "Отказ"


class CallOutcome(TextChoices):
    """What came of one call; in the order of the keys 1–5 on the card."""

    BOOKED = "booked", "Записался"
    UNREACHED = "unreached", "Не берёт трубку"
    THINKING = "thinking", "Думает"
    REMIND = "remind", "Напомнить позже"
    REFUSED = "refused", "Отказался"


class Half(TextChoices):
    """The half of the clinic's day in which the next call is proposed: another one than last time."""

    MORNING = "morning", "первая половина дня"
    EVENING = "evening", "вторая половина дня"


class NextDate(TextChoices):
    """Where the date of the next call comes from."""

    NONE = "none", "больше не звоним"
    INTERVAL = "interval", "через неделю"
    CHOSEN = "chosen", "выбирает администратор"
    WAITING_LIST = "waiting_list", "дата листа ожидания"


@dataclass(frozen=True)
class RecallLimits:
    """What a clinic's senior sets: unreached calls before Отказ, days between calls, talks before
    the flag.
    """

    calls: int = 3
    interval_days: int = 7
    talks_before_flag: int = 3


@dataclass(frozen=True)
class EntryProgress:
    """Where an entry stands: unreached calls, talks without a result, calls beyond the policy
    granted by the senior, and whether the patient himself has said «нет».
    """

    stage: Stage = Stage.CALL
    unreached: int = 0
    talks: int = 0
    granted: int = 0
    said_no: bool = False


@dataclass(frozen=True)
class OutcomeRule:
    """One line of the table: the stage after, what is counted, whence the next date, what the form
    must ask.
    """

    stage: Stage
    counts_as: str  # 'unreached', 'talk' or ''
    next_date: NextDate
    asks: frozenset[str]


EFFECTS: Final[dict[CallOutcome, OutcomeRule]] = {
    CallOutcome.BOOKED: OutcomeRule(
        Stage.BOOKED, "", NextDate.NONE, frozenset({"window", "comment"})
    ),
    CallOutcome.UNREACHED: OutcomeRule(
        Stage.CALL, "unreached", NextDate.INTERVAL, frozenset({"reason", "comment"})
    ),
    CallOutcome.THINKING: OutcomeRule(
        Stage.CALL, "talk", NextDate.CHOSEN, frozenset({"reason", "comment"})
    ),
    CallOutcome.REMIND: OutcomeRule(
        Stage.CALL, "talk", NextDate.WAITING_LIST, frozenset({"call_on", "comment"})
    ),
    CallOutcome.REFUSED: OutcomeRule(
        Stage.REFUSED, "", NextDate.NONE, frozenset({"reason", "comment"})
    ),
}

# The unreached call that uses up the policy: the entry cannot stay in «Звать», the card demands
# Отказ with a reason.
LAST_UNREACHED: Final = OutcomeRule(
    Stage.REFUSED, "unreached", NextDate.NONE, frozenset({"reason", "refusal_reason", "comment"})
)

# Who can be not reached when he calls in himself? Nobody.
OUTCOMES_IN: Final = tuple(
    outcome for outcome in CallOutcome if outcome is not CallOutcome.UNREACHED
)


def limit(position: EntryProgress, policy: RecallLimits) -> int:
    """How many unreached calls the entry may take, the granted ones included."""
    return policy.calls + position.granted


def is_last_call(position: EntryProgress, policy: RecallLimits) -> bool:
    """Whether one more call that does not reach the patient ends in Отказ."""
    return position.unreached + 1 >= limit(position, policy)


def effect(position: EntryProgress, outcome: CallOutcome, policy: RecallLimits) -> OutcomeRule:
    """The line of the table for this entry now. Raises ValueError for an entry that is no longer
    called.
    """
    if position.stage is not Stage.CALL:
        raise ValueError(f"an entry in stage {position.stage} takes no outcome")
    if outcome is CallOutcome.UNREACHED and is_last_call(position, policy):
        return LAST_UNREACHED
    return EFFECTS[outcome]


def after(position: EntryProgress, outcome: CallOutcome, policy: RecallLimits) -> EntryProgress:
    """The entry's position after a call with this outcome. A talk does not count as unreached, nor
    clears the count.
    """
    line = effect(position, outcome, policy)
    return replace(
        position,
        stage=line.stage,
        unreached=position.unreached + (line.counts_as == "unreached"),
        talks=position.talks + (line.counts_as == "talk"),
        said_no=outcome is CallOutcome.REFUSED,
    )


def is_flagged(position: EntryProgress, policy: RecallLimits) -> bool:
    """Whether the senior should look: still to be called after so many talks without a result."""
    return position.stage is Stage.CALL and position.talks >= policy.talks_before_flag


def may_grant(position: EntryProgress, policy: RecallLimits) -> bool:
    """Whether the senior may grant one more call: the next unreached one is the last, or the last
    one closed it.

    Never against the patient's own «нет», even when a shortened policy would have ended the calls
    before it.
    """
    if position.stage is Stage.CALL:
        return is_last_call(position, policy)
    return (
        position.stage is Stage.REFUSED
        and position.unreached >= limit(position, policy)
        and not position.said_no
    )


def granted(position: EntryProgress, policy: RecallLimits) -> EntryProgress:
    """One more call: the entry is (again) in «Звать». Raises ValueError when there is nothing to
    grant.
    """
    if not may_grant(position, policy):
        raise ValueError("nothing to grant")
    # A policy shortened meanwhile must not leave the grant without a call.
    beyond = max(position.granted + 1, position.unreached + 1 - policy.calls)
    return replace(position, stage=Stage.CALL, granted=beyond)
