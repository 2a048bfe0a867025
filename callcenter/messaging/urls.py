"""Addresses that the outside calls (providers, patients), and the settings of messages."""

from django.urls import path

from callcenter.messaging.views import public, settings

app_name = "messaging"
urlpatterns = [
    path("hooks/<int:provider>/<path:rest>", public.hook, name="hook"),
    path("v/<str:token>", public.visit_page, name="visit"),
    path("v/<str:token>/visit.ics", public.visit_calendar, name="calendar"),
    path("settings/messages/", settings.templates, name="templates"),
    path("settings/channels/", settings.channels, name="channels"),
    path("settings/channels/add/", settings.add_provider, name="add_provider"),
    path("settings/channels/<int:pk>/", settings.provider, name="provider"),
]
