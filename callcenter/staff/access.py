"""Default deny: every view names the roles that may open it; a test walks the URLs and finds any
that does not.
"""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from callcenter.lib.errors import NotAllowed
from callcenter.staff.models import User
from callcenter.staff.roles import Role

Params = ParamSpec("Params")
View = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]


class StaffRequest(HttpRequest):
    """A request behind the log-in: its user is one of ours. For the annotations of views."""

    user: User


def allow(
    *roles: Role,
) -> Callable[[Callable[Concatenate[StaffRequest, Params], HttpResponseBase]], View[Params]]:
    """Lets in users with at least one of the roles; others get 403 (NotAllowed). Sets
    `allowed_roles` for the test.
    """

    def decorate(
        view: Callable[Concatenate[StaffRequest, Params], HttpResponseBase],
    ) -> View[Params]:
        @functools.wraps(view)
        def guarded(
            request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs
        ) -> HttpResponseBase:
            if not isinstance(request.user, User) or not request.user.has(*roles):
                raise NotAllowed(
                    "Эта страница не для вашей роли. Если она нужна для работы, попросите старшего."
                )
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        guarded.allowed_roles = roles  # type: ignore[attr-defined]
        return guarded

    return decorate


def client_address(request: HttpRequest) -> str:
    """The address the request came from, by which failed log-ins are counted.

    Behind our own proxies (settings.PROXIES of them) it is the entry that the outermost of them
    wrote; what stands before it in X-Forwarded-For was written by the caller and may be invented.
    """
    seen = [
        part.strip()
        for part in request.headers.get("X-Forwarded-For", "").split(",")
        if part.strip()
    ]
    if settings.PROXIES and len(seen) >= settings.PROXIES:
        return seen[-settings.PROXIES]
    return str(request.META.get("REMOTE_ADDR", ""))
