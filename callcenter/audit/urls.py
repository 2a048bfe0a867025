"""The page of the audit log."""

from django.urls import path

from callcenter.audit import views

app_name = "audit"
urlpatterns = [
    path("audit/", views.audit, name="entries"),
]
