"""What a template shows must be what the view allows: the roles stand at the view alone."""

import functools

from django import template
from django.urls import resolve, reverse

from callcenter.staff.models import User

register = template.Library()


@functools.cache
def _roles(url_name: str) -> tuple[str, ...]:
    return getattr(resolve(reverse(url_name)).func, "allowed_roles", ())


@register.filter
def may_open(user: object, url_name: str) -> bool:
    """{% if request.user|may_open:"clinics:patient_new" %}: whether the page without parameters
    lets the user in.
    """
    return isinstance(user, User) and user.has(*_roles(url_name))  # type: ignore[arg-type]
