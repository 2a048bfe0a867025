"""Who can be rung, what rings, and what is known of a caller; each with a fixed number of
queries.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Exists, F, OuterRef, QuerySet

from callcenter.clinics.models import Appointment, Clinic, Patient
from callcenter.clinics.queries import future_visits, patients_by_number
from callcenter.contacts.models import Interaction
from callcenter.lib.localtime import local_day
from callcenter.staff.models import Shift, User
from callcenter.staff.roles import CAN_CALL_PATIENTS
from callcenter.telephony.models import BrowserPhone, Call, Leg, PhoneBinding, RobotLease
from callcenter.telephony.states import LIVE_LEGS, LegRole, LegState, PhoneKind

LEASE_SECONDS = 10.0  # a holder that has not been heard of for so long has lost the exchange


def free_phones(
    clinic: Clinic, *, on: dt.date, besides: Collection[int] = (), limit: int | None = None
) -> list[PhoneBinding]:
    """Telephones of the clinic's callers on the day that are bound and not in a call, the longest
    unrung first.

    Where the day's shifts are written down, only people of a shift count. `besides`: users to leave
    out. One query.
    """
    written = Exists(Shift.objects.filter(on=on, user__clinics=clinic))
    on_shift = Exists(Shift.objects.filter(user=OuterRef("user"), on=on))
    staff = _bound(clinic, on).filter(
        ~written | on_shift, user__roles__overlap=[str(role) for role in CAN_CALL_PATIENTS]
    )
    if besides:
        staff = staff.exclude(user__in=besides)
    return list(
        staff.select_related("user").order_by(F("rung_at").asc(nulls_first=True), "bound_at")[
            :limit
        ]
    )


def _bound(clinic: Clinic, on: dt.date) -> QuerySet[PhoneBinding]:
    """Telephones of the clinic's people that are bound on the day and not in a call."""
    busy = Leg.objects.filter(user=OuterRef("user"), state__in=LIVE_LEGS)
    bound = PhoneBinding.objects.filter(on=on, user__clinics=clinic, user__is_active=True)
    return bound.exclude(kind=PhoneKind.OFF).exclude(Exists(busy))


def binding_of(user: User, *, now: dt.datetime) -> PhoneBinding | None:
    """Where the user sits today, by the day of his first clinic's zone; None when he has
    not said.
    """
    zone = user.clinics.values_list("zone", flat=True).first() or "Europe/Moscow"
    return PhoneBinding.objects.filter(user=user, on=local_day(now, zone)).first()


def talk_of(user: User) -> Call | None:
    """The conversation the user is in at this moment; None while he only rings or sits idle."""
    return (
        Call.objects.live()
        .filter(connected_at__isnull=False, legs__user=user, legs__state=LegState.UP)
        .select_related("clinic")
        .first()
    )


def colleagues_for(call: Call, user: User, *, now: dt.datetime) -> list[User]:
    """To whom the user may transfer the call: who sits at a telephone of its clinic and is not in a
    call.
    """
    bound = (
        _bound(call.clinic, local_day(now, call.clinic.zone))
        .exclude(user=user)
        .select_related("user")
    )
    return [phone.user for phone in bound.order_by("user__full_name")]


def link(*, now: dt.datetime) -> tuple[bool, str]:
    """Whether calls can be made at this moment, and if not, why in words (one query)."""
    lease = RobotLease.objects.filter(pk=1).first()
    if lease is None or lease.heartbeat_at is None:
        return False, "Процесс телефонии не запущен (manage.py run_robot)."
    if (now - lease.heartbeat_at).total_seconds() > LEASE_SECONDS:
        return False, "Процесс телефонии не отвечает."
    if not lease.connected:
        return False, lease.trouble or "Нет связи с АТС."
    return True, ""


@dataclass
class CallerCard:
    """What the one who is rung should know within a glance."""

    call: Call
    leg: Leg
    people: list[Patient] = field(default_factory=list)
    visits: dict[int, Appointment] = field(default_factory=dict)
    recent: list[Interaction] = field(default_factory=list)
    browser_phone: BrowserPhone | None = None
    transfer: Leg | None = None  # a colleague who is being rung to take the conversation over

    @property
    def next_visits(self) -> list[tuple[Patient, Appointment | None]]:
        return [(person, self.visits.get(person.pk)) for person in self.people]


def ringing_for(user: User, *, now: dt.datetime) -> CallerCard | None:
    """The call on the user's own telephone at this moment, with the card of who is behind the
    number.
    """
    leg = (
        Leg.objects.filter(user=user, role=LegRole.EMPLOYEE, state__in=LIVE_LEGS)
        .select_related("call__clinic", "call__patient")
        .first()
    )
    if leg is None:
        return None
    call = leg.call
    card = CallerCard(
        call=call, leg=leg, browser_phone=BrowserPhone.objects.filter(channel=leg.channel).first()
    )
    if call.connected_at is not None:
        rung = call.legs.filter(
            role=LegRole.EMPLOYEE, state__in=(LegState.PLANNED, LegState.RINGING)
        )
        card.transfer = rung.exclude(pk=leg.pk).select_related("user").first()
    card.people = (
        [call.patient]
        if call.patient is not None
        else patients_by_number(call.number)
        if call.number
        else []
    )
    for person in card.people[:5]:
        visit = future_visits(person, now).first()
        if visit is not None:
            card.visits[person.pk] = visit
    if call.number:
        card.recent = list(
            Interaction.objects.filter(number=call.number, clinic__in=user.clinics.all())
            .exclude(call=call)
            .select_related("employee", "topic")
            .order_by("-at")[:4]
        )
    return card


def link_since() -> dt.datetime | None:
    """Since when the link to the exchange is as it is; None when no process ever held it."""
    lease = RobotLease.objects.filter(pk=1).first()
    if lease is None or lease.heartbeat_at is None:
        return None
    return lease.connected_at if not lease.connected else lease.heartbeat_at
