"""How a leg ended, from the exchange's two testimonies together: the last Dial status and the hang-up cause (Q.850).

Neither suffices alone (measured on Asterisk 22.10.1): Busy() gives cause 0 and only Dial says BUSY; a dial timeout gives
cause 19 and no final Dial at all; a rejection gives Dial NOANSWER and only the cause (21) tells it from silence.
"""

from typing import Final

from callcenter.telephony.states import End

# Causes that say enough by themselves; 0, 16, 31 and 127 do not and leave the word to Dial.
BY_CAUSE: Final[dict[int, End]] = {
    1: End.WRONG_NUMBER,
    22: End.WRONG_NUMBER,
    28: End.WRONG_NUMBER,
    17: End.BUSY,
    18: End.NO_ANSWER,
    19: End.NO_ANSWER,
    21: End.REJECTED,
    3: End.UNREACHABLE,
    20: End.UNREACHABLE,
    27: End.UNREACHABLE,
    34: End.UNREACHABLE,
    38: End.UNREACHABLE,
    41: End.UNREACHABLE,
    42: End.UNREACHABLE,
    44: End.UNREACHABLE,
    58: End.UNREACHABLE,
    102: End.UNREACHABLE,
}
BY_DIAL: Final[dict[str, End]] = {
    "BUSY": End.BUSY,
    "CONGESTION": End.UNREACHABLE,
    "CHANUNAVAIL": End.UNREACHABLE,
    "NOANSWER": End.NO_ANSWER,
    "CANCEL": End.CANCELLED,
}


def how_it_ended(*, answered: bool, dial_status: str, cause: int, cancelled: bool = False) -> End:
    """`answered` = the far side picked up; `cancelled` = we hung up a leg that nobody had answered.

    A leg that never saw a Dial status beyond the first empty one and has no telling cause could not be dialled at all
    (an extension that does not exist: cause 0 and no Dial event).
    """
    if answered:
        return End.ANSWERED
    if cancelled:
        return End.CANCELLED
    if cause in BY_CAUSE:
        return BY_CAUSE[cause]
    if dial_status in BY_DIAL:
        return BY_DIAL[dial_status]
    return End.NO_ANSWER if dial_status in {"RINGING", "PROGRESS", "PROCEEDING"} and cause == 16 else End.FAILED
