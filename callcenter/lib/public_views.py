"""Mark a view as open without a log-in; every other view is closed by default
(LoginRequiredMiddleware).
"""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase

Params = ParamSpec("Params")
View = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]


def public(view: View[Params]) -> View[Params]:
    """Open the view without a log-in: the log-in itself, the patient's page, an API with its own
    key, `/live`.
    """
    view.is_public = True  # type: ignore[attr-defined]
    return login_not_required(view)
