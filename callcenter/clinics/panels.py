"""What other apps know of a patient, shown on the patient's card and beside the patient's call."""

import datetime as dt
from collections.abc import Callable, Iterable

from callcenter.clinics.models import Patient
from callcenter.lib.contributions import Panel
from callcenter.staff.models import User

PatientPanel = Callable[[Patient, User, dt.datetime], Panel | None]
_registered: list[PatientPanel] = []


def register_patient_panels(panels: Iterable[PatientPanel]) -> None:
    """Set the panels of a patient's card; the registry on top calls it once at start."""
    _registered[:] = panels


def patient_panels(patient: Patient, user: User, *, now: dt.datetime) -> list[Panel]:
    """Return what each app has to say of the patient to this user, in the panels' order."""
    found = [panel(patient, user, now) for panel in _registered]
    return sorted((panel for panel in found if panel is not None), key=lambda panel: panel.order)
