"""What a contact comes to: every rule of «История обращений», pure, and `decide`, where they meet.
No ORM, no clock.

The row of a contact is never edited by hand: it is decided anew from the day's interactions and
what came of them, so the order in which they arrived changes nothing. Each rule quotes the
instruction «История обращений».
"""

from callcenter.contacts.rules.caller_types import ContactOwner, origin_of, owner_of, person_of
from callcenter.contacts.rules.comments import bind_comments
from callcenter.contacts.rules.contact_types import contact_type_of
from callcenter.contacts.rules.decide import ContactVerdict, InteractionVerdict, decide
from callcenter.contacts.rules.inputs import (
    ContactFacts,
    InteractionFacts,
    PolicyValues,
    ResultFacts,
    VisitFacts,
    WaitingFacts,
)
from callcenter.contacts.rules.missed import (
    DAY_SECONDS,
    FATES,
    QUICK_SECONDS,
    CallbackStatus,
    fate_of,
)
from callcenter.contacts.rules.outcomes import (
    ResultBadge,
    main_result,
    money_of,
    outcome_of,
    rank_of,
    sign_of,
)
from callcenter.contacts.rules.requests import overdue_on
from callcenter.contacts.rules.result_matching import PatientAction, interaction_of

__all__ = [
    "DAY_SECONDS",
    "FATES",
    "QUICK_SECONDS",
    "CallbackStatus",
    "ContactFacts",
    "ContactOwner",
    "ContactVerdict",
    "InteractionFacts",
    "InteractionVerdict",
    "PatientAction",
    "PolicyValues",
    "ResultBadge",
    "ResultFacts",
    "VisitFacts",
    "WaitingFacts",
    "bind_comments",
    "contact_type_of",
    "decide",
    "fate_of",
    "interaction_of",
    "main_result",
    "money_of",
    "origin_of",
    "outcome_of",
    "overdue_on",
    "owner_of",
    "person_of",
    "rank_of",
    "sign_of",
]  # fmt: skip
