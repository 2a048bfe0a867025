"""A row of «Дозвон» as HTML, remembered by what it shows: most of a thousand rows are as they were two seconds ago."""

import functools

from django import template
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
REMEMBERED = 8192  # rows a process; about 2 KB each


@register.simple_tag(takes_context=True)
def reminder_row(context: template.Context, row: dict[str, object], oob: bool = False) -> SafeString:
    """The partial `row` of reminders/list.html. Equal values give equal HTML, whoever asks: phones are masked before."""
    problem = context.get("problem", "")
    return _html(
        tuple(row.items()), context["round"], bool(context["can_work"]), bool(context["several"]), oob, problem
    )


@functools.lru_cache(maxsize=REMEMBERED)
def _html(
    row: tuple[tuple[str, object], ...], round: str, can_work: bool, several: bool, oob: bool, problem: str
) -> SafeString:
    values = {"row": dict(row), "round": round, "can_work": can_work, "several": several, "oob": oob}
    html = get_template("reminders/list.html#row").render({**values, "problem": problem})
    return mark_safe(html)  # noqa: S308 (the template has escaped it)
