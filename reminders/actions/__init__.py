"""Every meaningful write of «Дозвон»."""

from reminders.actions.marks import (
    accept_reply,
    mark_called,
    save_day_call,
    save_result,
    start_calling,
    stop_calling,
    undo_mark,
)
from reminders.actions.runs import (
    hand_over,
    open_due_runs,
    open_run,
    plan_openings,
    refresh_due_runs,
    refresh_run,
    save_settings,
)
from reminders.actions.sending import send_all, send_blue_sms, send_due_blue_sms, send_one

__all__ = [
    "accept_reply",
    "hand_over",
    "mark_called",
    "open_due_runs",
    "open_run",
    "plan_openings",
    "refresh_due_runs",
    "refresh_run",
    "save_day_call",
    "save_result",
    "save_settings",
    "send_all",
    "send_blue_sms",
    "send_due_blue_sms",
    "send_one",
    "start_calling",
    "stop_calling",
    "undo_mark",
]
