"""Every meaningful write of the clinics' objects: one verb, one transaction, an audit row."""

from callcenter.clinics.actions.booking import (
    book_appointment,
    cancel_appointment,
    hold_window,
    move_appointment,
    release_hold,
    reschedule_appointment,
    set_status,
)
from callcenter.clinics.actions.intake import schedule_appointments
from callcenter.clinics.actions.patients import record_consent, save_patient, set_do_not_call
from callcenter.clinics.actions.waiting import close_waiting, give_waiting, move_waiting, open_waiting

__all__ = [
    "book_appointment",
    "cancel_appointment",
    "close_waiting",
    "give_waiting",
    "hold_window",
    "move_appointment",
    "move_waiting",
    "open_waiting",
    "record_consent",
    "release_hold",
    "reschedule_appointment",
    "save_patient",
    "schedule_appointments",
    "set_do_not_call",
    "set_status",
]
