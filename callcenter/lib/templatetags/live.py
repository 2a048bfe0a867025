"""Template tags for the live parts of pages; built into every template."""

from django import template
from django.utils.safestring import SafeString, mark_safe

from callcenter.lib.live_updates import sign

register = template.Library()


@register.simple_tag
def live(*topics: str | list[str]) -> SafeString:
    """Write the attributes of a part of a page that is fetched again when a topic is bumped."""
    names = [name for topic in topics for name in ([topic] if isinstance(topic, str) else topic)]
    # A signed token contains no markup.
    return mark_safe(f'data-live="{sign(names)}"')  # noqa: S308


@register.simple_tag
def live_list(topics: list[str]) -> SafeString:
    """Write the `live` attributes for a list of topics that the view has made."""
    return live(*topics)
