"""Обратный звонок: the board, a request's card, report, settings, and the intake for sites and
aggregators.
"""

from django.urls import path

from callback.views import api, board, card, report, settings

app_name = "callback"
urlpatterns = [
    path("callback/", board.board, name="board"),
    path("callback/new/", board.new, name="new"),
    path("callback/report/", report.report, name="report"),
    path("callback/settings/", settings.index, name="settings"),
    path("callback/settings/clinics/<int:pk>/", settings.clinic, name="settings_clinic"),
    path("callback/settings/sources/new/", settings.new_source, name="source_new"),
    path("callback/settings/sources/<int:pk>/", settings.source, name="source"),
    path("callback/<int:pk>/", card.card, name="card"),
    path("callback/<int:pk>/act/", card.act, name="act"),
    path("callback/<int:pk>/patient/", card.patient, name="patient"),
    path("callback/<int:pk>/book/", card.book, name="book"),
    path("api/v1/callback-requests", api.requests, name="api_requests"),
    path("api/v1/callback-requests/<str:external_id>", api.request_state, name="api_request"),
]
