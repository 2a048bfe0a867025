"""РТЗ: the window that the patient chose, held for his request until the talk."""

import datetime as dt

from callback import notifications
from callback.models import CallbackRequest
from callcenter.clinics.actions import hold_window
from callcenter.lib.errors import DomainError


def hold(request: CallbackRequest, *, until: dt.datetime, now: dt.datetime) -> None:
    """Holds the request's window until `until`, or says on the request that somebody has taken it.
    Saves nothing.

    Asked when the request comes and again before it is read out: a hold that ran out over night may
    have found another patient, a doctor's day may have been closed.
    """
    if request.window is None or request.window_lost:
        return
    try:
        request.window = hold_window(
            request.window, held_for=notifications.hold_key(request), until=until, now=now
        )
    except DomainError:
        request.window_lost = True
