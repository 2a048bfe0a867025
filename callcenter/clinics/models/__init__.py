"""Clinics with their hours, doctors, patients, appointments, free windows and the waiting list."""

from callcenter.clinics.models.appointments import Appointment, AppointmentEvent
from callcenter.clinics.models.clinics import ZONES, Clinic, LegalBasis, OpeningHours, SpecialDay
from callcenter.clinics.models.consents import Consent
from callcenter.clinics.models.doctors import Doctor, Service, Specialty
from callcenter.clinics.models.patients import NamePart, Patient, PatientNameWord, PatientPhone
from callcenter.clinics.models.schedule_windows import ScheduleWindow
from callcenter.clinics.models.waiting import WaitingListEntry

__all__ = [
    "ZONES",
    "Appointment",
    "AppointmentEvent",
    "Clinic",
    "Consent",
    "Doctor",
    "LegalBasis",
    "NamePart",
    "OpeningHours",
    "Patient",
    "PatientNameWord",
    "PatientPhone",
    "ScheduleWindow",
    "Service",
    "SpecialDay",
    "Specialty",
    "WaitingListEntry",
]
