"""Template filters for form fields; built into every template."""

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def field_class(field: BoundField, css: str) -> SafeString:
    """Write the field's widget with Bootstrap's class, marked when the field has errors."""
    if field.widget_type in {"select", "selectmultiple", "nullbooleanselect"}:
        css = "form-select"
    attrs: dict[str, str | bool] = {"class": f"{css} is-invalid" if field.errors else css}
    if field.errors:
        attrs["aria-invalid"] = "true"
    return field.as_widget(attrs=attrs)
