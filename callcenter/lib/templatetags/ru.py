"""Template filters for Russian screens; built into every template."""

import datetime as dt
import functools
from decimal import Decimal

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString, mark_safe

from callcenter.lib import phones
from callcenter.lib.live_updates import sign
from callcenter.lib.localtime import local as to_local

register = template.Library()

WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")


@register.filter
def plural(number: int, forms: str) -> str:
    """{{ n|plural:"звонок,звонка,звонков" }} → '2 звонка'."""
    return f"{number} {word(number, forms)}"


@register.filter
def word(number: int, forms: str) -> str:
    """The form of the word alone: 1 звонок, 2 звонка, 5 звонков."""
    one, few, many = forms.split(",")
    tail = abs(number) % 100
    if tail % 10 == 1 and tail != 11:
        return one
    return few if tail % 10 in (2, 3, 4) and tail not in (12, 13, 14) else many


@register.filter
def phone(e164: str | None) -> str:
    return phones.format_phone(e164) if e164 else ""


@register.filter
def phone_for(e164: str | None, user: object) -> str:
    """The number for this user: masked on the server for those without the right to see numbers."""
    if not e164:
        return ""
    return phones.format_phone(e164) if getattr(user, "sees_phones", False) else phones.masked(e164)


@register.filter
def day(value: dt.date | dt.datetime | None) -> str:
    """дд.мм.гггг; an instant must go through `at` first, since a day belongs to a zone."""
    return value.strftime("%d.%m.%Y") if value else ""


@register.filter
def add_days(value: dt.date, days: int) -> dt.date:
    return value + dt.timedelta(days=days)


@register.filter
def weekday(value: dt.date) -> str:
    return WEEKDAYS[value.weekday()]


class WallClock(dt.datetime):
    """An instant that is in its zone already: Django's own `date` filter would turn it back to UTC."""

    convert_to_local_time = False


@register.filter
def at(moment: dt.datetime | None, zone: str) -> dt.datetime | None:
    """{{ appointment.starts_at|at:clinic.zone|date_time }}: the instant on the clinic's wall clock."""
    if not moment:
        return None
    shown = to_local(moment, zone)
    return WallClock.combine(shown.date(), shown.timetz())


@register.filter
def date_time(value: dt.datetime | None) -> str:
    return value.strftime("%d.%m.%Y %H:%M") if value else ""


@register.filter
def clock(value: dt.datetime | dt.time | None) -> str:
    return value.strftime("%H:%M") if value else ""


@register.filter
def duration(seconds: int | None) -> str:
    """Seconds as 0:07, 3:15, 1:02:30."""
    if seconds is None:
        return ""
    hours, rest = divmod(int(seconds), 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


@register.filter
def rub(money: Decimal | int | None) -> str:
    """12 500 ₽ with narrow no-break spaces."""
    return (
        "" if money is None else f"{money:,.0f} ₽".replace(",", "\u202f").replace(" ₽", "\u00a0₽")
    )


@register.filter
def percent(share: float | None) -> str:
    """0.421 → '42,1 %'."""
    return "" if share is None else f"{share * 100:.1f}".replace(".", ",") + "\u00a0%"


@register.filter
def can_call(user: object) -> bool:
    """Whether the user works with patients on the line (for buttons; the views decide by
    themselves).
    """
    return bool({"administrator", "senior"} & set(getattr(user, "roles", ())))


@register.filter
def has_telephone(user: object) -> bool:
    """Whether the user may sit at a telephone (for the page's bar and call buttons; the views
    decide by themselves).
    """
    return bool(
        {"administrator", "senior", "consultant", "lead", "head"} & set(getattr(user, "roles", ()))
    )


@register.filter
def field_class(field: BoundField, css: str) -> SafeString:
    """The field's widget with Bootstrap's class (a select gets its own) and marked when it has
    errors.
    """
    if field.widget_type in {"select", "selectmultiple", "nullbooleanselect"}:
        css = "form-select"
    attrs: dict[str, str | bool] = {"class": f"{css} is-invalid" if field.errors else css}
    if field.errors:
        attrs["aria-invalid"] = "true"
    return field.as_widget(attrs=attrs)


@register.simple_tag
@functools.lru_cache(maxsize=2000)  # a list of fifty lines asks for the same few
def icon(name: str, title: str = "") -> SafeString:
    """A Tabler icon; with `title` it speaks to screen readers too, without one it is decoration."""
    from django.utils.html import format_html

    if title:
        return format_html(
            '<i class="ti ti-{}" role="img" aria-label="{}" title="{}"></i>', name, title, title
        )
    return format_html('<i class="ti ti-{}" aria-hidden="true"></i>', name)


@register.simple_tag
def live(*topics: str | list[str]) -> SafeString:
    """Attributes for the part of a page that is fetched again when one of the topics (or lists of
    them) is bumped.
    """
    names = [name for topic in topics for name in ([topic] if isinstance(topic, str) else topic)]
    # A signed token has no markup in it
    return mark_safe(f'data-live="{sign(names)}"')  # noqa: S308


@register.simple_tag
def live_list(topics: list[str]) -> SafeString:
    """`live` for topics that the view has counted up."""
    return live(*topics)


@register.simple_tag(takes_context=True)
def query(context: template.RequestContext, **changes: object) -> str:
    """The page's own query string with some parameters changed; None takes one away."""
    params = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            params.pop(name, None)
        else:
            params[name] = str(value)
    return f"?{params.urlencode()}"
