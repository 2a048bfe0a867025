"""Patients, their visits and the schedule."""

from django.urls import path

from callcenter.clinics.views import patients, schedule, settings

app_name = "clinics"
urlpatterns = [
    path("patients/", patients.search, name="search"),
    path("patients/new/", patients.edit, name="patient_new"),
    path("patients/<int:pk>/", patients.card, name="patient"),
    path("patients/<int:pk>/edit/", patients.edit, name="patient_edit"),
    path("patients/<int:pk>/consent/", patients.consent, name="patient_consent"),
    path("patients/<int:pk>/do-not-call/", patients.do_not_call, name="patient_do_not_call"),
    path("patients/<int:pk>/waiting/", patients.waiting, name="patient_waiting"),
    path("patients/<int:pk>/book/", schedule.book, name="book"),
    path("appointments/<int:pk>/", schedule.visit, name="visit"),
    path("appointments/<int:pk>/move/", schedule.move, name="move"),
    path("appointments/<int:pk>/cancel/", schedule.cancel, name="cancel"),
    path("appointments/<int:pk>/status/", schedule.mark, name="mark"),
    path("schedule/", schedule.day, name="schedule"),
    path("settings/clinics/", settings.clinics, name="settings_clinics"),
    path("settings/clinics/new/", settings.clinic, name="settings_clinic_new"),
    path("settings/clinics/<int:pk>/", settings.clinic, name="settings_clinic"),
    path("settings/clinics/<int:pk>/days/", settings.special_day, name="settings_day"),
    path("settings/days/<int:pk>/remove/", settings.remove_special_day, name="settings_day_remove"),
    path("settings/clinics/<int:pk>/grounds/", settings.ground, name="settings_ground"),
    path("settings/grounds/<int:pk>/end/", settings.end_legal_basis, name="settings_ground_end"),
    path("settings/doctors/", settings.doctors, name="settings_doctors"),
    path("settings/doctors/new/", settings.doctor, name="settings_doctor_new"),
    path("settings/doctors/<int:pk>/", settings.doctor, name="settings_doctor"),
    path("settings/services/", settings.services, name="settings_services"),
    path("settings/services/new/", settings.service, name="settings_service_new"),
    path("settings/services/<int:pk>/", settings.service, name="settings_service"),
    path("settings/specialties/", settings.specialties, name="settings_specialties"),
    path("settings/specialties/<int:pk>/", settings.specialty, name="settings_specialty"),
    path(
        "settings/specialties/<int:pk>/remove/",
        settings.remove_specialty,
        name="settings_specialty_remove",
    ),
]
