"""Who opens which pages of the procedures. Pure."""

from typing import Final

from callcenter.staff.roles import CAN_RUN_PROCEDURES, Role

PERFORMERS: Final = CAN_RUN_PROCEDURES
# The doctor has chats that were transferred to him (1.5); only managers get new ones.
CAN_CHAT: Final = (Role.ADMINISTRATOR, Role.SENIOR, Role.LEAD, Role.HEAD, Role.CONSULTANT)
# Who does a step, or gives it to somebody, where nobody of the clinic has its role.
STAND_INS: Final = (Role.SENIOR, Role.LEAD, Role.HEAD)
LEADERS: Final = (Role.LEAD, Role.HEAD)
EDITORS: Final = (Role.HEAD,)
CAN_READ_METRICS: Final = (Role.SENIOR, Role.MANAGER, Role.LEAD, Role.HEAD)
