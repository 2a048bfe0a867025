from django.apps import AppConfig


class LibConfig(AppConfig):
    """Small pieces without models; an app only for its template tags."""

    name = "callcenter.lib"
    label = "lib"
