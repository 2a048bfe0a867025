"""Who may do a step, also where nobody of the clinic has its role: then the senior does, or whoever
he gives it to (ADR 0103).
"""

from collections.abc import Collection

from b2c_procedures.states import ACTS_AS, ROLE_OF, Performer
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_STAND_IN


def nobody_performs(performer: Performer, clinic: int) -> bool:
    """Whether no employee of the clinic has a role that acts as `performer`."""
    return not User.objects.with_role(*ACTS_AS[performer]).filter(clinics=clinic).exists()


def may_take(user: User, performer: Performer, clinic: int) -> bool:
    """Whether the user may make a run at a step of `performer` his own."""
    return user.has(*ACTS_AS[performer]) or (
        user.has(*CAN_STAND_IN) and nobody_performs(performer, clinic)
    )


def unmanned_words(performer: Performer) -> str:
    return f"Некому: в клинике нет сотрудника с ролью «{ROLE_OF[performer].label}»"


def unmanned(clinics: Collection[int]) -> dict[int, set[Performer]]:
    """Clinic → performers whom nobody there can be; one query for all of them."""
    roles: dict[int, set[str]] = {clinic: set() for clinic in clinics}
    people = User.objects.filter(is_active=True, clinics__in=clinics)
    for clinic, has in people.values_list("clinics", "roles"):
        roles[clinic] |= set(has)
    return {
        clinic: {
            performer
            for performer, acting in ACTS_AS.items()
            if not present & {str(role) for role in acting}
        }
        for clinic, present in roles.items()
    }
