"""Addresses of «История обращений»."""

from django.urls import path

from reports.views import history, missed

app_name = "reports"
urlpatterns = [
    path("history/", history.history, name="history"),
    path("history/contact/<int:pk>/", history.contact, name="contact"),
    path("history/export/", history.export, name="export"),
    path("history/exports/", history.exports, name="exports"),
    path("history/exports/<int:pk>/", history.download, name="download"),
    path("history/missed/", missed.missed, name="missed"),
    path("history/link/", missed.link, name="link"),
    path("history/link/<int:pk>/", missed.bind, name="bind"),
    path("history/unlink/<int:pk>/", missed.unbind, name="unbind"),
]
