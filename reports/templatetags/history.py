"""The two parts of the report that repeat hundreds of times: check boxes of filters and cells of totals.

As templates they would cost more than the queries behind them; each value is escaped here.
"""

from collections.abc import Iterable

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from callcenter.lib.templatetags.ru import duration, percent, rub
from reports.queries import Group

register = template.Library()


@register.simple_tag
def choices(name: str, values: Iterable[tuple[object, str, bool]]) -> SafeString:
    """Check boxes of one filter."""
    boxes = [
        f'<label class="form-check"><input class="form-check-input" type="checkbox" name="{name}" value="{value}"'
        f'{" checked" if on else ""}><span class="form-check-label">{escape(label)}</span></label>'
        for value, label, on in values
    ]
    return mark_safe("".join(boxes))  # noqa: S308 (names and values are our own slugs and keys, labels are escaped)


@register.simple_tag
def measures(group: Group, rows: str) -> SafeString:
    """The cells of one row of totals; its count opens its rows."""
    now, before = group.now, group.before
    earlier = f'{before.booked} / {before.count} <span class="share">{percent(before.booked_share)}</span>'
    cells = (
        f'<a href="{escape(rows)}" title="Показать эти обращения">{now.count}</a>',
        percent(group.share),
        f'{now.booked} / {now.count} <span class="share">{percent(now.booked_share)}</span>',
        str(now.came),
        rub(now.money) if now.money else "",
        duration(now.mean_wait),
        duration(now.mean_talk),
        earlier if before.count else "—",
    )
    return mark_safe("".join(f'<td class="num">{cell}</td>' for cell in cells))  # noqa: S308 (numbers, and an escaped address)
