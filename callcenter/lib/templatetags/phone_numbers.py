"""Template filters for phone numbers; built into every template."""

from django import template

from callcenter.lib import phones

register = template.Library()


@register.filter
def phone(e164: str | None) -> str:
    return phones.format_phone(e164) if e164 else ""


@register.filter
def phone_for(e164: str | None, user: object) -> str:
    """Write the number for this user, masked if the user has no right to see numbers."""
    if not e164:
        return ""
    return phones.format_phone(e164) if getattr(user, "sees_phones", False) else phones.masked(e164)
