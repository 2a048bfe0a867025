"""Template tag for the page's own query string; built into every template."""

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def query(context: template.RequestContext, **changes: object) -> str:
    """Write the page's query string with some parameters changed; None or '' removes one."""
    params = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            params.pop(name, None)
        else:
            params[name] = str(value)
    return f"?{params.urlencode()}"
