"""By which advertising channel somebody came: the rules, checked from top to bottom. Pure: no ORM."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from callcenter.contacts.states import RULE_ORDER, Kind, RuleKind


@dataclass(frozen=True)
class Rule:
    """`pattern` for UTM is 'utm_source=yandex' (several joined by '&'); elsewhere the value, '*' standing for anything."""

    id: int
    channel: int
    kind: RuleKind
    pattern: str
    position: int


@dataclass(frozen=True)
class Marks:
    """What an interaction carries that rules can recognise."""

    kind: Kind
    utm: Mapping[str, str] = field(default_factory=dict)
    number_from: str = ""
    number_to: str = ""
    chat_channel: str = ""
    account: str = ""


@dataclass(frozen=True)
class Check:
    """One line of «Определение канала по приоритету»: the rule, and whether it is the one that fired."""

    rule: Rule
    matches: bool
    fired: bool


def in_order(kind: Kind, rules: Iterable[Rule]) -> list[Rule]:
    """The rules that concern this kind of interaction, as they are checked: by kind of rule, then by position."""
    order = {rule_kind: place for place, rule_kind in enumerate(RULE_ORDER[kind])}
    concerned = [rule for rule in rules if rule.kind in order]
    return sorted(concerned, key=lambda rule: (order[rule.kind], rule.position, rule.id))


def fired(marks: Marks, rules: Iterable[Rule]) -> Rule | None:
    """The first rule from the top that matches."""
    return next((rule for rule in in_order(marks.kind, rules) if matches(marks, rule)), None)


def explain(marks: Marks, rules: Iterable[Rule]) -> list[Check]:
    """Every rule in the order of checking; exactly the first match has fired."""
    checks: list[Check] = []
    done = False
    for rule in in_order(marks.kind, rules):
        hit = matches(marks, rule)
        checks.append(Check(rule, matches=hit, fired=hit and not done))
        done = done or hit
    return checks


def matches(marks: Marks, rule: Rule) -> bool:
    if rule.kind == RuleKind.UTM:
        wanted = dict(part.split("=", 1) for part in rule.pattern.split("&") if "=" in part)
        return bool(wanted) and all(_like(str(marks.utm.get(name, "")), value) for name, value in wanted.items())
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
