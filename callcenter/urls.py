"""Every page of the product; each desk's own addresses stand in its urls.py."""

from django.urls import URLPattern, URLResolver, path

from callcenter.live import look

urlpatterns: list[URLPattern | URLResolver] = [path("live", look, name="live")]
