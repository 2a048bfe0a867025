"""Addresses of the procedures."""

from django.urls import path

from b2c_procedures.views import chats, metrics, reference, runs, versions

app_name = "b2c_procedures"
urlpatterns = [
    path("", runs.home, name="home"),
    path("start/", runs.start, name="start"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/<slug:what>/", runs.run_action, name="run_action"),
    path("diagrams/", metrics.diagrams, name="diagrams"),
    path("diagrams/<int:number>/", metrics.diagram, name="diagram"),
    path("diagrams/<int:number>/print/", metrics.diagram_sheets, name="diagram_sheets"),
    path("functions/<str:function_id>/", metrics.function, name="function"),
    path("report/", metrics.report, name="report"),
    path("report/file/", metrics.report_file, name="report_file"),
    path("orders/", reference.orders, name="orders"),
    path("orders/<int:pk>/", reference.order, name="order"),
    path("orders/<int:pk>/receipt/", reference.receipt, name="receipt"),
    path("reference/", reference.reference_home, name="reference_home"),
    path("reference/<slug:kind>/", reference.reference, name="reference"),
    path("reference/<slug:kind>/new/", reference.reference_edit, name="reference_new"),
    path("reference/<slug:kind>/import/", reference.reference_import, name="reference_import"),
    path("reference/<slug:kind>/<int:pk>/", reference.reference_edit, name="reference_edit"),
    path("cases/", reference.cases_home, name="cases_home"),
    path("cases/<slug:kind>/", reference.cases, name="cases"),
    path("chats/", chats.chats, name="chats"),
    path("chats/presence/", chats.presence, name="presence"),
    path("chats/<int:pk>/", chats.chat, name="chat"),
    path("chats/<int:pk>/<slug:what>/", chats.chat_action, name="chat_action"),
    path("failure/", chats.failure, name="failure"),
    path("versions/", versions.versions, name="versions"),
    path("versions/confirm/", versions.confirm, name="confirm"),
    path("versions/<int:number>/file/", versions.version_file, name="version_file"),
    path("texts/", versions.texts, name="texts"),
    path("settings/", versions.settings, name="settings"),
    path("settings/phrases/new/", versions.phrase, name="phrase_new"),
    path("settings/phrases/<int:pk>/", versions.phrase, name="phrase"),
]
