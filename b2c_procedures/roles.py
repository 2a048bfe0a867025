"""Who opens which pages of the procedures. Pure."""

from typing import Final

from callcenter.staff.roles import SERVICE, Role

PERFORMERS: Final = SERVICE
CHATTERS: Final = (Role.ADMINISTRATOR, Role.SENIOR, Role.LEAD, Role.HEAD)
LEADERS: Final = (Role.LEAD, Role.HEAD)
EDITORS: Final = (Role.HEAD,)
FIGURES: Final = (Role.SENIOR, Role.MANAGER, Role.LEAD, Role.HEAD)
