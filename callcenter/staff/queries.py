"""What the screens of staff need: people, shifts of a period, one's own shift."""

import datetime as dt
from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from callcenter.staff.models import Shift, User
from callcenter.staff.roles import CAN_WORK_SHIFTS, Role, ShiftColour, grantable

DEFAULT_ZONE = "Europe/Moscow"


def zone_of(user: User) -> str:
    """The zone on whose wall clock the user's own pages are shown: that of the first of his clinics
    by name.
    """
    return user.clinics.order_by("name").values_list("zone", flat=True).first() or DEFAULT_ZONE


def colleagues(user: User) -> QuerySet[User]:
    """Everyone, dismissed ones too, who works in a clinic of `user`."""
    shared = user.clinics.through.objects.filter(user=OuterRef("pk"), clinic__staff=user)
    return User.objects.filter(Exists(shared))


def manages(by: User, person: User) -> bool:
    """Whether `by` may change the person's data, roles and password (docs/adr/0010).

    Only when every role of the person is one that `by` could give, and every clinic of the person
    is also hers: else a password set for a colleague would open clinics and rights that are not
    hers.
    """
    if not set(person.roles) <= {str(role) for role in grantable(by.roles)}:
        return False
    hers = set(by.clinics.values_list("pk", flat=True))
    theirs = set(person.clinics.values_list("pk", flat=True))
    return bool(theirs) and theirs <= hers


def on_shift(*, colour: ShiftColour, on: dt.date, clinic_ids: Collection[int]) -> list[User]:
    """Who works in the clinics under a colour on their local day."""
    people = User.objects.filter(
        is_active=True, clinics__in=clinic_ids, shifts__on=on, shifts__colour=colour
    )
    return list(people.distinct())


def shift_of(user: User, on: dt.date) -> Shift | None:
    """The user's own shift of a local day."""
    return Shift.objects.filter(user=user, on=on).first()


def team_of(user: User, on: dt.date) -> dict[str, list[User]]:
    """Who of the user's colleagues works on the local day, by the colour's word. One query."""
    found: dict[str, list[User]] = {}
    rows = Shift.objects.filter(
        user__in=colleagues(user).filter(is_active=True), on=on
    ).select_related("user")
    for shift in rows.order_by("user__full_name"):
        found.setdefault(shift.colour, []).append(shift.user)
    labels = dict(ShiftColour.choices)
    return {labels[colour]: found[colour] for colour in ShiftColour.values if colour in found}


def shifts_of(
    people: list[User], since: dt.date, until: dt.date
) -> dict[tuple[int, dt.date], Shift]:
    """The shifts of `people` on the days since…until, both included, by (user's id, day). One
    query.
    """
    found = Shift.objects.filter(user__in=people, on__gte=since, on__lte=until)
    return {(shift.user_id, shift.on): shift for shift in found}


def shift_people(user: User, clinic_id: int | None = None) -> list[User]:
    """Active colleagues who work in shifts, of one clinic or of all of the user's."""
    people = colleagues(user).filter(
        is_active=True, roles__overlap=[str(role) for role in CAN_WORK_SHIFTS]
    )
    if clinic_id is not None:
        people = people.filter(clinics=clinic_id)
    return list(people.order_by("full_name"))


def search_people(
    user: User, *, text: str, role: str, clinic_id: int | None, dismissed: bool
) -> list[User]:
    """The page «Сотрудники»: colleagues by part of a name or log-in, role and clinic. Two queries."""
    people = colleagues(user).filter(is_active=not dismissed).prefetch_related("clinics")
    if text:
        people = people.filter(
            Q(full_name__icontains=text) | Q(login__icontains=text) | Q(extension=text)
        )
    if role in Role.values:
        people = people.filter(roles__contains=[role])
    if clinic_id is not None:
        people = people.filter(clinics=clinic_id)
    return list(people.order_by("full_name"))
