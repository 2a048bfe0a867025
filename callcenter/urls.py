"""Every page of the product; each desk's own addresses stand in its urls.py."""

from django.urls import URLPattern, URLResolver, include, path

from callcenter.staff.views import account
from callcenter.workbench.health import healthz
from callcenter.workbench.live_view import look
from callcenter.workbench.openapi import openapi
from callcenter.workbench.views import home, settings_index

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("healthz", healthz, name="healthz"),
    path("live", look, name="live"),
    path("login/", account.login, name="login"),
    path("logout/", account.logout, name="logout"),
    path("profile/", account.profile, name="profile"),
    path("profile/password/", account.password, name="password"),
    path("settings/", settings_index, name="settings"),
    path("", include("callcenter.staff.urls")),
    path("", include("callcenter.audit.urls")),
    path("", include("callcenter.clinics.urls")),
    path("", include("callcenter.assignments.urls")),
    path("imports/", include("callcenter.imports.urls")),
    path("", include("callcenter.telephony.urls")),
    path("", include("callback.urls")),
    path("", include("callcenter.contacts.urls")),
    path("", include("reports.urls")),
    path("api/v1/openapi.json", openapi, name="openapi"),
    path("", include("callcenter.messaging.urls")),
    path("reminders/", include("reminders.urls")),
    path("journals/", include("journals.urls")),
    path("b2c_procedures/", include("b2c_procedures.urls")),
]
