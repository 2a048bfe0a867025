"""Template tag for icons; built into every template."""

import functools

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
# A list of fifty rows draws the same few icons in every row.
@functools.lru_cache(maxsize=2000)
def icon(name: str, title: str = "") -> SafeString:
    """Write a Tabler icon: with `title` for screen readers too, without it as decoration."""
    if title:
        return format_html(
            '<i class="ti ti-{}" role="img" aria-label="{}" title="{}"></i>', name, title, title
        )
    return format_html('<i class="ti ti-{}" aria-hidden="true"></i>', name)
