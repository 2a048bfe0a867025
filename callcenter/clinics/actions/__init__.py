"""Every meaningful write of the clinics' objects: one verb, one transaction, an audit row."""

from callcenter.clinics.actions.booking import (
    VisitMark,
    book_appointment,
    cancel_appointment,
    hold_window,
    mark_visits,
    move_appointment,
    release_hold,
    reschedule_appointment,
    set_status,
    visit_at,
)
from callcenter.clinics.actions.bulk_appointments import (
    days_to_come,
    place_visits,
    schedule_appointments,
    write_visits,
)
from callcenter.clinics.actions.patients import record_consent, save_patient, set_do_not_call
from callcenter.clinics.actions.waiting import (
    close_waiting,
    give_waiting,
    move_waiting,
    open_waiting,
)

__all__ = [
    "VisitMark",
    "book_appointment",
    "cancel_appointment",
    "close_waiting",
    "days_to_come",
    "give_waiting",
    "hold_window",
    "mark_visits",
    "move_appointment",
    "move_waiting",
    "open_waiting",
    "place_visits",
    "record_consent",
    "release_hold",
    "reschedule_appointment",
    "save_patient",
    "schedule_appointments",
    "set_do_not_call",
    "set_status",
    "visit_at",
    "write_visits",
]
