"""Addresses that the outside calls (providers, patients), and the settings of messages."""

from django.urls import path

from callcenter.messaging.views import outside, settings

app_name = "messaging"
urlpatterns = [
    path("hooks/<int:provider>/<path:rest>", outside.hook, name="hook"),
    path("v/<str:token>", outside.visit_page, name="visit"),
    path("v/<str:token>/visit.ics", outside.visit_calendar, name="calendar"),
    path("settings/messages/", settings.templates, name="templates"),
    path("settings/channels/", settings.channels, name="channels"),
    path("settings/channels/add/", settings.add_provider, name="add_provider"),
    path("settings/channels/<int:pk>/", settings.provider, name="provider"),
]
