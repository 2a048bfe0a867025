"""By which advertising channel somebody came: the rules, checked from top to bottom. Pure: no ORM."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from callcenter.contacts.states import RULE_ORDER, InteractionKind, RuleKind


@dataclass(frozen=True)
class AttributionRule:
    """`pattern` for UTM is 'utm_source=yandex' (several joined by '&'); elsewhere the value, '*'
    standing for anything.
    """

    id: int
    channel: int
    kind: RuleKind
    pattern: str
    position: int


@dataclass(frozen=True)
class AttributionMarks:
    """What an interaction carries that rules can recognise."""

    kind: InteractionKind
    utm: Mapping[str, str] = field(default_factory=dict)
    number_from: str = ""
    number_to: str = ""
    chat_channel: str = ""
    account: str = ""


@dataclass(frozen=True)
class AttributionCheck:
    """One line of «Определение канала по приоритету»: the rule, and whether it is the one that
    fired.
    """

    rule: AttributionRule
    matches: bool
    is_decisive: bool


def in_order(kind: InteractionKind, rules: Iterable[AttributionRule]) -> list[AttributionRule]:
    """The rules that concern this kind of interaction, as they are checked: by kind of rule, then
    by position.
    """
    order = {rule_kind: place for place, rule_kind in enumerate(RULE_ORDER[kind])}
    concerned = [rule for rule in rules if rule.kind in order]
    return sorted(concerned, key=lambda rule: (order[rule.kind], rule.position, rule.id))


def matching_rule(
    marks: AttributionMarks, rules: Iterable[AttributionRule]
) -> AttributionRule | None:
    """The first rule from the top that matches."""
    return next((rule for rule in in_order(marks.kind, rules) if matches(marks, rule)), None)


def explain(marks: AttributionMarks, rules: Iterable[AttributionRule]) -> list[AttributionCheck]:
    """Every rule in the order of checking; exactly the first match has fired."""
    checks: list[AttributionCheck] = []
    done = False
    for rule in in_order(marks.kind, rules):
        hit = matches(marks, rule)
        checks.append(AttributionCheck(rule, matches=hit, is_decisive=hit and not done))
        done = done or hit
    return checks


def matches(marks: AttributionMarks, rule: AttributionRule) -> bool:
    if rule.kind == RuleKind.UTM:
        wanted = dict(part.split("=", 1) for part in rule.pattern.split("&") if "=" in part)
        return bool(wanted) and all(
            _like(str(marks.utm.get(name, "")), value) for name, value in wanted.items()
        )
    value = {
        RuleKind.NUMBER_FROM: marks.number_from,
        RuleKind.NUMBER_TO: marks.number_to,
        RuleKind.CHAT_CHANNEL: marks.chat_channel,
        RuleKind.ACCOUNT: marks.account,
    }[rule.kind]
    return _like(value, rule.pattern)


def _like(value: str, pattern: str) -> bool:
    if not value or not pattern:
        return False
    expression = ".*".join(re.escape(part) for part in pattern.strip().lower().split("*"))
    return re.fullmatch(expression, value.strip().lower()) is not None
