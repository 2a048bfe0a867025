"""Template filters for what the user may open or do; built into every template.

They only decide what a page shows: each view checks the roles again.
"""

import functools

from django import template
from django.urls import resolve, reverse

from callcenter.staff.models import User
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_USE_PHONE

register = template.Library()


@functools.cache
def _roles(url_name: str) -> tuple[str, ...]:
    return getattr(resolve(reverse(url_name)).func, "allowed_roles", ())


@register.filter
def may_open(user: object, url_name: str) -> bool:
    """Check that the user may open a page without parameters.

    Example: {% if request.user|may_open:"clinics:patient_new" %}.
    """
    return isinstance(user, User) and user.has(*_roles(url_name))  # type: ignore[arg-type]


@register.filter
def can_call(user: object) -> bool:
    """Check that the user works with patients on the line."""
    return isinstance(user, User) and user.has(*CAN_CALL_PATIENTS)


@register.filter
def has_telephone(user: object) -> bool:
    """Check that the user may use a telephone: for the phone bar and the call buttons."""
    return isinstance(user, User) and user.has(*CAN_USE_PHONE)
