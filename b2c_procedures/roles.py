"""Who opens which pages of the procedures. Pure."""

from typing import Final

from callcenter.staff.roles import Role

# Everybody who performs a function of some procedure.
PERFORMERS: Final = (
    Role.ADMINISTRATOR,
    Role.SENIOR,
    Role.LEAD,
    Role.HEAD,
    Role.CONSULTANT,
    Role.AUDITOR,
    Role.RESPONSIBLE,
    Role.BRANCH,
)
CHATTERS: Final = (Role.ADMINISTRATOR, Role.SENIOR, Role.LEAD, Role.HEAD)
LEADERS: Final = (Role.LEAD, Role.HEAD)
EDITORS: Final = (Role.HEAD,)
FIGURES: Final = (Role.SENIOR, Role.MANAGER, Role.LEAD, Role.HEAD)
