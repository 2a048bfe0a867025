"""Every page of the product; each desk's own addresses stand in its urls.py."""

from django.contrib.auth import views as auth
from django.urls import URLPattern, URLResolver, include, path

from callcenter.api import openapi
from callcenter.health import healthz
from callcenter.home import home
from callcenter.live import look

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("healthz", healthz, name="healthz"),
    path("live", look, name="live"),
    path("login/", auth.LoginView.as_view(template_name="staff/login.html"), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("", include("callcenter.clinics.urls")),
    path("", include("callcenter.contacts.urls")),
    path("api/v1/openapi.json", openapi, name="openapi"),
]
