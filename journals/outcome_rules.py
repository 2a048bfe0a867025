"""The rule of Журнал КОС as one pure table: what each call outcome makes of an entry and how
screens show it. No ORM, no clock.

Source: «Журнал КОС»: «Звоним три раза. Меняем дату три раза через неделю. Если пациент не отвечает
/ недоступен / отказывается, ставим статус ОТКАЗ — выбираем причину». How it is read:
docs/adr/0030-recall-rule.md.

A further outcome is one row of `OUTCOME_RULES`: the card, its form, the report and Excel follow it.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Literal

from django.db.models import TextChoices


class Stage(TextChoices):
    """«Статусы» of the journal."""

    CALL = "call", "Звать"
    BOOKED = "booked", "Записан"
    REFUSED = "refused", "Отказ"


class CallOutcome(StrEnum):
    """Keys of `OUTCOME_RULES` that the source names."""

    BOOKED = "booked"
    UNREACHED = "unreached"
    THINKING = "thinking"
    REMIND = "remind"
    REFUSED = "refused"


class Half(TextChoices):
    """The half of the clinic's day proposed for the next call: another one than last time."""

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
    """How far an entry has come: unreached calls, talks without a result, calls beyond the policy
    granted by the senior, and whether the patient themselves has said «нет».
    """

    stage: Stage = Stage.CALL
    unreached: int = 0
    talks: int = 0
    granted: int = 0
    said_no: bool = False


@dataclass(frozen=True)
class OutcomeRule:
    """One row of the table: the stage after the call, what is counted, the source of the next date,
    what the form asks for, and how the card and the report show the outcome.
    """

    label: str
    stage: Stage
    counts_as: Literal["", "talk", "unreached"]
    next_date: NextDate
    # Of 'window', 'reason', 'refusal_reason', 'call_on', 'comment'.
    asks: frozenset[str]
    # A value of contacts.ReasonUse: the reasons of the dictionary that fit; needed with 'reason'.
    reason_use: str = ""
    reasons_label: str = "Причина"
    # Each of its reasons is a button of its own on the card.
    has_button_per_reason: bool = False
    button: str = field(kw_only=True)
    icon: str = field(kw_only=True)
    # The colour of the button's icon: a class `tint-…` of app.css.
    tone: str = field(kw_only=True)
    # Keys of its buttons, in their order.
    digits: tuple[int, ...] = field(kw_only=True)
    column: str = field(kw_only=True)
    # What the number in the report's column counts.
    column_help: str = field(kw_only=True)

    @property
    def is_unreached(self) -> bool:
        """Whether the call did not reach the patient."""
        return self.counts_as == "unreached"

    @property
    def is_patients_refusal(self) -> bool:
        """Whether the patient themselves has said «нет»."""
        return self.stage is Stage.REFUSED and not self.is_unreached

    @property
    def asks_for_date(self) -> bool:
        """Whether a person chooses the day of the next call."""
        return self.next_date in (NextDate.CHOSEN, NextDate.WAITING_LIST)


OUTCOME_RULES: Final[dict[str, OutcomeRule]] = {
    CallOutcome.BOOKED: OutcomeRule(
        "Записался",
        Stage.BOOKED,
        "",
        NextDate.NONE,
        frozenset({"window", "comment"}),
        button="Записался",
        icon="calendar-check",
        tone="confirm",
        digits=(1,),
        column="Записано",
        column_help="записан в этом звонке",
    ),
    CallOutcome.UNREACHED: OutcomeRule(
        "Не берёт трубку",
        Stage.CALL,
        "unreached",
        NextDate.INTERVAL,
        frozenset({"reason", "comment"}),
        "unreached",
        has_button_per_reason=True,
        button="Не берёт трубку",
        icon="phone-x",
        tone="unsent",
        digits=(2, 3),
        column="Не ответил",
        column_help="не берёт трубку или недоступен",
    ),
    CallOutcome.THINKING: OutcomeRule(
        "Думает",
        Stage.CALL,
        "talk",
        NextDate.CHOSEN,
        frozenset({"reason", "comment"}),
        "thinking",
        button="Думает",
        icon="bulb",
        tone="missed",
        digits=(4,),
        column="Думает",
        column_help="думает, не знает, когда удобно",
    ),
    CallOutcome.REMIND: OutcomeRule(
        "Напомнить позже",
        Stage.CALL,
        "talk",
        NextDate.WAITING_LIST,
        frozenset({"call_on", "comment"}),
        button="Напомнить",
        icon="hourglass",
        tone="delivered",
        digits=(5,),
        column="Напомнить",
        column_help="просил позвонить позже",
    ),
    CallOutcome.REFUSED: OutcomeRule(
        "Отказался",
        Stage.REFUSED,
        "",
        NextDate.NONE,
        frozenset({"reason", "comment"}),
        "refused",
        "Причина отказа",
        button="Отказался",
        icon="circle-x",
        tone="cancel",
        digits=(6,),
        column="Отказ",
        column_help="отказался сам или не ответил в последний раз",
    ),
}


