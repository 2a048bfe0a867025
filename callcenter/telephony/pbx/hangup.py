"""How a leg ended, from the exchange's two testimonies together: the last Dial status and the
hang-up cause (Q.850).

Neither suffices alone (measured on Asterisk 22.10.1): Busy() gives cause 0 and only Dial says BUSY;
a dial timeout gives cause 19 and no final Dial at all; a rejection gives Dial NOANSWER and only the
cause (21) tells it from silence.
"""

from typing import Final

from callcenter.telephony.states import HangupReason

# Causes that say enough by themselves; 0, 16, 31 and 127 do not and leave the word to Dial.
BY_CAUSE: Final[dict[int, HangupReason]] = {
    1: HangupReason.WRONG_NUMBER,
    22: HangupReason.WRONG_NUMBER,
    28: HangupReason.WRONG_NUMBER,
    17: HangupReason.BUSY,
    18: HangupReason.NO_ANSWER,
    19: HangupReason.NO_ANSWER,
    21: HangupReason.REJECTED,
    3: HangupReason.UNREACHABLE,
    20: HangupReason.UNREACHABLE,
    27: HangupReason.UNREACHABLE,
    34: HangupReason.UNREACHABLE,
    38: HangupReason.UNREACHABLE,
    41: HangupReason.UNREACHABLE,
    42: HangupReason.UNREACHABLE,
    44: HangupReason.UNREACHABLE,
    58: HangupReason.UNREACHABLE,
    102: HangupReason.UNREACHABLE,
}
BY_DIAL: Final[dict[str, HangupReason]] = {
    "BUSY": HangupReason.BUSY,
    "CONGESTION": HangupReason.UNREACHABLE,
    "CHANUNAVAIL": HangupReason.UNREACHABLE,
    "NOANSWER": HangupReason.NO_ANSWER,
    "CANCEL": HangupReason.CANCELLED,
}


def how_it_ended(
    *, answered: bool, dial_status: str, cause: int, cancelled: bool = False
) -> HangupReason:
    """`answered` = the far side picked up; `cancelled` = we hung up a leg that nobody had answered.

    A leg that never saw a Dial status beyond the first empty one and has no telling cause could not
    be dialled at all (an extension that does not exist: cause 0 and no Dial event).
    """
    if answered:
        return HangupReason.ANSWERED
    if cancelled:
        return HangupReason.CANCELLED
    if cause in BY_CAUSE:
        return BY_CAUSE[cause]
    if dial_status in BY_DIAL:
        return BY_DIAL[dial_status]
    return (
        HangupReason.NO_ANSWER
        if dial_status in {"RINGING", "PROGRESS", "PROCEEDING"} and cause == 16
        else HangupReason.FAILED
    )
