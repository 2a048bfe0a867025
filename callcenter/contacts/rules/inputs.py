"""What the rules know of a contact: one person, one local day, one clinic. Pure data."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

from callcenter.clinics.states import AppointmentStatus, WaitingState
from callcenter.contacts.states import Direction, InteractionKind, InteractionState, ResultKind

Value = TypeVar("Value")

# What makes an outcome; tasks and marks do not.
RECORDS: Final = (
    ResultKind.BOOKED,
    ResultKind.MOVED,
    ResultKind.CANCELLED,
    ResultKind.WAITING_LIST,
    ResultKind.WAITING_CLOSED,
)
# «Хочет записаться»: a booking or a place in the waiting list was made.
BOOKINGS: Final = (ResultKind.BOOKED, ResultKind.WAITING_LIST)
REQUESTS: Final = (InteractionKind.REQUEST, InteractionKind.REQUEST_DIALOG)


@dataclass(frozen=True)
class PolicyValues:
    """What clinics may want different; the source's own numbers are the defaults."""

    comment_minutes: int = 5
    result_minutes: int = 15
    overdue_days: int = 7


@dataclass(frozen=True)
class InteractionFacts:
    """One interaction as the rules see it. `key` breaks ties of time and does not depend on the
    order of arrival.
    """

    id: int
    key: str
    kind: InteractionKind
    state: InteractionState
    direction: Direction
    at: dt.datetime
    ended_at: dt.datetime | None = None
    number: str = ""
    employee: int | None = None
    wait_seconds: int | None = None
    talk_seconds: int | None = None
    topic: int | None = None
    has_comment: bool = False
    caller_type_given: str = ""
    origin: str = ""
    channel: int | None = None
    line: str = ""
    is_written: bool = False  # put down by a person, not heard from a telephone exchange
    says_booked: bool = False  # the form's «Записался на консультацию»


@dataclass(frozen=True)
class VisitFacts:
    status: AppointmentStatus
    money: Decimal | None = None


@dataclass(frozen=True)
class WaitingFacts:
    state: WaitingState
    visit: VisitFacts | None = None


@dataclass(frozen=True)
class ResultFacts:
    """Something that came of the contact, with what has become of it since."""

    id: int
    kind: ResultKind
    at: dt.datetime
    by: int | None
    patient: int | None
    interaction: int | None = None
    visit_id: int | None = None
    visit: VisitFacts | None = None
    waiting_id: int | None = None
    waiting: WaitingFacts | None = None


@dataclass(frozen=True)
class ContactFacts:
    """All that is known of one person in one local day of one clinic."""

    zone: str
    patient: int | None
    said: Sequence[InteractionFacts]
    gave: Sequence[ResultFacts] = ()
    directory: str = (
        ""  # WhoType.EMPLOYEE or OTHER when the number stands in the directory of numbers
    )
    had_completed_visit: bool = False
    policy: PolicyValues = PolicyValues()


def first(values: Iterable[Value | None]) -> Value | None:
    return next((value for value in values if value is not None), None)