def ends_calls(rule: OutcomeRule) -> OutcomeRule:
    """The rule of an unreached call that uses up the policy: the entry cannot stay in «Звать», the
    card demands Отказ with a reason.
    """
    asks = rule.asks | {"refusal_reason"}
    return replace(rule, stage=Stage.REFUSED, next_date=NextDate.NONE, asks=asks)


def outcome_choices() -> list[tuple[str, str]]:
    """Value and label of every outcome, for the fields of the tables."""
    return [(outcome, rule.label) for outcome, rule in OUTCOME_RULES.items()]


def can_end_call(rule: OutcomeRule, *, patient_called: bool) -> bool:
    """Whether a call may end so: a patient who calls in is reached."""
    return not (patient_called and rule.is_unreached)


def limit(progress: EntryProgress, policy: RecallLimits) -> int:
    """How many unreached calls the entry may take, the granted ones included."""
    return policy.calls + progress.granted


def is_last_call(progress: EntryProgress, policy: RecallLimits) -> bool:
    """Whether one more call that does not reach the patient ends in Отказ."""
    return progress.unreached + 1 >= limit(progress, policy)


def rule_for(progress: EntryProgress, outcome: str, policy: RecallLimits) -> OutcomeRule:
    """Return the row of the table for this entry now. Raises ValueError for an entry that is no
    longer called.
    """
    if progress.stage is not Stage.CALL:
        raise ValueError(f"an entry in stage {progress.stage} takes no outcome")
    rule = OUTCOME_RULES[outcome]
    if rule.is_unreached and is_last_call(progress, policy):
        return ends_calls(rule)
    return rule


def after(progress: EntryProgress, outcome: str, policy: RecallLimits) -> EntryProgress:
    """Return the entry's progress after a call with this outcome. A talk does not count as
    unreached, nor clears the count.
    """
    rule = rule_for(progress, outcome, policy)
    return replace(
        progress,
        stage=rule.stage,
        unreached=progress.unreached + rule.is_unreached,
        talks=progress.talks + (rule.counts_as == "talk"),
        said_no=rule.is_patients_refusal,
    )


def is_flagged(progress: EntryProgress, policy: RecallLimits) -> bool:
    """Whether the senior should look: still to be called after so many talks without a result."""
    return progress.stage is Stage.CALL and progress.talks >= policy.talks_before_flag


def may_grant(progress: EntryProgress, policy: RecallLimits) -> bool:
    """Whether the senior may grant one more call: the next unreached one is the last, or the last
    one closed it.

    Never against the patient's own «нет», even when a shortened policy would have ended the calls
    before it.
    """
    if progress.stage is Stage.CALL:
        return is_last_call(progress, policy)
    return (
        progress.stage is Stage.REFUSED
        and progress.unreached >= limit(progress, policy)
        and not progress.said_no
    )


def granted(progress: EntryProgress, policy: RecallLimits) -> EntryProgress:
    """Grant one more call: the entry is (again) in «Звать». Raises ValueError when there is nothing
    to grant.
    """
    if not may_grant(progress, policy):
        raise ValueError("nothing to grant")
    # A policy shortened meanwhile must not leave the grant without a call.
    beyond = max(progress.granted + 1, progress.unreached + 1 - policy.calls)
    return replace(progress, stage=Stage.CALL, granted=beyond)
