"""Patients, their visits and the schedule."""

from django.urls import path

from callcenter.clinics.views import patients, schedule

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
]
