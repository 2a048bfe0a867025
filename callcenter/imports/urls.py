"""Imports of files."""

from django.urls import path

from callcenter.imports import views

app_name = "imports"
urlpatterns = [
    path("", views.imports, name="list"),
    path("example/<slug:kind>.xlsx", views.example, name="example"),
    path("<int:pk>/", views.run, name="run"),
    path("<int:pk>/columns/", views.columns, name="columns"),
    path("<int:pk>/confirm/", views.confirm, name="confirm"),
    path("<int:pk>/drop/", views.drop, name="drop"),
    path("<int:pk>/rejected.xlsx", views.rejected, name="rejected"),
]
