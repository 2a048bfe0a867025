"""Addresses of contacts: the API of sources, the form «Обращение в колл-центр», «Связать», recordings, settings."""

from django.urls import path

from callcenter.contacts.views import api

app_name = "contacts"
urlpatterns = [
    path("api/v1/interactions", api.interactions, name="api_interactions"),
]
