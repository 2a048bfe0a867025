"""What a source tells of one interaction: the input of `record_interaction`. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callcenter.clinics.models import Clinic, Patient
from callcenter.contacts.call_phases import Phases
from callcenter.contacts.models import Reason, Topic
from callcenter.contacts.states import CallerType, Direction, InteractionKind, InteractionState
from callcenter.staff.models import User


@dataclass(frozen=True)
class Participants:
    """The two sides of an interaction: the client, and the employee with the clinic's line.

    `patient` is given only when somebody has said whose interaction it is; `number` is the
    client's in E.164, `client` the id in a messenger.
    """

    patient: Patient | None = None
    number: str = ""
    client: str = ""
    employee: User | None = None
    line: str = ""


@dataclass(frozen=True)
class WrapUp:
    """What an employee notes about an interaction: the form «Обращение в колл-центр».

    `caller_type` is what the employee has chosen, or the list an outgoing call came from (waiting
    list, task, reminder).
    """

    summary: str = ""
    topic: Topic | None = None
    reason: Reason | None = None
    comment: str = ""
    is_recall: bool = False
    caller_type: CallerType | None = None


@dataclass(frozen=True)
class InteractionSource:
    """Which system brings an interaction, under which id, and what attribution may recognise it by.

    `name` is "hand" for what an employee adds; the same (`name`, `id`) is the same interaction.
    """

    name: str = "hand"
    id: str = ""
    account: str = ""
    chat_channel: str = ""
    utm: Mapping[str, str] = field(default_factory=dict)
    referrer: str = ""


@dataclass(frozen=True)
class InteractionInput:
    """One call, chat, request, dialog or comment as its source tells of it."""

    clinic: Clinic
    kind: InteractionKind
    state: InteractionState
    phases: Phases
    direction: Direction = Direction.IN
    participants: Participants = Participants()
    wrap_up: WrapUp = WrapUp()
    source: InteractionSource = InteractionSource()
