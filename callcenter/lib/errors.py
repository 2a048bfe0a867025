"""The errors that actions raise. Each carries a sentence for the person at the screen: what
happened and what to do.
"""


class DomainError(Exception):
    """Base of the four; `str(error)` is Russian and shown as it is."""

    status = 400


class Conflict(DomainError):
    """Somebody was quicker or the object changed: HTTP 409 with the present state."""

    status = 409


class Refused(DomainError):
    """A rule says no, or the input is wrong: HTTP 422. `field` names the form field to mark, if
    there is one.
    """

    status = 422

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotAllowed(DomainError):
    """The user has no right to this object or action: HTTP 403."""

    status = 403


class MaybeSent(DomainError):
    """An outside call that may or may not have been carried out. Never repeated by itself; a person
    decides.
    """

    status = 502
