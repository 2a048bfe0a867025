"""Addresses that the outside calls (providers, patients) and the settings of messages."""

from django.urls import path

from callcenter.messaging import views

app_name = "messaging"
urlpatterns = [
    path("hooks/<int:provider>/<path:rest>", views.hook, name="hook"),
    path("v/<str:token>", views.visit_page, name="visit"),
    path("v/<str:token>/visit.ics", views.visit_calendar, name="calendar"),
]
